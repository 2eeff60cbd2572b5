//! Pages: their headers, their methods, what they tell. The harness holds every page of every test
//! against UI-01, UI-02, UI-12 and UI-13; here each kind of page is met once by name.

use crate::answer::Answer;
use crate::harness::{Params, Site, request};
use actix_web::http::{Method, header};
use actix_web::test::TestRequest;
use auth_core::policy::Policy;
use auth_core::redirect_uri::RegisteredRedirectUri;
use auth_testkit::sample;
use std::fmt::Write as _;

/// UI-01, UI-02, UI-12, UI-13, UI-21, UI-23: every kind of page there is, errors of every kind too.
#[actix_web::test]
async fn every_page_carries_its_headers() {
    let site = Site::new().await;
    let (stranger, alice) = (site.browser(), site.browser_of("alice").await);
    let post = |path: &'static str, media_type: &'static str, body: String| {
        TestRequest::post()
            .uri(path)
            .insert_header((header::CONTENT_TYPE, media_type))
            .set_payload(body)
    };
    const FORM: &str = "application/x-www-form-urlencoded";
    let sign_in = stranger.get("/login").await;
    let for_client = stranger.follow(stranger.authorize(&request("web")).await).await;
    let pages: Vec<(u16, Answer)> = vec![
        (200, sign_in.clone()),
        (200, for_client),
        (403, stranger.fill_sign_in(&sign_in, "alice", "wrong").await),
        (200, alice.consent_page(&request("web")).await),
        (200, alice.get("/").await),
        (200, stranger.get("/").await),
        (200, stranger.get("/signed-out").await),
        (400, stranger.authorize(&Params::default()).await),
        (400, stranger.get("/oauth/interaction/x").await),
        (400, alice.send(post("/login", "application/json", "{}".to_owned())).await),
        (403, alice.send(post("/logout", FORM, String::new())).await),
        (404, stranger.get("/nothing").await),
        (405, stranger.get("/oauth/consent").await),
        (413, alice.send(post("/login", FORM, "x".repeat(70_000))).await),
        (414, stranger.get(&format!("/oauth/authorize?{}", "x".repeat(9000))).await),
    ];
    for (status, page) in &pages {
        assert_eq!(page.status, *status);
        page.check(sample::ISSUER);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.attributes("html", "lang"), ["en"]);
        assert_eq!(page.find("h1").len(), 1);
        assert_eq!(page.find("main, title").len(), 2);
    }
}

/// UI-03: the policy of a page whose form ends at a client admits that client's target and nothing
/// broader; where it cannot be written, it is left out.
#[actix_web::test]
async fn form_action_admits_the_redirect_target() {
    let site = Site::new().await;
    site.kit.update_client("spa", |spa| {
        let more = ["https://spa.test:8443/cb", "http://localhost/cb"];
        spa.redirect_uris = more.map(|uri| RegisteredRedirectUri::parse(uri).unwrap()).to_vec();
    });
    for (client, uri, expected) in [
        ("web", "https://rp.test/cb", Some("https://rp.test")),
        ("web", "https://rp.test/cb2?fixed=1", Some("https://rp.test")),
        ("spa", "https://spa.test:8443/cb", Some("https://spa.test:8443")),
        ("spa", "http://localhost:9/cb", Some("http://localhost:9")),
        ("pub", "http://127.0.0.1:49152/cb", Some("http://127.0.0.1:49152")),
        ("pub", "com.example.app:/cb", Some("com.example.app:")),
        ("pub", "http://[::1]:49152/cb", None),
    ] {
        let browser = site.browser();
        let params = request(client).set("redirect_uri", uri);
        let sign_in = browser.follow(browser.authorize(&params).await).await;
        let wrong = browser.fill_sign_in(&sign_in, "alice", "wrong").await;
        let consent = browser.sign_in_on(&sign_in, "alice").await;
        assert!(consent.is_consent_page());
        for page in [&sign_in, &wrong, &consent] {
            let expected = expected.map(|target| vec!["'self'", target]);
            assert_eq!(page.policy("form-action"), expected, "{uri}");
        }
    }
    let own = site.browser().get("/login").await;
    assert_eq!(own.policy("form-action"), Some(vec!["'self'"]));
}

/// UI-04
#[actix_web::test]
async fn the_consent_page_tells_who_what_where_and_how_long() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.consent_page(&request("web")).await;
    assert_eq!(page.find("h1 bdi"), ["The web client"]);
    assert_eq!(page.find("p.muted strong"), ["the administrators of as.test"]);
    assert_eq!(
        page.find("ul.scopes li"),
        ["Read your things. api.read", "Change your things. api.write"]
    );
    assert_eq!(page.find("dl.facts strong"), ["alice", "rp.test"]);
    assert_eq!(page.find("dl.facts a"), ["Not you?"]);
    assert_eq!(
        page.find("dl.facts dd").last().map(String::as_str),
        Some("Until it is withdrawn, or not used for 30 days.")
    );
    assert_eq!(page.attributes("button", "value"), ["approve", "deny"]);
    let native = request("pub").set("redirect_uri", "http://127.0.0.1:7/cb");
    let page = browser.consent_page(&native).await;
    assert_eq!(page.find("dl.facts code"), ["127.0.0.1:7"]);
}

/// UI-09, UI-10, UI-11: whatever a client is called or somebody typed, it stays text.
#[actix_web::test]
async fn names_from_outside_stay_text() {
    let site = Site::new().await;
    let polyglot = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}\u{202e}&lt;";
    site.kit.update_client("web", |web| web.name = polyglot.to_owned());
    let browser = site.browser();
    let params = request("web").set("state", polyglot).set("login_hint", polyglot);
    let sign_in = browser.follow(browser.authorize(&params).await).await;
    let again = browser.fill_sign_in(&sign_in, polyglot, "x").await;
    let consent = browser.sign_in_on(&sign_in, "alice").await;
    for page in [&sign_in, &again, &consent] {
        assert!(!page.text().contains("<script") && !page.text().contains("<img"));
        assert!(!page.text().contains('\u{202e}'));
        assert!(page.find("bdi").iter().any(|name| name.contains("{{7*7}}")), "{page:?}");
    }
    assert_eq!(again.form().fields.all("username").len(), 1);
    browser.decide(&consent, "approve").await.code();
}

/// UI-25, XC-09
#[actix_web::test]
async fn other_methods_are_refused_and_told_which_are_not() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    for (path, allow) in [
        ("/oauth/authorize", "GET, POST"),
        ("/v1/auth/authorize", "GET, POST"),
        ("/oauth/interaction/x", "GET"),
        ("/oauth/consent", "POST"),
        ("/v1/auth/consent", "POST"),
        ("/login", "GET, HEAD, POST"),
        ("/logout", "POST"),
        ("/signed-out", "GET, HEAD"),
        ("/", "GET, HEAD"),
        ("/assets/style.css", "GET, HEAD"),
        ("/healthz", "GET, HEAD"),
        ("/readyz", "GET, HEAD"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
        {
            if allow.split(", ").any(|it| it == method) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer =
                browser.send(TestRequest::default().method(method.clone()).uri(path)).await;
            answer.assert_error_page(405);
            assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        }
    }
    assert_eq!(browser.get("/").await.find("h1"), ["You are signed in"]);
}

/// UI-25
#[actix_web::test]
async fn forms_of_another_media_type_are_refused() {
    let site = Site::new().await;
    let browser = site.browser();
    let form = browser.get("/login").await.form();
    let filled = form.fields.set("username", "alice").set("password", "alice-password").encode();
    for path in ["/login", "/logout", "/oauth/consent", "/v1/auth/consent"] {
        for media_type in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
            let post = TestRequest::post()
                .uri(path)
                .insert_header((header::CONTENT_TYPE, media_type))
                .set_payload(filled.clone());
            browser.send(post).await.assert_error_page(400);
        }
    }
    assert_eq!(browser.cookie("session"), None);
}

/// UI-21: over plain http there is no promise of https.
#[actix_web::test]
async fn hsts_is_for_https() {
    for (issuer, expected) in [(sample::ISSUER, true), ("http://127.0.0.1:8080", false)] {
        let site = Site::under(Policy::new(issuer, sample::scopes())).await;
        for path in ["/login", "/oauth/scopes", "/healthz", "/nothing"] {
            let answer = site.get(path).await;
            assert_eq!(answer.header("strict-transport-security").is_some(), expected, "{path}");
        }
    }
}

/// UI-23, UI-12: one stylesheet from here, which is the same for everybody.
#[actix_web::test]
async fn the_stylesheet_is_ours() {
    let site = Site::new().await;
    let page = site.get("/").await;
    assert_eq!(page.attributes("link[rel=stylesheet]", "href"), ["/assets/style.css"]);
    let style = site.get("/assets/style.css").await;
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(style.header("cache-control"), Some("public, max-age=3600"));
    for foreign in ["@import", "url(http", "//"] {
        assert!(!style.text().contains(foreign), "{foreign}");
    }
}

/// UI-24, AUTHZ-09, AUTHZ-10: what a person is told where the client cannot be.
#[actix_web::test]
async fn error_pages_word_by_word() {
    let site = Site::new().await;
    site.kit.update_client("evil", |evil| evil.disabled_at = Some(evil.created_at));
    site.kit.update_client("spa", |spa| spa.redirect_uris.clear());
    let browser = site.browser_of("alice").await;
    let consent = browser.consent_page(&request("web")).await;
    let web = || request("web");
    let mut pages = Vec::new();
    for params in [
        web().also("client_id", "web"),
        web().without("client_id"),
        web().set("client_id", "nobody"),
        request("evil"),
        request("spa"),
        web().without("redirect_uri"),
        web().set("redirect_uri", "https://evil.test/cb"),
        web().set("response_mode", "fragment"),
        web().set("state", &"x".repeat(5000)),
        web().set("state", &"x".repeat(9000)),
    ] {
        pages.push(browser.authorize(&params).await);
    }
    pages.push(browser.get("/oauth/interaction/gone").await);
    pages.push(browser.decide(&consent, "perhaps").await);
    pages.push(browser.decide_with(&consent, "approve", &[("state", "changed")]).await);
    pages.push(browser.sending("Sec-Fetch-Site", "cross-site").decide(&consent, "approve").await);
    pages.push(browser.get("/nothing").await);
    pages.push(browser.get("/oauth/consent").await);
    let mut told = String::new();
    for page in &pages {
        let words = page.find("main > p").join(" ");
        let _ = writeln!(told, "{} {}: {words}", page.status, page.find("h1").join(" "));
    }
    insta::assert_snapshot!(told);
}

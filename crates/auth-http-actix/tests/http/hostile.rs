//! Requests that mean harm, or nothing at all: a page or a protocol error, never more.

use crate::harness::{Params, Site, request};
use actix_web::http::header;
use actix_web::test::TestRequest;
use proptest::strategy::Strategy as _;
use proptest::test_runner::TestRunner;

/// What somebody might put into any parameter.
fn hostile_values() -> Vec<String> {
    let fixed = [
        "\0",
        "a\0b",
        "\r\nSet-Cookie: a=b",
        "web\r\n",
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "{{7*7}}{% raw %}",
        "' OR '1'='1",
        "../../etc/passwd",
        "\u{202e}bew",
        "w\u{435}b",
        "\u{ff57}eb",
        "%77eb",
        "[]",
        "web,evil",
    ];
    let long = "w".repeat(4000);
    fixed.iter().map(|it| (*it).to_owned()).chain([long]).collect()
}

/// AUTHZ-09, UI-09: the value appears escaped or not at all.
#[actix_web::test]
async fn a_hostile_client_id_gets_the_page() {
    let site = Site::new().await;
    for value in hostile_values() {
        let answer = site.browser().authorize(&request("web").set("client_id", &value)).await;
        answer.assert_error_page(400);
        assert!(!answer.text().contains("alert(1)") && !answer.text().contains("49{%"));
    }
}

/// AUTHZ-10, UI-09
#[actix_web::test]
async fn a_hostile_redirect_uri_gets_the_page() {
    let site = Site::new().await;
    for value in hostile_values() {
        for value in [value.clone(), format!("https://rp.test/cb{value}")] {
            let params = request("web").set("redirect_uri", &value);
            let answer = site.browser().authorize(&params).await;
            answer.assert_error_page(400);
            assert!(!answer.text().contains("alert(1)"));
        }
    }
}

/// AUTHZ-14, AUTHZ-11, XC-11: whatever stands in the other parameters, the answer is a clean redirect
/// or goes on; the harness checks both.
#[actix_web::test]
async fn hostile_values_elsewhere_do_no_harm() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    for name in [
        "scope",
        "state",
        "response_type",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "nonce",
        "max_age",
        "login_hint",
        "ui_locales",
        "claims",
        "id_token_hint",
        "resource",
    ] {
        for value in hostile_values() {
            let answer = browser.authorize(&request("web").set(name, &value)).await;
            assert_eq!(answer.client_redirect().base, "https://rp.test/cb", "{name}");
            assert!(answer.cookies().is_empty());
        }
    }
}

/// AUTHZ-25: 10 kB where a name belongs, 4 kB in one value, 8 kB in all.
#[actix_web::test]
async fn what_is_too_long_is_refused() {
    let site = Site::new().await;
    let browser = site.browser();
    for name in ["client_id", "redirect_uri", "state", "scope", "unknown"] {
        let value = |length| request("web").set(name, &"x".repeat(length));
        browser.authorize(&value(10_000)).await.assert_error_page(414);
        browser.authorize(&value(60_000)).await.assert_error_page(414);
        browser.authorize(&value(4097)).await.assert_error_page(400);
    }
    let fits = browser.authorize(&request("web").set("state", &"x".repeat(4096))).await;
    assert_eq!(fits.status, 303);
    // The same by POST, where a body may be longer than the URL that it would become.
    let posted = |length| request("web").set("state", &"x".repeat(length));
    browser.post("/oauth/authorize", &posted(70_000)).await.assert_error_page(413);
    browser.post("/oauth/authorize", &posted(4097)).await.assert_error_page(400);
    let long = posted(4096).set("nonce", &"x".repeat(4096));
    browser.post("/oauth/authorize", &long).await.assert_error_page(414);
}

/// AUTHZ-25, TOKEN-13
#[actix_web::test]
async fn too_many_parameters_are_refused() {
    let site = Site::new().await;
    let many = |count: usize| {
        let fill = (0..count - request("web").0.len()).map(|it| (format!("p{it}"), String::new()));
        Params(request("web").0.into_iter().chain(fill).collect())
    };
    assert_eq!(site.browser().authorize(&many(100)).await.status, 303);
    site.browser().authorize(&many(101)).await.assert_error_page(400);
    site.browser().post("/login", &many(101)).await.assert_error_page(400);
    site.browser().post("/oauth/consent", &many(101)).await.assert_error_page(400);
}

/// AUTHZ-09, TOKEN-14: what does not decode is never guessed at.
#[actix_web::test]
async fn what_does_not_decode_is_refused() {
    let site = Site::new().await;
    let good = request("web").encode();
    for bad in [
        "state=%",
        "state=%z",
        "state=%zz",
        "state=%4",
        "state=%ff",
        "state=%c0%80",
        "%ff=x",
        "state=%ed%a0%80",
        "state=%e2%82",
        "client_id=%80",
    ] {
        let target = format!("/oauth/authorize?{good}&{bad}");
        site.browser().get(&target).await.assert_error_page(400);
        let login = format!("/login?{bad}");
        site.browser().get(&login).await.assert_error_page(400);
        for path in ["/oauth/authorize", "/login", "/oauth/consent", "/logout"] {
            let post = TestRequest::post()
                .uri(path)
                .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
                .set_payload(format!("{good}&{bad}"));
            site.send(post).await.assert_error_page(400);
        }
    }
}

/// UI-14, UI-15: cookies that nobody of ours set are not adopted, and do no harm.
#[actix_web::test]
async fn hostile_cookies_are_not_adopted() {
    let site = Site::new().await;
    for value in ["", "x", "%", "%ff", "\"", "a=b", "../../x", &"x".repeat(5000)] {
        let browser = site.browser();
        browser.set_cookie("__Host-auth_session", value);
        let silent = request("web").set("prompt", "none");
        let answer = browser.authorize(&silent).await;
        answer.assert_error_redirect("https://rp.test/cb", "login_required");
        browser.set_cookie("__Host-auth_browser", value);
        let page = browser.follow(browser.authorize(&request("web")).await).await;
        assert_eq!(page.status, 200, "what was planted is replaced: {value}: {page:?}");
    }
}

/// UI-14: another application on this host that sets strange cookies signs nobody out.
#[actix_web::test]
async fn foreign_cookies_do_not_hide_ours() {
    let site = Site::new().await;
    for (name, value) in [("flag; other", "1"), ("a", "%ff"), ("b", "%"), ("c", "\"x"), ("", "v")] {
        let browser = site.browser_of("alice").await;
        browser.set_cookie(name, value);
        let home = browser.get("/").await;
        assert_eq!(home.find("h1"), ["You are signed in"], "{name}={value}");
    }
}

/// XC-11: arbitrary bytes at every endpoint are answered, and the answers are clean.
#[actix_web::test]
async fn arbitrary_bytes_are_answered() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let mut runner = TestRunner::deterministic();
    let bytes = proptest::collection::vec(proptest::num::u8::ANY, 0..300);
    let mut draw = || bytes.new_tree(&mut runner).expect("a value");
    for path in [
        "/oauth/authorize",
        "/v1/auth/authorize",
        "/oauth/consent",
        "/v1/auth/consent",
        "/oauth/token",
        "/v1/auth/token",
        "/oauth/scopes",
        "/login",
        "/logout",
        "/",
        "/nothing",
    ] {
        for round in 0..60 {
            let body = proptest::strategy::ValueTree::current(&draw());
            let query: String = body.iter().map(|byte| format!("%{byte:02X}")).collect();
            let media_type = match round % 3 {
                0 => "application/x-www-form-urlencoded",
                1 => "application/json",
                _ => "text/plain",
            };
            let post = TestRequest::post()
                .uri(path)
                .insert_header((header::CONTENT_TYPE, media_type))
                .set_payload(body);
            let answer = browser.send(post).await;
            assert!((400..500).contains(&answer.status) || answer.status == 303, "{answer:?}");
            let answer = browser.get(&format!("{path}?{query}")).await;
            assert!(answer.status < 500, "{answer:?}");
        }
    }
    assert_eq!(browser.get("/").await.find("h1"), ["You are signed in"]);
}

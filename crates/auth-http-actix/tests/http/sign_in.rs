//! Signing in and out, and the cookies that say so.

use crate::harness::{Params, Site, request};
use auth_core::policy::Policy;
use auth_http_actix::Limits;
use auth_testkit::{TestServer, sample};
use std::net::IpAddr;
use std::sync::Arc;
use time::Duration;

/// UI-14: two cookies, one for the session and one for the browser's forms. The harness looks at the
/// attributes of every cookie that is ever set.
#[actix_web::test]
async fn cookies_are_bound_to_this_host_alone() {
    let site = Site::new().await;
    let browser = site.browser();
    let page = browser.get("/login").await;
    assert_eq!(browser.cookie_names(), ["__Host-auth_browser"]);
    browser.fill_sign_in(&page, "alice", "alice-password").await;
    assert_eq!(browser.cookie_names(), ["__Host-auth_browser", "__Host-auth_session"]);
    assert_ne!(browser.cookie("session"), browser.cookie("browser"));
    // Nothing is set again for a browser that has them.
    for target in ["/login", "/", &format!("/oauth/authorize?{}", request("web").encode())] {
        assert!(browser.get(target).await.cookies().is_empty(), "{target}");
    }
    let dump = site.kit.store.edit(|data| format!("{data:?}"));
    assert!(!dump.contains(&browser.cookie("session").unwrap()), "only its digest is kept");
}

/// UI-14: on plain-http loopback they are other cookies, without what http cannot keep.
#[actix_web::test]
async fn over_http_the_cookies_have_other_names() {
    let site = Site::under(Policy::new("http://127.0.0.1:8080", sample::scopes())).await;
    let browser = site.browser_of("alice").await;
    assert_eq!(browser.cookie_names(), ["auth_browser", "auth_session"]);
    let secure = site.browser();
    secure.set_cookie("__Host-auth_session", &browser.cookie("session").unwrap());
    assert_eq!(secure.get("/").await.find("h1"), ["Nobody is signed in"]);
}

/// UI-15: a cookie that somebody planted is not the one that is signed in.
#[actix_web::test]
async fn a_planted_session_cookie_is_never_adopted() {
    let site = Site::new().await;
    let planted = "p".repeat(43);
    let victim = site.browser();
    victim.set_cookie("__Host-auth_session", &planted);
    victim.sign_in("alice").await;
    let session = victim.cookie("session").unwrap();
    assert_ne!(session, planted);
    let attacker = site.browser();
    attacker.set_cookie("__Host-auth_session", &planted);
    assert_eq!(attacker.get("/").await.find("h1"), ["Nobody is signed in"]);
}

/// UI-15: even the attacker's own session, planted, ends when the victim signs in.
#[actix_web::test]
async fn signing_in_ends_the_session_that_was_there() {
    let site = Site::new().await;
    let attacker = site.browser_of("bob").await;
    let victim = site.browser();
    victim.set_cookie("__Host-auth_session", &attacker.cookie("session").unwrap());
    victim.sign_in("alice").await;
    assert_ne!(victim.cookie("session"), attacker.cookie("session"));
    assert_eq!(attacker.get("/").await.find("h1"), ["Nobody is signed in"]);
    // Signing in again as the same person renews it too.
    let before = victim.cookie("session");
    victim.sign_in("alice").await;
    assert_ne!(victim.cookie("session"), before);
}

/// UI-13, UI-15: after signing out the session is dead on the server, and its pages were never kept.
#[actix_web::test]
async fn signing_out_ends_the_session() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    let session = browser.cookie("session").unwrap();
    let form = browser.get("/").await.form();
    let answer = browser.post(&form.action, &form.fields).await;
    assert!(browser.cookie_names().is_empty());
    assert_eq!(browser.follow(answer).await.find("h1"), ["You are signed out"]);
    let thief = site.browser();
    thief.set_cookie("__Host-auth_session", &session);
    let silent = request("web").set("prompt", "none");
    for browser in [&browser, &thief] {
        let answer = browser.authorize(&silent).await;
        answer.assert_error_redirect("https://rp.test/cb", "login_required");
    }
}

/// XC-12: an idle session ends to the second, and an old one whatever it does.
#[actix_web::test]
async fn sessions_end() {
    let site = Site::new().await;
    let signed_in = async |browser: &crate::browser::Browser| {
        browser.get("/").await.find("h1") == ["You are signed in"]
    };
    let idle = site.browser_of("alice").await;
    site.kit.clock.advance(Duration::hours(8) - Duration::SECOND);
    assert!(signed_in(&idle).await);
    site.kit.clock.advance(Duration::hours(8));
    assert!(!signed_in(&idle).await);
    let busy = site.browser_of("alice").await;
    for _ in 0..(7 * 24 - 1) {
        site.kit.clock.advance(Duration::HOUR);
        assert!(signed_in(&busy).await);
    }
    site.kit.clock.advance(Duration::HOUR);
    assert!(!signed_in(&busy).await);
}

/// UI-18: who has no account and who has another password are told the same.
#[actix_web::test]
async fn an_unknown_user_and_a_wrong_password_look_the_same() {
    let site = Site::new().await;
    site.kit.store.edit(|data| {
        let bob = data.owners.get_mut(&sample::bob().subject).unwrap();
        bob.0.disabled_at = Some(bob.0.created_at);
    });
    let mut pages = Vec::new();
    for (username, password) in [
        ("alice", "wrong"),
        ("alice", ""),
        ("alice", "alice-password "),
        ("nobody", "nobody-password"),
        ("bob", "bob-password"),
        ("", ""),
        ("a\0b", "x"),
    ] {
        let browser = site.browser();
        let page = browser.get("/login").await;
        let answer = browser.fill_sign_in(&page, username, password).await;
        assert_eq!(answer.status, 403);
        assert_eq!(browser.cookie("session"), None);
        pages.push((answer.find("#problem"), answer.find("h1"), answer.headers.len()));
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
}

/// UI-18: ten wrong passwords a minute, then a wait; not for other accounts or from elsewhere.
#[actix_web::test]
async fn guessing_is_slowed_down_and_locks_nobody_out() {
    let site = Site::new().await;
    let attacker = site.browser();
    let page = attacker.get("/login").await;
    for spelling in ["alice", "ALICE", "Alice", "alice", "aLice"] {
        for _ in 0..2 {
            assert_eq!(attacker.fill_sign_in(&page, spelling, "guess").await.status, 403);
        }
    }
    for password in ["guess", "alice-password"] {
        let answer = attacker.fill_sign_in(&page, "alice", password).await;
        assert_eq!(answer.status, 429);
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds));
        assert_eq!(answer.find("#problem strong"), ["Too many tries."]);
    }
    assert_eq!(attacker.fill_sign_in(&page, "bob", "bob-password").await.status, 303);
    let honest = site.browser().at("198.51.100.7:1024");
    honest.sign_in("alice").await;
}

/// UI-18, UI-20: one address may not guess at many accounts. Who is behind a trusted proxy has an
/// address of their own; who claims to be has not.
#[actix_web::test]
async fn a_spray_over_many_accounts_is_slowed_down() {
    let limits = Limits {
        failed_sign_ins_per_address: 5,
        is_trusted_proxy: Arc::new(|peer| peer == IpAddr::from([10, 0, 0, 1])),
        ..Limits::default()
    };
    let site = Site::limited(&TestServer::new(), limits).await;
    let spray = |peer, forwarded| site.browser().at(peer).sending("X-Forwarded-For", forwarded);
    let proxied = spray("10.0.0.1:1", "192.0.2.66");
    let page = proxied.get("/login").await;
    for number in 0..5 {
        let answer = proxied.fill_sign_in(&page, &format!("user{number}"), "guess").await;
        assert_eq!(answer.status, 403);
    }
    assert_eq!(proxied.fill_sign_in(&page, "user5", "guess").await.status, 429);
    spray("10.0.0.1:2", "192.0.2.67").sign_in("alice").await;
    // Without the proxy the header is only words.
    for number in 0..5 {
        let claims = ["203.0.113.1", "203.0.113.2"][number % 2];
        let liar = spray("198.51.100.9:1", claims);
        let page = liar.get("/login").await;
        liar.fill_sign_in(&page, &format!("user{number}"), "guess").await;
    }
    let liar = spray("198.51.100.9:1", "203.0.113.3");
    let page = liar.get("/login").await;
    assert_eq!(liar.fill_sign_in(&page, "user5", "guess").await.status, 429);
}

/// UI-17
#[actix_web::test]
async fn no_parameter_leads_away_after_sign_in() {
    let site = Site::new().await;
    for place in [
        "//evil.test",
        "/\\evil.test",
        "/%09/evil.test",
        "https:evil.test",
        "https://evil.test",
        "/..//evil.test",
        "javascript:alert(1)",
        "\\\\evil.test",
    ] {
        for name in ["return_to", "next", "continue", "locale", "redirect_uri", "rd"] {
            let browser = site.browser();
            let query = Params::of(&[(name, place)]);
            let page = browser.get(&format!("/login?{}", query.encode())).await;
            assert!(page.is_sign_in_page());
            let fields =
                page.form().fields.set("username", "alice").set("password", "alice-password");
            let answer = browser.post("/login", &fields.also(name, place)).await;
            assert_eq!(answer.header("location"), Some("/"), "{name}={place}");
            let out = browser.get("/").await.form().fields.also(name, place);
            let answer = browser.post("/logout", &out).await;
            assert_eq!(answer.header("location"), Some("/signed-out"), "{name}={place}");
        }
        let browser = site.browser_of("alice").await;
        let query = Params::of(&[("interaction", place)]).encode();
        browser.get(&format!("/login?{query}")).await.assert_error_page(400);
    }
}

/// UI-25, UI-18: a field sent twice is nobody's guess.
#[actix_web::test]
async fn a_repeated_field_is_refused() {
    let site = Site::new().await;
    let browser = site.browser();
    let form = browser.get("/login").await.form();
    let filled = form.fields.set("username", "alice").set("password", "alice-password");
    for name in ["username", "password", "csrf_token"] {
        let value = filled.all(name)[0].to_owned();
        let twice = filled.clone().also(name, &value);
        browser.post("/login", &twice).await.assert_error_page(400);
    }
    let twice = filled.also("interaction", "x").also("interaction", "x");
    browser.post("/login", &twice).await.assert_error_page(400);
}

/// PKCE-08, UI-08: cookies, forms and requests are good at every process on the same store.
#[actix_web::test]
async fn another_process_takes_over_in_the_middle() {
    let site = Site::new().await;
    let other = Site::over(&site.kit).await;
    let browser = site.browser();
    let page = browser.follow(browser.authorize(&request("web")).await).await;
    let elsewhere = browser.visiting(&other);
    let consent = elsewhere.sign_in_on(&page, "alice").await;
    let code = browser.decide(&consent, "approve").await.code();
    other.redeem("web", &code).await.tokens();
}

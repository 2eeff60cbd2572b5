//! `prompt`, remembered consent, and what a request without it does.

use crate::answer::Answer;
use crate::harness::{Site, request};

const CB: &str = "https://rp.test/cb";

/// UI-06: asked once, then not again for the same or less; more is asked again.
#[actix_web::test]
async fn consent_is_remembered_for_what_was_approved() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let scope = |scope| request("web").set("scope", scope);
    browser.approve(&scope("api.read")).await.code();
    browser.authorize(&scope("api.read")).await.code();
    assert!(browser.authorize(&scope("api.read api.write")).await.is_consent_page());
    // Looking at the page approved nothing.
    assert!(browser.authorize(&scope("api.write")).await.is_consent_page());
    browser.approve(&scope("api.write")).await.code();
    browser.authorize(&scope("api.read api.write")).await.code();
    // It is alice's consent to this client, nobody else's and no other's.
    assert!(site.browser_of("bob").await.authorize(&scope("api.read")).await.is_consent_page());
    let evil = request("evil").set("scope", "api.read");
    assert!(browser.authorize(&evil).await.is_consent_page());
}

/// UI-05
#[actix_web::test]
async fn a_native_app_is_asked_about_every_time() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    for uri in ["http://127.0.0.1:7/cb", "http://[::1]:7/cb", "com.example.app:/cb"] {
        let params = request("pub").set("redirect_uri", uri);
        for _ in 0..2 {
            assert!(browser.authorize(&params).await.is_consent_page());
            browser.approve(&params).await.code();
        }
        let silent = browser.authorize(&params.set("prompt", "none")).await;
        silent.assert_error_redirect(uri, "consent_required");
    }
    browser.approve(&request("spa")).await.code();
    browser.authorize(&request("spa")).await.code();
}

/// META-06: `prompt=none` shows no page, whatever is missing.
#[actix_web::test]
async fn prompt_none_is_silent() {
    let site = Site::new().await;
    let silent = request("web").set("prompt", "none");
    let stranger = site.browser().authorize(&silent).await;
    stranger.assert_error_redirect(CB, "login_required");
    let browser = site.browser_of("alice").await;
    browser.authorize(&silent).await.assert_error_redirect(CB, "consent_required");
    browser.approve(&request("web")).await.code();
    browser.authorize(&silent).await.code();
    let more = silent.clone().set("scope", "profile");
    browser.authorize(&more).await.assert_error_redirect(CB, "consent_required");
    assert!(
        site.kit.store.edit(|data| data.pending.iter().all(|row| !row.pending.request.prompt.none))
    );
}

/// META-06
#[actix_web::test]
async fn a_prompt_that_contradicts_itself_or_is_unknown_is_refused() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    for bad in ["none login", "consent none", "select_account", "create", "NONE", "login bogus"] {
        let answer = browser.authorize(&request("web").set("prompt", bad)).await;
        answer.assert_error_redirect(CB, "invalid_request");
    }
}

/// META-06
#[actix_web::test]
async fn prompt_consent_asks_again() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    let forced = request("web").set("prompt", "consent");
    assert!(browser.authorize(&forced).await.is_consent_page());
    browser.approve(&forced).await.code();
    assert!(browser.authorize(&forced).await.is_consent_page());
}

/// META-06, UI-15: forced re-authentication asks for the password once, and cannot be talked out of it.
#[actix_web::test]
async fn prompt_login_signs_in_again_exactly_once() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    let forced = request("web").set("prompt", "login");
    let before = browser.cookie("session");
    let page = browser.follow(browser.authorize(&forced).await).await;
    assert!(page.is_sign_in_page(), "{page:?}");
    // Going on without the password leads back to the form, not to the client.
    let interaction = page.form().fields.all("interaction")[0].to_owned();
    let skipped = browser.get(&format!("/oauth/interaction/{interaction}")).await;
    assert!(browser.follow(skipped).await.is_sign_in_page());
    let answer = browser.sign_in_on(&page, "alice").await;
    answer.code();
    assert_ne!(browser.cookie("session"), before);
    // Signing in for something else satisfies no other request.
    let page = browser.follow(browser.authorize(&forced).await).await;
    browser.sign_in("alice").await;
    let other = page.form().fields.all("interaction")[0].to_owned();
    let skipped = browser.get(&format!("/oauth/interaction/{other}")).await;
    assert!(browser.follow(skipped).await.is_sign_in_page());
}

/// META-06
#[actix_web::test]
async fn login_and_consent_can_both_be_forced() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    let forced = request("web").set("prompt", "login consent");
    let page = browser.follow(browser.authorize(&forced).await).await;
    assert!(page.is_sign_in_page());
    let page = browser.sign_in_on(&page, "alice").await;
    assert!(page.is_consent_page(), "{page:?}");
    browser.decide(&page, "approve").await.code();
}

/// UI-15, UI-16: another person who signs in in the same browser gets a session and a grant of their
/// own; the first one's stay as they were.
#[actix_web::test]
async fn switching_the_account_touches_nothing_of_the_first() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let code = browser.code(&request("web")).await;
    let hers = site.redeem("web", &code).await.tokens();
    let before = browser.cookie("session");
    let page = browser.consent_page(&request("evil")).await;
    assert_eq!(page.find("dl.facts dd strong"), ["alice", "evil.test"]);
    let switch = page.attributes("dl.facts a", "href").remove(0);
    let page = browser.get(&switch).await;
    let page = browser.sign_in_on(&page, "bob").await;
    assert!(page.is_consent_page(), "{page:?}");
    assert_eq!(page.find("dl.facts dd strong"), ["bob", "evil.test"]);
    browser.decide(&page, "approve").await.code();
    assert_ne!(browser.cookie("session"), before);
    assert!(browser.authorize(&request("web")).await.is_consent_page(), "bob approved no web");
    assert!(site.accepts(&hers.access));
    site.refresh("web", hers.refresh_token()).await.tokens();
    // Her old session is dead: the cookie signs nobody in.
    let thief = site.browser();
    thief.set_cookie("__Host-auth_session", &before.unwrap());
    let answer: Answer = thief.authorize(&request("web").set("prompt", "none")).await;
    answer.assert_error_redirect(CB, "login_required");
}

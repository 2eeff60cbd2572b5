//! Forged forms: each lacks something that only our own page in this browser has (UI-07).

use crate::browser::{Browser, Form};
use crate::harness::{Params, Site, request};

const APPROVE: (&str, &str) = ("decision", "approve");

/// A browser of alice's with a consent form for the attacker's client.
async fn asked(site: &Site) -> (Browser, Form) {
    let browser = site.browser_of("alice").await;
    let form = browser.consent_page(&request("evil")).await.form();
    (browser, form)
}

#[track_caller]
fn assert_no_code(site: &Site) {
    assert!(site.kit.store.edit(|data| data.codes.is_empty() && data.consents.is_empty()));
}

/// UI-07
#[actix_web::test]
async fn an_approval_without_the_token_is_refused() {
    let site = Site::new().await;
    let (browser, form) = asked(&site).await;
    let bare = Params::of(&[APPROVE]);
    browser.post(&form.action, &bare).await.assert_error_page(400);
    browser.post(&form.action, &bare.clone().also("csrf_token", "")).await.assert_error_page(400);
    let token = form.fields.all("csrf_token")[0].to_owned();
    let twice = bare.clone().also("csrf_token", &token).also("csrf_token", &token);
    browser.post(&form.action, &twice).await.assert_error_page(400);
    let (interaction, signature) = token.split_once('.').unwrap();
    for forged in [
        "x".to_owned(),
        ".".to_owned(),
        format!("{interaction}."),
        interaction.to_owned(),
        signature.to_owned(),
        format!(".{signature}"),
        format!("{interaction}.{}", "A".repeat(43)),
        format!("{interaction}.{}", &signature[1..]),
        format!("{interaction}.{signature}.{signature}"),
        format!("{interaction}x.{signature}"),
        format!("{interaction}.{signature}\0"),
    ] {
        let answer = browser.post(&form.action, &bare.clone().also("csrf_token", &forged)).await;
        answer.assert_error_page(403);
    }
    assert_no_code(&site);
    browser.post(&form.action, &bare.also("csrf_token", &token)).await.code();
}

/// UI-07, XC-09
#[actix_web::test]
async fn a_get_approves_nothing() {
    let site = Site::new().await;
    let (browser, form) = asked(&site).await;
    let query = form.fields.also(APPROVE.0, APPROVE.1).encode();
    for path in ["/oauth/consent", "/v1/auth/consent"] {
        let answer = browser.get(&format!("{path}?{query}")).await;
        answer.assert_error_page(405);
        assert_eq!(answer.header("allow"), Some("POST"));
        // Nor is the query read when the method is right.
        let answer = browser.post(&format!("{path}?{query}"), &Params::default()).await;
        answer.assert_error_page(400);
    }
    assert_no_code(&site);
}

/// UI-07: a token of another session, another browser or another interaction is none.
#[actix_web::test]
async fn a_token_fits_one_session_and_interaction() {
    let site = Site::new().await;
    let (browser, form) = asked(&site).await;
    let approve = |fields: &Params| fields.clone().also(APPROVE.0, APPROVE.1);
    let (other_browser, other_form) = asked(&site).await;
    browser.post(&form.action, &approve(&other_form.fields)).await.assert_error_page(403);
    other_browser.post(&form.action, &approve(&form.fields)).await.assert_error_page(403);
    // The signature of this session for another interaction.
    let second = browser.consent_page(&request("web")).await.form();
    let part = |form: &Form, at: usize| {
        let token = form.fields.all("csrf_token")[0].to_owned();
        token.split('.').nth(at).unwrap().to_owned()
    };
    let mixed = format!("{}.{}", part(&form, 0), part(&second, 1));
    let mixed = Params::of(&[("csrf_token", &mixed), APPROVE]);
    browser.post(&form.action, &mixed).await.assert_error_page(403);
    // The token of the sign-in or the sign-out form.
    for page in ["/login", "/"] {
        let token = browser.get(page).await.form().fields.all("csrf_token")[0].to_owned();
        let mixed = format!("{}.{token}", part(&form, 0));
        let fields = Params::of(&[("csrf_token", &mixed), APPROVE]);
        browser.post(&form.action, &fields).await.assert_error_page(403);
    }
    // The page from before somebody else signed in.
    browser.sign_in("bob").await;
    browser.post(&form.action, &approve(&form.fields)).await.assert_error_page(403);
    // Or from before the same person did so again.
    let third = browser.consent_page(&request("web")).await.form();
    browser.sign_in("bob").await;
    browser.post(&third.action, &approve(&third.fields)).await.assert_error_page(403);
    assert_no_code(&site);
}

/// Headers with which a browser says that another site sent the form.
const FOREIGN: [(&str, &str); 7] = [
    ("Origin", "https://evil.test"),
    ("Origin", "https://as.test.evil.test"),
    ("Origin", "http://as.test"),
    ("Origin", "https://as.test:8443"),
    ("Origin", "https://as.test/"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Site", "same-site"),
];

const OWN: [(&str, &str); 4] = [
    ("Origin", "https://as.test"),
    ("Origin", "null"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Sec-Fetch-Site", "none"),
];

/// UI-07: a cross-site form is refused even with a good token.
#[actix_web::test]
async fn a_cross_site_approval_is_refused() {
    let site = Site::new().await;
    let (browser, form) = asked(&site).await;
    let approve = form.fields.clone().also(APPROVE.0, APPROVE.1);
    for (name, value) in FOREIGN {
        let answer = browser.sending(name, value).post(&form.action, &approve).await;
        answer.assert_error_page(403);
        // One good header does not outweigh a bad one.
        let mixed = browser.sending("Origin", "https://as.test").sending(name, value);
        mixed.post(&form.action, &approve).await.assert_error_page(403);
    }
    assert_no_code(&site);
    for (name, value) in OWN {
        let form = browser.authorize(&request("evil").set("prompt", "consent")).await.form();
        let approve = form.fields.clone().also(APPROVE.0, APPROVE.1);
        browser.sending(name, value).post(&form.action, &approve).await.code();
    }
}

/// UI-07: nobody is signed in to another's account by a form of another site.
#[actix_web::test]
async fn a_forged_sign_in_is_refused() {
    let site = Site::new().await;
    let browser = site.browser();
    let form = browser.get("/login").await.form();
    let filled = form.fields.set("username", "bob").set("password", "bob-password");
    for (name, value) in FOREIGN {
        browser.sending(name, value).post("/login", &filled).await.assert_error_page(403);
    }
    let attacker = site.browser().get("/login").await.form().fields.all("csrf_token")[0].to_owned();
    for token in ["", "x", &attacker] {
        let answer = browser.post("/login", &filled.clone().set("csrf_token", token)).await;
        assert_eq!(answer.status, 403);
        assert!(answer.is_sign_in_again(), "{answer:?}");
    }
    // A token for the plain form is none for an interaction's.
    let page = browser.follow(browser.authorize(&request("web")).await).await;
    let interaction = page.form().fields.all("interaction")[0].to_owned();
    let moved = filled.clone().also("interaction", &interaction);
    assert!(browser.post("/login", &moved).await.is_sign_in_again());
    // Without the browser's cookie no token is good.
    assert!(site.browser().post("/login", &filled).await.is_sign_in_again());
    assert_eq!(browser.cookie("session"), None);
    assert_eq!(browser.post("/login", &filled).await.status, 303);
}

/// UI-07: nobody is signed out by a form of another site.
#[actix_web::test]
async fn a_forged_sign_out_is_refused() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let form = browser.get("/").await.form();
    for (name, value) in FOREIGN {
        browser.sending(name, value).post("/logout", &form.fields).await.assert_error_page(403);
    }
    let bobs = site.browser_of("bob").await.get("/").await.form().fields;
    let login = browser.get("/login").await.form().fields;
    for fields in [Params::default(), bobs, login] {
        browser.post("/logout", &fields).await.assert_error_page(403);
    }
    browser.get("/logout").await.assert_error_page(405);
    assert_eq!(browser.get("/").await.find("h1"), ["You are signed in"]);
    assert_eq!(browser.post("/logout", &form.fields).await.header("location"), Some("/signed-out"));
}

impl crate::answer::Answer {
    /// The sign-in form, shown again because it was not sent from here.
    fn is_sign_in_again(&self) -> bool {
        self.status == 403 && self.find("#problem strong") == ["This form was open for too long."]
    }
}

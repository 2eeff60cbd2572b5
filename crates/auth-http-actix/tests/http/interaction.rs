//! What lies between a request and its answer: one browser, one decision, nothing changed.

use crate::harness::{Site, request};
use auth_testkit::sample;
use time::Duration;

const CB: &str = "https://rp.test/cb";

/// AUTHZ-13
#[actix_web::test]
async fn deny_is_final() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.consent_page(&request("web")).await;
    let denied = browser.decide(&page, "deny").await;
    denied.assert_error_redirect(CB, "access_denied");
    assert_eq!(denied.client_redirect().get("state"), Some("st"));
    // Back, and the other button.
    browser.decide(&page, "approve").await.assert_error_page(400);
    browser.decide(&page, "deny").await.assert_error_page(400);
    assert!(site.kit.store.edit(|data| data.codes.is_empty() && data.consents.is_empty()));
    // A new request asks anew.
    assert!(browser.authorize(&request("web")).await.is_consent_page());
}

/// UI-08, XC-05
#[actix_web::test]
async fn an_approval_counts_once() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.consent_page(&request("web")).await;
    browser.decide(&page, "approve").await.code();
    for again in ["approve", "deny", "approve"] {
        browser.decide(&page, again).await.assert_error_page(400);
    }
    assert_eq!(site.kit.store.edit(|data| data.codes.len()), 1);
}

/// XC-05, UI-08: fifty clicks at once are one decision.
#[actix_web::test]
async fn fifty_simultaneous_decisions_make_one_code() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.consent_page(&request("web")).await;
    let clicks =
        (0..50).map(|it| browser.decide(&page, if it % 2 == 0 { "approve" } else { "deny" }));
    let answers = futures_util::future::join_all(clicks).await;
    assert_eq!(answers.iter().filter(|it| it.status == 303).count(), 1);
    assert!(site.kit.store.edit(|data| data.codes.len()) <= 1);
}

/// UI-08
#[actix_web::test]
async fn an_interaction_expires() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.consent_page(&request("web")).await;
    site.kit.clock.advance(Duration::minutes(15) - Duration::SECOND);
    browser.consent_page(&request("web")).await;
    site.kit.clock.advance(Duration::SECOND);
    browser.decide(&page, "approve").await.assert_error_page(400);
    let login = site.browser();
    let page = login.follow(login.authorize(&request("web")).await).await;
    site.kit.clock.advance(Duration::minutes(15));
    let answer = login.fill_sign_in(&page, "alice", "alice-password").await;
    answer.assert_error_page(400);
    assert_eq!(login.cookie("session"), None);
}

/// UI-08: the name is 256 bits, and no two are alike.
#[actix_web::test]
async fn interactions_are_unguessable() {
    let site = Site::new().await;
    let browser = site.browser();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..100 {
        let answer = browser.authorize(&request("web")).await;
        let location = answer.header("location").unwrap();
        let name = location.strip_prefix("/login?interaction=").unwrap().to_owned();
        assert!(name.len() == 43 && seen.insert(name));
    }
}

/// AUTHZ-22: in another browser the URL leads nowhere, signed in or not.
#[actix_web::test]
async fn an_interaction_belongs_to_the_browser_that_started_it() {
    let site = Site::new().await;
    let (alice, attacker) = (site.browser_of("alice").await, site.browser());
    let started = attacker.authorize(&request("evil")).await;
    let login = started.header("location").unwrap().to_owned();
    let name = login.strip_prefix("/login?interaction=").unwrap();
    for victim in [&alice, &site.browser()] {
        victim.get(&login).await.assert_error_page(400);
        victim.get(&format!("/oauth/interaction/{name}")).await.assert_error_page(400);
    }
    // Nor does the form, with or without a token of the victim's own.
    let own_page = alice.get("/login").await;
    let fields = own_page.form().fields.set("interaction", name);
    let fields = fields.set("username", "alice").set("password", "alice-password");
    alice.post("/login", &fields).await.assert_error_page(400);
    assert!(site.kit.store.edit(|data| data.codes.is_empty()));
    // The attacker's own browser still knows it.
    assert!(attacker.get(&login).await.is_sign_in_page());
}

/// AUTHZ-22: a consent form that was copied from one browser approves nothing in another.
#[actix_web::test]
async fn a_consent_form_of_another_browser_is_refused() {
    let site = Site::new().await;
    let (alice, bob) = (site.browser_of("alice").await, site.browser_of("bob").await);
    let bobs = bob.consent_page(&request("evil")).await;
    let answer = alice.decide(&bobs, "approve").await;
    answer.assert_error_page(403);
    assert!(site.kit.store.edit(|data| data.codes.is_empty()));
}

/// AUTHZ-23: what the form adds is compared or ignored, and never used.
#[actix_web::test]
async fn the_consent_form_cannot_change_the_request() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.consent_page(&request("web").set("scope", "api.read")).await;
    for (name, value) in [
        ("redirect_uri", "https://evil.test/cb"),
        ("redirect_uri", "https://rp.test/cb2?fixed=1"),
        ("client_id", "evil"),
        ("scope", "api.read api.write"),
        ("state", "theirs"),
        ("code_challenge", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("code_challenge_method", "plain"),
    ] {
        let answer = browser.decide_with(&page, "approve", &[(name, value)]).await;
        answer.assert_error_page(400);
    }
    // None of that decided anything, and fields that the form does not have are ignored.
    let more = [("response_type", "token"), ("response_mode", "fragment"), ("prompt", "none")];
    let answer = browser.decide_with(&page, "approve", &more).await;
    assert_eq!(answer.client_redirect().base, CB);
    assert_eq!(answer.client_redirect().get("state"), Some("st"));
    let tokens = site.redeem("web", &answer.code()).await.tokens();
    assert_eq!(tokens.scope, "api.read");
}

/// AUTHZ-23: nor can the sign-in form.
#[actix_web::test]
async fn the_sign_in_form_cannot_change_the_request() {
    let site = Site::new().await;
    let browser = site.browser();
    let page = browser.follow(browser.authorize(&request("web")).await).await;
    let form = page.form();
    let fields = form.fields.set("username", "alice").set("password", "alice-password");
    let fields = fields
        .also("redirect_uri", "https://evil.test/cb")
        .also("client_id", "evil")
        .also("scope", "profile")
        .also("state", "theirs");
    let consent = browser.follow(browser.post(&form.action, &fields).await).await;
    assert_eq!(consent.find("dl.facts dd strong"), ["alice", "rp.test"]);
    let answer = browser.decide(&consent, "approve").await;
    assert_eq!(answer.client_redirect().base, CB);
    assert_eq!(answer.client_redirect().get("state"), Some("st"));
}

/// AUTHZ-13, UI-25: a form without a clear decision decides nothing.
#[actix_web::test]
async fn a_decision_is_approve_or_deny_once() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.consent_page(&request("web")).await;
    let form = page.form();
    for decisions in [&[][..], &[""], &["APPROVE"], &["yes"], &["deny", "approve"]] {
        let fields = decisions.iter().fold(form.fields.clone(), |it, one| it.also("decision", one));
        browser.post(&form.action, &fields).await.assert_error_page(400);
    }
    browser.decide(&page, "approve").await.code();
}

/// CODE-12, AUTHZ-23: what changed while the page was open counts at once.
#[actix_web::test]
async fn a_client_that_changed_meanwhile_gets_no_code() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.consent_page(&request("web")).await;
    site.kit.update_client("web", |web| web.scope = sample::scope("api.read"));
    let narrowed = browser.decide(&page, "approve").await;
    narrowed.assert_error_redirect(CB, "invalid_scope");
    let page = browser.consent_page(&request("evil")).await;
    site.kit.update_client("evil", |evil| evil.redirect_uris.clear());
    browser.decide(&page, "approve").await.assert_error_page(400);
    let page = browser.consent_page(&request("post")).await;
    site.kit.update_client("post", |post| post.disabled_at = Some(post.created_at));
    browser.decide(&page, "approve").await.assert_error_page(400);
    assert!(site.kit.store.edit(|data| data.codes.is_empty()));
}

/// UI-08: a session that ended before the click approves nothing.
#[actix_web::test]
async fn a_decision_needs_the_session_that_saw_the_page() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.consent_page(&request("web")).await;
    let out = browser.get("/").await.form();
    let tab = browser.clone();
    assert_eq!(tab.post(&out.action, &out.fields).await.status, 303);
    browser.decide(&page, "approve").await.assert_error_page(403);
    assert!(site.kit.store.edit(|data| data.codes.is_empty()));
}

//! A store that fails or panics: the answer says so in the protocol's words, and the server goes on.

use crate::answer::Answer;
use crate::harness::{Params, Site, redemption, refreshing, request};
use auth_core::error::StoreError;
use auth_testkit::{FaultyStore, TestServer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How a store goes wrong.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    Unavailable,
    Corrupt,
    Panics,
}

/// A server that goes wrong at one call of its store while the switch is on.
async fn failing_at(call: &'static str, wrong: Wrong) -> (Site, Arc<AtomicBool>) {
    let kit = TestServer::new();
    let switch = Arc::new(AtomicBool::new(false));
    let on = Arc::clone(&switch);
    let store = FaultyStore::new(kit.store.clone()).before(move |called, _| {
        if called != call || !on.load(Ordering::SeqCst) {
            return Ok(());
        }
        match wrong {
            Wrong::Unavailable => Err(StoreError::Unavailable("disk /var/lib/x.rs is full".into())),
            Wrong::Corrupt => {
                Err(StoreError::Corrupt { table: "secret_table", column: "scope", key: "k".into() })
            }
            Wrong::Panics => panic!("the store panicked on purpose"),
        }
    });
    (Site::over(&kit.over(Arc::new(store))).await, switch)
}

#[track_caller]
fn assert_tells_nothing(answer: &Answer) {
    for inside in ["disk", "/var", "secret_table", "panic", "scope of"] {
        assert!(!answer.text().contains(inside), "{answer:?}");
    }
}

/// A page of ours, with when to come back where that may help.
#[track_caller]
fn assert_fault_page(answer: &Answer, wrong: Wrong) {
    let status = if wrong == Wrong::Unavailable { 503 } else { 500 };
    answer.assert_error_page(status);
    assert_eq!(answer.header("retry-after").is_some(), status == 503);
    assert_tells_nothing(answer);
}

#[track_caller]
fn assert_fault_json(answer: &Answer, wrong: Wrong) {
    match wrong {
        Wrong::Unavailable => answer.assert_json_error(503, "temporarily_unavailable"),
        _ => answer.assert_json_error(500, "server_error"),
    }
    assert_eq!(answer.header("retry-after").is_some(), wrong == Wrong::Unavailable);
    assert_tells_nothing(answer);
}

const ALL: [Wrong; 3] = [Wrong::Unavailable, Wrong::Corrupt, Wrong::Panics];

/// AUTHZ-24: before the redirect URI is proven a fault is a page.
#[actix_web::test]
async fn a_fault_before_the_redirect_uri_is_proven_is_a_page() {
    for wrong in ALL {
        let (site, switch) = failing_at("ClientStore::find", wrong).await;
        let browser = site.browser_of("alice").await;
        switch.store(true, Ordering::SeqCst);
        assert_fault_page(&browser.authorize(&request("web")).await, wrong);
        switch.store(false, Ordering::SeqCst);
        browser.approve(&request("web")).await.code();
    }
}

/// AUTHZ-24: afterwards the client hears of it, with its state.
#[actix_web::test]
async fn a_fault_after_the_redirect_uri_is_proven_is_the_client_s_to_know() {
    for call in ["ConsentStore::find", "GrantStore::approve", "PendingAuthorizationStore::insert"] {
        for wrong in [Wrong::Unavailable, Wrong::Corrupt] {
            let (site, switch) = failing_at(call, wrong).await;
            let browser = site.browser_of("alice").await;
            if call == "GrantStore::approve" {
                browser.approve(&request("web")).await.code();
            }
            switch.store(true, Ordering::SeqCst);
            let answer = browser.authorize(&request("web").set("state", "a b")).await;
            let redirect = answer.client_redirect();
            let error = redirect.get("error").unwrap();
            let expected = match wrong {
                Wrong::Unavailable => "temporarily_unavailable",
                _ => "server_error",
            };
            assert_eq!(error, expected, "{redirect:?}");
            assert_eq!(redirect.get("state"), Some("a b"));
            assert!(!format!("{redirect:?}").contains("disk"));
        }
    }
}

/// AUTHZ-24, UI-08: a decision that could not be written down can be made again.
#[actix_web::test]
async fn a_failed_approval_can_be_repeated() {
    let (site, switch) = failing_at("PendingAuthorizationStore::find", Wrong::Unavailable).await;
    let browser = site.browser_of("alice").await;
    let page = browser.consent_page(&request("web")).await;
    switch.store(true, Ordering::SeqCst);
    assert_fault_page(&browser.decide(&page, "approve").await, Wrong::Unavailable);
    switch.store(false, Ordering::SeqCst);
    browser.decide(&page, "approve").await.code();
}

/// XC-11, TOKEN-11: never `invalid_grant` or `invalid_client`, on which clients throw their tokens away.
#[actix_web::test]
async fn a_fault_at_the_token_endpoint_is_no_refusal() {
    for wrong in ALL {
        for call in
            ["ClientStore::find", "CodeStore::find", "OwnerStore::find", "CodeStore::redeem"]
        {
            let (site, switch) = failing_at(call, wrong).await;
            let code = site.browser_of("alice").await.code(&request("web")).await;
            switch.store(true, Ordering::SeqCst);
            let params = redemption(&code);
            let broken =
                site.token_request(Some(&auth_testkit::sample::basic("web")), &params).await;
            assert_fault_json(&broken, wrong);
            assert_eq!(broken.header("www-authenticate"), None);
            switch.store(false, Ordering::SeqCst);
            site.redeem("web", &code).await.tokens();
        }
        for call in ["TokenStore::find", "TokenStore::rotate"] {
            let (site, switch) = failing_at(call, wrong).await;
            let tokens = site.flow("web").await;
            switch.store(true, Ordering::SeqCst);
            assert_fault_json(&site.refresh("web", tokens.refresh_token()).await, wrong);
            switch.store(false, Ordering::SeqCst);
            site.refresh("web", tokens.refresh_token()).await.tokens();
        }
    }
}

/// REVOKE-09, XC-11: success would be a lie, so there is none; the token lives until a revocation succeeds.
#[actix_web::test]
async fn a_fault_at_the_revocation_endpoint_is_no_success() {
    for wrong in ALL {
        for call in [
            "ClientStore::find",
            "TokenStore::find",
            "TokenStore::revoke_access",
            "GrantStore::revoke",
        ] {
            let (site, switch) = failing_at(call, wrong).await;
            let tokens = site.flow("web").await;
            let text = match call {
                "GrantStore::revoke" => tokens.refresh_token(),
                _ => &tokens.access,
            };
            let rows = site.rows();
            switch.store(true, Ordering::SeqCst);
            let params = Params::of(&[("token", text)]);
            let web = auth_testkit::sample::basic("web");
            let broken = site.form("/oauth/revoke", Some(&web), &params).await;
            assert_fault_json(&broken, wrong);
            assert_eq!(broken.header("www-authenticate"), None);
            assert_eq!(site.rows(), rows);
            switch.store(false, Ordering::SeqCst);
            assert!(site.shows("web", text).await);
            site.revoke("web", text).await.assert_revoked();
            assert!(!site.shows("web", text).await);
        }
    }
}

/// XC-11, INTRO-02: that nothing could be found out does not make a token inactive.
#[actix_web::test]
async fn a_fault_at_the_introspection_endpoint_is_no_answer() {
    for wrong in ALL {
        for call in ["ClientStore::find", "TokenStore::find"] {
            let (site, switch) = failing_at(call, wrong).await;
            let tokens = site.flow("web").await;
            switch.store(true, Ordering::SeqCst);
            let params = Params::of(&[("token", tokens.access.as_str())]);
            let web = auth_testkit::sample::basic("web");
            let broken = site.form("/oauth/introspect", Some(&web), &params).await;
            assert_fault_json(&broken, wrong);
            switch.store(false, Ordering::SeqCst);
            assert!(site.shows("web", &tokens.access).await);
        }
    }
}

/// XC-11, CC-01: a client that acts for itself hears of a fault as well.
#[actix_web::test]
async fn a_fault_while_a_client_s_own_token_is_issued_is_no_refusal() {
    for wrong in ALL {
        let (site, switch) = failing_at("TokenStore::issue", wrong).await;
        crate::apis::add_clients(&site);
        let rows = site.rows();
        switch.store(true, Ordering::SeqCst);
        let params = crate::apis::client_credentials();
        assert_fault_json(&site.token("svc", params.clone()).await, wrong);
        assert_eq!(site.rows(), rows);
        switch.store(false, Ordering::SeqCst);
        site.token("svc", params).await.tokens();
    }
}

/// XC-11: a panic anywhere is one failed answer, not the end.
#[actix_web::test]
async fn a_panic_ends_one_request_only() {
    for call in [
        "SessionStore::find",
        "OwnerStore::find_by_username",
        "SessionStore::insert",
        "PendingAuthorizationStore::insert",
        "PendingAuthorizationStore::find",
        "GrantStore::deny",
        "SessionStore::end",
    ] {
        for wrong in ALL {
            let (site, switch) = failing_at(call, wrong).await;
            let (alice, stranger) = (site.browser_of("alice").await, site.browser());
            let consent = alice.consent_page(&request("web")).await;
            let home = alice.get("/").await.form();
            let login = stranger.get("/login").await;
            switch.store(true, Ordering::SeqCst);
            let answers = [
                alice.get("/").await,
                stranger.fill_sign_in(&login, "bob", "bob-password").await,
                stranger.authorize(&request("web")).await,
                alice.decide(&consent, "deny").await,
                alice.post(&home.action, &home.fields).await,
            ];
            switch.store(false, Ordering::SeqCst);
            let faults = answers.iter().filter(|it| it.status >= 500);
            let redirected = answers.iter().filter(|it| {
                it.header("location").is_some_and(|it| {
                    it.contains("temporarily_unavailable") || it.contains("server_error")
                })
            });
            assert!(faults.clone().count() + redirected.count() > 0, "{call}");
            for answer in faults {
                assert_fault_page(answer, wrong);
            }
            site.flow("web").await;
        }
    }
}

/// TOKEN-15, UI-18: a fault is not held against who met it.
#[actix_web::test]
async fn faults_are_not_counted_as_failures() {
    let (site, switch) = failing_at("ClientStore::find", Wrong::Unavailable).await;
    switch.store(true, Ordering::SeqCst);
    for _ in 0..400 {
        let params = refreshing("x").also("client_id", "post").also("client_secret", "post-secret");
        assert_eq!(site.token_request(None, &params).await.status, 503);
    }
    switch.store(false, Ordering::SeqCst);
    site.token("post", refreshing("x")).await.assert_json_error(400, "invalid_grant");
    for wrong in ALL {
        let (site, switch) = failing_at("OwnerStore::find_by_username", wrong).await;
        let browser = site.browser();
        let page = browser.get("/login").await;
        switch.store(true, Ordering::SeqCst);
        for _ in 0..15 {
            let answer = browser.fill_sign_in(&page, "alice", "alice-password").await;
            assert_fault_page(&answer, wrong);
        }
        switch.store(false, Ordering::SeqCst);
        browser.sign_in("alice").await;
    }
}

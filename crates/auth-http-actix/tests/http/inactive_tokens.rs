//! Introspection of tokens that are not active.

use crate::apis;
use crate::harness::{Site, redemption, request};
use auth_core::client::ClientRegistry;
use auth_core::grant::GrantStore;
use auth_core::owner::OwnerRegistry;
use auth_core::timestamp::Clock;
use auth_testkit::{FaultyStore, TestServer, sample};
use std::sync::{Arc, Mutex};
use time::Duration;

/// INTRO-02, INTRO-08: unknown, malformed, changed by a character or not for the caller: the answer is the
/// same to the byte, headers included, and nothing is written.
#[actix_web::test]
async fn nothing_is_told_of_what_is_not_active() {
    let site = apis::site().await;
    let tokens = site.flow("web").await;
    let foreign = site.flow("evil").await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let rows = site.rows();
    let mut inactive: Vec<String> =
        [&code, "x", "\0", "é", " ", "web-secret", &foreign.access, foreign.refresh_token()]
            .map(ToOwned::to_owned)
            .into();
    for text in [tokens.access.as_str(), tokens.refresh_token()] {
        inactive.extend((1..=8).map(|cut| text[..text.len() - cut].to_owned()));
        inactive.extend((1..=8).map(|cut| text[cut..].to_owned()));
        inactive.extend(["A", "=", "==", "%", " ", "\n", "\0"].map(|end| format!("{text}{end}")));
        inactive.extend(["A", " ", "Bearer "].map(|start| format!("{start}{text}")));
        inactive.extend([text.to_uppercase(), text.to_lowercase(), format!("{text}{text}")]);
        let swapped = |c: char| {
            if c.is_lowercase() {
                c.to_uppercase().collect()
            } else {
                c.to_lowercase().collect::<String>()
            }
        };
        inactive.push(text.chars().map(swapped).collect());
        let last = if text.ends_with('A') { "B" } else { "A" };
        inactive.push(format!("{}{last}", &text[..text.len() - 1]));
    }
    let first = site.introspect("web", "unknown").await;
    for text in &inactive {
        let answer = site.introspect("web", text).await;
        answer.assert_inactive();
        assert_eq!(format!("{:?}", answer.headers), format!("{:?}", first.headers), "{text}");
    }
    for text in [tokens.access.as_str(), tokens.refresh_token()] {
        site.introspect("evil", text).await.assert_inactive();
        assert!(site.shows("web", text).await);
    }
    assert_eq!(site.rows(), rows);
    site.redeem("web", &code).await.tokens();
}

/// INTRO-02: an access token expires at its second, a refresh token when it is spent or at its own.
#[actix_web::test]
async fn what_has_expired_or_is_spent_is_not_active() {
    let site = apis::site().await;
    let tokens = site.flow("web").await;
    site.kit.clock.advance(Duration::minutes(10) - Duration::SECOND);
    assert!(site.shows("rs", &tokens.access).await);
    site.kit.clock.advance(Duration::SECOND);
    for caller in ["web", "rs"] {
        site.introspect(caller, &tokens.access).await.assert_inactive();
    }
    // A refresh token is active as long as it can be used: until a successor was.
    let second = site.refresh("web", tokens.refresh_token()).await.tokens();
    assert!(site.shows("web", tokens.refresh_token()).await);
    let third = site.refresh("web", second.refresh_token()).await.tokens();
    site.introspect("web", tokens.refresh_token()).await.assert_inactive();
    assert!(site.shows("web", third.refresh_token()).await);
    site.kit.clock.advance(Duration::days(30));
    site.introspect("web", third.refresh_token()).await.assert_inactive();
}

/// INTRO-07: what was taken back is inactive in the very next answer of every server.
#[actix_web::test]
async fn what_was_taken_back_is_not_active() {
    for how in [
        "the consent is withdrawn",
        "the owner is disabled",
        "the client is deleted",
        "the client is disabled",
        "the code is replayed",
        "a refresh token is replayed",
        "a refresh token is revoked",
    ] {
        let site = apis::site().await;
        let other_server = Site::over(&site.kit).await;
        let (store, now) = (&*site.kit.store, site.kit.clock.now());
        let (alice, web) = (sample::alice().subject, sample::client_id("web"));
        let code = site.browser_of("alice").await.code(&request("web")).await;
        let tokens = site.redeem("web", &code).await.tokens();
        let next = site.refresh("web", tokens.refresh_token()).await.tokens();
        for text in [&tokens.access, &next.access] {
            assert!(other_server.shows("rs", text).await);
        }
        match how {
            "the consent is withdrawn" => {
                GrantStore::withdraw(store, &alice, Some(&web), now).unwrap();
            }
            "the owner is disabled" => {
                OwnerRegistry::set_disabled(store, &alice, Some(now)).unwrap();
            }
            "the client is deleted" => {
                ClientRegistry::delete(store, &web, now).unwrap();
            }
            "the client is disabled" => {
                ClientRegistry::set_disabled(store, &web, Some(now)).unwrap();
            }
            "the code is replayed" => {
                site.token("web", redemption(&code)).await.assert_json_error(400, "invalid_grant");
            }
            "a refresh token is replayed" => {
                site.refresh("web", next.refresh_token()).await.tokens();
                let replay = site.refresh("web", tokens.refresh_token()).await;
                replay.assert_json_error(400, "invalid_grant");
            }
            _ => site.revoke("web", next.refresh_token()).await.assert_revoked(),
        }
        for text in [&tokens.access, &next.access] {
            other_server.introspect("rs", text).await.assert_inactive();
        }
        if !how.starts_with("the client") {
            other_server.introspect("web", next.refresh_token()).await.assert_inactive();
        }
    }
}

/// INTRO-02: a negative answer costs one look-up, and what this server never mints not even that.
#[actix_web::test]
async fn a_negative_answer_is_cheap() {
    let kit = TestServer::with_policy(apis::policy());
    let calls = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&calls);
    let store = FaultyStore::new(kit.store.clone()).before(move |call, _| {
        log.lock().unwrap().push(call.to_owned());
        Ok(())
    });
    let site = Site::over(&kit.over(Arc::new(store))).await;
    apis::add_clients(&site);
    let tokens = site.flow("web").await;
    let foreign = site.flow("evil").await;
    let unknown = format!("{}{}", &tokens.access[..32], &foreign.access[32..]);
    for (caller, text, expected) in [
        ("web", unknown.as_str(), &["ClientStore::find", "TokenStore::find"][..]),
        ("web", &foreign.access, &["ClientStore::find", "TokenStore::find"]),
        ("rs2", &tokens.access, &["ClientStore::find", "TokenStore::find"]),
        ("web", "x", &["ClientStore::find"]),
        ("web", &tokens.access[1..], &["ClientStore::find"]),
    ] {
        calls.lock().unwrap().clear();
        site.introspect(caller, text).await.assert_inactive();
        assert_eq!(*calls.lock().unwrap(), expected);
    }
}

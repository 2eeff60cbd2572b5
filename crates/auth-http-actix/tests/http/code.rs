//! Authorization codes: one client, one redemption, one minute.

use crate::harness::{Site, redemption, request};
use auth_core::grant::GrantStore;
use auth_core::owner::OwnerRegistry;
use auth_core::timestamp::Clock;
use auth_testkit::sample;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use time::Duration;

/// CODE-03, XC-01: the shape of 256 bits, and no two alike.
#[actix_web::test]
async fn codes_and_tokens_are_long_and_distinct() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let mut seen = BTreeSet::new();
    for _ in 0..50 {
        let code = browser.code(&request("web")).await;
        let tokens = site.redeem("web", &code).await.tokens();
        for secret in [code, tokens.access.clone(), tokens.refresh_token().to_owned()] {
            let url_safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            assert!(secret.len() >= 43 && secret.bytes().all(url_safe), "{secret}");
            assert!(seen.insert(secret));
        }
    }
}

/// CODE-04, XC-12: at the end of its lifetime it is over.
#[actix_web::test]
async fn a_code_lives_for_sixty_seconds() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let (in_time, late) =
        (browser.code(&request("web")).await, browser.code(&request("web")).await);
    site.kit.clock.advance(Duration::seconds(59));
    site.redeem("web", &in_time).await.tokens();
    site.kit.clock.advance(Duration::SECOND);
    site.redeem("web", &late).await.assert_json_error(400, "invalid_grant");
}

/// XC-06: a clock that goes back revives no redeemed code.
#[actix_web::test]
async fn a_clock_that_goes_back_revives_nothing() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let tokens = site.redeem("web", &code).await.tokens();
    site.kit.clock.advance(-Duration::HOUR);
    site.redeem("web", &code).await.assert_json_error(400, "invalid_grant");
    assert!(!site.accepts(&tokens.access), "the replay ended the grant");
}

/// CODE-05, CODE-06
#[actix_web::test]
async fn a_replayed_code_ends_what_it_bought() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let first = site.redeem("web", &code).await.tokens();
    let refreshed = site.refresh("web", first.refresh_token()).await.tokens();
    assert!(site.accepts(&first.access) && site.accepts(&refreshed.access));
    site.redeem("web", &code).await.assert_json_error(400, "invalid_grant");
    assert!(!site.accepts(&first.access) && !site.accepts(&refreshed.access));
    for token in [first.refresh_token(), refreshed.refresh_token()] {
        site.refresh("web", token).await.assert_json_error(400, "invalid_grant");
    }
}

/// CODE-07: only its client, with everything right, can end the grant by a replay.
#[actix_web::test]
async fn an_invalid_replay_ends_nothing() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let tokens = site.redeem("web", &code).await.tokens();
    let wrong_verifier = redemption(&code).set("code_verifier", &"x".repeat(43));
    site.token("web", wrong_verifier).await.assert_json_error(400, "invalid_grant");
    let no_verifier = redemption(&code).without("code_verifier");
    site.token("web", no_verifier).await.assert_json_error(400, "invalid_request");
    let wrong_uri = redemption(&code).set("redirect_uri", "https://rp.test/cb2?fixed=1");
    site.token("web", wrong_uri).await.assert_json_error(400, "invalid_grant");
    site.redeem("evil", &code).await.assert_json_error(400, "invalid_grant");
    site.redeem("pub", &code).await.assert_json_error(400, "invalid_grant");
    let unproven = redemption(&code).set("client_id", "web");
    site.token_request(None, &unproven).await.assert_json_error(401, "invalid_client");
    let prefix = redemption(&code[..42]);
    site.token("web", prefix).await.assert_json_error(400, "invalid_grant");
    let longer = redemption(&format!("{code}A"));
    site.token("web", longer).await.assert_json_error(400, "invalid_grant");
    assert!(site.accepts(&tokens.access));
    site.refresh("web", tokens.refresh_token()).await.tokens();
}

/// CODE-08, CODE-10
#[actix_web::test]
async fn a_refused_redemption_leaves_the_code_to_its_owner() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    site.redeem("evil", &code).await.assert_json_error(400, "invalid_grant");
    site.redeem("post", &code).await.assert_json_error(400, "invalid_grant");
    site.redeem("spa", &code).await.assert_json_error(400, "invalid_grant");
    let wrong_verifier = redemption(&code).set("code_verifier", &"x".repeat(43));
    site.token("web", wrong_verifier).await.assert_json_error(400, "invalid_grant");
    let bad_secret = sample::basic("evil").replace("Basic ", "Basic AA");
    let refused = site.token_request(Some(&bad_secret), &redemption(&code)).await;
    refused.assert_json_error(401, "invalid_client");
    let twice = redemption(&code).also("code", &code);
    site.token("web", twice).await.assert_json_error(400, "invalid_request");
    site.redeem("web", &code).await.tokens();
}

/// CODE-11, XC-05
#[actix_web::test]
async fn of_fifty_simultaneous_redemptions_one_succeeds() {
    let site = Site::new().await;
    let other_process = Site::over(&site.kit).await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let tries = (0..50).map(|it| {
        let site = if it % 2 == 0 { &site } else { &other_process };
        site.redeem("web", &code)
    });
    let (won, lost): (Vec<_>, Vec<_>) =
        join_all(tries).await.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 49));
    for answer in lost {
        answer.assert_json_error(400, "invalid_grant");
    }
}

/// CODE-12: what was taken back holds for the very next request.
#[actix_web::test]
async fn a_code_is_worthless_once_its_ground_is_gone() {
    let site = Site::new().await;
    let (store, now) = (site.kit.store.clone(), site.kit.clock.now());
    let alice = sample::alice().subject;
    let disable = |at| {
        OwnerRegistry::set_disabled(&*store, &alice, at).unwrap();
    };
    let withdraw = || {
        GrantStore::withdraw(&*store, &alice, None, now).unwrap();
    };
    let change_password = || {
        let hash = sample::password_hash_of("alice");
        OwnerRegistry::set_password(&*store, &alice, &hash, None, now).unwrap();
    };
    let takings: [&dyn Fn(); 3] = [&|| disable(Some(now)), &withdraw, &change_password];
    for take in takings {
        let code = site.browser_of("alice").await.code(&request("web")).await;
        take();
        site.redeem("web", &code).await.assert_json_error(400, "invalid_grant");
        // Letting the user in again revives nothing.
        disable(None);
        site.redeem("web", &code).await.assert_json_error(400, "invalid_grant");
    }
    let code = site.browser_of("alice").await.code(&request("web")).await;
    site.kit.update_client("web", |web| web.disabled_at = Some(now));
    site.redeem("web", &code).await.assert_json_error(401, "invalid_client");
}

/// CODE-13: the store knows the digest of the code only.
#[actix_web::test]
async fn the_store_does_not_hold_the_code() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let dump = site.kit.store.edit(|data| format!("{data:?}"));
    assert!(!dump.contains(&code));
}

/// CODE-14: no page that a code's redirect came from tells a later site of it.
#[actix_web::test]
async fn the_redirect_that_carries_a_code_sends_no_referrer() {
    let site = Site::new().await;
    let answer = site.browser_of("alice").await.approve(&request("web")).await;
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
}

//! What strangers cannot use up.

use crate::harness::{Params, Site, redemption, request};
use auth_core::policy::Policy;
use auth_http_actix::Limits;
use auth_testkit::{TestServer, sample};
use std::net::IpAddr;
use std::sync::Arc;

/// XC-07: the oldest of one address's requests go, those of others stay.
#[actix_web::test]
async fn parked_requests_are_bounded_per_address() {
    let site =
        Site::under(Policy { pending_authorizations_per_origin: 20, ..sample::policy() }).await;
    let honest = site.browser().at("198.51.100.7:1");
    let waiting = honest.follow(honest.authorize(&request("web")).await).await;
    let flood = site.browser();
    let first = flood.authorize(&request("web")).await.header("location").unwrap().to_owned();
    let mut last = first.clone();
    for _ in 0..100 {
        last = flood.authorize(&request("web")).await.header("location").unwrap().to_owned();
    }
    assert!(site.kit.store.edit(|data| data.pending.len()) <= 21);
    flood.get(&first).await.assert_error_page(400);
    assert!(flood.get(&last).await.is_sign_in_page());
    assert!(honest.sign_in_on(&waiting, "alice").await.is_consent_page());
}

/// XC-07: nor does anything else that a stranger sends leave a row.
#[actix_web::test]
async fn refused_requests_leave_nothing_behind() {
    let site = Site::new().await;
    for _ in 0..20 {
        let browser = site.browser();
        browser.get("/login").await;
        browser.post("/oauth/authorize", &request("web")).await;
        browser.authorize(&request("web").set("scope", "bogus")).await;
        browser.authorize(&request("web").set("prompt", "none")).await;
        let page = browser.get("/login").await;
        browser.fill_sign_in(&page, "nobody", "x").await;
        site.token_request(None, &redemption("x").also("client_id", "nobody")).await;
    }
    site.kit.store.edit(|data| {
        let rows = data.pending.len() + data.sessions.len() + data.codes.len() + data.grants.len();
        assert_eq!(rows, 0);
    });
}

fn guess(client: &str, secret: &str) -> Params {
    redemption("x").also("client_id", client).also("client_secret", secret)
}

/// TOKEN-15
#[actix_web::test]
async fn guessing_a_secret_is_slowed_down_and_locks_nobody_out() {
    let limits = Limits {
        is_trusted_proxy: Arc::new(|peer| peer == IpAddr::from([10, 0, 0, 1])),
        ..Limits::default()
    };
    let site = Site::limited(&TestServer::new(), limits).await;
    let proxied = |address| site.browser().at("10.0.0.1:1").sending("X-Forwarded-For", address);
    let attacker = proxied("192.0.2.66");
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for number in 0..1000 {
        let answer = attacker.post("/oauth/token", &guess("post", &number.to_string())).await;
        if answer.status == 429 {
            answer.assert_json_error(429, "invalid_request");
            let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=60).contains(&seconds));
        }
        *statuses.entry(answer.status).or_default() += 1;
    }
    // The bucket refills while the test runs, by five a second.
    assert!(statuses[&401] >= 300 && statuses[&429] > 500, "{statuses:?}");
    // Right credentials from the attacker's own address have to wait, elsewhere and others' do not.
    let honest = proxied("192.0.2.67");
    let answer = honest.post("/oauth/token", &guess("post", "post-secret")).await;
    answer.assert_json_error(400, "invalid_grant");
    let answer = attacker.post("/oauth/token", &guess("evil", "evil-secret")).await;
    answer.assert_json_error(400, "invalid_grant");
}

/// TOKEN-15: who authenticates rightly is never slowed down, however often their codes are wrong.
#[actix_web::test]
async fn right_credentials_cost_nothing() {
    let limits = Limits { failed_client_authentications: 3, ..Limits::default() };
    let site = Site::limited(&TestServer::new(), limits).await;
    for _ in 0..50 {
        site.token("post", redemption("x")).await.assert_json_error(400, "invalid_grant");
        site.token("pub", redemption("x")).await.assert_json_error(400, "invalid_grant");
    }
}

/// TOKEN-15: nor is a busy client, whose requests are under way by the hundred.
#[actix_web::test]
async fn many_right_requests_at_once_all_pass() {
    let limits = Limits { failed_client_authentications: 3, ..Limits::default() };
    let site = Site::limited(&TestServer::new(), limits).await;
    let requests = (0..100).map(|_| site.token("post", redemption("x")));
    for answer in futures_util::future::join_all(requests).await {
        answer.assert_json_error(400, "invalid_grant");
    }
}

/// TOKEN-15: names that nobody has share one bucket, and crowd nobody out.
#[actix_web::test]
async fn made_up_clients_crowd_nobody_out() {
    let limits = Limits { failed_client_authentications: 3, ..Limits::default() };
    let site = Site::limited(&TestServer::new(), limits).await;
    let mut slowed = 0;
    for number in 0..20 {
        let name = format!("{}\0{number}", "x".repeat(300));
        slowed += usize::from(site.token_request(None, &guess(&name, "x")).await.status == 429);
    }
    assert!(slowed > 10, "{slowed}");
    site.token("web", redemption("x")).await.assert_json_error(400, "invalid_grant");
}

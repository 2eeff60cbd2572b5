//! Refreshing, over time: proof of receipt, replay, narrowing, expiry.

use auth_core::client::ClientRegistry;
use auth_core::error::{ErrorCode, OAuthError};
use auth_core::event::Event;
use auth_core::grant::GrantStore;
use auth_core::owner::OwnerRegistry;
use auth_core::policy::Policy;
use auth_core::secret::AccessToken;
use auth_core::timestamp::Clock;
use auth_core::token::{MAX_SIBLINGS, RefreshReuse};
use auth_core::usecase::token::TokenResponse;
use auth_testkit::server::refusal_in;
use auth_testkit::{TestServer, sample};
use rstest::rstest;
use time::Duration;

fn strict() -> Policy {
    Policy { refresh_reuse: RefreshReuse::Strict, ..sample::policy() }
}

/// The refresh token of a response.
fn token(response: &TokenResponse) -> &str {
    let token = response.refresh_token.as_ref();
    token.expect("a refresh token").expose()
}

#[track_caller]
fn refreshed(server: &TestServer, client: &str, with: &str) -> TokenResponse {
    server.refresh(client, with).expect("a good refresh token")
}

#[track_caller]
fn assert_dead(server: &TestServer, client: &str, with: &str) {
    let refused = refusal_in(server.refresh(client, with));
    assert_eq!(refused.code, ErrorCode::InvalidGrant);
}

/// REFRESH-01: another client learns nothing and spoils nothing.
#[test]
fn a_refresh_token_is_bound_to_its_client() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    for other in ["evil", "post", "pub", "spa"] {
        assert_dead(&server, other, token(&tokens));
    }
    refreshed(&server, "web", token(&tokens));
}

/// REFRESH-02: a confidential client authenticates.
#[test]
fn naming_a_confidential_client_is_not_enough() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    let params = auth_testkit::server::form(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", token(&tokens)),
        ("client_id", "web"),
    ]);
    let request = auth_core::usecase::token::Request { authorization: &[], params: &params };
    let refused = refusal_in(server.engine.token(&request));
    assert_eq!(refused, OAuthError::INVALID_CLIENT);
    refreshed(&server, "web", token(&tokens));
}

/// REFRESH-03: a public client's tokens rotate, whatever its record says.
#[test]
fn public_clients_always_rotate() {
    let server = TestServer::new();
    for client in ["pub", "spa"] {
        server.update_client(client, |it| it.rotate_refresh_tokens = false);
        let first = server.flow(client, "alice");
        let second = refreshed(&server, client, token(&first));
        assert_ne!(token(&first), token(&second));
        let third = refreshed(&server, client, token(&second));
        assert_ne!(token(&second), token(&third));
        assert_dead(&server, client, token(&first));
    }
}

/// REFRESH-03 under `strict`: the old one is dead at once.
#[test]
fn strict_reuse_leaves_nothing_to_the_old_token() {
    let server = TestServer::with_policy(strict());
    let first = server.flow("pub", "alice");
    let second = refreshed(&server, "pub", token(&first));
    assert!(server.accepts(&second.access_token));
    assert_dead(&server, "pub", token(&first));
    assert!(!server.accepts(&second.access_token), "the replay ended it all");
    assert_dead(&server, "pub", token(&second));
}

/// A confidential client whose tokens do not rotate keeps the one that it has, in both modes.
#[rstest]
#[case(sample::policy())]
#[case(strict())]
fn a_client_without_rotation_keeps_its_token(#[case] policy: Policy) {
    let server = TestServer::with_policy(policy);
    server.update_client("web", |web| web.rotate_refresh_tokens = false);
    let first = server.flow("web", "alice");
    for _ in 0..5 {
        let next = refreshed(&server, "web", token(&first));
        assert_eq!(token(&next), token(&first), "the answer names it again");
        assert!(server.accepts(&next.access_token));
    }
}

/// REFRESH-04: presenting a spent token ends the whole grant, and no other.
#[test]
fn a_spent_token_ends_its_grant() {
    let server = TestServer::new();
    let bystander = server.flow("web", "alice");
    let first = server.flow("web", "alice");
    let second = refreshed(&server, "web", token(&first));
    let third = refreshed(&server, "web", token(&second));
    server.events.take();
    assert_dead(&server, "web", token(&first));
    let replayed = |event: &Event| matches!(event, Event::RefreshReplayed { .. });
    assert!(server.events.take().iter().any(replayed));
    for dead in [&first, &second, &third] {
        assert_dead(&server, "web", token(dead));
        assert!(!server.accepts(&dead.access_token));
    }
    assert!(server.accepts(&bystander.access_token));
    refreshed(&server, "web", token(&bystander));
}

/// REFRESH-05: R1 → R2a, R1 → R2b, R2b → R3, and then R2a ends the grant.
#[test]
fn the_first_sibling_used_wins() {
    let server = TestServer::new();
    let r1 = server.flow("web", "alice");
    let r2a = refreshed(&server, "web", token(&r1));
    let r2b = refreshed(&server, "web", token(&r1));
    assert_ne!(token(&r2a), token(&r2b));
    let r3 = refreshed(&server, "web", token(&r2b));
    assert!(server.accepts(&r2a.access_token) && server.accepts(&r3.access_token));
    assert_dead(&server, "web", token(&r2a));
    assert_dead(&server, "web", token(&r3));
    assert!(!server.accepts(&r3.access_token), "a revoked grant never comes back");
}

/// REFRESH-05: fifty lost responses in a row, a day apart, and the client is still signed in.
#[test]
fn lost_responses_sign_nobody_out() {
    let server = TestServer::new();
    let held = server.flow("pub", "alice");
    let mut last = None;
    for _ in 0..50 {
        server.clock.advance(Duration::hours(12));
        last = Some(refreshed(&server, "pub", token(&held)));
    }
    let stored = server.store.edit(|data| data.refresh.len());
    assert_eq!(stored, 1 + MAX_SIBLINGS, "siblings are bounded");
    let heard = last.unwrap();
    let next = refreshed(&server, "pub", token(&heard));
    assert!(server.accepts(&next.access_token));
}

/// REFRESH-06, REFRESH-07: a refresh narrows its access token, never the refresh token.
#[test]
fn narrowing_lasts_for_one_access_token() {
    let server = TestServer::new();
    let first = server.flow("web", "alice");
    let with_scope = |held: &TokenResponse, scope: &str| {
        let params =
            [("grant_type", "refresh_token"), ("refresh_token", token(held)), ("scope", scope)];
        server.token("web", &params)
    };
    let narrow = with_scope(&first, "api.read").unwrap();
    assert_eq!(narrow.scope, sample::scope("api.read"));
    for (scope, code) in [
        ("api.read profile", ErrorCode::InvalidScope),
        ("unknown", ErrorCode::InvalidScope),
        ("api.read  api.write", ErrorCode::InvalidScope),
    ] {
        let refused = refusal_in(with_scope(&narrow, scope));
        assert_eq!(refused.code, code, "{scope}");
    }
    let full = with_scope(&narrow, "").unwrap();
    assert_eq!(full.scope, sample::scope("api.read api.write"));
}

/// REFRESH-09: a refused request uses nothing up.
#[test]
fn a_refused_refresh_does_not_rotate() {
    let server = TestServer::with_policy(strict());
    let first = server.flow("web", "alice");
    let params =
        [("grant_type", "refresh_token"), ("refresh_token", token(&first)), ("scope", "profile")];
    assert_eq!(refusal_in(server.token("web", &params)).code, ErrorCode::InvalidScope);
    let missing = refusal_in(server.token("web", &params[..1]));
    assert_eq!(missing.code, ErrorCode::InvalidRequest);
    assert_eq!(server.store.edit(|data| data.refresh.len()), 1);
    refreshed(&server, "web", token(&first));
}

/// REFRESH-10, XC-12: thirty days without a use, to the second; a use begins them anew.
#[test]
fn a_refresh_token_expires_at_the_exact_second() {
    let server = TestServer::new();
    let first = server.flow("web", "alice");
    let idle = Duration::days(30);
    server.clock.advance(idle - Duration::SECOND);
    let second = refreshed(&server, "web", token(&first));
    server.clock.advance(idle - Duration::SECOND);
    let third = refreshed(&server, "web", token(&second));
    server.clock.advance(idle);
    assert_dead(&server, "web", token(&third));
}

/// REFRESH-11: no other secret passes for a refresh token, and none passes for an access token.
#[test]
fn kinds_of_secrets_are_never_confused() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let code = server.code("web", &alice);
    assert_dead(&server, "web", &code);
    let tokens = server.redeem("web", &code).unwrap();
    assert_dead(&server, "web", tokens.access_token.expose());
    assert!(!server.accepts(&AccessToken::presented(token(&tokens))));
    let refused = refusal_in(server.redeem("web", token(&tokens)));
    assert_eq!(refused, OAuthError::INVALID_GRANT);
    refreshed(&server, "web", token(&tokens));
}

/// REFRESH-12: racing uses are siblings; of racing siblings one wins, and the losers end the grant.
#[test]
#[expect(clippy::disallowed_methods, reason = "a race needs threads")]
fn races_never_leave_two_lines_alive() {
    let server = TestServer::new();
    for _ in 0..10 {
        let first = server.flow("web", "alice");
        let race = |with: Vec<String>| -> Vec<TokenResponse> {
            std::thread::scope(|scope| {
                let use_it = |held: String| server.refresh("web", &held).ok();
                let racers: Vec<_> =
                    with.into_iter().map(|held| scope.spawn(move || use_it(held))).collect();
                let answers = racers.into_iter().map(|racer| racer.join().unwrap());
                answers.flatten().collect()
            })
        };
        let siblings = race(vec![token(&first).to_owned(); 16]);
        assert_eq!(siblings.len(), 16, "every success is a sibling");
        let lines = race(siblings.iter().map(|it| token(it).to_owned()).collect());
        assert_eq!(lines.len(), 1, "of siblings used at once one wins");
        assert!(!server.accepts(&lines[0].access_token), "a loser is a replay");
    }
}

/// REFRESH-13: what is spent is known to the store, and not to the server that saw it.
#[test]
fn a_restart_forgets_nothing() {
    let server = TestServer::new();
    let first = server.flow("web", "alice");
    let second = refreshed(&server, "web", token(&first));
    refreshed(&server, "web", token(&second));
    let restarted = server.over(server.store.clone());
    assert_dead(&restarted, "web", token(&first));
    assert_dead(&restarted, "web", token(&second));
}

/// REFRESH-05: a change of the setting takes no honest client's token away.
#[test]
fn either_setting_honours_the_tokens_of_the_other() {
    let server = TestServer::new();
    let first = server.flow("web", "alice");
    let second = refreshed(&server, "web", token(&first));
    let strict = server.under(strict());
    let third = refreshed(&strict, "web", token(&second));
    let fourth = refreshed(&server, "web", token(&third));
    assert!(server.accepts(&fourth.access_token));
}

/// REFRESH-14: what the owner or an administrator took back is gone at the next refresh.
#[rstest]
#[case::owner_disabled(|server: &TestServer| {
    let alice = sample::alice().subject;
    let now = server.clock.now();
    OwnerRegistry::set_disabled(&*server.store, &alice, Some(now)).unwrap();
    OwnerRegistry::set_disabled(&*server.store, &alice, None).unwrap();
})]
#[case::consent_withdrawn(|server: &TestServer| {
    let alice = sample::alice().subject;
    server.store.withdraw(&alice, None, server.clock.now()).unwrap();
})]
#[case::client_disabled_and_enabled(|server: &TestServer| {
    let web = sample::client_id("web");
    let now = server.clock.now();
    ClientRegistry::set_disabled(&*server.store, &web, Some(now)).unwrap();
    let refused = refusal_in(server.refresh("web", "whatever"));
    assert_eq!(refused, OAuthError::INVALID_CLIENT);
    ClientRegistry::set_disabled(&*server.store, &web, None).unwrap();
})]
#[case::client_deleted_and_registered_again(|server: &TestServer| {
    let web = sample::client_id("web");
    server.store.delete(&web, server.clock.now()).unwrap();
    ClientRegistry::insert(&*server.store, &sample::web()).unwrap();
})]
#[case::every_scope_taken_from_the_client(|server: &TestServer| {
    server.update_client("web", |web| web.scope = sample::scope("profile"));
})]
fn what_was_taken_back_is_gone(#[case] happens: fn(&TestServer)) {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    happens(&server);
    assert_dead(&server, "web", token(&tokens));
}

/// REFRESH-14: a client that lost a scope gets the rest; one that lost the grant type is told so.
#[test]
fn what_is_left_of_a_client_is_what_it_gets() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    server.update_client("web", |web| web.scope = sample::scope("api.write profile"));
    let next = refreshed(&server, "web", token(&tokens));
    assert_eq!(next.scope, sample::scope("api.write"), "and profile was never approved");
    server.update_client("web", |web| web.scope = sample::web().scope);
    let next = refreshed(&server, "web", token(&next));
    assert_eq!(next.scope, sample::scope("api.read api.write"));

    let mut policy = sample::policy();
    policy.scopes =
        auth_core::scope::ScopeCatalog::new(policy.scopes.iter().skip(1).cloned().collect());
    let without_read = server.under(policy);
    let next = refreshed(&without_read, "web", token(&next));
    assert_eq!(next.scope, sample::scope("api.write"), "a scope left the catalog");

    server.update_client("web", |web| {
        web.grant_types.remove(&auth_core::client::GrantType::RefreshToken);
    });
    let refused = refusal_in(server.refresh("web", token(&next)));
    assert_eq!(refused.code, ErrorCode::UnauthorizedClient);
    let only_codes = server.flow("web", "alice");
    assert!(only_codes.refresh_token.is_none(), "none that it could not use");
}

/// A new password ends unredeemed codes, and no token.
#[test]
fn a_new_password_leaves_tokens_alone() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    let alice = sample::alice().subject;
    let hash = sample::password_hash_of("bob");
    let now = server.clock.now();
    server.store.set_password(&alice, &hash, None, now).unwrap();
    assert!(server.accepts(&tokens.access_token));
    refreshed(&server, "web", token(&tokens));
}

//! Clocks that run, and clocks that jump.

use super::*;

/// XC-12: an access token is good before its end, and not from then on.
#[test]
fn an_access_token_expires_at_the_exact_second() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    server.clock.advance(Duration::seconds(599));
    assert!(server.accepts(&tokens.access_token));
    server.clock.advance(Duration::SECOND);
    assert!(!server.accepts(&tokens.access_token));
}

/// REFRESH-10: nothing outlives the grant, however late it was issued.
#[test]
fn the_grant_caps_everything_under_it() {
    let policy = Policy { grant_lifetime: Some(Duration::seconds(700)), ..sample::policy() };
    let server = TestServer::with_policy(policy);
    let tokens = server.flow("web", "alice");
    assert_eq!(tokens.expires_in, 600);
    server.clock.advance(Duration::seconds(690));
    let refresh_token = tokens.refresh_token.unwrap();
    let late = server.refresh("web", refresh_token.expose()).unwrap();
    assert_eq!(late.expires_in, 10, "the end is the grant's");
    server.clock.advance(Duration::seconds(9));
    assert!(server.accepts(&late.access_token));
    server.clock.advance(Duration::SECOND);
    assert!(!server.accepts(&late.access_token));
    let last = late.refresh_token.unwrap();
    let refused = refusal_in(server.refresh("web", last.expose()));
    assert_eq!(refused, OAuthError::INVALID_GRANT);
}

/// A grant that ends sooner than a code would caps the code too.
#[test]
fn the_grant_caps_its_code() {
    let policy = Policy { grant_lifetime: Some(Duration::seconds(20)), ..sample::policy() };
    let server = TestServer::with_policy(policy);
    let alice = server.sign_in("alice");
    let [good, late] = [0, 1].map(|_| server.code("web", &alice));
    server.clock.advance(Duration::seconds(19));
    assert!(server.redeem("web", &good).is_ok());
    server.clock.advance(Duration::SECOND);
    refusal_in(server.redeem("web", &late));
}

/// XC-06: what was consumed or ended stays so when the clock jumps back an hour.
#[test]
fn a_backwards_clock_revives_nothing() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let code = server.code("web", &alice);
    let tokens = server.redeem("web", &code).unwrap();
    let revoked = server.flow("web", "alice");
    let alice = sample::alice().subject;
    server.clock.advance(Duration::hours(-1));
    refusal_in(server.redeem("web", &code));
    assert!(!server.accepts(&tokens.access_token), "the replay revoked it");
    assert!(server.accepts(&revoked.access_token));
    server.store.withdraw(&alice, None, now(&server)).unwrap();
    server.clock.advance(Duration::hours(-1));
    assert!(!server.accepts(&revoked.access_token), "a withdrawn grant");
    let used = server.flow("web", "alice").refresh_token.unwrap();
    let next = server.refresh("web", used.expose()).unwrap().refresh_token.unwrap();
    server.refresh("web", next.expose()).unwrap();
    server.clock.advance(Duration::hours(-1));
    let refused = refusal_in(server.refresh("web", used.expose()));
    assert_eq!(refused, OAuthError::INVALID_GRANT, "a spent refresh token");
    assert!(server.clock.now() < FixedClock::START);
}

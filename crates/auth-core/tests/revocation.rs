//! Taking tokens back (RFC 7009), over time.

use auth_core::client::ClientRegistry;
use auth_core::consent::ConsentStore;
use auth_core::error::{ErrorCode, OAuthError, TokenError};
use auth_core::event::Event;
use auth_core::grant::GrantStore;
use auth_core::timestamp::Clock;
use auth_core::usecase::token::{Request, TokenResponse};
use auth_testkit::server::{form, refresh_token_in, refusal_in};
use auth_testkit::{FaultyStore, TestServer, sample};
use rstest::rstest;
use std::sync::Arc;
use time::Duration;

/// Whether its client hears that this token is active.
fn is_active(server: &TestServer, client: &str, token: &str) -> bool {
    server.introspect(client, token).unwrap().is_some()
}

#[track_caller]
fn assert_all_live(server: &TestServer, client: &str, tokens: &[&TokenResponse]) {
    for tokens in tokens {
        assert!(server.accepts(&tokens.access_token));
        assert!(is_active(server, client, refresh_token_in(tokens)));
    }
}

/// Nothing under the grant of these tokens is good for anything.
#[track_caller]
fn assert_all_dead(server: &TestServer, client: &str, tokens: &[&TokenResponse]) {
    for tokens in tokens {
        assert!(!server.accepts(&tokens.access_token));
        assert!(!is_active(server, client, tokens.access_token.expose()));
        assert!(!is_active(server, client, refresh_token_in(tokens)));
        let refused = refusal_in(server.refresh(client, refresh_token_in(tokens)));
        assert_eq!(refused, OAuthError::INVALID_GRANT);
    }
}

/// REVOKE-02, REVOKE-06: an access token ends alone, also where its client only names itself.
#[rstest]
#[case("web")]
#[case("post")]
#[case("pub")]
#[case("spa")]
fn an_access_token_ends_alone(#[case] client: &str) {
    let server = TestServer::new();
    let first = server.flow(client, "alice");
    let second = server.refresh(client, refresh_token_in(&first)).unwrap();
    server.revoke(client, first.access_token.expose()).unwrap();
    assert!(!server.accepts(&first.access_token), "at once");
    assert!(server.accepts(&second.access_token), "another token of the same grant");
    let third = server.refresh(client, refresh_token_in(&second)).unwrap();
    assert!(server.accepts(&third.access_token), "the refresh token is as good as before");
    assert!(!server.accepts(&first.access_token), "for good");
}

/// REVOKE-05, REVOKE-06: a refresh token takes its whole family and every access token with it, at
/// once, and nobody else's.
#[rstest]
#[case("web")]
#[case("pub")]
fn a_refresh_token_ends_everything_under_its_grant(#[case] client: &str) {
    let server = TestServer::new();
    let bystander = server.flow(client, "alice");
    let bobs = server.flow(client, "bob");
    let first = server.flow(client, "alice");
    let second = server.refresh(client, refresh_token_in(&first)).unwrap();
    let sibling = server.refresh(client, refresh_token_in(&first)).unwrap();
    server.revoke(client, refresh_token_in(&second)).unwrap();
    for tokens in [&first, &second, &sibling] {
        assert!(!server.accepts(&tokens.access_token));
        let refused = refusal_in(server.refresh(client, refresh_token_in(tokens)));
        assert_eq!(refused, OAuthError::INVALID_GRANT);
    }
    for tokens in [&bystander, &bobs] {
        assert!(server.accepts(&tokens.access_token));
        assert!(server.refresh(client, refresh_token_in(tokens)).is_ok());
    }
}

/// REVOKE-05: also one that is spent or expired says that its client is done.
#[test]
fn an_old_refresh_token_ends_its_grant_too() {
    let server = TestServer::new();
    let spent = server.flow("web", "alice");
    let next = server.refresh("web", refresh_token_in(&spent)).unwrap();
    let last = server.refresh("web", refresh_token_in(&next)).unwrap();
    assert!(!is_active(&server, "web", refresh_token_in(&spent)));
    server.revoke("web", refresh_token_in(&spent)).unwrap();
    assert_all_dead(&server, "web", &[&next, &last]);

    let expired = server.flow("web", "alice");
    server.clock.advance(Duration::days(29));
    let next = server.refresh("web", refresh_token_in(&expired)).unwrap();
    server.clock.advance(Duration::days(1));
    let last = server.refresh("web", refresh_token_in(&next)).unwrap();
    server.revoke("web", refresh_token_in(&expired)).unwrap();
    assert_all_dead(&server, "web", &[&next, &last]);
}

/// REVOKE-03: somebody else's token is as unknown as no token at all, and stays as it is.
#[rstest]
#[case("evil")]
#[case("post")]
#[case("pub")]
#[case("svc")]
fn another_client_changes_nothing_and_learns_nothing(#[case] other: &str) {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    server.events.take();
    let before = server.store.edit(|data| format!("{data:?}"));
    let answer = server.revoke(other, "nobody-was-ever-given-this");
    for token in [tokens.access_token.expose(), refresh_token_in(&tokens)] {
        assert_eq!(server.revoke(other, token), answer, "the same answer");
    }
    assert_eq!(answer, Ok(()));
    assert_eq!(server.store.edit(|data| format!("{data:?}")), before, "nothing was written");
    assert_eq!(server.events.take(), [], "nothing happened");
    assert_all_live(&server, "web", &[&tokens]);
    assert!(server.refresh("web", refresh_token_in(&tokens)).is_ok());
}

/// REVOKE-04: what is not there any more, or never was, is no error.
#[test]
fn taking_back_twice_is_no_error() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    let revoked = |event: &Event| matches!(event, Event::TokenRevoked { .. });
    for (token, whole_grant) in
        [(tokens.access_token.expose(), false), (refresh_token_in(&tokens), true)]
    {
        server.events.take();
        for _ in 0..3 {
            assert_eq!(server.revoke("web", token), Ok(()));
        }
        let events: Vec<_> = server.events.take().into_iter().filter(revoked).collect();
        let [Event::TokenRevoked { client, whole_grant: all, .. }] = &events[..] else {
            panic!("once: {events:?}");
        };
        assert_eq!((client, *all), (&sample::client_id("web"), whole_grant));
    }
    assert_all_dead(&server, "web", &[&tokens]);
}

/// REVOKE-04: unknown, malformed and expired tokens.
#[test]
fn taking_back_what_is_no_token_is_no_error() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    let access = tokens.access_token.expose();
    let longer = format!("{access}A");
    let endless = "x".repeat(60_000);
    for text in [&access[1..], &longer, " ", "\u{0}", "nothing", &endless] {
        assert_eq!(server.revoke("web", text), Ok(()));
    }
    assert_all_live(&server, "web", &[&tokens]);
    server.clock.advance(Duration::minutes(10));
    assert_eq!(server.revoke("web", access), Ok(()));
    assert!(server.refresh("web", refresh_token_in(&tokens)).is_ok());
}

/// REVOKE-07: a hint that is wrong, unknown or empty hinders nothing.
#[rstest]
fn the_hint_does_not_matter(
    #[values("access_token", "refresh_token", "foo", "")] hint: &str,
    #[values(false, true)] whole_grant: bool,
) {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    let token = if whole_grant { refresh_token_in(&tokens) } else { tokens.access_token.expose() };
    let params = [("token", token), ("token_type_hint", hint)];
    let answer = server.as_client("web", &params, |request| server.engine.revoke(request));
    assert_eq!(answer, Ok(()));
    assert!(!server.accepts(&tokens.access_token));
    assert_eq!(server.refresh("web", refresh_token_in(&tokens)).is_err(), whole_grant);
}

/// REVOKE-01: `token` is required, and sent once.
#[test]
fn a_request_without_a_token_is_bad() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    let token = ("token", refresh_token_in(&tokens));
    let hint = ("token_type_hint", "x");
    for params in [&[][..], &[("token", "")], &[hint], &[token, token], &[token, hint, hint]] {
        let answer = server.as_client("web", params, |request| server.engine.revoke(request));
        assert_eq!(refusal_in(answer).code, ErrorCode::InvalidRequest, "{params:?}");
    }
    assert_all_live(&server, "web", &[&tokens]);
}

/// REVOKE-02: a client proves itself the way it registered; who cannot is heard by nobody.
#[test]
fn without_its_secret_a_confidential_client_takes_nothing_back() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    let token = ("token", refresh_token_in(&tokens));
    let wrong = "Basic d2ViOndyb25n";
    let others = sample::basic("evil");
    let secret = sample::secret_of("web");
    for (header, params) in [
        (None, &[token][..]),
        (None, &[token, ("client_id", "web")]),
        (None, &[token, ("client_id", "web"), ("client_secret", &secret)]),
        (Some(wrong), &[token]),
        (Some("Bearer x"), &[token]),
        (Some(&others), &[token, ("client_id", "web")]),
    ] {
        let headers: Vec<&[u8]> = header.iter().map(|it| it.as_bytes()).collect();
        let request = Request { authorization: &headers, params: &form(params) };
        let refused = refusal_in(server.engine.revoke(&request)).code;
        let expected = match header {
            Some(header) if header == others => ErrorCode::InvalidRequest,
            _ => ErrorCode::InvalidClient,
        };
        assert_eq!(refused, expected, "{header:?}");
    }
    assert_all_live(&server, "web", &[&tokens]);
}

/// A resource server's credentials are good for introspection only.
#[test]
fn a_resource_server_takes_nothing_back() {
    let server = TestServer::with_resources();
    let tokens = server.flow("web", "alice");
    for token in [tokens.access_token.expose(), refresh_token_in(&tokens), "unknown"] {
        let refused = refusal_in(server.revoke("rs", token));
        assert_eq!(refused.code, ErrorCode::UnauthorizedClient);
    }
    assert_all_live(&server, "web", &[&tokens]);
}

/// REVOKE-09: never success where the token may still be good, and nothing half done.
#[rstest]
#[case::access("ClientStore::find", false)]
#[case::access("TokenStore::find", false)]
#[case::access("TokenStore::revoke_access", false)]
#[case::refresh("TokenStore::find", true)]
#[case::refresh("GrantStore::revoke", true)]
fn a_fault_is_no_success(#[case] call: &'static str, #[case] whole_grant: bool) {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    let token = if whole_grant { refresh_token_in(&tokens) } else { tokens.access_token.expose() };
    let faulty = FaultyStore::failing(server.store.clone(), move |now| now == call);
    let answer = server.over(Arc::new(faulty)).revoke("web", token);
    assert!(matches!(answer, Err(TokenError::Fault(_))), "{answer:?}");
    assert_all_live(&server, "web", &[&tokens]);
    assert_eq!(server.revoke("web", token), Ok(()), "trying again helps");
    assert!(!server.accepts(&tokens.access_token));
}

/// REVOKE-03, CC-01: what a client got for itself it can take back, and only that.
#[test]
fn a_client_takes_back_what_it_got_for_itself() {
    let server = TestServer::new();
    let [one, other] = [0, 1].map(|_| server.client_credentials("svc", &[]).unwrap().access_token);
    server.revoke("web", one.expose()).unwrap();
    assert!(server.accepts(&one));
    server.revoke("svc", one.expose()).unwrap();
    assert!(!server.accepts(&one));
    assert!(server.accepts(&other));
}

/// REVOKE-10: an owner who removes a client ends its tokens and is asked anew.
#[test]
fn removing_a_client_ends_its_tokens_and_the_remembered_consent() {
    let server = TestServer::new();
    let others = server.flow("post", "alice");
    let tokens = [0, 1].map(|_| server.flow("web", "alice"));
    let (alice, web) = (sample::alice().subject, sample::client_id("web"));
    assert_eq!(server.store.withdraw(&alice, Some(&web), server.clock.now()), Ok(2));
    assert_all_dead(&server, "web", &[&tokens[0], &tokens[1]]);
    assert_eq!(ConsentStore::find(&*server.store, &alice, &web), Ok(Vec::new()));
    assert_all_live(&server, "post", &[&others]);
}

/// REVOKE-04: what ended otherwise can be taken back again like anything unknown.
#[test]
fn what_ended_otherwise_is_no_error() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    let web = sample::client_id("web");
    for at in [Some(server.clock.now()), None] {
        ClientRegistry::set_disabled(&*server.store, &web, at).unwrap();
    }
    server.events.take();
    for token in [tokens.access_token.expose(), refresh_token_in(&tokens)] {
        assert_eq!(server.revoke("web", token), Ok(()));
    }
    assert_eq!(server.events.take(), []);
}

/// REVOKE-05, XC-05: whoever refreshes at the same moment is left with nothing.
#[test]
#[expect(clippy::disallowed_methods, reason = "a race needs threads")]
fn a_revocation_among_racing_refreshes_leaves_no_live_token() {
    let server = TestServer::new();
    for _ in 0..20 {
        let tokens = server.flow("web", "alice");
        let held = refresh_token_in(&tokens);
        let bought: Vec<_> = std::thread::scope(|scope| {
            let refresh = || server.refresh("web", held).ok();
            let racers: Vec<_> = (0..8).map(|_| scope.spawn(refresh)).collect();
            server.revoke("web", held).unwrap();
            racers.into_iter().filter_map(|racer| racer.join().unwrap()).collect()
        });
        let all: Vec<_> = bought.iter().chain([&tokens]).collect();
        assert_all_dead(&server, "web", &all);
    }
}

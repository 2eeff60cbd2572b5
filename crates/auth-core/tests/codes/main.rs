//! From a code to tokens, over time: binding, single use, replay, PKCE, redirect URIs, expiry.

mod over_time;
mod pkce;
mod redirect_uri;
mod what_ends_between_authorization_and_redemption;

use auth_core::client::ClientRegistry;
use auth_core::error::{ErrorCode, OAuthError};
use auth_core::event::Event;
use auth_core::grant::GrantStore;
use auth_core::owner::OwnerRegistry;
use auth_core::policy::{PkceRequiredFor, Policy};
use auth_core::timestamp::{Clock, Timestamp};
use auth_core::usecase::authorize::Authorize;
use auth_testkit::server::{redirect_in, refusal_in, request_of};
use auth_testkit::{FixedClock, TestServer, sample};
use rstest::rstest;
use time::Duration;

fn now(server: &TestServer) -> Timestamp {
    server.clock.now()
}

/// The authorization request of a sample client without PKCE.
fn without_pkce(client: &str) -> Vec<(&str, &str)> {
    let mut params = request_of(client);
    params.retain(|(name, _)| !name.starts_with("code_challenge"));
    params
}

fn with<'a>(
    params: &[(&'a str, &'a str)],
    name: &'a str,
    value: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let mut params = params.to_vec();
    params.retain(|(sent, _)| *sent != name);
    params.push((name, value));
    params
}

/// A token request with exactly these parameters beside `grant_type` and `code`.
fn redeem(
    server: &TestServer,
    client: &str,
    code: &str,
    rest: &[(&str, &str)],
) -> Result<auth_core::usecase::token::TokenResponse, auth_core::error::TokenError> {
    let mut params = vec![("grant_type", "authorization_code"), ("code", code)];
    params.extend(rest);
    server.token(client, &params)
}

const RIGHT_VERIFIER: (&str, &str) = ("code_verifier", sample::VERIFIER);

/// CODE-04, XC-12: a code is good for 60 seconds, and not for 61 or for the 60th full second.
#[test]
fn a_code_expires_at_the_exact_second() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let [early, late] = [0, 1].map(|_| server.code("web", &alice));
    server.clock.advance(Duration::seconds(59));
    assert!(server.redeem("web", &early).is_ok());
    server.clock.advance(Duration::SECOND);
    let refused = refusal_in(server.redeem("web", &late));
    assert_eq!(refused, OAuthError::INVALID_GRANT);
}

/// CODE-05, CODE-06: the second valid redemption is refused and takes everything with it.
#[test]
fn a_replayed_code_revokes_the_grant() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let bystander = server.flow("web", "alice");
    let code = server.code("web", &alice);
    let tokens = server.redeem("web", &code).unwrap();
    let first = tokens.refresh_token.as_ref().unwrap();
    let refreshed = server.refresh("web", first.expose()).unwrap();
    server.events.take();
    let refused = refusal_in(server.redeem("web", &code));
    assert_eq!(refused, OAuthError::INVALID_GRANT);
    assert!(!server.accepts(&tokens.access_token));
    assert!(!server.accepts(&refreshed.access_token));
    for token in [first, refreshed.refresh_token.as_ref().unwrap()] {
        let refused = refusal_in(server.refresh("web", token.expose()));
        assert_eq!(refused, OAuthError::INVALID_GRANT);
    }
    let replayed = |event: &Event| matches!(event, Event::CodeReplayed { .. });
    assert!(server.events.take().iter().any(replayed));
    assert!(server.accepts(&bystander.access_token), "another grant");
}

/// CODE-07: a replay that is itself invalid revokes nothing.
#[test]
fn an_invalid_replay_harms_nobody() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let code = server.code("post", &alice);
    let tokens = server.redeem("post", &code).unwrap();
    let wrong_verifier = [("code_verifier", "a".repeat(43))];
    let wrong_verifier = wrong_verifier.each_ref().map(|(name, value)| (*name, value.as_str()));
    refusal_in(redeem(&server, "post", &code, &wrong_verifier));
    refusal_in(redeem(&server, "post", &code, &[]));
    refusal_in(server.redeem("evil", &code));
    refusal_in(server.redeem("post", &code[..42]));
    let elsewhere = [RIGHT_VERIFIER, ("redirect_uri", "https://evil.test/cb")];
    refusal_in(redeem(&server, "post", &code, &elsewhere));
    server.update_client("post", |post| post.auth_method = None);
    let unauthenticated = refusal_in(server.redeem("web", &code));
    assert_eq!(unauthenticated.code, ErrorCode::InvalidGrant);
    assert!(server.accepts(&tokens.access_token));
    assert!(server.refresh("web", "nonsense").is_err());
    let refresh_token = tokens.refresh_token.unwrap();
    assert!(server.redeem("post", "nonsense").is_err());
    assert!(server.refresh("post", refresh_token.expose()).is_ok());
}

/// CODE-08, CODE-09, CODE-10: a refused redemption changes nothing, whoever sends it.
#[test]
fn a_refused_redemption_leaves_the_code_to_its_client() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let code = server.code("web", &alice);
    let stolen = refusal_in(server.redeem("evil", &code));
    assert_eq!(stolen, OAuthError::INVALID_GRANT);
    let by_public = refusal_in(server.redeem("pub", &code));
    assert_eq!(by_public, OAuthError::INVALID_GRANT);
    let wrong = "b".repeat(43);
    let refused = refusal_in(redeem(&server, "web", &code, &[("code_verifier", &wrong)]));
    assert_eq!(refused.code, ErrorCode::InvalidGrant);
    for uri in ["https://evil.test/cb", "https://rp.test/cb2?fixed=1", "https://rp.test/cb/"] {
        let fields = [RIGHT_VERIFIER, ("redirect_uri", uri)];
        let refused = refusal_in(redeem(&server, "web", &code, &fields));
        assert_eq!(refused.code, ErrorCode::InvalidGrant, "{uri}");
    }
    server.update_client("web", |web| web.secrets.clear());
    let refused = refusal_in(server.redeem("web", &code));
    assert_eq!(refused, OAuthError::INVALID_CLIENT);
    server.update_client("web", |web| web.secrets = sample::web().secrets);
    assert!(server.redeem("web", &code).is_ok());
}

/// CODE-11, XC-05: of sixteen redemptions at once, one gets tokens.
#[test]
#[expect(clippy::disallowed_methods, reason = "a race needs threads")]
fn racing_redemptions_have_one_winner() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    for _ in 0..20 {
        let code = server.code("web", &alice);
        let winners = std::thread::scope(|scope| {
            let redeem = || server.redeem("web", &code).is_ok();
            let racers: Vec<_> = (0..16).map(|_| scope.spawn(redeem)).collect();
            let won = racers.into_iter().map(|racer| racer.join().unwrap());
            won.filter(|won| *won).count()
        });
        assert_eq!(winners, 1);
    }
}

/// CODE-14: the security log names what happened, and holds nothing that opens anything.
#[test]
fn no_secret_reaches_the_security_log() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let code = server.code("web", &alice);
    let tokens = server.redeem("web", &code).unwrap();
    let refresh_token = tokens.refresh_token.unwrap();
    let next = server.refresh("web", refresh_token.expose()).unwrap();
    refusal_in(server.redeem("web", &code));
    let log = format!("{:?}", server.events.take());
    for kind in
        ["SignedIn", "CodeIssued", "CodeRedeemed", "Refreshed", "CodeReplayed", "TokenRefused"]
    {
        assert!(log.contains(kind), "{kind}");
    }
    let secrets = [
        code.as_str(),
        tokens.access_token.expose(),
        refresh_token.expose(),
        next.access_token.expose(),
        &sample::secret_of("web"),
        sample::VERIFIER,
        "alice-password",
    ];
    for secret in secrets {
        assert!(!log.contains(secret));
    }
}

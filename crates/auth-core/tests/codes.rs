//! From a code to tokens, over time: binding, single use, replay, PKCE, redirect URIs, expiry.

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

mod what_ends_between_authorization_and_redemption {
    use super::*;

    /// CODE-12
    #[rstest]
    #[case::owner_disabled(|server: &TestServer| {
        let alice = sample::alice().subject;
        OwnerRegistry::set_disabled(&*server.store, &alice, Some(now(server))).unwrap();
    })]
    #[case::client_disabled_and_enabled(|server: &TestServer| {
        let web = sample::client_id("web");
        let store = &*server.store;
        ClientRegistry::set_disabled(store, &web, Some(now(server))).unwrap();
        let refused = refusal_in(server.redeem("web", "whatever"));
        assert_eq!(refused, OAuthError::INVALID_CLIENT);
        ClientRegistry::set_disabled(store, &web, None).unwrap();
    })]
    #[case::password_changed(|server: &TestServer| {
        let alice = sample::alice().subject;
        let hash = sample::password_hash_of("bob");
        server.store.set_password(&alice, &hash, None, now(server)).unwrap();
    })]
    #[case::consent_withdrawn(|server: &TestServer| {
        let web = sample::client_id("web");
        let alice = sample::alice().subject;
        server.store.withdraw(&alice, Some(&web), now(server)).unwrap();
    })]
    #[case::owner_gone(|server: &TestServer| {
        server.store.edit(|data| data.owners.clear());
    })]
    #[case::scope_taken_from_the_client(|server: &TestServer| {
        server.update_client("web", |web| web.scope = sample::scope("profile"));
    })]
    fn ends_the_code(#[case] happens: fn(&TestServer)) {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let code = server.code("web", &alice);
        happens(&server);
        let refused = refusal_in(server.redeem("web", &code));
        assert_eq!(refused, OAuthError::INVALID_GRANT);
    }

    /// TOKEN-10: what is left of the scope is what the tokens carry, and the answer says so.
    #[test]
    fn narrows_the_scope() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let code = server.code("web", &alice);
        server.update_client("web", |web| web.scope = sample::scope("api.read profile"));
        let tokens = server.redeem("web", &code).unwrap();
        assert_eq!(tokens.scope, sample::scope("api.read"));
    }

    /// Signing out, and the session's end, leave a code alone.
    #[test]
    fn does_not_include_the_session() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let code = server.code("web", &alice);
        server.engine.sign_out(&alice).unwrap();
        assert!(server.redeem("web", &code).is_ok());
    }
}

mod redirect_uri {
    use super::*;

    /// REDIR-13, CODE-09
    #[rstest]
    #[case::omitted_with_pkce(true, true, None, true)]
    #[case::right_with_pkce(true, true, Some("https://rp.test/cb"), true)]
    #[case::wrong_with_pkce(true, true, Some("https://rp.test/cb2?fixed=1"), false)]
    #[case::omitted_without_pkce(false, true, None, false)]
    #[case::empty_without_pkce(false, true, Some(""), false)]
    #[case::right_without_pkce(false, true, Some("https://rp.test/cb"), true)]
    #[case::wrong_without_pkce(false, true, Some("https://evil.test/cb"), false)]
    #[case::never_sent(false, false, None, true)]
    #[case::sent_late_and_right(false, false, Some("https://rp.test/cb"), true)]
    #[case::sent_late_and_wrong(false, false, Some("https://rp.test/cb2?fixed=1"), false)]
    fn at_the_token_endpoint(
        #[case] pkce: bool,
        #[case] sent: bool,
        #[case] redeemed_with: Option<&str>,
        #[case] good: bool,
    ) {
        let server = TestServer::new();
        server.update_client("web", |web| web.redirect_uris.truncate(1));
        let alice = server.sign_in("alice");
        let mut params = if pkce { request_of("web") } else { without_pkce("web") };
        params.retain(|(name, _)| sent || *name != "redirect_uri");
        let code = server.code_for(&params, &alice);
        let uri = redeemed_with.map(|uri| ("redirect_uri", uri));
        let verifier = pkce.then_some(RIGHT_VERIFIER);
        let fields: Vec<_> = uri.into_iter().chain(verifier).collect();
        let answer = redeem(&server, "web", &code, &fields);
        if good {
            assert!(answer.is_ok(), "{answer:?}");
        } else {
            assert_eq!(refusal_in(answer).code, ErrorCode::InvalidGrant);
        }
    }

    /// REDIR-14: the port that was used is the one that counts.
    #[test]
    fn of_a_loopback_client_keeps_its_port() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let params = with(&request_of("pub"), "redirect_uri", "http://127.0.0.1:5000/cb");
        let code = server.code_for(&params, &alice);
        for uri in ["http://127.0.0.1:5001/cb", "http://127.0.0.1/cb"] {
            let fields = [RIGHT_VERIFIER, ("redirect_uri", uri)];
            let refused = refusal_in(redeem(&server, "pub", &code, &fields));
            assert_eq!(refused.code, ErrorCode::InvalidGrant, "{uri}");
        }
        let fields = [RIGHT_VERIFIER, ("redirect_uri", "http://127.0.0.1:5000/cb")];
        assert!(redeem(&server, "pub", &code, &fields).is_ok());
    }
}

mod pkce {
    use super::*;

    fn outcome(server: &TestServer, params: &[(&str, &str)]) -> Option<ErrorCode> {
        let alice = server.sign_in("alice");
        match server.authorize(params, Some(&alice)) {
            Authorize::NeedsConsent(_) => None,
            other => redirect_in(&other).reported_error().map(|error| error.code),
        }
    }

    /// PKCE-01
    #[test]
    fn is_required_of_public_clients_and_of_whom_the_operator_says() {
        let server = TestServer::new();
        let refused = Some(ErrorCode::InvalidRequest);
        assert_eq!(outcome(&server, &without_pkce("pub")), refused);
        assert_eq!(outcome(&server, &without_pkce("spa")), refused);
        assert_eq!(outcome(&server, &without_pkce("web")), None);
        let strict =
            server.under(Policy { pkce_required_for: PkceRequiredFor::All, ..sample::policy() });
        assert_eq!(outcome(&strict, &without_pkce("web")), refused);
        assert_eq!(outcome(&strict, &request_of("web")), None);
        server.update_client("web", |web| web.require_pkce = true);
        assert_eq!(outcome(&server, &without_pkce("web")), refused);
    }

    /// PKCE-02, PKCE-03
    #[rstest]
    #[case("code_challenge_method", "plain")]
    #[case("code_challenge_method", "s256")]
    #[case("code_challenge_method", "S512")]
    #[case("code_challenge_method", "none")]
    #[case("code_challenge_method", "S256 ")]
    #[case("code_challenge", "")]
    #[case("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c")]
    #[case("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")]
    #[case("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")]
    fn accepts_s256_only(#[case] name: &str, #[case] value: &str) {
        let server = TestServer::new();
        for client in ["pub", "web"] {
            let refused = outcome(&server, &with(&request_of(client), name, value));
            assert_eq!(refused, Some(ErrorCode::InvalidRequest), "{client}");
        }
    }

    /// PKCE-02: an absent method means S256, so a client that meant `plain` fails at redemption.
    #[test]
    fn without_a_method_is_s256() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let mut params = request_of("pub");
        params.retain(|(name, _)| *name != "code_challenge_method");
        let code = server.code_for(&params, &alice);
        let meant_plain = [("code_verifier", sample::CHALLENGE)];
        let refused = refusal_in(redeem(&server, "pub", &code, &meant_plain));
        assert_eq!(refused.code, ErrorCode::InvalidGrant);
        assert!(server.redeem("pub", &code).is_ok());
    }

    /// PKCE-04, PKCE-05
    #[test]
    fn wants_the_right_verifier_and_no_other() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        for client in ["pub", "web"] {
            let code = server.code(client, &alice);
            let short = &sample::VERIFIER[..42];
            let long = "a".repeat(129);
            let newline = format!("{}\n", sample::VERIFIER);
            for bad in ["", short, &long, &newline, sample::CHALLENGE, &"a".repeat(43)] {
                let fields = [("code_verifier", bad)];
                let refused = refusal_in(redeem(&server, client, &code, &fields));
                let codes = [ErrorCode::InvalidGrant, ErrorCode::InvalidRequest];
                assert!(codes.contains(&refused.code), "{bad:?}");
            }
            let refused = refusal_in(redeem(&server, client, &code, &[]));
            assert_eq!(refused.code, ErrorCode::InvalidRequest);
            assert!(server.redeem(client, &code).is_ok());
        }
    }

    /// PKCE-06: a verifier for a code without a challenge is refused.
    #[test]
    fn is_not_added_later() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let code = server.code_for(&without_pkce("web"), &alice);
        let uri = ("redirect_uri", "https://rp.test/cb");
        let refused = refusal_in(redeem(&server, "web", &code, &[uri, RIGHT_VERIFIER]));
        assert_eq!(refused.code, ErrorCode::InvalidRequest);
        assert!(redeem(&server, "web", &code, &[uri]).is_ok());
    }

    /// PKCE-07: a code without a challenge is worth nothing to a client that has come to need one.
    #[test]
    fn that_became_required_ends_codes_without_it() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let uri = ("redirect_uri", "https://rp.test/cb");
        let code = server.code_for(&without_pkce("web"), &alice);
        server.update_client("web", |web| web.require_pkce = true);
        let refused = refusal_in(redeem(&server, "web", &code, &[uri]));
        assert_eq!(refused.code, ErrorCode::InvalidGrant);
        let refused = refusal_in(redeem(&server, "web", &code, &[uri, RIGHT_VERIFIER]));
        assert_eq!(refused.code, ErrorCode::InvalidRequest);
    }
}

mod over_time {
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

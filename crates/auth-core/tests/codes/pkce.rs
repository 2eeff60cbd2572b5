//! PKCE at both endpoints.

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

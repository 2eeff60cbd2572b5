//! Client authentication at the token endpoint, as far as the core decides it.

use auth_core::client::{
    ClientAuthMethod, ClientRegistry, ClientSecretRecord, GrantType, Inserted, Retired,
};
use auth_core::error::{ErrorCode, OAuthError, TokenError};
use auth_core::secret::ClientSecret;
use auth_core::timestamp::Clock;
use auth_core::usecase::token::{Request, TokenResponse};
use auth_testkit::server::{form, refusal_in};
use auth_testkit::{TestServer, sample};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rstest::rstest;

/// Sends a token request just as it is, for a code that nobody has; a client that gets past
/// authentication hears `invalid_grant`.
fn send(
    server: &TestServer,
    authorization: &[&str],
    params: &[(&str, &str)],
) -> Result<TokenResponse, TokenError> {
    let mut all = vec![("grant_type", "authorization_code"), ("code", "nothing")];
    all.extend(params);
    let headers: Vec<&[u8]> = authorization.iter().map(|it| it.as_bytes()).collect();
    server.engine.token(&Request { authorization: &headers, params: &form(&all) })
}

fn outcome(server: &TestServer, authorization: &[&str], params: &[(&str, &str)]) -> OAuthError {
    refusal_in(send(server, authorization, params))
}

/// CAUTH-01, CAUTH-05: both methods work; a pinned one is enforced.
#[test]
fn a_secret_goes_where_the_client_registered_it() {
    let server = TestServer::new();
    let secret = sample::secret_of("web");
    let in_body = [("client_id", "web"), ("client_secret", secret.as_str())];
    let basic = sample::basic("web");
    let passes = OAuthError::INVALID_GRANT;
    assert_eq!(outcome(&server, &[&basic], &[]), passes);
    assert_eq!(outcome(&server, &[], &in_body), OAuthError::INVALID_CLIENT);
    server.update_client("web", |web| web.auth_method = None);
    assert_eq!(outcome(&server, &[&basic], &[]), passes);
    assert_eq!(outcome(&server, &[], &in_body), passes);
    let post = Some(ClientAuthMethod::ClientSecretPost);
    server.update_client("web", |web| web.auth_method = post);
    assert_eq!(outcome(&server, &[&basic], &[]), OAuthError::INVALID_CLIENT);
    assert_eq!(outcome(&server, &[], &in_body), passes);
}

/// CAUTH-02: identifier and secret are decoded exactly once, after the first colon.
#[test]
fn basic_credentials_are_form_decoded_once() {
    let server = TestServer::new();
    let mut odd = sample::confidential("a:b c%\u{e9}", &[]);
    let secret = "p+/=%&\u{e9}:x";
    odd.secrets[0].digest = ClientSecret::presented(secret).digest();
    let inserted = ClientRegistry::insert(&*server.store, &odd);
    assert_eq!(inserted, Ok(Inserted::Inserted));
    let header = |credentials: &str| format!("Basic {}", STANDARD.encode(credentials));
    let right = header("a%3Ab+c%25%C3%A9:p%2B%2F%3D%25%26%C3%A9%3Ax");
    assert_eq!(outcome(&server, &[&right], &[]), OAuthError::INVALID_GRANT);
    let bad = [
        header("a%3Ab+c%25%C3%A9:p+/=%&\u{e9}:x"),
        header("a%3Ab+c%25%C3%A9:p%252B%252F%253D%2525%2526%25C3%25A9%253Ax"),
        header("a%3Ab+c%25%C3%A9:p%zz"),
        header("no colon"),
        "Basic ???".into(),
        "Basic".into(),
        "Bearer abc".into(),
    ];
    for header in &bad {
        let refused = outcome(&server, &[header], &[]);
        assert_eq!(refused, OAuthError::INVALID_CLIENT, "{header}");
    }
}

/// CAUTH-12: the scheme's letter case does not matter; a tab is no space.
#[rstest]
#[case("basic", " ", true)]
#[case("BASIC", "  ", true)]
#[case("Basic", "\t", false)]
fn the_scheme_is_read_as_http_says(#[case] scheme: &str, #[case] gap: &str, #[case] good: bool) {
    let server = TestServer::new();
    let header = sample::basic("web").replace("Basic ", &format!("{scheme}{gap}"));
    let refused = outcome(&server, &[&header], &[]);
    let expected = match good {
        true => OAuthError::INVALID_GRANT,
        false => OAuthError::INVALID_CLIENT,
    };
    assert_eq!(refused, expected);
}

/// CAUTH-04: more than one method is no request at all.
#[test]
fn two_methods_are_one_too_many() {
    let server = TestServer::new();
    let basic = sample::basic("web");
    let secret = sample::secret_of("web");
    let secret = ("client_secret", secret.as_str());
    let assertion = ("client_assertion", "eyJ");
    for (headers, params) in [
        (&[&*basic][..], &[secret][..]),
        (&[&*basic], &[assertion]),
        (&[], &[secret, assertion, ("client_id", "web")]),
        (&[&*basic, &*basic], &[]),
        (&[&*basic], &[("client_id", "evil")]),
    ] {
        let refused = outcome(&server, headers, params);
        assert_eq!(refused.code, ErrorCode::InvalidRequest, "{params:?}");
    }
    let equal = outcome(&server, &[&basic], &[("client_id", "web")]);
    assert_eq!(equal, OAuthError::INVALID_GRANT, "equal is fine");
}

/// CAUTH-05, CAUTH-06, CAUTH-09, CAUTH-10: every failure is the same answer.
#[test]
fn every_failure_looks_the_same() {
    let server = TestServer::new();
    let header = |credentials: &str| format!("Basic {}", STANDARD.encode(credentials));
    let wrong = header("web:wrong");
    let unknown = header("nobody:wrong");
    let empty = header("web:");
    let public = header("pub:anything");
    let others = header("web:evil-secret");
    let nobody = header(":");
    for header in [&wrong, &unknown, &empty, &public, &others, &nobody] {
        let refused = outcome(&server, &[header], &[]);
        assert_eq!(refused, OAuthError::INVALID_CLIENT);
    }
    let long = "x".repeat(10_240);
    for params in [
        &[][..],
        &[("client_id", "web")],
        &[("client_id", "")],
        &[("client_id", "nobody")],
        &[("client_id", &long)],
        &[("client_id", "a\0b")],
        &[("client_id", "post"), ("client_secret", "")],
        &[("client_id", "post"), ("client_secret", "wrong")],
        &[("client_id", "pub"), ("client_secret", "leaked")],
        &[("client_id", "web"), ("client_assertion", "eyJ")],
    ] {
        let refused = outcome(&server, &[], params);
        assert_eq!(refused, OAuthError::INVALID_CLIENT, "{params:?}");
    }
    let named = outcome(&server, &[], &[("client_id", "pub")]);
    assert_eq!(named, OAuthError::INVALID_GRANT, "a public client names itself");
    server.update_client("pub", |it| it.disabled_at = Some(it.created_at));
    let disabled = outcome(&server, &[], &[("client_id", "pub")]);
    assert_eq!(disabled, OAuthError::INVALID_CLIENT);
}

/// CAUTH-14: two secrets live side by side while one replaces the other.
#[test]
fn a_secret_is_replaced_without_a_gap() {
    let server = TestServer::new();
    let web = sample::client_id("web");
    let new = ClientSecretRecord {
        id: "new".into(),
        digest: ClientSecret::presented("new").digest(),
        created_at: server.clock.now(),
    };
    server.store.add_secret(&web, &new, 1).unwrap();
    let old_header = sample::basic("web");
    let new_header = format!("Basic {}", STANDARD.encode("web:new"));
    for header in [&old_header, &new_header] {
        let passes = outcome(&server, &[header], &[]);
        assert_eq!(passes, OAuthError::INVALID_GRANT);
    }
    let retired = server.store.retire_secret(&web, "web-1");
    assert_eq!(retired, Ok(Retired::Retired));
    let refused = outcome(&server, &[&old_header], &[]);
    assert_eq!(refused, OAuthError::INVALID_CLIENT);
    let passes = outcome(&server, &[&new_header], &[]);
    assert_eq!(passes, OAuthError::INVALID_GRANT);
}

/// TOKEN-04, TOKEN-05, TOKEN-06: what is wrong with the request comes before who sent it.
#[test]
fn the_grant_type_is_judged_before_the_client() {
    let server = TestServer::new();
    let request = |params: &[(&str, &str)]| {
        let params = form(params);
        let request = Request { authorization: &[], params: &params };
        refusal_in(server.engine.token(&request)).code
    };
    assert_eq!(request(&[]), ErrorCode::InvalidRequest);
    assert_eq!(request(&[("grant_type", "")]), ErrorCode::InvalidRequest);
    for unknown in ["foo", "password", "implicit", "urn:x:y", "AUTHORIZATION_CODE"] {
        let refused = request(&[("grant_type", unknown)]);
        assert_eq!(refused, ErrorCode::UnsupportedGrantType, "{unknown}");
    }
    let grant = ("grant_type", "authorization_code");
    for name in ["grant_type", "code", "client_id", "client_secret", "code_verifier", "scope"] {
        let refused = request(&[grant, (name, "x"), (name, "x")]);
        assert_eq!(refused, ErrorCode::InvalidRequest, "{name} twice");
    }
    server.update_client("web", |web| {
        web.grant_types = [GrantType::RefreshToken].into();
    });
    let refused = refusal_in(server.redeem("web", "nothing"));
    assert_eq!(refused.code, ErrorCode::UnauthorizedClient);
}

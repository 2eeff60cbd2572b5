//! Rules 4 to 9: what the client hears. None of these requests is stored, nor is anything minted: the
//! world refuses both.

use super::*;

/// AUTHZ-05: every parameter that OAuth, PKCE, OpenID Connect or DPoP defines here is sent once; equal
/// copies are copies.
#[rstest]
fn a_repeated_parameter_goes_to_the_client(
    #[values(
        "response_type",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "prompt",
        "max_age",
        "response_mode",
        "login_hint",
        "id_token_hint",
        "display",
        "ui_locales",
        "claims_locales",
        "acr_values",
        "claims",
        "registration",
        "dpop_jkt"
    )]
    name: &str,
) {
    let changes = format!("{name}=a&{name}=a");
    assert_eq!(error(web(), &changes), "invalid_request");
    let changes = format!("{name}=&{name}=");
    assert_eq!(error(web(), &changes), "invalid_request");
}

/// AUTHZ-05: which of two states is the client's cannot be known.
#[test]
fn a_repeated_state_is_not_sent_back() {
    let result = ask(&World::with(web()), None, "state=a&state=a");
    let answer = answer_to_client(result, "https://rp.test/cb");
    assert_eq!(answer.one("error"), Ok(Some("invalid_request")));
    assert!(!answer.has("state"));
}

/// AUTHZ-03, AUTHZ-05: unknown parameters are ignored, repeated or not.
#[rstest]
#[case("foo=bar&code=x&access_token=y")]
#[case("foo=a&foo=b")]
fn other_parameters_are_ignored(#[case] changes: &str) {
    assert_eq!(accepted(web(), changes), accepted(web(), ""));
}

/// AUTHZ-04: empty parameters count as absent.
#[rstest]
#[case("prompt=", "")]
#[case("state=", "-state")]
#[case("scope=", "-scope")]
#[case("code_challenge_method=", "")]
#[case("request=&request_uri=&registration=", "")]
fn an_empty_parameter_is_an_absent_one(#[case] empty: &str, #[case] absent: &str) {
    assert_eq!(accepted(web(), empty), accepted(web(), absent));
}

/// AUTHZ-07: `code`, in exactly this spelling, is the only response type.
#[rstest]
#[case("-response_type", "invalid_request")]
#[case("response_type=", "invalid_request")]
#[case("response_type=token", "unsupported_response_type")]
#[case("response_type=id_token", "unsupported_response_type")]
#[case("response_type=code token", "unsupported_response_type")]
#[case("response_type=code id_token", "unsupported_response_type")]
#[case("response_type=CODE", "unsupported_response_type")]
#[case("response_type=code%20", "unsupported_response_type")]
#[case("response_type=foo", "unsupported_response_type")]
fn the_response_type_is_code(#[case] changes: &str, #[case] expected: &str) {
    assert_eq!(error(web(), changes), expected);
}

/// Where the transport says so an absent response type means `code`; a wrong one is wrong all the same.
#[rstest]
#[case("-response_type", None)]
#[case("response_type=", None)]
#[case("response_type=code", None)]
#[case("response_type=token", Some("unsupported_response_type"))]
fn the_response_type_may_be_optional(#[case] changes: &str, #[case] refused: Option<&str>) {
    let world = if refused.is_none() { waiting(World::with(web())) } else { World::with(web()) };
    let request = Request {
        params: &overlay(GOOD, changes),
        response_type_optional: true,
        browser: &browser(),
        owner: None,
        origin: ORIGIN,
    };
    let result = authorize(&world.authorize_ports(), &world.policy, &request);
    match refused {
        None => assert!(matches!(result, Ok(Authorize::NeedsSignIn(_))), "{result:?}"),
        Some(code) => {
            let answer = answer_to_client(result, "https://rp.test/cb");
            assert_eq!(answer.one("error"), Ok(Some(code)));
        }
    }
}

/// AUTHZ-07: the type is known, but this client may not use it.
#[test]
fn a_client_without_the_code_flow_is_unauthorized() {
    let client = Client { grant_types: [GrantType::RefreshToken].into(), ..web() };
    assert_eq!(error(client, ""), "unauthorized_client");
}

/// AUTHZ-20: request objects are not supported; nothing is fetched, for there is no port to fetch with.
#[rstest]
#[case("request=eyJhbGciOiJub25lIn0.e30.", "request_not_supported")]
#[case("request_uri=http://169.254.169.254/", "request_uri_not_supported")]
#[case("registration=%7b%7d", "registration_not_supported")]
fn request_objects_are_not_supported(#[case] changes: &str, #[case] expected: &str) {
    assert_eq!(error(web(), changes), expected);
}

/// AUTHZ-11, AUTHZ-12: `state` comes back byte for byte with every error, and the registered query
/// stays.
#[rstest]
#[case("+ %20 & = # ' \" < > é 漢 %0d%0a")]
#[case("a\r\nSet-Cookie: a=b")]
#[case("{\"return\":\"/a?b=c&d\"}")]
#[case(&"x".repeat(2048))]
#[case("\0")]
fn state_comes_back_with_an_error(#[case] state: &str) {
    let mut params = overlay(GOOD, "-state&scope=bogus&redirect_uri=https://rp.test/cb2?fixed=1");
    let mut pairs: Vec<_> =
        params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    pairs.push(("state".into(), state.into()));
    params = Params::from_pairs(pairs, crate::params::ParamLimits::QUERY).unwrap();
    let result = ask_params(&World::with(web()), None, &params);
    let answer = answer_to_client(result, "https://rp.test/cb2?fixed=1");
    assert_eq!(answer.one("error"), Ok(Some("invalid_scope")));
    assert_eq!(answer.one("state"), Ok(Some(state)));
    assert_eq!(answer.one("fixed"), Ok(Some("1")));
}

/// PKCE-01: public clients always, others by policy or registration.
#[rstest]
#[case::public(public(), PkceRequiredFor::Public, true)]
#[case::confidential(web(), PkceRequiredFor::Public, false)]
#[case::registered_so(Client { require_pkce: true, ..web() }, PkceRequiredFor::Public, true)]
#[case::everybody(web(), PkceRequiredFor::All, true)]
fn pkce_is_required_of_whom_it_must_be(
    #[case] client: Client,
    #[case] required_for: PkceRequiredFor,
    #[case] required: bool,
) {
    let uri = client.redirect_uris[0].as_str().to_owned();
    let changes = format!(
        "client_id={}&redirect_uri={uri}&-code_challenge&-code_challenge_method",
        client.id
    );
    let mut world = World::with(client);
    world.policy.pkce_required_for = required_for;
    if required {
        assert_eq!(error_to(world, None, &changes, &uri), "invalid_request");
    } else {
        let result = ask(&waiting(world), None, &changes);
        let Ok(Authorize::NeedsSignIn(prompted)) = result else {
            panic!("{result:?}");
        };
        assert_eq!(prompted.request.code_challenge, None);
    }
}

/// PKCE-02: S256 is the only method, and what an absent one means.
#[rstest]
#[case("-code_challenge_method")]
#[case("code_challenge_method=S256")]
fn a_challenge_is_an_s256_challenge(#[case] changes: &str) {
    let challenge = accepted(web(), changes).code_challenge.unwrap();
    assert_eq!(challenge.as_str(), CHALLENGE);
}

/// PKCE-02, AUTHZ-04: another method, or a protection that was meant but is not there, also where PKCE
/// is optional.
#[rstest]
#[case("code_challenge_method=plain")]
#[case("code_challenge_method=s256")]
#[case("code_challenge_method=S512")]
#[case("code_challenge_method=none")]
#[case("code_challenge_method=S256%20")]
#[case("code_challenge=")]
#[case("code_challenge=&-code_challenge_method")]
#[case("code_challenge=&code_challenge_method=")]
#[case("-code_challenge")]
#[case("-code_challenge&code_challenge_method=")]
fn pkce_is_never_weakened(#[case] changes: &str) {
    assert_eq!(error(web(), changes), "invalid_request");
}

/// PKCE-03
#[rstest]
#[case("a".repeat(42))]
#[case("a".repeat(44))]
#[case("a".repeat(129))]
#[case(format!("{}=", "a".repeat(42)))]
#[case(format!("{}%2B", "a".repeat(42)))]
#[case(format!("{}/", "a".repeat(42)))]
#[case(format!("{}%20", "a".repeat(42)))]
#[case(format!("{}%C3%A9", "a".repeat(41)))]
fn a_challenge_has_43_characters_of_base64url(#[case] challenge: String) {
    let changes = format!("code_challenge={challenge}");
    assert_eq!(error(web(), &changes), "invalid_request");
}

/// The scope: within the client's, and the catalog's defaults where none is named.
#[rstest]
#[case("scope=api.read", "api.read")]
#[case("scope=api.write api.read", "api.read api.write")]
#[case("scope=api.read api.read", "api.read")]
#[case("-scope", "api.read")]
#[case("scope=", "api.read")]
fn the_scope_is_what_was_asked_or_the_default(#[case] changes: &str, #[case] expected: &str) {
    assert_eq!(accepted(web(), changes).scope, scope(expected));
}

/// Unknown, not the client's, malformed.
#[rstest]
#[case("scope=bogus")]
#[case("scope=api.admin")]
#[case("scope=api.read api.admin")]
#[case("scope=API.READ")]
#[case("scope=%22")]
#[case("scope=api.read%20%20api.write")]
#[case("scope=%20")]
#[case("scope=api.read%0aapi.write")]
fn a_scope_that_is_not_the_clients_is_refused(#[case] changes: &str) {
    assert_eq!(error(web(), changes), "invalid_scope");
}

/// A scope that the client is registered for but the catalog has lost is unknown.
#[test]
fn a_scope_that_the_server_no_longer_knows_is_refused() {
    let client = Client { scope: scope("api.read gone"), ..web() };
    assert_eq!(error(client, "scope=gone"), "invalid_scope");
}

/// No scope is named, and no default is the client's.
#[test]
fn without_a_default_a_scope_has_to_be_named() {
    let client = || Client { scope: scope("api.write"), ..web() };
    assert_eq!(error(client(), "-scope"), "invalid_scope");
    assert_eq!(accepted(client(), "scope=api.write").scope, scope("api.write"));
}

/// Of the defaults, those that are the client's.
#[test]
fn the_defaults_that_a_client_may_not_ask_for_are_left_out() {
    let client = Client { scope: scope("api.write"), ..web() };
    let mut world = waiting(World::with(client));
    let mut definitions: Vec<_> = world.policy.scopes.iter().cloned().collect();
    for definition in &mut definitions {
        definition.default = true;
    }
    world.policy.scopes = crate::scope::ScopeCatalog::new(definitions);
    match ask(&world, None, "-scope") {
        Ok(Authorize::NeedsSignIn(prompted)) => {
            assert_eq!(prompted.request.scope, scope("api.write"));
        }
        other => panic!("{other:?}"),
    }
}

/// A malformed `max_age` is an error, not a sign-in of any age.
#[rstest]
fn a_max_age_that_is_no_number_is_refused(
    #[values("-1", "abc", "1.5", "+1", "1%20", "99999999999999999999")] max_age: &str,
) {
    assert_eq!(error(web(), &format!("max_age={max_age}")), "invalid_request");
}

/// `prompt` knows its values, and `none` stands alone.
#[rstest]
#[case("bogus")]
#[case("select_account")]
#[case("NONE")]
#[case("none login")]
#[case("consent none")]
#[case("login bogus")]
fn a_prompt_that_makes_no_sense_is_refused(#[case] prompt: &str) {
    let changes = format!("prompt={prompt}");
    assert_eq!(error(web(), &changes), "invalid_request");
}

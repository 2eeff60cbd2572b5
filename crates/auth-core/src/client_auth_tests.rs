use super::*;
use crate::error::ErrorCode;
use crate::usecase::fixtures::{
    SECRET, World, disabled, overlay, post, public, secret_record, store_fault, unavailable, web,
};
use proptest::prelude::*;
use rstest::rstest;

/// A Basic header of these halves, as they are: encoding them is the caller's.
fn basic(id: &str, secret: &str) -> Vec<u8> {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))).into_bytes()
}

fn authenticate(world: &World, headers: &[&[u8]], body: &str) -> Result<String, TokenError> {
    let credentials = ClientCredentials::read(headers, &overlay("", body))?;
    authenticate_client(&world.clients, &credentials)
        .map(|client| client.client().id.as_str().to_owned())
}

/// The refusal of a request whose credentials cannot be anybody's: no client is looked up.
fn refused_unseen(headers: &[&[u8]], body: &str) -> OAuthError {
    refused(&World::new(), headers, body)
}

fn refused(world: &World, headers: &[&[u8]], body: &str) -> OAuthError {
    match authenticate(world, headers, body) {
        Err(TokenError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn with_secret(id: &str, secret: &str) -> Client {
    Client { id: ClientId::parse(id).unwrap(), secrets: vec![secret_record("s1", secret)], ..web() }
}

/// CAUTH-01: both ways of sending a secret work.
#[test]
fn a_secret_in_the_header_or_in_the_body_authenticates() {
    let header = basic("web", SECRET);
    assert_eq!(authenticate(&World::with(web()), &[&header], ""), Ok("web".into()));
    let body = format!("client_id=post&client_secret={SECRET}");
    assert_eq!(authenticate(&World::with(post()), &[], &body), Ok("post".into()));
}

/// CAUTH-02: both halves are form-encoded before base64, and split at the first raw colon.
#[test]
fn basic_credentials_are_form_encoded_before_base64() {
    let world = World::with(with_secret("a:b c%é", "p+/=%&é:x"));
    let header = basic("a%3Ab+c%25%C3%A9", "p%2B%2F%3D%25%26%C3%A9%3Ax");
    assert_eq!(authenticate(&world, &[&header], ""), Ok("a:b c%é".into()));
}

/// CAUTH-02: what follows the first colon is the secret, colons and all.
#[test]
fn only_the_first_colon_separates() {
    let world = World::with(with_secret("web", "a:b"));
    assert!(authenticate(&world, &[&basic("web", "a:b")], "").is_ok());
}

/// CAUTH-02: exactly one decoding, neither none nor two.
#[rstest]
#[case("%41bc", "%2541bc", true)]
#[case("%41bc", "%41bc", false)]
#[case("Abc", "%41bc", true)]
#[case("Abc", "%2541bc", false)]
#[case("a b", "a+b", true)]
#[case("a+b", "a+b", false)]
fn credentials_are_decoded_exactly_once(
    #[case] secret: &str,
    #[case] sent: &str,
    #[case] fits: bool,
) {
    let world = World::with(with_secret("web", secret));
    let header = basic("web", sent);
    assert_eq!(authenticate(&world, &[&header], "").is_ok(), fits);
}

/// CAUTH-02, CAUTH-03, CAUTH-12: credentials that are off in any way are `invalid_client`.
#[rstest]
#[case::malformed_escape(basic("web", "%zz"))]
#[case::cut_escape(basic("web", "a%4"))]
#[case::malformed_escape_in_the_id(basic("%web", SECRET))]
#[case::escape_that_is_no_utf_8(basic("web", "%ff"))]
#[case::bytes_that_are_no_utf_8(b"Basic d2ViOv8=".to_vec())]
#[case::header_that_is_no_utf_8(b"Basic \xff".to_vec())]
#[case::no_colon(b"Basic d2Vi".to_vec())]
#[case::no_base64(b"Basic web:secret".to_vec())]
#[case::base64url(b"Basic d2ViOj4_Pj8=".to_vec())]
#[case::no_padding(b"Basic d2ViOg".to_vec())]
#[case::trailing_junk(b"Basic d2ViOmE=!".to_vec())]
#[case::second_value(b"Basic d2ViOmE= d2ViOmE=".to_vec())]
#[case::auth_param(b"Basic d2ViOmE=, realm=x".to_vec())]
#[case::tab(b"Basic\td2ViOmE=".to_vec())]
#[case::space_and_tab(b"Basic \td2ViOmE=".to_vec())]
#[case::leading_space(b" Basic d2ViOmE=".to_vec())]
#[case::nothing_behind_the_scheme(b"Basic".to_vec())]
#[case::only_a_space_behind_the_scheme(b"Basic ".to_vec())]
#[case::empty(Vec::new())]
#[case::another_scheme(b"Bearer d2ViOmE=".to_vec())]
#[case::scheme_with_a_suffix(b"Basically d2ViOmE=".to_vec())]
#[case::empty_id(basic("", SECRET))]
fn malformed_credentials_are_nobodys(#[case] header: Vec<u8>) {
    assert_eq!(refused_unseen(&[&header], ""), OAuthError::INVALID_CLIENT);
}

/// CAUTH-12
#[rstest]
#[case("basic ")]
#[case("BASIC ")]
#[case("bAsIc ")]
#[case("Basic    ")]
fn the_scheme_has_any_letter_case_and_one_run_of_spaces(#[case] scheme: &str) {
    let header = format!("{scheme}{}", STANDARD.encode(format!("web:{SECRET}")));
    let world = World::with(web());
    assert!(authenticate(&world, &[header.as_bytes()], "").is_ok());
}

/// CAUTH-04: every pair of methods is refused, and nothing is looked up, be each of them right.
#[rstest]
#[case::basic_and_post(1, "client_secret=kept-by-the-client")]
#[case::basic_and_assertion(1, "client_assertion=x")]
#[case::basic_and_assertion_type(1, "client_assertion_type=x")]
#[case::post_and_assertion(0, "client_secret=kept-by-the-client&client_assertion=x")]
#[case::two_headers(2, "")]
#[case::all_of_them(2, "client_secret=kept-by-the-client&client_assertion=x")]
fn two_methods_are_an_invalid_request(#[case] headers: usize, #[case] body: &str) {
    let header = basic("web", SECRET);
    let headers = vec![header.as_slice(); headers];
    let body = format!("client_id=web&{body}");
    let error = refused_unseen(&headers, &body);
    assert_eq!(error.to_string(), "invalid_request: more than one client authentication method");
}

/// CAUTH-04: Basic with the same `client_id` in the body is fine, with another it is not.
#[test]
fn a_client_id_beside_basic_equals_it() {
    let header = basic("web", SECRET);
    assert!(authenticate(&World::with(web()), &[&header], "client_id=web").is_ok());
    assert!(authenticate(&World::with(web()), &[&header], "client_id=").is_ok());
    let error = refused_unseen(&[&header], "client_id=post");
    assert_eq!(error.code, ErrorCode::InvalidRequest);
}

/// TOKEN-06
#[rstest]
#[case("client_id=web&client_id=web")]
#[case("client_id=web&client_secret=a&client_secret=a")]
#[case("client_assertion=a&client_assertion=a")]
#[case("client_assertion_type=a&client_assertion_type=a")]
fn repeated_credentials_are_an_invalid_request(#[case] body: &str) {
    assert_eq!(refused_unseen(&[], body).code, ErrorCode::InvalidRequest);
}

/// Assertions are not offered: one is `invalid_client`, also beside the `client_id` of a public client.
#[rstest]
#[case("client_id=pub&client_assertion=x")]
#[case("client_assertion_type=x")]
fn an_assertion_proves_nothing(#[case] body: &str) {
    assert_eq!(refused_unseen(&[], body), OAuthError::INVALID_CLIENT);
}

/// CAUTH-05: a pinned method is enforced, an unpinned client has the choice.
#[rstest]
#[case(Some(ClientAuthMethod::ClientSecretBasic), true, false)]
#[case(Some(ClientAuthMethod::ClientSecretPost), false, true)]
#[case(None, true, true)]
fn a_pinned_method_is_enforced(
    #[case] auth_method: Option<ClientAuthMethod>,
    #[case] by_basic: bool,
    #[case] by_post: bool,
) {
    let client = Client { auth_method, ..web() };
    let header = basic("web", SECRET);
    let basic = authenticate(&World::with(client.clone()), &[&header], "");
    assert_eq!(basic.is_ok(), by_basic);
    let body = format!("client_id=web&client_secret={SECRET}");
    let post = authenticate(&World::with(client), &[], &body);
    assert_eq!(post.is_ok(), by_post);
    for result in [basic, post].into_iter().filter(Result::is_err) {
        assert_eq!(result, Err(OAuthError::INVALID_CLIENT.into()));
    }
}

/// CAUTH-05, CAUTH-10: a public client names itself; a secret proves nothing for it, be it one that
/// its record somehow has.
#[test]
fn a_public_client_names_itself_and_sends_no_secret() {
    let named = authenticate(&World::with(public()), &[], "client_id=pub");
    assert_eq!(named, Ok("pub".into()));
    let with_a_secret = Client { secrets: vec![secret_record("s1", SECRET)], ..public() };
    for client in [public(), with_a_secret] {
        let body = format!("client_id=pub&client_secret={SECRET}");
        let error = refused(&World::with(client.clone()), &[], &body);
        assert_eq!(error, OAuthError::INVALID_CLIENT);
        let header = basic("pub", SECRET);
        let error = refused(&World::with(client), &[&header], "");
        assert_eq!(error, OAuthError::INVALID_CLIENT);
    }
}

/// CAUTH-06: a confidential client without a secret, or with an empty one.
#[rstest]
#[case::nothing_but_the_name(None, "client_id=web")]
#[case::empty_secret_in_the_body(None, "client_id=web&client_secret=")]
#[case::empty_basic_password(Some(basic("web", "")), "")]
fn a_confidential_client_has_to_prove_itself(#[case] header: Option<Vec<u8>>, #[case] body: &str) {
    let headers: Vec<&[u8]> = header.iter().map(Vec::as_slice).collect();
    let client = Client { auth_method: None, ..web() };
    assert_eq!(refused(&World::with(client.clone()), &headers, body), OAuthError::INVALID_CLIENT);
    // Nor does an empty secret fit a client that has none at all.
    let secrets = Vec::new();
    let world = World::with(Client { secrets, ..client });
    assert_eq!(refused(&world, &headers, body), OAuthError::INVALID_CLIENT);
}

/// CAUTH-06: a request that names nobody, and one whose name nobody can have.
#[rstest]
#[case("")]
#[case("client_id=")]
#[case("client_secret=kept-by-the-client")]
#[case("client_id=a%00b")]
#[case("client_id=a%0d%0ab&client_secret=x")]
fn a_name_that_nobody_can_have_is_not_looked_up(#[case] body: &str) {
    assert_eq!(refused_unseen(&[], body), OAuthError::INVALID_CLIENT);
}

/// CAUTH-03, CAUTH-09: unknown, disabled and wrong secret are one and the same error, by either method.
#[test]
fn every_failure_looks_the_same() {
    let worlds = || {
        let unpinned = Client { auth_method: None, ..web() };
        [
            (World::without_client(), SECRET),
            (World::with(disabled(unpinned.clone())), SECRET),
            (World::with(unpinned), "wrong"),
        ]
    };
    for (world, secret) in worlds() {
        let error = refused(&world, &[&basic("web", secret)], "");
        assert_eq!(error, OAuthError::INVALID_CLIENT);
    }
    for (world, secret) in worlds() {
        let error = refused(&world, &[], &format!("client_id=web&client_secret={secret}"));
        assert_eq!(error, OAuthError::INVALID_CLIENT);
    }
}

#[test]
fn a_disabled_public_client_is_nobody() {
    let world = World::with(disabled(public()));
    let error = refused(&world, &[], "client_id=pub");
    assert_eq!(error, OAuthError::INVALID_CLIENT);
}

/// CAUTH-13: what a store keeps of a secret cannot be presented in its place.
#[test]
fn the_stored_form_is_no_secret() {
    let stored = crate::entropy::hex(ClientSecret::presented(SECRET).digest().as_bytes());
    let error = refused(&World::with(web()), &[&basic("web", &stored)], "");
    assert_eq!(error, OAuthError::INVALID_CLIENT);
}

/// CAUTH-14: while one secret replaces another both work; a retired one does not.
#[test]
fn every_live_secret_authenticates() {
    let secrets = vec![secret_record("s2", "new"), secret_record("s1", "old")];
    let rotating = Client { secrets, ..web() };
    for secret in ["new", "old"] {
        let world = World::with(rotating.clone());
        assert!(authenticate(&world, &[&basic("web", secret)], "").is_ok());
    }
    let secrets = vec![secret_record("s2", "new")];
    let rotated = Client { secrets, ..web() };
    let error = refused(&World::with(rotated), &[&basic("web", "old")], "");
    assert_eq!(error, OAuthError::INVALID_CLIENT);
}

/// A store that is down says nothing about the client, which must not hear `invalid_client`.
#[test]
fn a_fault_is_no_failed_authentication() {
    let mut world = World::new();
    let find = world.clients.expect_find().once();
    find.return_const(Err(unavailable()));
    let result = authenticate(&world, &[&basic("web", SECRET)], "");
    assert_eq!(result, Err(TokenError::Fault(store_fault())));
}

/// What the log may say of the claim: an identifier, never a secret.
#[rstest]
#[case(Some(basic("web", SECRET)), "", "web")]
#[case(None, "client_id=web&client_secret=x", "web")]
#[case(None, "client_id=pub", "pub")]
#[case(None, "", "")]
#[case(Some(b"Bearer x".to_vec()), "client_id=pub", "")]
fn the_claimed_identifier_is_the_one_that_was_sent(
    #[case] header: Option<Vec<u8>>,
    #[case] body: &str,
    #[case] claimed: &str,
) {
    let headers: Vec<&[u8]> = header.iter().map(Vec::as_slice).collect();
    let credentials = ClientCredentials::read(&headers, &overlay("", body)).unwrap();
    assert_eq!(credentials.claimed_id(), claimed);
    assert!(!format!("{credentials:?}").contains(SECRET));
}

proptest! {
    /// CAUTH-02, CAUTH-09: no header panics, and none but the right one authenticates.
    #[test]
    fn arbitrary_header_bytes_authenticate_nobody(
        scheme in proptest::sample::select(vec!["Basic ", "basic  ", ""]),
        bytes in proptest::collection::vec(any::<u8>(), 0..80),
        encode in any::<bool>(),
    ) {
        let value = if encode { STANDARD.encode(&bytes).into_bytes() } else { bytes };
        let header = [scheme.as_bytes(), &value].concat();
        let mut world = World::new();
        world.clients.expect_find().returning(|_| Ok(Some(web())));
        let result = authenticate(&world, &[&header], "");
        prop_assert_eq!(result, Err(OAuthError::INVALID_CLIENT.into()));
    }

    /// CAUTH-02: any identifier and secret survive the encoding that clients have to do.
    #[test]
    fn any_encoded_credentials_are_read_back(id in any::<String>(), secret in any::<String>()) {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let (read_id, read_secret) = parse_basic(&basic(&encode(&id), &encode(&secret))).unwrap();
        prop_assert_eq!(read_id, id);
        prop_assert_eq!(read_secret.expose(), secret);
    }
}

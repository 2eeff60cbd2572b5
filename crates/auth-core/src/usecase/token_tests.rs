use super::*;
use crate::client::{Client, ClientId};
use crate::code::{CodeRecord, Redeemed};
use crate::error::{Fault, StoreError};
use crate::event::Event;
use crate::pkce::CodeChallenge;
use crate::token::{RefreshTokenRecord, Rotated, TokenRecord};
use crate::usecase::fixtures::{
    CHALLENGE, SECRET, World, alice, at, grant, minted_under, overlay, post, public, scope,
    store_fault, unavailable, web,
};
use rstest::rstest;

#[path = "token_tests/common_rules.rs"]
mod common_rules;

/// A redemption by `post` in which everything is right.
const GOOD: &str = "grant_type=authorization_code\
    &code=c0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0dec0de\
    &redirect_uri=https://rp.test/cb\
    &client_id=post&client_secret=kept-by-the-client\
    &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn ask(world: &World, headers: &[&[u8]], params: &Params) -> Result<TokenResponse, TokenError> {
    let request = Request { authorization: headers, params };
    token(&world.token_ports(), &world.policy, &request)
}

fn refused(result: Result<TokenResponse, TokenError>) -> OAuthError {
    match result {
        Err(TokenError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// One refusal is recorded, whatever it says.
fn refusing(mut world: World) -> World {
    let record = world.events.expect_record().once();
    record.withf(|event| matches!(event, Event::TokenRefused { .. })).return_const(());
    world
}

/// The verdict on [`GOOD`] with changes, as one line.
fn verdict(world: World, changes: &str) -> String {
    let world = refusing(world);
    refused(ask(&world, &[], &overlay(GOOD, changes))).to_string()
}

fn code() -> (CodeRecord, Grant) {
    let record = CodeRecord {
        client_id: post().id,
        redirect_uri: "https://rp.test/cb".into(),
        redirect_uri_sent: true,
        code_challenge: CodeChallenge::parse(CHALLENGE),
        created_at: at(-1),
        expires_at: at(59),
    };
    (record, granted_to(&post()))
}

fn granted_to(client: &Client) -> Grant {
    Grant { client_id: client.id.clone(), ..grant() }
}

/// `post` redeems its code as far as looking it up.
fn with_code() -> World {
    let mut world = World::with(post());
    world.codes.expect_find().once().return_const(Ok(Some(code())));
    world
}

/// TOKEN-06: every parameter is sent once, known or not, equal copies or not, whatever the grant type
/// is; nobody is looked up.
#[rstest]
fn a_repeated_parameter_is_an_invalid_request(
    #[values(
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
        "refresh_token",
        "scope",
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "foo"
    )]
    name: &str,
    #[values("authorization_code", "refresh_token")] grant_type: &str,
) {
    let changes = format!("grant_type={grant_type}&{name}=a&{name}=a");
    let said = verdict(World::new(), &changes);
    assert!(said.starts_with("invalid_request: a parameter"), "{said}");
}

/// TOKEN-04, TOKEN-05, TOKEN-07
#[rstest]
#[case("-grant_type", "invalid_request: grant_type is missing")]
#[case("grant_type=", "invalid_request: grant_type is missing")]
#[case("grant_type=foo", "unsupported_grant_type")]
#[case("grant_type=password&username=alice&password=x", "unsupported_grant_type")]
#[case("grant_type=implicit", "unsupported_grant_type")]
#[case("grant_type=urn:x:y", "unsupported_grant_type")]
#[case("grant_type=AUTHORIZATION_CODE", "unsupported_grant_type")]
#[case("grant_type=authorization_code%20", "unsupported_grant_type")]
fn the_grant_type_is_one_of_those_offered(#[case] changes: &str, #[case] expected: &str) {
    let said = verdict(World::new(), changes);
    assert!(said.starts_with(expected), "{said}");
}

/// TOKEN-04: the grant is known, but not this client's.
#[rstest]
#[case(GrantType::AuthorizationCode, "grant_type=refresh_token&refresh_token=x")]
#[case(GrantType::RefreshToken, "")]
fn a_client_uses_its_own_grant_types_only(#[case] its: GrantType, #[case] changes: &str) {
    let client = Client { grant_types: [its].into(), ..post() };
    let said = verdict(World::with(client), changes);
    assert!(said.starts_with("unauthorized_client"), "{said}");
}

/// Where two rules are broken the earlier one speaks: repetition, `grant_type`, methods, ...
#[rstest]
#[case("-grant_type&scope=a&scope=a", "invalid_request: a parameter")]
#[case("grant_type=foo&scope=a&scope=a", "invalid_request: a parameter")]
#[case("code=a&code=a&client_assertion=x", "invalid_request: a parameter")]
#[case("-grant_type&client_assertion=x", "invalid_request: grant_type")]
#[case("grant_type=foo&client_assertion=x", "unsupported_grant_type")]
#[case("grant_type=foo&client_secret=wrong", "unsupported_grant_type")]
#[case("grant_type=foo&-code", "unsupported_grant_type")]
#[case("client_assertion=x&client_id=nobody", "invalid_request: more than one")]
#[case("client_assertion=x&-code", "invalid_request: more than one")]
fn the_request_is_judged_before_anybody_is_looked_up(
    #[case] changes: &str,
    #[case] expected: &str,
) {
    let said = verdict(World::new(), changes);
    assert!(said.starts_with(expected), "{said}");
}

/// ... authentication, then the grant type, then the grant's own rules. No code is looked up before.
#[test]
fn authentication_comes_before_the_grant_and_the_grant_before_its_rules() {
    let no_grant = Client { grant_types: [].into(), ..post() };
    let said = verdict(World::with(no_grant.clone()), "client_secret=wrong&-code");
    assert!(said.starts_with("invalid_client"), "{said}");
    let said = verdict(World::with(post()), "client_secret=wrong&-code");
    assert!(said.starts_with("invalid_client"), "{said}");
    let said = verdict(World::with(no_grant), "-code");
    assert!(said.starts_with("unauthorized_client"), "{said}");
    let said = verdict(World::with(post()), "-code");
    assert!(said.starts_with("invalid_request: code is missing"), "{said}");
}

/// TOKEN-06, TOKEN-07, TOKEN-08: what is unknown or empty changes nothing, `resource` and `audience` may
/// repeat, and the answer has all its members.
#[rstest]
#[case("")]
#[case("scope=&foo=bar&refresh_token=")]
#[case("audience=a&audience=b")]
fn a_code_buys_tokens(#[case] changes: &str) {
    let mut world = with_code()
        .owner(Some(alice()))
        .mints()
        .records(Event::CodeRedeemed { grant: grant().id, client: post().id });
    let redeem = world.codes.expect_redeem().once();
    redeem.returning(|_| Ok(Redeemed::First));
    let response = ask(&world, &[], &overlay(GOOD, changes)).unwrap();
    assert_eq!(response.access_token.expose(), minted_under(grant().id, 1));
    assert_eq!(response.expires_in, 600);
    assert_eq!(response.refresh_token.unwrap().expose(), minted_under(grant().id, 2));
    assert_eq!(response.scope, scope("api.read api.write"));
}

/// The other grant reaches its own rules, by a public client that only names itself.
#[test]
fn a_refresh_token_buys_tokens() {
    let record = RefreshTokenRecord { created_at: at(-1), expires_at: at(1), is_spent: false };
    let mut world = World::with(public())
        .owner(Some(alice()))
        .mints()
        .records(Event::Refreshed { grant: grant().id, client: public().id });
    let find = world.tokens.expect_find().once();
    find.return_const(Ok(Some((TokenRecord::Refresh(record), granted_to(&public())))));
    let rotate = world.tokens.expect_rotate().once();
    rotate.returning(|_| Ok(Rotated::Done));
    let token = minted_under(grant().id, 9);
    let params =
        overlay(&format!("grant_type=refresh_token&refresh_token={token}&client_id=pub"), "");
    let response = ask(&world, &[], &params).unwrap();
    assert_eq!(response.refresh_token.unwrap().expose(), minted_under(grant().id, 2));
}

/// CODE-14: a refusal is recorded with the client that was claimed, by header or body, as far as it can
/// be one and cannot be a secret; what was wrong is what the client hears.
#[rstest]
#[case::wrong_secret(World::with(post()), None, "client_secret=wrong", Some("post"))]
#[case::unknown(World::without_client(), None, "client_id=nobody", Some("nobody"))]
#[case::no_name(World::new(), None, "client_id=", None)]
#[case::nobodys_name(World::new(), None, "client_id=a%0d%0ab", None)]
#[case::a_token(World::without_client(), None, &format!("client_id={}", minted_under(grant().id, 9)), None)]
#[case::a_secret(World::without_client(), None, &format!("client_id={}", "s".repeat(43)), None)]
#[case::header(
    World::with(web()),
    Some("Basic d2ViOndyb25n"),
    "-client_id&-client_secret",
    Some("web")
)]
#[case::malformed_header(World::new(), Some("Basic !"), "-client_id&-client_secret", None)]
fn a_refusal_is_recorded_with_the_claimed_client(
    #[case] world: World,
    #[case] header: Option<&str>,
    #[case] changes: &str,
    #[case] claimed: Option<&str>,
) {
    let world = world.records(Event::TokenRefused {
        client: claimed.and_then(ClientId::parse),
        error: OAuthError::INVALID_CLIENT,
    });
    let headers: Vec<&[u8]> = header.iter().map(|header| header.as_bytes()).collect();
    let error = refused(ask(&world, &headers, &overlay(GOOD, changes)));
    assert_eq!(error, OAuthError::INVALID_CLIENT);
}

/// A replay is recorded as what it is, and as a refusal.
#[test]
fn a_replay_is_recorded_twice_over() {
    let mut world = with_code()
        .owner(Some(alice()))
        .mints()
        .records(Event::CodeReplayed { grant: grant().id, client: post().id })
        .records(Event::TokenRefused { client: Some(post().id), error: OAuthError::INVALID_GRANT });
    let redeem = world.codes.expect_redeem().once();
    redeem.returning(|_| Ok(Redeemed::Replayed));
    let error = refused(ask(&world, &[], &overlay(GOOD, "")));
    assert_eq!(error, OAuthError::INVALID_GRANT);
}

/// CODE-14: an event holds no secret, right or wrong.
#[test]
fn no_event_holds_a_secret() {
    let mut world = World::with(post());
    world.codes.expect_find().once().return_const(Ok(None));
    world.events.expect_record().once().returning(|event| {
        let shown = format!("{event:?}");
        assert!(!shown.contains(SECRET) && !shown.contains("c0de"), "{shown}");
    });
    refused(ask(&world, &[], &overlay(GOOD, "")));
}

/// A port that fails is never an OAuth error: on `invalid_grant` and `invalid_client` clients throw
/// their tokens away. No refusal is recorded either.
#[test]
fn a_fault_is_never_an_oauth_error() {
    let fault = |world: &World| ask(world, &[], &overlay(GOOD, "")).unwrap_err();
    let store = TokenError::Fault(store_fault());

    let mut world = World::new();
    let find = world.clients.expect_find().once();
    find.return_const(Err(unavailable()));
    assert_eq!(fault(&world), store);

    let corrupt = StoreError::Corrupt { table: "codes", column: "scope", key: "grant".into() };
    let mut world = World::with(post());
    let find = world.codes.expect_find().once();
    find.return_const(Err(corrupt.clone()));
    assert_eq!(fault(&world), TokenError::Fault(Fault::Store(corrupt)));

    let mut world = with_code();
    let find = world.owners.expect_find().once();
    find.return_const(Err(unavailable()));
    assert_eq!(fault(&world), store);

    let dry = Fault::Entropy(crate::entropy::EntropyError("dry".into()));
    let world = with_code().owner(Some(alice())).dry();
    assert_eq!(fault(&world), TokenError::Fault(dry));

    let mut world = with_code().owner(Some(alice())).mints();
    let redeem = world.codes.expect_redeem().once();
    redeem.returning(|_| Err(unavailable()));
    assert_eq!(fault(&world), store);
}

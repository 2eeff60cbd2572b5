use super::*;
use crate::client::Client;
use crate::error::Fault;
use crate::grant::Grant;
use crate::params::Params;
use crate::resource::Audience;
use crate::timestamp::Timestamp;
use crate::token::{AccessTokenRecord, RefreshTokenRecord};
use crate::usecase::fixtures::{
    NOW, SECRET, World, at, disabled, evil, grant, minted_under, overlay, post, public,
    resource_server, scope, store_fault, unavailable,
};
use rstest::rstest;

/// The token, of whatever kind.
fn token() -> AccessToken {
    AccessToken::presented(&minted_under(grant().id, 9))
}

fn params(client: &Client, changes: &str) -> Params {
    let secret = if client.is_public() { "" } else { SECRET };
    let good = format!("token={}&client_id={}&client_secret={secret}", token().expose(), client.id);
    overlay(&good, changes)
}

fn ask(world: &World, client: &Client, changes: &str) -> Result<(), TokenError> {
    let params = params(client, changes);
    revoke(&world.revocation_ports(), &Request { authorization: &[], params: &params })
}

/// The error in a world where nothing but the client is looked up.
fn refused(mut world: World, client: &Client, changes: &str) -> OAuthError {
    let record = world.events.expect_record().once();
    record.withf(|event| matches!(event, Event::TokenRefused { .. })).return_const(());
    match ask(&world, client, changes) {
        Err(TokenError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// A client whose token this is, looked up once by its digest.
fn finding(client: Client, record: TokenRecord, grant: Grant) -> World {
    let mut world = World::with(client);
    let find = world.tokens.expect_find().once();
    find.withf(|digest| Some(*digest) == token().digest()).return_const(Ok(Some((record, grant))));
    world
}

fn access(expires_at: Timestamp) -> TokenRecord {
    TokenRecord::Access(AccessTokenRecord {
        scope: scope("api.read"),
        audience: Audience::default(),
        created_at: at(-100),
        expires_at,
    })
}

fn refresh(expires_at: Timestamp, is_spent: bool) -> TokenRecord {
    TokenRecord::Refresh(RefreshTokenRecord { created_at: at(-100), expires_at, is_spent })
}

fn of(client: &Client) -> Grant {
    Grant { client_id: client.id.clone(), ..grant() }
}

fn revoked(client: &Client, whole_grant: bool) -> Event {
    Event::TokenRevoked { grant: grant().id, client: client.id.clone(), whole_grant }
}

/// REVOKE-02, REVOKE-06, REVOKE-07: an access token ends alone, expired or not (XC-06), whatever the hint
/// says; a public client only names itself.
#[rstest]
fn an_access_token_ends_alone(
    #[values(post(), public())] client: Client,
    #[values(
        "",
        "token_type_hint=access_token",
        "token_type_hint=refresh_token",
        "token_type_hint=foo"
    )]
    hint: &str,
) {
    for expires_at in [at(1), NOW] {
        let world = finding(client.clone(), access(expires_at), of(&client));
        let mut world = world.records(revoked(&client, false));
        let revoke = world.tokens.expect_revoke_access().once();
        revoke.withf(|digest| Some(*digest) == token().digest()).return_const(Ok(()));
        assert_eq!(ask(&world, &client, hint), Ok(()));
    }
}

/// REVOKE-05, REVOKE-06, REVOKE-07: a refresh token ends its grant, also when it is spent or expired.
#[rstest]
#[case(refresh(at(1), false))]
#[case(refresh(at(1), true))]
#[case(refresh(at(-1), false))]
fn a_refresh_token_ends_its_grant(
    #[case] record: TokenRecord,
    #[values("", "token_type_hint=access_token")] hint: &str,
) {
    let world = finding(post(), record, of(&post()));
    let mut world = world.records(revoked(&post(), true));
    let revoke = world.grants.expect_revoke().once();
    revoke.withf(|id, at| *id == grant().id && *at == NOW).return_const(Ok(true));
    assert_eq!(ask(&world, &post(), hint), Ok(()));
}

/// REVOKE-03, REVOKE-04: unknown, malformed, revoked, somebody else's: the same success, and
/// nothing is written or recorded.
#[test]
fn what_is_not_the_clients_to_take_back_is_no_error_and_no_change() {
    let mut unknown = World::with(post());
    unknown.tokens.expect_find().once().return_const(Ok(None));
    assert_eq!(ask(&unknown, &post(), ""), Ok(()));
    for malformed in ["token=x", "token=%00", &format!("token={}", "A".repeat(60_000))] {
        assert_eq!(ask(&World::with(post()), &post(), malformed), Ok(()));
    }
    let ended = Grant { revoked_at: Some(at(-1)), ..of(&post()) };
    let over = Grant { expires_at: Some(NOW), ..of(&post()) };
    for (client, record, grant) in [
        (post(), access(at(1)), ended.clone()),
        (post(), refresh(at(1), false), ended),
        (post(), refresh(at(1), false), over),
        (evil_with_post(), access(at(1)), of(&post())),
        (evil_with_post(), refresh(at(1), false), of(&post())),
        (public(), refresh(at(1), false), of(&post())),
    ] {
        let world = finding(client.clone(), record, grant);
        assert_eq!(ask(&world, &client, ""), Ok(()));
    }
}

/// Somebody else's client that sends its secret in the body.
fn evil_with_post() -> Client {
    Client { auth_method: None, ..evil() }
}

/// REVOKE-01, REVOKE-02, CAUTH-11: who asks, then for what. No token is looked up.
#[test]
fn a_bad_request_changes_nothing() {
    let repeated = OAuthError::invalid_request("a parameter was sent more than once");
    for twice in ["token=a&token=b", "foo=1&foo=1", "resource=a&resource=b"] {
        assert_eq!(refused(World::new(), &post(), twice), repeated);
    }
    for missing in ["-token", "token="] {
        let error = refused(World::with(post()), &post(), missing);
        assert_eq!(error, OAuthError::invalid_request("token is missing"));
        let wrong = format!("{missing}&client_secret=wrong");
        let error = refused(World::with(post()), &post(), &wrong);
        assert_eq!(error, OAuthError::INVALID_CLIENT, "authentication comes first");
    }
    let error = refused(World::with(post()), &post(), "-client_secret");
    assert_eq!(error, OAuthError::INVALID_CLIENT);
    let error = refused(World::with(disabled(post())), &post(), "");
    assert_eq!(error, OAuthError::INVALID_CLIENT);
    let error = refused(World::with(public()), &public(), "client_secret=x");
    assert_eq!(error, OAuthError::INVALID_CLIENT);
}

/// The credentials of an API are good for introspection only.
#[test]
fn a_resource_server_takes_nothing_back() {
    let rs = resource_server("https://a.test/");
    let error = refused(World::with(rs.clone()), &rs, "");
    assert_eq!(error.code, ErrorCode::UnauthorizedClient);
}

/// REVOKE-09: never success where the token may still be valid.
#[test]
fn a_fault_is_no_success() {
    let fault = Err(TokenError::Fault(store_fault()));
    let mut world = World::with(post());
    world.tokens.expect_find().once().return_const(Err(unavailable()));
    assert_eq!(ask(&world, &post(), ""), fault);

    let mut world = finding(post(), access(at(1)), of(&post()));
    world.tokens.expect_revoke_access().once().return_const(Err(unavailable()));
    assert_eq!(ask(&world, &post(), ""), fault);

    let mut world = finding(post(), refresh(at(1), false), of(&post()));
    world.grants.expect_revoke().once().return_const(Err(unavailable()));
    assert_eq!(ask(&world, &post(), ""), fault);

    let corrupt =
        crate::error::StoreError::Corrupt { table: "grants", column: "scope", key: "k".into() };
    let mut world = World::with(post());
    world.tokens.expect_find().once().return_const(Err(corrupt.clone()));
    assert_eq!(ask(&world, &post(), ""), Err(TokenError::Fault(Fault::Store(corrupt))));
}

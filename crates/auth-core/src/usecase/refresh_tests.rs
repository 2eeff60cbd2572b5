use super::*;
use crate::client::Client;
use crate::error::{ErrorCode, Fault};
use crate::grant::Grant;
use crate::owner::Owner;
use crate::secret::AccessToken;
use crate::token::{RefreshReuse, RefreshTokenRecord};
use crate::usecase::fixtures::{
    NOW, World, alice, at, disabled_alice, evil, grant, minted_under, overlay, public, scope,
    store_fault, unavailable, web,
};
use rstest::rstest;

/// The token.
fn token() -> RefreshToken {
    RefreshToken::presented(&minted_under(grant().id, 9))
}

/// The token belongs to [`grant`] and has one second left.
fn known() -> World {
    with_token(at(1), grant())
}

/// The token is looked up once, by its digest; no other kind of token or code is.
fn with_token(expires_at: crate::timestamp::Timestamp, grant: Grant) -> World {
    let record = RefreshTokenRecord { created_at: at(-100), expires_at, is_spent: false };
    finding(Some((TokenRecord::Refresh(record), grant)))
}

fn finding(found: Option<(TokenRecord, Grant)>) -> World {
    let mut world = World::new();
    let find = world.tokens.expect_find().once();
    find.withf(|digest| Some(*digest) == token().digest()).return_const(Ok(found));
    world
}

fn ask(world: &World, client: Client, changes: &str) -> Result<TokenResponse, TokenError> {
    let client = AuthenticatedClient::assume(client);
    let params = overlay(&format!("refresh_token={}", token().expose()), changes);
    refresh(&world.token_ports(), &world.policy, &client, &params)
}

/// The refusal in a world that announces no `rotate`, so that the token stays as it is (REFRESH-09).
fn refused(world: &World, client: Client, changes: &str) -> OAuthError {
    match ask(world, client, changes) {
        Err(TokenError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// The token can be used, once, with this outcome.
fn rotating(world: World, rotated: Rotated) -> World {
    let mut world = world.owner(Some(alice())).mints();
    let rotate = world.tokens.expect_rotate().once();
    rotate.returning(move |_| Ok(rotated));
    world
}

fn refreshed() -> Event {
    Event::Refreshed { grant: grant().id, client: web().id }
}

/// REFRESH-04, REFRESH-05: the store hears which token was presented, for what, and when a token counts
/// as spent; it gets digests. The client gets the successor.
#[rstest]
#[case(RefreshReuse::UntilSuccessorUsed)]
#[case(RefreshReuse::Strict)]
fn a_good_token_is_used_for_new_ones(#[case] reuse: RefreshReuse) {
    let mut world = known().owner(Some(alice())).mints().records(refreshed());
    world.policy.refresh_reuse = reuse;
    let rotate = world.tokens.expect_rotate().once();
    rotate.returning(move |rotation| {
        assert_eq!(Some(*rotation.presented), token().digest());
        assert_eq!((rotation.at, rotation.reuse), (NOW, reuse));
        let access = AccessToken::presented(&minted_under(grant().id, 1)).digest();
        assert_eq!(Some(rotation.access.digest), access);
        assert_eq!(rotation.access.scope, scope("api.read api.write"));
        assert_eq!(rotation.access.expires_at, at(600));
        let successor = rotation.successor.unwrap();
        let digest = RefreshToken::presented(&minted_under(grant().id, 2)).digest();
        assert_eq!(Some(successor.digest), digest);
        assert_eq!(successor.created_at, NOW);
        assert_eq!(successor.expires_at, at(30 * 86_400));
        Ok(Rotated::Done)
    });
    let response = ask(&world, web(), "").unwrap();
    assert_eq!(response.access_token.expose(), minted_under(grant().id, 1));
    assert_eq!(response.refresh_token.unwrap().expose(), minted_under(grant().id, 2));
    assert_eq!(response.expires_in, 600);
    assert_eq!(response.scope, scope("api.read api.write"));
}

/// Nothing is looked up without a token.
#[rstest]
#[case("-refresh_token")]
#[case("refresh_token=")]
fn a_token_has_to_be_sent(#[case] changes: &str) {
    let error = refused(&World::new(), web(), changes);
    let expected = OAuthError::invalid_request("refresh_token is missing");
    assert_eq!(error, expected);
}

/// REFRESH-11: whatever else it is, a text that is no refresh token is unknown: it is looked for among
/// refresh tokens only.
#[test]
fn what_is_no_refresh_token_is_unknown() {
    let error = refused(&finding(None), web(), "");
    assert_eq!(error, OAuthError::INVALID_GRANT);
}

/// REFRESH-01: another client's, be that client authenticated or public; nothing of the request is
/// judged, so nothing of the token can be learned.
#[rstest]
#[case("")]
#[case("scope=api.admin")]
fn another_clients_token_looks_unknown(#[case] changes: &str) {
    for client in [evil(), public()] {
        let error = refused(&known(), client, changes);
        assert_eq!(error, OAuthError::INVALID_GRANT);
    }
}

/// REFRESH-10: expired from the very second on.
#[rstest]
#[case(0)]
#[case(-1)]
#[case(-1_000_000)]
fn an_expired_token_is_refused(#[case] expires: i64) {
    let world = with_token(at(expires), grant());
    assert_eq!(refused(&world, web(), ""), OAuthError::INVALID_GRANT);
}

/// REFRESH-10, REFRESH-14: the owner was disabled or is gone; the grant was revoked or reached its end.
#[rstest]
#[case::disabled(Some(disabled_alice()), None, None)]
#[case::gone(None, None, None)]
#[case::revoked(Some(alice()), Some(-1), None)]
#[case::grant_over(Some(alice()), None, Some(0))]
fn a_token_dies_with_its_owner_and_its_grant(
    #[case] owner: Option<Owner>,
    #[case] revoked: Option<i64>,
    #[case] over: Option<i64>,
) {
    let grant = Grant { revoked_at: revoked.map(at), expires_at: over.map(at), ..grant() };
    let world = with_token(at(1), grant).owner(owner);
    assert_eq!(refused(&world, web(), ""), OAuthError::INVALID_GRANT);
}

/// REFRESH-10: nothing outlives the grant, however often it is refreshed.
#[test]
fn the_grant_caps_what_a_refresh_gives() {
    let capped = Grant { expires_at: Some(at(30)), ..grant() };
    let mut world = with_token(at(30), capped).owner(Some(alice())).mints();
    let rotate = world.tokens.expect_rotate().once();
    rotate.returning(|rotation| {
        assert_eq!(rotation.access.expires_at, at(30));
        assert_eq!(rotation.successor.unwrap().expires_at, at(30));
        Ok(Rotated::Done)
    });
    let response = ask(&world.records(refreshed()), web(), "").unwrap();
    assert_eq!(response.expires_in, 30);
}

/// REFRESH-06, REFRESH-07: the scope narrows the access token alone, and absent it is the grant's; the
/// successor has no scope of its own.
#[rstest]
#[case("scope=api.read", "api.read")]
#[case("scope=api.read api.read", "api.read")]
#[case("scope=api.write api.read", "api.read api.write")]
#[case("", "api.read api.write")]
#[case("scope=", "api.read api.write")]
fn the_scope_may_narrow(#[case] changes: &str, #[case] expected: &str) {
    let expected = scope(expected);
    let stored = expected.clone();
    let mut world = known().owner(Some(alice())).mints().records(refreshed());
    let rotate = world.tokens.expect_rotate().once();
    rotate.returning(move |rotation| {
        assert_eq!(rotation.access.scope, stored);
        Ok(Rotated::Done)
    });
    assert_eq!(ask(&world, web(), changes).unwrap().scope, expected);
}

/// REFRESH-06, REFRESH-09: wider than the grant, unknown or malformed, though the client itself may ask
/// for it elsewhere. The token is not used.
#[rstest]
#[case("scope=api.write")]
#[case("scope=api.read api.write")]
#[case("scope=api.read bogus")]
#[case("scope=%22")]
#[case("scope=api.read%20%20api.read")]
#[case("scope=%20")]
fn the_scope_never_widens(#[case] changes: &str) {
    let narrow = Grant { scope: scope("api.read"), ..grant() };
    let error = refused(&with_token(at(1), narrow), web(), changes);
    assert_eq!(error.code, ErrorCode::InvalidScope);
}

/// REFRESH-14: what was taken from the client is left out; where nothing is left, nothing is used.
#[rstest]
#[case("api.read", "", Ok("api.read"))]
#[case("api.read", "scope=api.read api.write", Ok("api.read"))]
#[case("api.read", "scope=api.write", Err(ErrorCode::InvalidScope))]
#[case("api.admin", "", Err(ErrorCode::InvalidGrant))]
#[case("api.admin", "scope=api.read", Err(ErrorCode::InvalidGrant))]
fn a_scope_that_shrank_meanwhile_gives_less(
    #[case] clients: &str,
    #[case] changes: &str,
    #[case] left: Result<&str, ErrorCode>,
) {
    let client = Client { scope: scope(clients), ..web() };
    match left {
        Ok(left) => {
            let world = rotating(known(), Rotated::Done).records(refreshed());
            let response = ask(&world, client, changes).unwrap();
            assert_eq!(response.scope, scope(left));
        }
        Err(code) => assert_eq!(refused(&known(), client, changes).code, code),
    }
}

/// REFRESH-03: public clients always rotate, whatever their record says; others unless it says no. Who
/// does not rotate keeps the presented token, and no other is minted or stored.
#[rstest]
#[case::confidential(web(), true, true)]
#[case::confidential_without_rotation(web(), false, false)]
#[case::public(public(), true, true)]
#[case::public_without_rotation(public(), false, true)]
fn public_clients_always_rotate(
    #[case] client: Client,
    #[case] recorded: bool,
    #[case] rotates: bool,
) {
    let client = Client { rotate_refresh_tokens: recorded, ..client };
    let granted = Grant { client_id: client.id.clone(), ..grant() };
    let mut world = with_token(at(1), granted).owner(Some(alice()));
    let mut nth = 0;
    let fill = world.entropy.expect_fill().times(1 + usize::from(rotates));
    fill.returning(move |bytes| {
        nth += 1;
        bytes.fill(nth);
        Ok(())
    });
    let rotate = world.tokens.expect_rotate().once();
    rotate.returning(move |rotation| {
        assert_eq!(rotation.successor.is_some(), rotates);
        Ok(Rotated::Done)
    });
    let world = world.records(Event::Refreshed { grant: grant().id, client: client.id.clone() });
    let answered = ask(&world, client, "").unwrap().refresh_token.unwrap();
    let expected = if rotates { minted_under(grant().id, 2) } else { token().expose().to_owned() };
    assert_eq!(answered.expose(), expected);
}

/// REFRESH-04, REFRESH-12: the store decides who was first; whoever was not gets no token, and cannot
/// tell a replay from a grant that ended. Only a replay is recorded as one.
#[test]
fn a_token_that_is_spent_or_ended_gives_nothing() {
    let world = rotating(known(), Rotated::Replayed)
        .records(Event::RefreshReplayed { grant: grant().id, client: web().id });
    assert_eq!(refused(&world, web(), ""), OAuthError::INVALID_GRANT);
    let world = rotating(known(), Rotated::GrantEnded);
    assert_eq!(refused(&world, web(), ""), OAuthError::INVALID_GRANT);
}

/// A port that fails is never an OAuth error, and the token is not used up by it.
#[test]
fn a_fault_is_never_an_oauth_error() {
    let fault = |world: &World| ask(world, web(), "").unwrap_err();

    let mut world = World::new();
    let find = world.tokens.expect_find().once();
    find.return_const(Err(unavailable()));
    assert_eq!(fault(&world), TokenError::Fault(store_fault()));

    let mut world = known();
    let find = world.owners.expect_find().once();
    find.return_const(Err(unavailable()));
    assert_eq!(fault(&world), TokenError::Fault(store_fault()));

    let world = known().owner(Some(alice())).dry();
    let dry = Fault::Entropy(crate::entropy::EntropyError("dry".into()));
    assert_eq!(fault(&world), TokenError::Fault(dry));

    let mut world = known().owner(Some(alice())).mints();
    let rotate = world.tokens.expect_rotate().once();
    rotate.returning(|_| Err(unavailable()));
    assert_eq!(fault(&world), TokenError::Fault(store_fault()));
}

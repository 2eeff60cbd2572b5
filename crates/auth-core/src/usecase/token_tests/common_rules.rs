//! The rules that both grants share.

use super::*;
use crate::owner::Owner;
use crate::usecase::fixtures::{NOW, disabled_alice};

/// CODE-12, REFRESH-14: nothing is valid without its owner, nor after its grant.
#[rstest]
#[case::live(Some(alice()), None, None, true)]
#[case::capped_later(Some(alice()), Some(1), None, true)]
#[case::over(Some(alice()), Some(0), None, false)]
#[case::revoked(Some(alice()), None, Some(-1), false)]
#[case::revoked_this_second(Some(alice()), None, Some(0), false)]
#[case::disabled(Some(disabled_alice()), None, None, false)]
#[case::gone(None, None, None, false)]
fn a_grant_lives_with_its_owner_until_it_ends(
    #[case] owner: Option<Owner>,
    #[case] expires: Option<i64>,
    #[case] revoked: Option<i64>,
    #[case] live: bool,
) {
    let grant = Grant { expires_at: expires.map(at), revoked_at: revoked.map(at), ..grant() };
    let world = World::new().owner(owner);
    let expected = if live { Ok(()) } else { Err(OAuthError::INVALID_GRANT.into()) };
    assert_eq!(require_live(&world.token_ports(), &grant, NOW), expected);
}

/// REFRESH-14: what was taken from the client or from the catalog is left out.
#[rstest]
#[case("api.read api.write", "api.read api.write", "api.read api.write")]
#[case("api.read api.write", "api.read", "api.read")]
#[case("api.read", "api.read api.write", "api.read")]
#[case("api.read gone", "api.read gone", "api.read")]
#[case("api.write", "api.read", "")]
fn the_remaining_scope_is_what_grant_client_and_catalog_share(
    #[case] granted: &str,
    #[case] clients: &str,
    #[case] expected: &str,
) {
    let grant = Grant { scope: scope(granted), ..grant() };
    let client = AuthenticatedClient::assume(Client { scope: scope(clients), ..web() });
    let remaining = remaining_scope(&grant, &client, &World::new().policy);
    assert_eq!(remaining.to_string(), expected);
}

/// Tokens are stored as digests, live as long as the policy says, and never longer than their grant.
#[rstest]
#[case::uncapped(None, 600, 30 * 86_400)]
#[case::capped_between(Some(3600), 600, 3600)]
#[case::capped_before_both(Some(20), 20, 20)]
fn tokens_never_outlive_their_grant(
    #[case] cap: Option<i64>,
    #[case] access_lifetime: i64,
    #[case] refresh_lifetime: i64,
) {
    let grant = Grant { expires_at: cap.map(at), ..grant() };
    let world = World::new().mints();
    let ports = world.token_ports();
    let minted = mint(&ports, &world.policy, &grant, &grant.scope, true, NOW).unwrap();
    let access = AccessToken::presented(&minted_under(grant.id, 1)).digest();
    assert_eq!(Some(minted.access.digest), access);
    assert_eq!(minted.access.created_at, NOW);
    assert_eq!(minted.access.expires_at, at(access_lifetime));
    let refresh = minted.refresh.clone().unwrap();
    let digest = RefreshToken::presented(&minted_under(grant.id, 2)).digest();
    assert_eq!(Some(refresh.digest), digest);
    assert_eq!(refresh.expires_at, at(refresh_lifetime));
    assert_eq!(minted.into_response(None, NOW).expires_in, access_lifetime);
}

/// A scope that is wider than the grant's is cut down to it, whoever asks for it.
#[test]
fn minting_never_widens_the_grant() {
    let grant = Grant { scope: scope("api.read"), ..grant() };
    let world = World::new().mints();
    let wide = scope("api.read api.admin");
    let minted = mint(&world.token_ports(), &world.policy, &grant, &wide, false, NOW).unwrap();
    assert_eq!(minted.access.scope, scope("api.read"));
    assert!(minted.refresh.is_none());
}

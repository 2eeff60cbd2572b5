//! The rules that all grants share.

use super::*;
use crate::owner::Owner;
use crate::params::ParamLimits;
use crate::scope::{ScopeCatalog, ScopeDefinition};
use crate::usecase::fixtures::{NOW, audience, disabled_alice, resources};

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
#[case("api.read api.write", "api.read api.write", Ok("api.read api.write"))]
#[case("api.read api.write", "api.read", Ok("api.read"))]
#[case("api.read", "api.read api.write", Ok("api.read"))]
#[case("api.read gone", "api.read gone", Ok("api.read"))]
#[case("api.write", "api.read", Err(ErrorCode::InvalidGrant))]
fn a_token_carries_what_grant_client_and_catalog_share(
    #[case] granted: &str,
    #[case] clients: &str,
    #[case] expected: Result<&str, ErrorCode>,
) {
    let grant = Grant { scope: scope(granted), ..grant() };
    let client = AuthenticatedClient::assume(Client { scope: scope(clients), ..web() });
    let left = narrow(&World::new().policy, &client, &grant, None, &Params::default());
    let left = left.map(|(scope, _)| scope).map_err(|error| error.code);
    assert_eq!(left, expected.map(scope));
}

/// RES-03, RES-04, RES-06, RES-07: what a token is for. `a` knows `api.read` and `api.write`, `b` knows
/// `api.read` and `api.admin`; `free` concerns neither.
#[rstest]
#[case::everything("a b", "api.read api.write", None, "", Ok(("api.read api.write", "a b")))]
#[case::one_of_them("a b", "api.read api.write", None, "a", Ok(("api.read api.write", "a")))]
#[case::drops_foreign_scope("a b", "api.read api.write", None, "b", Ok(("api.read", "b")))]
#[case::both_named("a b", "api.read", None, "b a", Ok(("api.read", "a b")))]
#[case::repeated("a b", "api.read", None, "b b", Ok(("api.read", "b")))]
#[case::not_granted("a", "api.read", None, "b", Err("the resource was not granted"))]
#[case::one_not_granted("a", "api.read", None, "a b", Err("the resource was not granted"))]
#[case::nothing_granted("", "api.read", None, "a", Err("the resource was not granted"))]
#[case::unknown("a", "api.read", None, "c", Err("the resource is unknown"))]
#[case::nothing_left(
    "a b",
    "api.write",
    None,
    "b",
    Err("nothing is left of this scope for the client")
)]
#[case::less_scope("a b", "api.read api.write", Some("api.write"), "", Ok(("api.write", "a")))]
#[case::less_scope_there("a b", "api.read api.write", Some("api.read"), "b", Ok(("api.read", "b")))]
#[case::free_scope("a b", "api.read free", Some("free"), "", Ok(("free", "a b")))]
#[case::unconcerned("a b", "api.write free", None, "", Ok(("api.write free", "a b")))]
#[case::unconcerned_then("a b", "api.write free", Some("api.write"), "", Ok(("api.write", "a")))]
#[case::free_scope_there("a b", "api.read free", Some("free"), "b", Ok(("free", "b")))]
#[case::no_audience("", "api.read", None, "", Ok(("api.read", "")))]
#[case::taken_from_the_server(
    "gone",
    "api.read",
    None,
    "",
    Err("what was approved is no longer offered")
)]
#[case::one_taken("gone b", "api.read", None, "", Ok(("api.read", "b")))]
fn a_token_is_for_what_was_granted_and_asked_for(
    #[case] granted: &str,
    #[case] scopes: &str,
    #[case] sent_scope: Option<&str>,
    #[case] sent: &str,
    #[case] expected: Result<(&str, &str), &'static str>,
) {
    let uri = |name: &str| format!("https://{name}.test/");
    let audience = |names: &str| -> Audience {
        let uris: Vec<_> = names.split_terminator(' ').map(uri).collect();
        audience(&uris.join(" "))
    };
    let mut policy = World::new().policy;
    policy.resources = resources();
    policy.scopes = ScopeCatalog::new(
        scope("api.read api.write api.admin free")
            .iter()
            .map(|token| ScopeDefinition {
                token: token.clone(),
                description: String::new(),
                default: false,
            })
            .collect(),
    );
    let granted = Grant { scope: scope(scopes), audience: audience(granted), ..grant() };
    let all = policy.scopes.all();
    let client = AuthenticatedClient::assume(Client { scope: all, ..web() });
    let sent: Vec<_> = sent.split_terminator(' ').map(|it| ("resource".into(), uri(it))).collect();
    let params = Params::from_pairs(sent, ParamLimits::BODY).unwrap();
    let narrowed = narrow(&policy, &client, &granted, sent_scope, &params);
    let expected = expected.map(|(scopes, names)| (scope(scopes), audience(names)));
    assert_eq!(narrowed.map_err(|error| error.description), expected);
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
    let minted = mint(&ports, &world.policy, &grant, all_of(&grant), true, NOW).unwrap();
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

/// A scope or audience that is wider than the grant's is cut down to it, whoever asks for it.
#[test]
fn minting_never_widens_the_grant() {
    let wide = (scope("api.read api.admin"), audience("https://a.test/ https://b.test/"));
    let grant = Grant { scope: scope("api.read"), audience: audience("https://b.test"), ..grant() };
    let world = World::new().mints();
    let minted = mint(&world.token_ports(), &world.policy, &grant, wide, false, NOW).unwrap();
    assert_eq!(minted.access.scope, scope("api.read"));
    assert_eq!(minted.access.audience, audience("https://b.test/"));
    assert!(minted.refresh.is_none());
}

fn all_of(grant: &Grant) -> (Scope, Audience) {
    (grant.scope.clone(), grant.audience.clone())
}

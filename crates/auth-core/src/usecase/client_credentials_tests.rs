use super::*;
use crate::client::Client;
use crate::error::{ErrorCode, Fault};
use crate::secret::AccessToken;
use crate::usecase::fixtures::{
    NOW, World, at, audience, minted_grant, minted_under, overlay, public, resources, scope,
    store_fault, unavailable, web,
};
use rstest::rstest;

fn world() -> World {
    let mut world = World::new();
    world.policy.resources = resources();
    world
}

fn ask(world: &World, client: Client, params: &str) -> Result<TokenResponse, TokenError> {
    let client = AuthenticatedClient::assume(client);
    client_credentials(&world.token_ports(), &world.policy, &client, &overlay("", params))
}

/// The refusal in a world that announces no `issue`.
fn refused(client: Client, params: &str) -> OAuthError {
    match ask(&world(), client, params) {
        Err(TokenError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// CC-01, CC-03: one access token, nothing to refresh it with, under a grant that no person gave.
#[test]
fn a_client_gets_a_token_for_itself() {
    let issued = Event::ClientTokenIssued { grant: minted_grant(1), client: web().id };
    let mut world = world().mints().records(issued);
    let issue = world.tokens.expect_issue().once();
    issue.returning(|grant, access| {
        let expected = Grant {
            id: minted_grant(1),
            subject: None,
            client_id: web().id,
            scope: scope("api.write"),
            audience: audience("https://a.test/"),
            created_at: NOW,
            expires_at: None,
            revoked_at: None,
        };
        assert_eq!(*grant, expected);
        let token = AccessToken::presented(&minted_under(minted_grant(1), 2));
        assert_eq!(Some(access.digest), token.digest());
        assert_eq!(access.scope, scope("api.write"));
        assert_eq!(access.audience, audience("https://a.test/"));
        assert_eq!((access.created_at, access.expires_at), (NOW, at(600)));
        Ok(true)
    });
    let response = ask(&world, web(), "scope=api.write").unwrap();
    assert_eq!(response.access_token.expose(), minted_under(minted_grant(1), 2));
    assert!(response.refresh_token.is_none());
    assert_eq!((response.expires_in, response.scope), (600, scope("api.write")));
}

/// CC-02, RES-01..06: scope and resource are judged as at the authorization endpoint.
#[rstest]
#[case("scope=api.admin", ErrorCode::InvalidScope)]
#[case("scope=offline_access", ErrorCode::InvalidScope)]
#[case("resource=https://c.test/", ErrorCode::InvalidTarget)]
#[case("scope=api.write&resource=https://b.test/", ErrorCode::InvalidScope)]
fn what_is_not_the_clients_to_ask_for_is_refused(
    #[case] params: &str,
    #[case] expected: ErrorCode,
) {
    assert_eq!(refused(web(), params).code, expected);
}

/// A public client cannot prove to be itself, whatever its record says.
#[test]
fn a_public_client_gets_nothing_for_itself() {
    assert_eq!(refused(public(), "").code, ErrorCode::UnauthorizedClient);
}

/// The client was disabled between its authentication and the store's transition.
#[test]
fn a_client_that_was_disabled_meanwhile_gets_nothing() {
    let mut world = world().mints();
    world.tokens.expect_issue().once().returning(|_, _| Ok(false));
    let error = ask(&world, web(), "").unwrap_err();
    assert_eq!(error, TokenError::Refused(OAuthError::INVALID_CLIENT));
}

#[test]
fn a_fault_is_never_an_oauth_error() {
    let dry = Fault::Entropy(crate::entropy::EntropyError("dry".into()));
    assert_eq!(ask(&world().dry(), web(), "").unwrap_err(), TokenError::Fault(dry));
    let mut world = world().mints();
    world.tokens.expect_issue().once().returning(|_, _| Err(unavailable()));
    assert_eq!(ask(&world, web(), "").unwrap_err(), TokenError::Fault(store_fault()));
}

use super::*;
use crate::error::ErrorCode;
use crate::params::Params;
use crate::resource::Audience;
use crate::token::{AccessTokenRecord, RefreshTokenRecord};
use crate::usecase::fixtures::{
    ISSUER, NOW, SECRET, World, alice, at, audience, disabled, evil, grant, minted_under, overlay,
    post, public, resource_server, resources, scope, store_fault, unavailable,
};
use rstest::rstest;

/// The token, of whatever kind.
fn token() -> AccessToken {
    AccessToken::presented(&minted_under(grant().id, 9))
}

fn ask(world: &World, client: &Client, changes: &str) -> Result<Option<ActiveToken>, TokenError> {
    let secret = if client.is_public() { "" } else { SECRET };
    let good = format!("token={}&client_id={}&client_secret={secret}", token().expose(), client.id);
    let params: Params = overlay(&good, changes);
    let request = Request { authorization: &[], params: &params };
    introspect(&world.introspection_ports(), &world.policy, &request)
}

fn refused(mut world: World, client: &Client, changes: &str) -> OAuthError {
    let record = world.events.expect_record().once();
    record.withf(|event| matches!(event, Event::TokenRefused { .. })).return_const(());
    match ask(&world, client, changes) {
        Err(TokenError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// What this caller learns of this token, which is looked up once. Nothing is written.
fn told(caller: &Client, record: TokenRecord, grant: Grant) -> Option<ActiveToken> {
    let mut world = World::with(caller.clone());
    world.policy.resources = resources();
    let find = world.tokens.expect_find().once();
    find.withf(|digest| Some(*digest) == token().digest()).return_const(Ok(Some((record, grant))));
    ask(&world, caller, "").unwrap()
}

fn access(for_whom: &str) -> TokenRecord {
    TokenRecord::Access(AccessTokenRecord {
        scope: scope("api.read"),
        audience: audience(for_whom),
        created_at: at(-100),
        expires_at: at(1),
    })
}

fn refresh() -> TokenRecord {
    let (created_at, expires_at) = (at(-100), at(1));
    TokenRecord::Refresh(RefreshTokenRecord { created_at, expires_at, is_spent: false })
}

fn granted() -> Grant {
    Grant { client_id: post().id, ..grant() }
}

/// INTRO-03, RES-04, RES-07: what is told of an access token; without an audience it is for this server.
#[rstest]
#[case("", &[ISSUER])]
#[case("https://a.test/", &["https://a.test/"])]
#[case("https://b.test/ https://a.test/", &["https://a.test/", "https://b.test/"])]
fn a_client_learns_of_its_access_token(#[case] for_whom: &str, #[case] aud: &[&str]) {
    let told = told(&post(), access(for_whom), granted()).unwrap();
    let claims = told.access.clone().unwrap();
    assert_eq!(claims.audience, aud);
    assert_eq!(claims.jti.len(), 32);
    assert!(!token().expose().contains(&claims.jti));
    let expected = ActiveToken {
        scope: scope("api.read"),
        client_id: post().id,
        sub: alice().subject.to_string(),
        issued_at: at(-100),
        expires_at: at(1),
        access: Some(claims),
    };
    assert_eq!(told, expected);
}

/// INTRO-05: of a refresh token its client learns what any token has, and nothing that would let it
/// pass for an access token.
#[test]
fn a_client_learns_of_its_refresh_token() {
    let told = told(&post(), refresh(), granted()).unwrap();
    assert_eq!(told.access, None);
    assert_eq!((told.scope, told.expires_at), (scope("api.read api.write"), at(1)));
}

/// INTRO-04, INTRO-05: a resource server learns of the access tokens that are for it, however it spells
/// its name; of others, and of refresh tokens, nothing.
#[test]
fn a_resource_server_learns_of_what_is_meant_for_it() {
    let a = resource_server("https://A.test");
    let knows = |caller: &Client, record| told(caller, record, granted()).is_some();
    assert!(knows(&a, access("https://a.test/")));
    assert!(knows(&a, access("https://a.test/ https://b.test/")));
    for record in [access("https://b.test/"), access("https://a.test/x"), access(""), refresh()] {
        assert!(!knows(&a, record));
    }
    // Not even if a grant went by its name.
    let own = Grant { client_id: a.id.clone(), ..grant() };
    assert_eq!(told(&a, access("https://b.test/"), own), None);
}

/// INTRO-04: a resource server that the operator took away learns no more, though its credentials and
/// the tokens for it are still there; a client goes on to see its own.
#[test]
fn a_resource_server_that_is_gone_learns_nothing() {
    let a = resource_server("https://a.test/");
    let world = World::with(a.clone()).records(Event::ResourceGone { client: a.id.clone() });
    assert_eq!(ask(&world, &a, ""), Ok(None));
    let mut world = World::with(post());
    let found = (access("https://a.test/"), granted());
    world.tokens.expect_find().once().return_const(Ok(Some(found)));
    assert!(ask(&world, &post(), "").unwrap().is_some());
}

/// INTRO-02, INTRO-04: the same nothing for every reason.
#[test]
fn whatever_is_not_active_or_not_the_callers_looks_the_same() {
    let ended = Grant { revoked_at: Some(at(-1)), ..granted() };
    let over = Grant { expires_at: Some(NOW), ..granted() };
    let expired = AccessTokenRecord {
        scope: scope("api.read"),
        audience: Audience::default(),
        created_at: at(-100),
        expires_at: NOW,
    };
    let worn = |expires_at, is_spent| {
        TokenRecord::Refresh(RefreshTokenRecord { created_at: at(-100), expires_at, is_spent })
    };
    let stranger = Client { auth_method: None, ..evil() };
    for (caller, record, grant) in [
        (post(), access(""), ended.clone()),
        (post(), refresh(), ended),
        (post(), access(""), over),
        (post(), TokenRecord::Access(expired), granted()),
        (post(), worn(NOW, false), granted()),
        (post(), worn(at(1), true), granted()),
        (stranger.clone(), access("https://a.test/"), granted()),
        (stranger, refresh(), granted()),
    ] {
        assert_eq!(told(&caller, record, grant), None);
    }
    let mut unknown = World::with(post());
    unknown.tokens.expect_find().once().return_const(Ok(None));
    assert_eq!(ask(&unknown, &post(), ""), Ok(None));
}

/// INTRO-08: what no server minted is not even looked up.
#[test]
fn a_malformed_token_is_inactive() {
    let minted = token();
    let text = minted.expose();
    for length in 1..=8 {
        let cut = format!("token={}", &text[..text.len() - length]);
        assert_eq!(ask(&World::with(post()), &post(), &cut), Ok(None));
    }
    for other in [format!("{text}A"), format!("{text}="), format!("{text}%0A"), "A".repeat(60_000)]
    {
        assert_eq!(ask(&World::with(post()), &post(), &format!("token={other}")), Ok(None));
    }
}

/// CC-03: a client's own token names the client in a way that no person is named.
#[test]
fn a_client_is_no_person() {
    let own = Grant { subject: None, ..granted() };
    let told = told(&post(), access(""), own).unwrap();
    assert_eq!(told.sub, "client:post");
}

/// INTRO-01, CAUTH-11: the caller proves who it is; no token is looked up before.
#[test]
fn nobody_learns_anything_without_a_secret() {
    for (client, changes) in [
        (post(), "client_secret=wrong"),
        (post(), "-client_secret"),
        (disabled(post()), ""),
        (public(), ""),
        (public(), "client_secret=x"),
    ] {
        let error = refused(World::with(client.clone()), &client, changes);
        assert_eq!(error, OAuthError::INVALID_CLIENT);
    }
    let error = refused(World::new(), &post(), "-client_secret&-client_id");
    assert_eq!(error, OAuthError::INVALID_CLIENT);
}

/// INTRO-02: a request without a token, or with two, is no question.
#[test]
fn a_bad_request_is_an_error() {
    for twice in ["token=a&token=b", "token_type_hint=a&token_type_hint=a"] {
        assert_eq!(refused(World::new(), &post(), twice).code, ErrorCode::InvalidRequest);
    }
    for missing in ["-token", "token="] {
        let error = refused(World::with(post()), &post(), missing);
        assert_eq!(error, OAuthError::invalid_request("token is missing"));
    }
}

#[test]
fn a_fault_is_not_inactive() {
    let mut world = World::with(post());
    world.tokens.expect_find().once().return_const(Err(unavailable()));
    assert_eq!(ask(&world, &post(), ""), Err(TokenError::Fault(store_fault())));
}

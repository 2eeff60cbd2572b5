//! Clients that act for themselves (OAuth 2.1 §4.2), over time.

use auth_core::client::{Client, ClientAuthMethod, ClientRegistry, GrantType, Inserted};
use auth_core::error::{ErrorCode, OAuthError, TokenError};
use auth_core::event::Event;
use auth_core::grant::GrantStore;
use auth_core::owner::OwnerRegistry;
use auth_core::policy::Policy;
use auth_core::timestamp::Clock;
use auth_core::usecase::authorize::{Authorize, Refusal};
use auth_core::usecase::introspect::ActiveToken;
use auth_core::usecase::token::Request;
use auth_testkit::server::{form, refresh_token_in, refusal_in};
use auth_testkit::{FaultyStore, TestServer, sample};
use rstest::rstest;
use std::sync::Arc;
use time::Duration;

/// What this client hears about a token that it just got for itself.
#[track_caller]
fn fresh(server: &TestServer, client: &str, params: &[(&str, &str)]) -> ActiveToken {
    let tokens = server.client_credentials(client, params).expect("a token");
    let active = server.introspect(client, tokens.access_token.expose());
    active.expect("its own token").expect("an active token")
}

/// Another service. It sends its secret in the body, where any identifier can stand as it is.
fn service(server: &TestServer, id: &str, scope: &str) {
    let client = Client {
        scope: sample::scope(scope),
        grant_types: [GrantType::ClientCredentials].into(),
        auth_method: Some(ClientAuthMethod::ClientSecretPost),
        ..sample::confidential(id, &[])
    };
    let inserted = ClientRegistry::insert(&*server.store, &client);
    assert_eq!(inserted, Ok(Inserted::Inserted));
}

/// CC-01: an access token, and nothing to refresh it with, even if the client may refresh otherwise.
#[test]
fn a_client_gets_an_access_token_and_no_refresh_token() {
    let server = TestServer::new();
    server.update_client("svc", |svc| {
        svc.grant_types.insert(GrantType::RefreshToken);
    });
    let tokens = server.client_credentials("svc", &[]).unwrap();
    assert!(tokens.refresh_token.is_none());
    assert_eq!(tokens.expires_in, 600);
    assert_eq!(tokens.scope, sample::scope("api.read"));
    let issued = |event: &Event| matches!(event, Event::ClientTokenIssued { .. });
    assert!(server.events.take().iter().any(issued));
    let refused = refusal_in(server.refresh("svc", tokens.access_token.expose()));
    assert_eq!(refused, OAuthError::INVALID_GRANT, "an access token buys nothing");
    server.clock.advance(Duration::seconds(599));
    assert!(server.accepts(&tokens.access_token));
    server.clock.advance(Duration::SECOND);
    assert!(!server.accepts(&tokens.access_token));
}

/// CC-02: without `scope` the defaults, as far as they are the client's.
#[test]
fn without_a_scope_a_client_gets_the_defaults() {
    let server = TestServer::new();
    service(&server, "both", "api.read api.write");
    for params in [&[][..], &[("scope", "")]] {
        assert_eq!(fresh(&server, "both", params).scope, sample::scope("api.read"));
    }
    let asked = [("scope", "api.write api.read")];
    assert_eq!(fresh(&server, "both", &asked).scope, sample::scope("api.read api.write"));
    service(&server, "writer", "api.write");
    let refused = refusal_in(server.client_credentials("writer", &[]));
    assert_eq!(refused.code, ErrorCode::InvalidScope, "there is no default for it");
}

/// CC-02: more than the client's own is refused, not cut down.
#[rstest]
#[case("api.write")]
#[case("api.read api.write")]
#[case("openid")]
#[case("offline_access")]
#[case("bogus")]
#[case("api.read  api.read")]
#[case("api.r\"ead")]
fn a_scope_that_is_not_the_clients_is_refused(#[case] scope: &str) {
    let server = TestServer::new();
    let refused = refusal_in(server.client_credentials("svc", &[("scope", scope)]));
    assert_eq!(refused.code, ErrorCode::InvalidScope);
    assert!(server.store.edit(|data| data.grants.is_empty()), "nothing was written");
}

/// RES-04, RES-05, RES-07: the audience is chosen as anywhere else.
#[rstest]
#[case(&[], "api.read", "https://api.test/ https://other.test/")]
#[case(&["https://api.test"], "api.read", "https://api.test/")]
#[case(&["https://other.test/", "https://api.test/"], "api.read", "https://api.test/ https://other.test/")]
#[case(&[], "api.write", "https://api.test/")]
#[case(&[], "email", sample::ISSUER)]
#[case(&["https://other.test/"], "email", "https://other.test/")]
fn a_client_chooses_the_audience(
    #[case] resources: &[&str],
    #[case] scope: &str,
    #[case] audience: &str,
) {
    let server = TestServer::with_resources();
    service(&server, "all", "api.read api.write profile email");
    let mut params = vec![("scope", scope)];
    params.extend(resources.iter().map(|uri| ("resource", *uri)));
    let active = fresh(&server, "all", &params);
    assert_eq!(active.access.unwrap().audience.join(" "), audience);
    assert_eq!(active.scope, sample::scope(scope));
}

/// RES-01, RES-02, RES-06
#[rstest]
#[case("https://unknown.test/", "api.read", ErrorCode::InvalidTarget)]
#[case("https://api.test/#", "api.read", ErrorCode::InvalidTarget)]
#[case("", "api.read", ErrorCode::InvalidTarget)]
#[case("https://api.test/", "profile", ErrorCode::InvalidScope)]
#[case("https://other.test/", "api.read api.write", ErrorCode::InvalidScope)]
fn a_client_gets_nothing_for_the_wrong_audience(
    #[case] resource: &str,
    #[case] scope: &str,
    #[case] expected: ErrorCode,
) {
    let server = TestServer::with_resources();
    service(&server, "all", "api.read api.write profile email");
    let params = [("resource", resource), ("scope", scope)];
    let refused = refusal_in(server.client_credentials("all", &params));
    assert_eq!(refused.code, expected);
}

/// CC-03: whatever a client is called, its `sub` is nobody's.
#[rstest]
#[case("svc2")]
#[case("sub-alice")]
#[case("alice")]
#[case("client:sub-alice")]
fn a_client_is_never_taken_for_a_person(#[case] id: &str) {
    let server = TestServer::new();
    service(&server, id, "api.read");
    let active = fresh(&server, id, &[]);
    assert_eq!(active.client_id, sample::client_id(id));
    assert_eq!(active.sub, format!("client:{id}"));
    for owner in OwnerRegistry::list(&*server.store).unwrap() {
        assert_ne!(active.sub, owner.subject.as_str());
    }
    let token = server.client_credentials(id, &[]).unwrap().access_token;
    let alice = sample::alice().subject;
    let now = server.clock.now();
    assert_eq!(server.store.withdraw(&alice, None, now), Ok(0), "alice approved nothing");
    OwnerRegistry::set_disabled(&*server.store, &alice, Some(now)).unwrap();
    assert!(server.accepts(&token), "and cannot end it");
    let person = server.flow("web", "bob").access_token;
    let person = server.introspect("web", person.expose()).unwrap().unwrap();
    assert!(!person.sub.starts_with("client:"));
}

/// A public client cannot prove to be itself, whatever it was registered for.
#[test]
fn a_public_client_gets_nothing() {
    let server = TestServer::new();
    for client in ["pub", "spa"] {
        let refused = refusal_in(server.client_credentials(client, &[]));
        assert_eq!(refused.code, ErrorCode::UnauthorizedClient);
        server.update_client(client, |it| {
            it.grant_types.insert(GrantType::ClientCredentials);
        });
        let refused = refusal_in(server.client_credentials(client, &[]));
        assert_eq!(refused.code, ErrorCode::UnauthorizedClient, "whatever its record says");
    }
}

/// CC-01: the client authenticates, and is registered for this grant.
#[test]
fn a_client_proves_itself_and_may_use_the_grant() {
    let server = TestServer::with_resources();
    for client in ["web", "post", "rs"] {
        let refused = refusal_in(server.client_credentials(client, &[]));
        assert_eq!(refused.code, ErrorCode::UnauthorizedClient, "{client}");
    }
    let named = form(&[("grant_type", "client_credentials"), ("client_id", "svc")]);
    let request = Request { authorization: &[], params: &named };
    let refused = refusal_in(server.engine.token(&request));
    assert_eq!(refused, OAuthError::INVALID_CLIENT);
    server.update_client("svc", |svc| svc.secrets.clear());
    let refused = refusal_in(server.client_credentials("svc", &[]));
    assert_eq!(refused, OAuthError::INVALID_CLIENT);
}

/// REDIR-10, TOKEN-05: a service sends nobody to the authorization endpoint and redeems nothing.
#[test]
fn a_service_acts_for_nobody_else() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let params = [
        ("client_id", "svc"),
        ("redirect_uri", "https://rp.test/cb"),
        ("response_type", "code"),
        ("code_challenge", sample::CHALLENGE),
    ];
    let answer = server.authorize(&params, Some(&alice));
    assert!(matches!(answer, Authorize::Refused(Refusal::RedirectUri(_))), "{answer:?}");
    let code = server.code("web", &alice);
    let refused = refusal_in(server.redeem("svc", &code));
    assert_eq!(refused.code, ErrorCode::UnauthorizedClient);
    let tokens = server.redeem("web", &code).unwrap();
    let refused = refusal_in(server.refresh("svc", refresh_token_in(&tokens)));
    assert_eq!(refused.code, ErrorCode::UnauthorizedClient);
}

/// INTRO-07: a client's own tokens end with it, and do not come back with it.
#[rstest]
#[case::disabled(|server: &TestServer| {
    let svc = sample::client_id("svc");
    for at in [Some(server.clock.now()), None] {
        ClientRegistry::set_disabled(&*server.store, &svc, at).unwrap();
    }
})]
#[case::deleted(|server: &TestServer| {
    let svc = sample::svc();
    ClientRegistry::delete(&*server.store, &svc.id, server.clock.now()).unwrap();
    ClientRegistry::insert(&*server.store, &svc).unwrap();
})]
fn what_ends_the_client_ends_its_tokens(#[case] happens: fn(&TestServer)) {
    let server = TestServer::with_resources();
    let old = server.client_credentials("svc", &[]).unwrap().access_token;
    assert!(server.introspect("rs", old.expose()).unwrap().is_some());
    happens(&server);
    for caller in ["svc", "rs"] {
        assert_eq!(server.introspect(caller, old.expose()), Ok(None));
    }
    fresh(&server, "svc", &[]);
}

/// A cap on what people approve is none on what a client gets for itself, whose tokens are short-lived
/// anyway.
#[test]
fn the_grant_lifetime_is_about_approvals() {
    let server = TestServer::with_policy(Policy {
        grant_lifetime: Some(Duration::minutes(1)),
        ..sample::policy()
    });
    assert_eq!(server.client_credentials("svc", &[]).unwrap().expires_in, 600);
}

/// A fault is no refusal.
#[rstest]
#[case("ClientStore::find")]
#[case("TokenStore::issue")]
fn a_fault_is_no_refusal(#[case] call: &'static str) {
    let server = TestServer::new();
    let faulty = FaultyStore::failing(server.store.clone(), move |now| now == call);
    let answer = server.over(Arc::new(faulty)).client_credentials("svc", &[]);
    assert!(matches!(answer, Err(TokenError::Fault(_))), "{answer:?}");
    fresh(&server, "svc", &[]);
}

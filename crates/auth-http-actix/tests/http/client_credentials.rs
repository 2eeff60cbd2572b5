//! The client credentials grant: clients that act for themselves (OAuth 2.1 §4.2).

use crate::apis::{self, API, MAIL, add, at, client_credentials};
use crate::harness::{Params, Site, refreshing};
use actix_web::http::header;
use actix_web::test::TestRequest;
use auth_core::client::{Client, ClientRegistry, GrantType};
use auth_core::grant::{GrantFilter, GrantStore};
use auth_core::timestamp::Clock;
use auth_testkit::{FixedClock, sample};
use serde_json::json;
use time::Duration;

fn asking(scope: &str) -> Params {
    client_credentials().also("scope", scope)
}

/// CC-01: an access token, and nothing else.
#[actix_web::test]
async fn the_client_gets_an_access_token_and_nothing_to_refresh() {
    let site = apis::site().await;
    // Not even a client that may refresh what people approved.
    site.kit.update_client("svc", |svc| svc.grant_types = GrantType::ALL.into());
    let answer = site.token("svc", client_credentials()).await;
    let body = answer.json();
    let names: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(names, ["access_token", "expires_in", "scope", "token_type"]);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.cookies().is_empty());
    let tokens = answer.tokens();
    assert_eq!((tokens.scope.as_str(), tokens.expires_in), ("api.read", 600));
    assert!(site.accepts(&tokens.access));
    site.token("svc", refreshing(&tokens.access)).await.assert_json_error(400, "invalid_grant");
    // In JSON as well.
    let json = TestRequest::post()
        .uri("/oauth/token")
        .insert_header((header::AUTHORIZATION, sample::basic("svc")))
        .set_json(json!({ "grant_type": "client_credentials", "resource": API }));
    assert_eq!(site.send(json).await.tokens().refresh, None);
}

/// CC-01
#[actix_web::test]
async fn the_client_authenticates() {
    let site = apis::site().await;
    let rows = site.rows();
    let named = client_credentials().also("client_id", "svc");
    for params in [
        client_credentials(),
        named.clone(),
        named.clone().also("client_secret", ""),
        named.clone().also("client_secret", "wrong"),
        named.also("username", "alice").also("password", "alice-password"),
    ] {
        site.token_request(None, &params).await.assert_json_error(401, "invalid_client");
    }
    site.kit.update_client("svc", |svc| svc.disabled_at = Some(FixedClock::START));
    let disabled = site.token("svc", client_credentials()).await;
    disabled.assert_json_error(401, "invalid_client");
    site.kit.update_client("svc", |svc| svc.disabled_at = None);
    assert_eq!(site.rows(), rows);
}

/// CC-01, CAUTH-08: who can prove nothing, and who was not registered for it, has nothing to use.
#[actix_web::test]
async fn only_confidential_clients_with_the_grant_may() {
    let site = apis::site().await;
    site.kit.update_client("pub", |it| it.grant_types = GrantType::ALL.into());
    let rows = site.rows();
    for client in ["pub", "spa", "web", "post", "rs"] {
        let answer = site.token(client, client_credentials()).await;
        answer.assert_json_error(400, "unauthorized_client");
    }
    assert_eq!(site.rows(), rows);
}

/// CC-02
#[actix_web::test]
async fn the_scope_is_the_client_s_own() {
    let site = apis::site().await;
    for (asked, granted) in
        [("api.read", "api.read"), ("email api.read", "api.read email"), ("email", "email")]
    {
        let tokens = site.token("svc", asking(asked)).await.tokens();
        assert_eq!(tokens.scope, granted);
    }
    // None, or an empty one, means the defaults that it may have.
    for params in [client_credentials(), asking("")] {
        assert_eq!(site.token("svc", params).await.tokens().scope, "api.read");
    }
    let rows = site.rows();
    for wider in
        ["api.write", "api.read api.write", "profile", "openid", "offline_access", "x", "\"", " "]
    {
        let answer = site.token("svc", asking(wider)).await;
        answer.assert_json_error(400, "invalid_scope");
    }
    let twice = asking("api.read").also("scope", "api.read");
    site.token("svc", twice).await.assert_json_error(400, "invalid_request");
    assert_eq!(site.rows(), rows);
    site.kit.update_client("svc", |svc| svc.scope = sample::scope("email"));
    let no_default = site.token("svc", client_credentials()).await;
    no_default.assert_json_error(400, "invalid_scope");
    assert_eq!(site.token("svc", asking("email")).await.tokens().scope, "email");
}

/// CC-03: nobody takes the client for a person, whatever it is called.
#[actix_web::test]
async fn a_client_s_subject_is_no_person_s() {
    let site = apis::site().await;
    let alice = sample::alice();
    let person = site.flow("web").await;
    let person_sub = site.introspect("rs", &person.access).await.json()["sub"].take();
    assert_eq!(person_sub, alice.subject.to_string());
    for id in [alice.subject.to_string(), "alice".into(), "client:svc".into(), "svc".into()] {
        let client = Client {
            grant_types: [GrantType::ClientCredentials].into(),
            ..sample::confidential(&id, &[])
        };
        if id != "svc" {
            add(&site, &client);
        }
        // A colon has to be encoded in the header; the body has no such rule.
        let params = client_credentials().also("client_id", &id);
        let params = params.also("client_secret", &sample::secret_of(&id));
        let tokens = site.token_request(None, &params).await.tokens();
        let said = site.introspect("rs", &tokens.access).await.json();
        assert_eq!(
            (&said["sub"], &said["client_id"]),
            (&format!("client:{id}").into(), &id.into())
        );
    }
    // Nothing of hers became theirs, nor ends with it.
    let hers = GrantFilter { subject: Some(alice.subject.clone()), ..GrantFilter::default() };
    let now = site.kit.clock.now();
    let grants = GrantStore::list(&*site.kit.store, &hers, now).unwrap();
    assert_eq!(grants.len(), 1);
    let own = site.token("svc", client_credentials()).await.tokens();
    GrantStore::withdraw(&*site.kit.store, &alice.subject, None, now).unwrap();
    assert!(!site.accepts(&person.access) && site.accepts(&own.access));
}

/// CC-02, RES-03, RES-04, RES-06, RES-07: the client chooses whom its token is for, too.
#[actix_web::test]
async fn the_client_chooses_the_audience() {
    let site = apis::site().await;
    for (params, scope, audience) in [
        (client_credentials(), "api.read", json!(API)),
        (at(client_credentials(), &[API]), "api.read", json!(API)),
        (asking("api.read email"), "api.read email", json!([API, MAIL])),
        (at(asking("email"), &[MAIL]), "email", json!(MAIL)),
        (at(asking("api.read email"), &[MAIL, API]), "api.read email", json!([API, MAIL])),
    ] {
        let tokens = site.token("svc", params).await.tokens();
        assert_eq!(tokens.scope, scope);
        assert_eq!(site.audience("svc", &tokens.access).await, audience);
    }
    let rows = site.rows();
    for (params, error) in [
        (at(asking("email"), &[API]), "invalid_scope"),
        (at(asking("api.read email"), &[API]), "invalid_scope"),
        (at(client_credentials(), &[MAIL]), "invalid_scope"),
        (at(client_credentials(), &["https://unknown.test/"]), "invalid_target"),
        (at(client_credentials(), &[API, "x"]), "invalid_target"),
        (at(client_credentials(), &[""]), "invalid_target"),
    ] {
        site.token("svc", params).await.assert_json_error(400, error);
    }
    assert_eq!(site.rows(), rows);
}

/// CC-01: the token ends with its time, with its client, and when the client says so.
#[actix_web::test]
async fn the_token_ends() {
    let site = apis::site().await;
    let token = async || site.token("svc", client_credentials()).await.tokens().access;
    let (revoked, expired) = (token().await, token().await);
    site.revoke("svc", &revoked).await.assert_revoked();
    assert!(!site.shows("rs", &revoked).await && site.shows("rs", &expired).await);
    site.kit.clock.advance(Duration::minutes(10));
    assert!(!site.shows("rs", &expired).await);
    let ended = token().await;
    assert!(site.shows("rs", &ended).await);
    let now = site.kit.clock.now();
    let id = sample::client_id("svc");
    ClientRegistry::set_disabled(&*site.kit.store, &id, Some(now)).unwrap();
    assert!(!site.shows("rs", &ended).await);
    ClientRegistry::set_disabled(&*site.kit.store, &id, None).unwrap();
    assert!(!site.shows("rs", &ended).await, "for good");
}

/// CC-01: in the other API as well.
#[actix_web::test]
async fn both_apis_have_the_grant() {
    let site: Site = apis::site().await;
    let answer = site.form_of("svc", "/v1/auth/token", client_credentials()).await;
    assert!(site.accepts(&answer.tokens().access));
}

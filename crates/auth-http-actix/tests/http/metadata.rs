//! What programs find out without asking for anything: the metadata document and the scopes.

use crate::browser::Browser;
use crate::harness::{Params, Site, redemption, request};
use actix_web::http::{Method, header};
use actix_web::test::TestRequest;
use auth_core::client::GrantType;
use auth_core::policy::Policy;
use auth_testkit::sample;
use serde_json::{Value, json};

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

/// META-01, META-05, META-07, CODE-02, PKCE-09, TOKEN-05
#[actix_web::test]
async fn the_document() {
    let site = Site::new().await;
    let answer = site.get(WELL_KNOWN).await;
    assert_eq!(answer.status, 200);
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer.json()).unwrap());
}

/// META-05: an array without an element is not there.
#[actix_web::test]
async fn empty_arrays_are_omitted() {
    let scopes = auth_core::scope::ScopeCatalog::new(vec![]);
    let site = Site::under(Policy::new(sample::ISSUER, scopes)).await;
    let document = site.get(WELL_KNOWN).await.json();
    assert_eq!(document.get("scopes_supported"), None);
    let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    assert!(!document.as_object().unwrap().values().any(empty));
}

/// META-03, UI-20: nothing that a request says about the host changes a word of it.
#[actix_web::test]
async fn hostile_host_headers_change_nothing() {
    let site = Site::new().await;
    let hostile = [
        ("Host", "evil.test"),
        ("Forwarded", "host=evil.test;proto=http"),
        ("X-Forwarded-Host", "evil.test"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Port", "1"),
        ("X-Forwarded-Prefix", "/evil"),
        ("X-Original-URL", "/evil"),
        ("X-Rewrite-URL", "/evil"),
    ];
    let lie = |browser: Browser| {
        hostile.iter().fold(browser, |it, (name, value)| it.sending(name, value))
    };
    let honest = site.get(WELL_KNOWN).await;
    let lied_to = lie(site.browser()).get(WELL_KNOWN).await;
    assert_eq!(lied_to.json(), honest.json());
    assert_eq!(lied_to.json()["issuer"], sample::ISSUER);
    // Nor of pages, redirects and cookies.
    let browser = lie(site.browser());
    let parked = browser.post("/oauth/authorize", &request("web")).await;
    assert!(parked.header("location").unwrap().starts_with("/oauth/authorize?"));
    let page = browser.follow(parked).await;
    let consent = browser.sign_in_on(&page, "alice").await;
    for page in [&page, &consent] {
        assert!(!page.text().contains("evil") && page.text().contains("as.test"));
    }
    let answer = browser.decide(&consent, "approve").await;
    assert_eq!(answer.client_redirect().get("iss"), Some(sample::ISSUER));
}

/// META-09, TOKEN-12
#[actix_web::test]
async fn any_origin_may_read_and_keep_it() {
    let site = Site::new().await;
    for path in [WELL_KNOWN, "/oauth/scopes", "/v1/auth/scopes"] {
        let get = TestRequest::get().uri(path).insert_header((header::ORIGIN, "https://spa.test"));
        let answer = site.send(get).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"), "{path}");
        let preflight = TestRequest::default()
            .method(Method::OPTIONS)
            .uri(path)
            .insert_header((header::ORIGIN, "https://spa.test"))
            .insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "GET"));
        let answer = site.send(preflight).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert!(answer.header("access-control-allow-methods").unwrap().contains("GET"));
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            let other = TestRequest::default().method(method).uri(path);
            let answer = site.send(other).await;
            answer.assert_json_error(405, "invalid_request");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
    }
}

/// META-06: each thing that is advertised works, each standard thing that is not is refused.
#[actix_web::test]
async fn what_is_advertised_works_and_nothing_else() {
    let site = Site::new().await;
    let document = site.get(WELL_KNOWN).await.json();
    let list = |name: &str| -> Vec<String> {
        serde_json::from_value(document[name].clone()).unwrap_or_default()
    };
    let browser = site.browser_of("alice").await;
    let cb = "https://rp.test/cb";
    // Scopes, one by one.
    for scope in list("scopes_supported") {
        browser.approve(&request("web").set("scope", &scope)).await.code();
    }
    // Ways to authenticate.
    assert_eq!(
        list("token_endpoint_auth_methods_supported"),
        ["client_secret_basic", "client_secret_post", "none"]
    );
    for client in ["web", "post", "pub"] {
        let tokens = site.flow(client).await;
        site.refresh(client, tokens.refresh_token()).await.tokens();
    }
    for (member, path) in [
        ("revocation_endpoint_auth_methods_supported", "/oauth/revoke"),
        ("introspection_endpoint_auth_methods_supported", "/oauth/introspect"),
    ] {
        for (client, method) in
            [("web", "client_secret_basic"), ("post", "client_secret_post"), ("pub", "none")]
        {
            let answer = site.form_of(client, path, Params::of(&[("token", "x")])).await;
            assert_eq!(answer.status == 200, list(member).contains(&method.to_owned()), "{path}");
        }
    }
    // Modes, types, methods, prompts.
    for (parameter, member, unlisted) in [
        ("response_type", "response_types_supported", "token"),
        ("response_mode", "response_modes_supported", "form_post"),
        ("code_challenge_method", "code_challenge_methods_supported", "plain"),
        ("prompt", "prompt_values_supported", "select_account"),
    ] {
        for value in list(member) {
            let answer = browser.authorize(&request("web").set(parameter, &value)).await;
            assert!(answer.status == 303 || answer.is_consent_page(), "{parameter}={value}");
            let location = answer.header("location").unwrap_or_default();
            assert!(!location.contains("error="), "{parameter}={value}: {location}");
        }
        assert!(!list(member).contains(&unlisted.to_owned()));
        let answer = browser.authorize(&request("web").set(parameter, unlisted)).await;
        let location = answer.header("location").unwrap_or_default();
        assert!(answer.status == 400 || location.contains("error="), "{parameter}={unlisted}");
    }
    site.kit.update_client("web", |web| web.grant_types = GrantType::ALL.into());
    for grant in list("grant_types_supported") {
        let tokens = site.flow("web").await;
        let code = browser.code(&request("web")).await;
        let params = redemption(&code).also("refresh_token", tokens.refresh_token());
        site.token("web", params.set("grant_type", &grant)).await.tokens();
    }
    for (parameter, error) in
        [("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")]
    {
        assert_eq!(document[format!("{parameter}_parameter_supported")], false);
        let answer = browser.authorize(&request("web").set(parameter, "x")).await;
        answer.assert_error_redirect(cb, error);
    }
}

/// META-06: endpoints of specifications that are not offered are not there.
#[actix_web::test]
async fn endpoints_are_where_it_says_and_nowhere_else() {
    let site = Site::new().await;
    let document = site.get(WELL_KNOWN).await.json();
    let endpoints: Vec<&str> = document
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri")
        .map(|(_, value)| value.as_str().unwrap())
        .collect();
    assert_eq!(endpoints.len(), 4);
    for endpoint in &endpoints {
        let path = endpoint.strip_prefix(sample::ISSUER).unwrap();
        assert_ne!(site.browser().post(path, &Params::default()).await.status, 404, "{path}");
    }
    for path in ["par", "register", "device", "userinfo", "introspect", "revoke", "jwks"] {
        let path = format!("/oauth/{path}");
        let there = site.browser().post(&path, &Params::default()).await.status != 404;
        let said = endpoints.iter().any(|it| it.ends_with(&path));
        assert_eq!(there, said, "{path}");
    }
    site.get("/.well-known/openid-configuration").await.assert_error_page(404);
    site.get("/.well-known/oauth-authorization-server/x").await.assert_error_page(404);
}

/// META-07: the catalog, in the operator's words, under both names.
#[actix_web::test]
async fn the_scopes_are_public() {
    let site = Site::new().await;
    for path in ["/oauth/scopes", "/v1/auth/scopes"] {
        let expected = json!({ "scopes": [
            { "name": "api.read", "description": "Read your things." },
            { "name": "api.write", "description": "Change your things." },
            { "name": "profile", "description": "Your name." },
            { "name": "email", "description": "Your e-mail address." },
        ]});
        assert_eq!(site.get(path).await.json(), expected);
    }
}

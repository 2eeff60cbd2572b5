//! The token endpoint: methods, grants, answers.

use crate::harness::{Params, Site, redemption, refreshing, request};
use actix_web::http::{Method, header};
use actix_web::test::TestRequest;
use auth_core::client::GrantType;
use auth_testkit::sample;
use std::fmt::Write as _;

/// TOKEN-01, XC-09: whatever else is tried, the code stays good.
#[actix_web::test]
async fn only_post_reaches_it() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let query = redemption(&code).encode();
    for path in ["/oauth/token", "/v1/auth/token"] {
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
            let request = TestRequest::default()
                .method(Method::from_bytes(method.as_bytes()).unwrap())
                .uri(&format!("{path}?{query}"))
                .insert_header((header::AUTHORIZATION, sample::basic("web")))
                .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
                .set_payload(query.clone());
            let answer = site.send(request).await;
            assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
            answer.assert_json_error(405, "invalid_request");
        }
    }
    site.redeem("web", &code).await.tokens();
}

/// TOKEN-03, CAUTH-07
#[actix_web::test]
async fn the_query_is_not_read() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let post = |query: &Params, body: &Params| {
        let request = TestRequest::post()
            .uri(&format!("/oauth/token?{}", query.encode()))
            .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .set_payload(body.encode());
        site.send(request)
    };
    let credentials =
        |it: Params| it.also("client_id", "web").also("client_secret", &sample::secret_of("web"));
    let nothing = Params::default();
    post(&credentials(redemption(&code)), &nothing).await.assert_json_error(400, "invalid_request");
    let secret_in_query = post(&credentials(nothing.clone()), &redemption(&code)).await;
    secret_in_query.assert_json_error(401, "invalid_client");
    let half = post(&credentials(nothing), &redemption(&code).also("client_id", "web")).await;
    half.assert_json_error(401, "invalid_client");
    site.redeem("web", &code).await.tokens();
}

/// TOKEN-04, TOKEN-05
#[actix_web::test]
async fn a_grant_type_is_there_known_and_allowed() {
    let site = Site::new().await;
    let with = |grant_type: &str| redemption("x").set("grant_type", grant_type);
    let missing = redemption("x").without("grant_type");
    site.token("web", missing).await.assert_json_error(400, "invalid_request");
    site.token("web", with("")).await.assert_json_error(400, "invalid_request");
    for unknown in [
        "foo",
        "password",
        "implicit",
        "urn:x:y",
        "AUTHORIZATION_CODE",
        "authorization_code ",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "\0",
    ] {
        let params = with(unknown).also("username", "alice").also("password", "alice-password");
        for client in ["web", "post", "pub"] {
            let answer = site.token(client, params.clone()).await;
            answer.assert_json_error(400, "unsupported_grant_type");
        }
    }
    site.kit.update_client("web", |web| {
        web.grant_types.remove(&GrantType::RefreshToken);
    });
    let answer = site.token("web", refreshing("x")).await;
    answer.assert_json_error(400, "unauthorized_client");
    let tokens = site.flow("web").await;
    assert_eq!(tokens.refresh, None, "a client that cannot refresh gets nothing to refresh with");
}

/// TOKEN-07
#[actix_web::test]
async fn empty_is_absent_and_unknown_is_ignored() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let code = browser.code(&request("web")).await;
    let padded = redemption(&code)
        .also("scope", "")
        .also("redirect_uri", "")
        .also("foo", "bar")
        .also("username", "bob");
    let tokens = site.token("web", padded).await.tokens();
    assert_eq!(tokens.scope, "api.read api.write");
    let empty_scope = refreshing(tokens.refresh_token()).also("scope", "");
    assert_eq!(site.token("web", empty_scope).await.tokens().scope, "api.read api.write");
    for name in ["code", "code_verifier"] {
        let code = browser.code(&request("web")).await;
        let answer = site.token("web", redemption(&code).set(name, "")).await;
        answer.assert_json_error(400, "invalid_request");
    }
    let answer = site.token("web", refreshing("")).await;
    answer.assert_json_error(400, "invalid_request");
}

/// TOKEN-08, TOKEN-10
#[actix_web::test]
async fn success_is_json_that_nobody_keeps() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("web").without("scope")).await;
    let answer = site.redeem("web", &code).await;
    let body = answer.json();
    let names: Vec<&String> = body.as_object().unwrap().keys().collect();
    let expected = ["access_token", "expires_in", "refresh_token", "scope", "token_type"];
    assert_eq!(names, expected);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    assert!(answer.cookies().is_empty());
    let tokens = answer.tokens();
    assert_eq!((tokens.expires_in, tokens.scope.as_str()), (600, "api.read"));
    assert!(site.accepts(&tokens.access));
}

/// TOKEN-10: what the client may no longer have is missing from what it is told.
#[actix_web::test]
async fn the_scope_in_the_answer_is_the_truth() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    site.kit.update_client("web", |web| web.scope = sample::scope("api.read profile"));
    assert_eq!(site.redeem("web", &code).await.tokens().scope, "api.read");
}

/// TOKEN-12: a program in a browser may call; it brings no cookies, and none are looked at.
#[actix_web::test]
async fn other_origins_may_call() {
    let site = Site::new().await;
    for path in ["/oauth/token", "/v1/auth/token"] {
        let preflight = TestRequest::default()
            .method(Method::OPTIONS)
            .uri(path)
            .insert_header((header::ORIGIN, "https://spa.test"))
            .insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "POST"))
            .insert_header((header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization, content-type"));
        let answer = site.send(preflight).await;
        assert!(matches!(answer.status, 200 | 204), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
        let allowed = answer.header("access-control-allow-headers").unwrap().to_lowercase();
        assert!(allowed.contains("authorization") && allowed.contains("content-type"), "{allowed}");
    }
    let code = site.browser_of("alice").await.code(&request("spa")).await;
    for (params, status) in [
        (redemption("x").also("client_id", "spa"), 400),
        (redemption("x").also("client_id", "nobody"), 401),
        (redemption(&code).also("client_id", "spa"), 200),
    ] {
        let simple = TestRequest::post()
            .uri("/oauth/token")
            .insert_header((header::ORIGIN, "https://spa.test"))
            .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .set_payload(params.encode());
        let answer = site.send(simple).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let exposed = answer.header("access-control-expose-headers").unwrap().to_lowercase();
        assert!(exposed.contains("www-authenticate"), "{exposed}");
    }
}

/// TOKEN-09, TOKEN-11: every refusal, as it goes over the wire.
#[actix_web::test]
async fn refusals_word_by_word() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let code = browser.code(&request("web")).await;
    let tokens = site.flow("web").await;
    let plain = request("web").without("code_challenge").without("code_challenge_method");
    let plain_code = browser.code(&plain).await;
    site.kit.update_client("post", |post| {
        post.grant_types.remove(&GrantType::RefreshToken);
    });
    let params = |pairs: &[(&str, &str)]| Params::of(pairs);
    let refresh = refreshing(tokens.refresh_token());
    let cases = [
        ("no grant_type", "web", params(&[])),
        ("a foreign grant_type", "web", params(&[("grant_type", "password")])),
        ("a grant it may not use", "post", refreshing("x")),
        ("a repeated parameter", "web", redemption(&code).also("code", "x")),
        ("no code", "web", redemption("")),
        ("an unknown code", "web", redemption("x")),
        ("no verifier", "web", redemption(&code).without("code_verifier")),
        ("a malformed verifier", "web", redemption(&code).set("code_verifier", "x")),
        ("a wrong verifier", "web", redemption(&code).set("code_verifier", &"x".repeat(43))),
        ("a verifier too many", "web", redemption(&plain_code)),
        ("no redirect_uri", "web", redemption(&plain_code).without("code_verifier")),
        ("another redirect_uri", "web", redemption(&code).set("redirect_uri", "https://x.test/")),
        ("no refresh_token", "web", refreshing("")),
        ("an unknown refresh_token", "web", refreshing("x")),
        ("a wider scope", "web", refresh.clone().also("scope", "email")),
        ("a malformed scope", "web", refresh.also("scope", "\"")),
        ("two methods", "web", redemption(&code).also("client_secret", "x")),
        ("two names", "web", redemption(&code).also("client_id", "evil")),
        ("a public client with a secret", "pub", redemption("x").also("client_secret", "x")),
        ("an assertion", "pub", redemption("x").also("client_assertion", "x")),
    ];
    let mut told = String::new();
    for (what, client, params) in cases {
        let answer = site.token(client, params).await;
        let _ = writeln!(told, "{what}: {} {}", answer.status, answer.text());
    }
    insta::assert_snapshot!(told);
    site.redeem("web", &code).await.tokens();
}

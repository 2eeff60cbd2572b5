//! Introspection: RFC 7662.

use crate::apis::{self, API, MAIL, add, client_credentials, credentials_of};
use crate::harness::{Params, Site, redemption, refreshing, request};
use actix_web::http::{Method, header};
use actix_web::test::TestRequest;
use auth_testkit::{FixedClock, sample};
use serde_json::json;
use time::Duration;

const PATH: &str = "/oauth/introspect";

fn token(text: &str) -> Params {
    Params::of(&[("token", text)])
}

/// INTRO-01
#[actix_web::test]
async fn only_who_proves_to_be_somebody_may_ask() {
    let site = apis::site().await;
    let (web, public) = (site.flow("web").await, site.flow("pub").await);
    let rows = site.rows();
    for text in [web.access.as_str(), &public.access, public.refresh_token(), "x"] {
        for caller in [None, Some("web"), Some("pub"), Some("spa"), Some("rs"), Some("nobody")] {
            let params = caller.map_or(token(text), |it| token(text).also("client_id", it));
            site.form(PATH, None, &params).await.assert_json_error(401, "invalid_client");
        }
        let wrong = token(text).also("client_id", "rs").also("client_secret", "wrong");
        site.form(PATH, None, &wrong).await.assert_json_error(401, "invalid_client");
        for header in ["Bearer x", &format!("Bearer {}", web.access), &sample::basic("pub")] {
            let answer = site.form(PATH, Some(header), &token(text)).await;
            answer.assert_json_error(401, "invalid_client");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Basic realm="));
        }
    }
    assert_eq!(site.rows(), rows);
    site.kit.update_client("rs", |rs| rs.disabled_at = Some(FixedClock::START));
    site.introspect("rs", &web.access).await.assert_json_error(401, "invalid_client");
}

/// INTRO-06: whatever else is tried.
#[actix_web::test]
async fn only_post_reaches_it() {
    let site = Site::new().await;
    let tokens = site.flow("web").await;
    let form = token(&tokens.access).encode();
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let request = TestRequest::default()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(&format!("{PATH}?{form}"))
            .insert_header((header::AUTHORIZATION, sample::basic("web")))
            .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .set_payload(form.clone());
        let answer = site.send(request).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
        answer.assert_json_error(405, "invalid_request");
    }
    let query = format!("{PATH}?{form}");
    let answer = site.form_of("web", &query, Params::default()).await;
    answer.assert_json_error(400, "invalid_request");
    assert_eq!(site.form_of("web", "/v1/auth/introspect", token("x")).await.status, 404);
}

/// INTRO-06, INTRO-01: no answer is kept, and none is for pages of other origins.
#[actix_web::test]
async fn answers_are_for_the_caller_alone() {
    let site = Site::new().await;
    let tokens = site.flow("web").await;
    let preflight = TestRequest::default()
        .method(Method::OPTIONS)
        .uri(PATH)
        .insert_header((header::ORIGIN, "https://spa.test"))
        .insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "POST"));
    let mut answers = vec![site.send(preflight).await];
    for (text, authorization) in
        [(tokens.access.as_str(), "web"), ("x", "web"), ("", "web"), ("x", "nobody")]
    {
        let request = TestRequest::post()
            .uri(PATH)
            .insert_header((header::ORIGIN, "https://spa.test"))
            .insert_header((header::AUTHORIZATION, sample::basic(authorization)))
            .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .set_payload(token(text).encode());
        answers.push(site.send(request).await);
    }
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [405, 200, 200, 400, 401]);
    for answer in answers {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        let names = answer.headers.keys().map(|name| name.as_str());
        assert!(names.into_iter().all(|name| !name.starts_with("access-control-")), "{answer:?}");
    }
}

/// INTRO-02: a request that asks nothing is no question about a token.
#[actix_web::test]
async fn the_token_is_there_and_there_once() {
    let site = Site::new().await;
    let tokens = site.flow("web").await;
    let rows = site.rows();
    for params in [
        Params::default(),
        token(""),
        Params::of(&[("token_type_hint", "access_token")]),
        token(&tokens.access).also("token", &tokens.access),
        token(&tokens.access).also("token", ""),
        token(&tokens.access).also("token_type_hint", "a").also("token_type_hint", "a"),
        token(&tokens.access).also("foo", "1").also("foo", "2"),
    ] {
        let answer = site.form_of("web", PATH, params).await;
        answer.assert_json_error(400, "invalid_request");
    }
    let long = |length: usize| token(&"x".repeat(length));
    site.form_of("web", PATH, long(60_000)).await.assert_inactive();
    for length in [70_000, 3_000_000] {
        let answer = site.form_of("web", PATH, long(length)).await;
        answer.assert_json_error(413, "invalid_request");
    }
    for (media_type, body) in [
        ("application/json", format!(r#"{{"token":"{}"}}"#, tokens.access)),
        ("text/plain", token(&tokens.access).encode()),
    ] {
        let request = TestRequest::post()
            .uri(PATH)
            .insert_header((header::AUTHORIZATION, sample::basic("web")))
            .insert_header((header::CONTENT_TYPE, media_type))
            .set_payload(body);
        site.send(request).await.assert_json_error(415, "invalid_request");
    }
    assert_eq!(site.rows(), rows);
}

/// INTRO-03
#[actix_web::test]
async fn an_active_access_token_is_described() {
    let site = apis::site().await;
    let tokens = site.flow("web").await;
    let issued_at = FixedClock::START.unix();
    for caller in ["web", "rs"] {
        let answer = site.introspect(caller, &tokens.access).await;
        assert_eq!(answer.status, 200);
        let mut body = answer.json();
        let jti = body["jti"].take();
        let jti = jti.as_str().unwrap();
        assert!(jti.len() >= 22 && !tokens.access.contains(jti), "{jti}");
        let expected = json!({
            "active": true,
            "scope": tokens.scope,
            "client_id": "web",
            "sub": "sub-alice",
            "exp": issued_at + tokens.expires_in,
            "iat": issued_at,
            "iss": site.issuer,
            "aud": API,
            "token_type": "Bearer",
            "jti": null,
        });
        assert_eq!(body, expected);
    }
    // Another token has another name, and the same token always the same.
    let jti = async |text: &str| site.introspect("web", text).await.json()["jti"].take();
    let next = site.refresh("web", tokens.refresh_token()).await.tokens();
    assert_ne!(jti(&next.access).await, jti(&tokens.access).await);
    assert_eq!(jti(&next.access).await, jti(&next.access).await);
}

/// INTRO-03, RES-04: several audiences are a list, one is a string.
#[actix_web::test]
async fn an_audience_is_told_as_it_is() {
    let site = apis::site().await;
    let both = site.flow_for("api.read email", &[]).await;
    assert_eq!(site.audience("web", &both.access).await, json!([API, MAIL]));
    let narrowed = refreshing(both.refresh_token()).also("scope", "email");
    let mail = site.token("web", narrowed).await.tokens();
    assert_eq!(site.audience("web", &mail.access).await, MAIL);
    // What concerns no API in particular is for this server itself.
    let neither = site.flow_for("profile", &[]).await;
    assert_eq!(site.audience("web", &neither.access).await, site.issuer.as_str());
}

/// INTRO-05, INTRO-03
#[actix_web::test]
async fn a_refresh_token_is_shown_to_its_client_and_not_as_an_access_token() {
    let site = apis::site().await;
    let tokens = site.flow("web").await;
    let issued_at = FixedClock::START.unix();
    let expected = json!({
        "active": true,
        "scope": "api.read api.write",
        "client_id": "web",
        "sub": "sub-alice",
        "exp": issued_at + Duration::days(30).whole_seconds(),
        "iat": issued_at,
        "iss": site.issuer,
    });
    let refresh_token = tokens.refresh_token();
    assert_eq!(site.introspect("web", refresh_token).await.json(), expected);
    for other in ["rs", "rs2", "evil", "post", "svc"] {
        site.introspect(other, refresh_token).await.assert_inactive();
    }
    assert!(!site.accepts(refresh_token));
    // Narrowing an access token leaves it as it was.
    let narrowed = refreshing(refresh_token).also("scope", "api.read");
    let next = site.token("web", narrowed).await.tokens();
    let described = site.introspect("web", next.refresh_token()).await.json();
    assert_eq!(described["scope"], "api.read api.write");
    assert_eq!(site.introspect("web", &next.access).await.json()["scope"], "api.read");
}

/// INTRO-04
#[actix_web::test]
async fn an_api_sees_what_is_meant_for_it_and_a_client_its_own() {
    let site = apis::site().await;
    add(&site, &credentials_of("rs-too", "HTTPS://API.test"));
    add(&site, &credentials_of("elsewhere", "https://api.test/v2"));
    let for_api = site.flow_for("api.read profile", &[]).await;
    let for_mail = site.flow_for("email", &[MAIL]).await;
    let for_both = site.flow_for("api.read email", &[API, MAIL]).await;
    let for_neither = site.flow_for("profile", &[]).await;
    let evil = site.flow("evil").await;
    let own = site.token("svc", client_credentials()).await.tokens();
    let rows = site.rows();
    for (tokens, seen_by) in [
        (&for_api, &["web", "rs", "rs-too"][..]),
        (&for_mail, &["web", "rs2"]),
        (&for_both, &["web", "rs", "rs-too", "rs2"]),
        (&for_neither, &["web"]),
        (&evil, &["evil", "rs", "rs-too"]),
        (&own, &["svc", "rs", "rs-too"]),
    ] {
        for caller in ["web", "evil", "post", "svc", "rs", "rs-too", "rs2", "elsewhere"] {
            let shown = site.shows(caller, &tokens.access).await;
            assert_eq!(shown, seen_by.contains(&caller), "{caller}: {seen_by:?}");
        }
    }
    assert_eq!(site.rows(), rows);
}

/// INTRO-04: without a configured resource only the client itself sees a token.
#[actix_web::test]
async fn without_resources_only_the_client_sees_its_tokens() {
    let site = Site::new().await;
    apis::add_clients(&site);
    add(&site, &credentials_of("itself", sample::ISSUER));
    let tokens = site.flow("web").await;
    assert_eq!(site.audience("web", &tokens.access).await, sample::ISSUER);
    for other in ["rs", "rs2", "itself", "evil"] {
        site.introspect(other, &tokens.access).await.assert_inactive();
    }
}

/// INTRO-04: an API that the operator took out of the configuration learns no more, not even of tokens
/// that were issued for it before.
#[actix_web::test]
async fn an_api_that_is_gone_sees_nothing() {
    let before = apis::site().await;
    let tokens = before.flow("web").await;
    assert!(before.shows("rs", &tokens.access).await);
    let after = Site::over(&before.kit.under(sample::policy())).await;
    after.introspect("rs", &tokens.access).await.assert_inactive();
    assert!(after.shows("web", &tokens.access).await);
}

/// INTRO-02: a wrong hint hides nothing.
#[actix_web::test]
async fn the_hint_does_not_matter() {
    let site = Site::new().await;
    let tokens = site.flow("web").await;
    for hint in ["access_token", "refresh_token", "foo", "", "\0"] {
        for text in [tokens.access.as_str(), tokens.refresh_token()] {
            let params = token(text).also("token_type_hint", hint);
            let answer = site.form_of("web", PATH, params).await;
            assert_eq!(answer.json()["active"], true, "{hint}");
        }
    }
}

/// INTRO-04, CC-01: the credentials of an API are good for introspection, and for nothing else.
#[actix_web::test]
async fn an_api_s_credentials_buy_nothing() {
    let site = apis::site().await;
    let tokens = site.flow("web").await;
    let browser = site.browser_of("alice").await;
    let code = browser.code(&request("web")).await;
    let rows = site.rows();
    for params in [redemption(&code), refreshing(tokens.refresh_token()), client_credentials()] {
        site.token("rs", params).await.assert_json_error(400, "unauthorized_client");
    }
    let asked = request("web").set("client_id", "rs");
    browser.authorize(&asked).await.assert_error_page(400);
    assert_eq!(site.rows(), rows);
}

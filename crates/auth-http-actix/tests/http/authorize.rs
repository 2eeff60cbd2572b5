//! The authorization endpoint: channels, methods and what an answer may carry.

use crate::harness::{Params, Site, request};
use actix_web::http::{Method, header};
use actix_web::test::TestRequest;
use auth_testkit::sample;

const AUTHORIZE: &str = "/oauth/authorize";

/// AUTHZ-01, AUTHZ-02, AUTHZ-16: both lead to the same page, by way of 303 only.
#[actix_web::test]
async fn get_and_post_reach_the_same_sign_in_page() {
    let site = Site::new().await;
    let by_get = site.browser();
    let page_by_get = by_get.follow(by_get.authorize(&request("web")).await).await;
    let by_post = site.browser();
    let parked = by_post.post(AUTHORIZE, &request("web")).await;
    assert_eq!(parked.status, 303);
    let location = parked.header("location").unwrap().to_owned();
    assert!(location.starts_with("/oauth/authorize?"), "{location}");
    let page_by_post = by_post.follow(parked).await;
    for page in [&page_by_get, &page_by_post] {
        assert!(page.is_sign_in_page(), "{page:?}");
        assert_eq!(page.find("main strong"), ["The web client"]);
    }
    let names = |fields: Params| fields.0.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(page_by_get.form().fields), names(page_by_post.form().fields));
}

/// AUTHZ-02: a form of another site brings no cookies, yet finds the session one redirect later.
#[actix_web::test]
async fn a_cross_site_post_finds_the_session_on_the_following_get() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    let cross_site = TestRequest::post()
        .uri(AUTHORIZE)
        .insert_header((header::ORIGIN, "https://rp.test"))
        .insert_header(("Sec-Fetch-Site", "cross-site"))
        .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
        .set_payload(request("web").set("state", "a&b=c+d é").encode());
    let parked = site.send(cross_site).await;
    assert!(parked.cookies().is_empty());
    let answer = browser.follow(parked).await;
    assert!(!answer.code().is_empty());
    assert_eq!(answer.client_redirect().get("state"), Some("a&b=c+d é"));
}

/// AUTHZ-01, UI-25
#[actix_web::test]
async fn a_post_of_another_media_type_gets_the_error_page() {
    let site = Site::new().await;
    let form = request("web").encode();
    let json = r#"{"client_id":"web","response_type":"code"}"#.to_owned();
    for (media_type, body) in [
        ("application/json", json),
        ("text/plain", form.clone()),
        ("multipart/form-data; boundary=x", form.clone()),
        ("application/x-www-form-urlencoded; charset=latin1", form),
    ] {
        let post = TestRequest::post()
            .uri(AUTHORIZE)
            .insert_header((header::CONTENT_TYPE, media_type))
            .set_payload(body);
        site.send(post).await.assert_error_page(400);
    }
    let nothing_said = TestRequest::post().uri(AUTHORIZE).set_payload("client_id=web");
    site.send(nothing_said).await.assert_error_page(400);
}

/// AUTHZ-03: nothing but the answer's own parameters comes back.
#[actix_web::test]
async fn unknown_parameters_are_ignored_and_not_echoed() {
    let site = Site::new().await;
    let strange = request("web")
        .also("foo", "bar")
        .also("code", "x")
        .also("access_token", "y")
        .also("iss", "https://evil.test")
        .also("error", "server_error");
    let answer = site.browser_of("alice").await.approve(&strange).await;
    let redirect = answer.client_redirect();
    assert_eq!(redirect.names(), ["code", "state", "iss"]);
    assert_ne!(redirect.get("code"), Some("x"));
}

/// AUTHZ-06
#[actix_web::test]
async fn the_query_of_a_post_is_not_read() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    for (name, evil) in [
        ("redirect_uri", "https://evil.test/cb"),
        ("redirect_uri", "https://rp.test/cb2?fixed=1"),
        ("client_id", "evil"),
        ("state", "theirs"),
        ("scope", "bogus"),
    ] {
        let target = format!("{AUTHORIZE}?{}", Params::of(&[(name, evil)]).encode());
        let answer = browser.follow(browser.post(&target, &request("web")).await).await;
        let redirect = answer.client_redirect();
        assert_eq!(redirect.base, "https://rp.test/cb", "{name}={evil}");
        assert_eq!(redirect.get("state"), Some("st"), "{name}={evil}");
        assert!(redirect.get("code").is_some(), "{name}={evil}");
    }
    let nothing_in_the_body = format!("{AUTHORIZE}?{}", request("web").encode());
    let answer = browser.post(&nothing_in_the_body, &Params::default()).await;
    browser.follow(answer).await.assert_error_page(400);
}

/// AUTHZ-06: a redirect URI of the query cannot stand in for one that the body left out.
#[actix_web::test]
async fn the_query_of_a_post_does_not_fill_gaps() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let target = format!("{AUTHORIZE}?redirect_uri=https%3A%2F%2Frp.test%2Fcb");
    let gap = request("web").without("redirect_uri");
    let answer = browser.post(&target, &gap).await;
    browser.follow(answer).await.assert_error_page(400);
}

/// AUTHZ-12
#[actix_web::test]
async fn a_registered_query_is_kept() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let with_query = request("web").set("redirect_uri", "https://rp.test/cb2?fixed=1");
    let success = browser.approve(&with_query).await;
    let location = success.header("location").unwrap();
    assert!(location.starts_with("https://rp.test/cb2?fixed=1&code="), "{location}");
    let error = browser.authorize(&with_query.set("scope", "bogus")).await;
    let location = error.header("location").unwrap();
    assert!(location.starts_with("https://rp.test/cb2?fixed=1&error=invalid_scope&"), "{location}");
}

/// CODE-01, UI-24: the answer's own parameters and nothing else, on every redirect URI.
#[actix_web::test]
async fn every_redirect_names_the_issuer() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    for (client, uri) in [
        ("web", "https://rp.test/cb"),
        ("pub", "http://127.0.0.1:49152/cb"),
        ("pub", "http://[::1]:1/cb"),
        ("pub", "com.example.app:/cb"),
        ("spa", "https://spa.test/cb"),
    ] {
        let params = request(client).set("redirect_uri", uri);
        let success = browser.approve(&params).await.client_redirect();
        assert_eq!(success.base, uri);
        assert_eq!(success.names(), ["code", "state", "iss"]);
        assert_eq!(success.get("iss"), Some(sample::ISSUER));
        let error = browser.authorize(&params.set("response_type", "token")).await;
        error.assert_error_redirect(uri, "unsupported_response_type");
        assert_eq!(error.client_redirect().get("iss"), Some(sample::ISSUER));
    }
}

/// AUTHZ-15: no other origin reads what is here.
#[actix_web::test]
async fn people_s_endpoints_send_no_cors_headers() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.consent_page(&request("web")).await;
    let interaction = page.attributes("a", "href").remove(0);
    let interaction = interaction.replace("/login?interaction=", "/oauth/interaction/");
    let authorize = format!("{AUTHORIZE}?{}", request("web").encode());
    for target in [
        authorize.as_str(),
        &interaction,
        "/v1/auth/authorize",
        "/oauth/consent",
        "/login",
        "/logout",
        "/",
    ] {
        for method in [Method::GET, Method::OPTIONS, Method::POST] {
            let request = TestRequest::default()
                .method(method.clone())
                .uri(target)
                .insert_header((header::ORIGIN, "https://evil.test"))
                .insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "POST"))
                .insert_header((header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type"));
            let answer = browser.send(request).await;
            let names = answer.headers.keys().map(|name| name.as_str());
            let cors: Vec<&str> =
                names.filter(|name| name.starts_with("access-control-")).collect();
            assert!(cors.is_empty(), "{method} {target}: {cors:?}");
            assert!(method != Method::OPTIONS || answer.status == 405, "{target}");
        }
    }
}

/// AUTHZ-08, META-06: what the server does not offer yields neither token nor code.
#[actix_web::test]
async fn no_token_leaves_through_the_authorization_endpoint() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    for response_type in ["token", "id_token token", "code token", "token code", "none"] {
        for response_mode in [None, Some("query"), Some("fragment")] {
            let mut params = request("web").set("response_type", response_type);
            if let Some(mode) = response_mode {
                params = params.also("response_mode", mode);
            }
            let answer = browser.authorize(&params).await;
            let location = answer.header("location").unwrap_or_default();
            assert!(!location.contains('#') && !location.contains("code="), "{location}");
        }
    }
    assert!(site.kit.store.edit(|data| data.access.is_empty()));
}

//! The `/v1/auth` API: the same server under its other documented names.

use crate::harness::{Params, Site, redemption, request};
use actix_web::http::header;
use actix_web::test::TestRequest;
use auth_core::redirect_uri::RegisteredRedirectUri;
use auth_testkit::sample;

const AUTHORIZE: &str = "/v1/auth/authorize";

/// The six documented parameters of a client's request.
fn six(client: &str) -> Params {
    request(client).without("response_type")
}

fn target(params: &Params) -> String {
    format!("{AUTHORIZE}?{}", params.encode())
}

/// AUTHZ-07: here an absent `response_type` means `code`; a wrong one is as wrong as elsewhere.
#[actix_web::test]
async fn response_type_may_be_absent_here_only() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.get(&target(&six("web"))).await;
    assert!(page.is_consent_page());
    browser.decide(&page, "approve").await.code();
    for params in [six("web"), six("web").also("response_type", ""), request("web")] {
        browser.get(&target(&params)).await.code();
    }
    let token = browser.get(&target(&six("web").also("response_type", "token"))).await;
    token.assert_error_redirect("https://rp.test/cb", "unsupported_response_type");
    let elsewhere = browser.authorize(&six("web")).await;
    elsewhere.assert_error_redirect("https://rp.test/cb", "invalid_request");
}

/// META-06, AUTHZ-02: sign-in, consent, code, tokens, and next time at once; also by POST.
#[actix_web::test]
async fn the_whole_flow() {
    let site = Site::new().await;
    site.kit.update_client("web", |web| {
        web.redirect_uris =
            vec![RegisteredRedirectUri::parse("http://localhost:8765/callback").unwrap()];
    });
    let browser = site.browser();
    let uri = "http://localhost:8765/callback";
    let params = six("web").set("redirect_uri", uri);
    let page = browser.follow(browser.get(&target(&params)).await).await;
    assert!(page.is_sign_in_page());
    let consent = browser.sign_in_on(&page, "alice").await;
    assert!(consent.is_consent_page());
    let answer = browser.decide(&consent, "approve").await;
    let redirect = answer.client_redirect();
    assert_eq!((redirect.base.as_str(), redirect.names()), (uri, vec!["code", "state", "iss"]));
    // All that this API documents, in one body.
    let body = redemption(&answer.code())
        .also("client_id", "web")
        .also("redirect_uri", uri)
        .also("client_secret", "web-secret");
    site.kit.update_client("web", |web| web.auth_method = None);
    let post = TestRequest::post()
        .uri("/v1/auth/token")
        .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
        .set_payload(body.encode());
    let tokens = site.send(post).await.tokens();
    assert_eq!(tokens.scope, "api.read api.write");
    site.refresh("web", tokens.refresh_token()).await.tokens();
    browser.get(&target(&params)).await.code();
    let parked = browser.post(AUTHORIZE, &params).await;
    assert!(parked.header("location").unwrap().starts_with("/v1/auth/authorize?"));
    browser.follow(parked).await.code();
}

/// PKCE-01: optional for a confidential client, whose redemption then names the redirect URI.
#[actix_web::test]
async fn a_confidential_client_needs_no_pkce() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let params = six("post").without("code_challenge").without("code_challenge_method");
    let page = browser.get(&target(&params)).await;
    let code = browser.decide(&page, "approve").await.code();
    let body = redemption(&code)
        .without("code_verifier")
        .also("redirect_uri", "https://post.test/cb")
        .also("client_id", "post")
        .also("client_secret", "post-secret");
    let post = TestRequest::post()
        .uri("/v1/auth/token")
        .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
        .set_payload(body.encode());
    site.send(post).await.tokens();
    let public = six("spa").without("code_challenge").without("code_challenge_method");
    let answer = browser.get(&target(&public)).await;
    answer.assert_error_redirect("https://spa.test/cb", "invalid_request");
}

/// AUTHZ-23: the consent form may repeat the six fields; each must then be what was asked for.
#[actix_web::test]
async fn the_consent_form_may_repeat_the_request() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let six = six("web");
    let page = browser.get(&target(&six)).await;
    let form = page.form();
    assert_eq!(form.action, "/v1/auth/consent");
    let with = |repeated: Params, decision: &str| {
        let fields = form.fields.0.iter().cloned().chain(repeated.0);
        Params(fields.collect()).also("decision", decision)
    };
    for (name, _) in &six.0 {
        let changed = with(six.clone().set(name, "changed"), "approve");
        browser.post(&form.action, &changed).await.assert_error_page(400);
        let value = six.all(name)[0].to_owned();
        let twice = with(six.clone().also(name, &value), "approve");
        browser.post(&form.action, &twice).await.assert_error_page(400);
    }
    let narrowed = with(six.clone().set("scope", "api.read"), "approve");
    browser.post(&form.action, &narrowed).await.assert_error_page(400);
    browser.post(&form.action, &with(six.clone(), "")).await.assert_error_page(400);
    // Scopes are a set, and nobody has to repeat anything.
    let reordered = with(six.clone().set("scope", "api.write api.read"), "approve");
    browser.post(&form.action, &reordered).await.code();
    let page = browser.get(&target(&six.also("prompt", "consent"))).await;
    let denied = browser.decide(&page, "deny").await;
    denied.assert_error_redirect("https://rp.test/cb", "access_denied");
    assert_eq!(denied.client_redirect().get("state"), Some("st"));
}

/// CODE-08, META-06: codes and tokens of one API are good at the other.
#[actix_web::test]
async fn both_apis_share_codes_and_tokens() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let page = browser.get(&target(&six("web"))).await;
    let code = browser.decide(&page, "approve").await.code();
    site.redeem("web", &code).await.tokens();
    let code = browser.code(&request("web")).await;
    let post = TestRequest::post()
        .uri("/v1/auth/token")
        .insert_header((header::AUTHORIZATION, sample::basic("web")))
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .set_payload(format!(
            r#"{{"grant_type":"authorization_code","code":"{code}","code_verifier":"{}"}}"#,
            sample::VERIFIER
        ));
    site.send(post).await.tokens();
    site.redeem("web", &code).await.assert_json_error(400, "invalid_grant");
}

/// TOKEN-09: the errors that this API documents.
#[actix_web::test]
async fn errors_are_400_and_401_for_the_client() {
    let site = Site::new().await;
    let send = |params: Params| {
        let post = TestRequest::post()
            .uri("/v1/auth/token")
            .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .set_payload(params.encode());
        site.send(post)
    };
    let credentials =
        redemption("x").also("client_id", "post").also("client_secret", "post-secret");
    send(credentials.clone()).await.assert_json_error(400, "invalid_grant");
    send(credentials.set("client_secret", "x")).await.assert_json_error(401, "invalid_client");
    send(Params::default()).await.assert_json_error(400, "invalid_request");
    for bad in [six("web").without("client_id"), six("web").set("redirect_uri", "https://x.test/")]
    {
        site.get(&target(&bad)).await.assert_error_page(400);
    }
    let browser = site.browser_of("alice").await;
    browser.post("/v1/auth/consent", &six("web")).await.assert_error_page(400);
    let json = TestRequest::post()
        .uri("/v1/auth/consent")
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .set_payload("{}");
    browser.send(json).await.assert_error_page(400);
}

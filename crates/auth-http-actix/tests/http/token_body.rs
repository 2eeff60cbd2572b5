//! Bodies of token requests: media types, notations, sizes, bytes.

use crate::answer::Answer;
use crate::apis::{self, API, at};
use crate::harness::{Params, Site, redemption, request};
use actix_web::http::header;
use actix_web::test::TestRequest;
use auth_testkit::sample;
use serde_json::json;

async fn post(site: &Site, media_type: Option<&str>, body: impl Into<Vec<u8>>) -> Answer {
    let mut request = TestRequest::post()
        .uri("/oauth/token")
        .insert_header((header::AUTHORIZATION, sample::basic("web")))
        .set_payload(body.into());
    if let Some(media_type) = media_type {
        request = request.insert_header((header::CONTENT_TYPE, media_type));
    }
    site.send(request).await
}

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const JSON: Option<&str> = Some("application/json");

/// TOKEN-02
#[actix_web::test]
async fn a_form_is_named_as_one() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let code = browser.code(&request("web")).await;
    let body = redemption(&code).encode();
    for other in [
        None,
        Some(""),
        Some("text/plain"),
        Some("multipart/form-data; boundary=x"),
        Some("application/x-www-form-urlencoded-x"),
        Some("application/x-www-form-urlencoded; charset=iso-8859-1"),
        Some("application/x-www-form-urlencoded, application/json"),
        Some("application/xml"),
        Some("application/jwt"),
    ] {
        post(&site, other, body.clone()).await.assert_json_error(415, "invalid_request");
    }
    for second in ["text/plain", "application/x-www-form-urlencoded"] {
        let twice = TestRequest::post()
            .uri("/oauth/token")
            .insert_header((header::AUTHORIZATION, sample::basic("web")))
            .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .append_header((header::CONTENT_TYPE, second))
            .set_payload(body.clone());
        site.send(twice).await.assert_json_error(415, "invalid_request");
    }
    for good in [
        "application/x-www-form-urlencoded; charset=UTF-8",
        "application/x-www-form-urlencoded;charset=\"utf-8\"",
        "APPLICATION/X-WWW-FORM-URLENCODED",
    ] {
        let code = browser.code(&request("web")).await;
        post(&site, Some(good), redemption(&code).encode()).await.tokens();
    }
    post(&site, FORM, body).await.tokens();
}

/// TOKEN-02: the same names as JSON strings, for both grants.
#[actix_web::test]
async fn a_flat_json_object_is_as_good() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let body = |code: &str| json!({ "grant_type": "authorization_code", "code": code, "code_verifier": sample::VERIFIER });
    let code = browser.code(&request("web")).await;
    let tokens = post(&site, JSON, body(&code).to_string()).await.tokens();
    let refresh =
        json!({ "grant_type": "refresh_token", "refresh_token": tokens.refresh, "foo": "" });
    post(&site, Some("application/json; charset=utf-8"), refresh.to_string()).await.tokens();
    // Credentials may stand in it too, and a public client names itself.
    for (client, secret) in [("post", Some("post-secret")), ("pub", None)] {
        let mut body = body(&browser.code(&request(client)).await);
        body["client_id"] = client.into();
        if let Some(secret) = secret {
            body["client_secret"] = secret.into();
        }
        let request = TestRequest::post()
            .uri("/oauth/token")
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .set_payload(body.to_string());
        site.send(request).await.tokens();
    }
}

/// TOKEN-02, XC-02
#[actix_web::test]
async fn json_of_another_shape_is_refused() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let good = json!({
        "grant_type": "authorization_code", "code": code, "code_verifier": sample::VERIFIER,
    });
    for strange in [json!(1), json!(null), json!(true), json!(["x"]), json!({"x": "y"})] {
        for name in ["code", "foo"] {
            let mut body = good.clone();
            body[name] = strange.clone();
            let answer = post(&site, JSON, body.to_string()).await;
            answer.assert_json_error(400, "invalid_request");
        }
    }
    let text = good.to_string();
    let deep = format!("{{\"foo\":{}", "[".repeat(30_000));
    for bad in [
        "",
        "null",
        "[]",
        "\"x\"",
        "{",
        "{}",
        "{\"grant_type\":\"authorization_code\"",
        &format!("{text} x"),
        &format!("{text}{text}"),
        &format!("[{text}]"),
        &text.replace("\"code\"", "\"code\":\"x\",\"code\""),
        &text.replace("\"code\"", "\"resource\":\"x\",\"resource\":\"x\",\"code\""),
        &deep,
        "\u{feff}{}",
        "{\"a\":\"\\ud800\"}",
    ] {
        post(&site, JSON, bad).await.assert_json_error(400, "invalid_request");
    }
    post(&site, JSON, &b"{\"code\":\"\xff\"}"[..]).await.assert_json_error(400, "invalid_request");
    post(&site, JSON, text).await.tokens();
}

/// TOKEN-06
#[actix_web::test]
async fn a_repeated_parameter_is_refused_even_if_the_copies_are_equal() {
    let site = apis::site().await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("code_verifier", sample::VERIFIER),
        ("redirect_uri", "https://rp.test/cb"),
        ("refresh_token", "x"),
        ("scope", "api.read"),
        ("client_id", "web"),
        ("client_secret", "web-secret"),
        ("client_assertion", "x"),
        ("client_assertion_type", "x"),
    ] {
        for second in [value, "", "other"] {
            let twice = redemption(&code).set(name, value).also(name, second);
            site.token("web", twice).await.assert_json_error(400, "invalid_request");
        }
    }
    let repeatable = redemption(&code).also("audience", "x").also("audience", "x");
    site.token("web", at(repeatable, &[API, API])).await.tokens();
}

/// TOKEN-13
#[actix_web::test]
async fn sizes_are_bounded() {
    let site = Site::new().await;
    let fill = |length: usize| redemption("x").also("foo", &"x".repeat(length)).encode();
    let edge = 64 * 1024 - fill(0).len();
    post(&site, FORM, fill(edge)).await.assert_json_error(400, "invalid_grant");
    for length in [edge + 1, 1_000_000, 5_000_000] {
        for media_type in [FORM, JSON, Some("text/plain")] {
            post(&site, media_type, fill(length)).await.assert_json_error(413, "invalid_request");
        }
    }
    let many = |count: usize| {
        let names = (0..count).map(|it| (format!("p{it}"), String::new()));
        Params(redemption("x").0.into_iter().chain(names).collect()).encode()
    };
    post(&site, FORM, many(97)).await.assert_json_error(400, "invalid_grant");
    post(&site, FORM, many(98)).await.assert_json_error(400, "invalid_request");
    post(&site, FORM, "a&".repeat(30_000)).await.assert_json_error(400, "invalid_request");
}

/// TOKEN-14
#[actix_web::test]
async fn what_does_not_decode_is_refused() {
    let site = Site::new().await;
    let good = redemption("x").encode();
    for bad in [
        &b"foo=%"[..],
        b"foo=%z",
        b"foo=%zz",
        b"foo=%4",
        b"%=x",
        b"foo=\xff",
        b"foo=%ff",
        b"foo=%c0%80",
        b"foo=\xc0\x80",
        b"foo=%ed%a0%80",
        b"foo=%e2%82",
        b"\xff\xfe=",
    ] {
        let body = [good.as_bytes(), b"&", bad].concat();
        let answer = post(&site, FORM, body).await;
        answer.assert_json_error(400, "invalid_request");
        assert_eq!(answer.json()["error_description"], "the parameters are not form-encoded UTF-8");
    }
    for fine in ["&", "&&&", "&=&", "&=x", "&foo", "&foo=%00", "&foo=a=b", "&foo=%F0%9F%94%91"] {
        let answer = post(&site, FORM, format!("{good}{fine}")).await;
        answer.assert_json_error(400, "invalid_grant");
    }
}

//! The rules that an authorization request is held against, and which of two faults decides.

use crate::apis::{self, API, at};
use crate::browser::Browser;
use crate::harness::{Params, Site, request};
use auth_core::client::GrantType;
use auth_core::timestamp::Timestamp;
use auth_testkit::{TestServer, sample};
use std::fmt::Write as _;

const CB: &str = "https://rp.test/cb";

/// A browser for which every good request of `web` is answered with a code at once: whatever is
/// refused here is refused for its own sake.
async fn consented(site: &Site) -> Browser {
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    browser.authorize(&request("web")).await.code();
    browser
}

/// AUTHZ-04
#[actix_web::test]
async fn an_empty_parameter_counts_as_absent_but_weakens_nothing() {
    let site = Site::new().await;
    let browser = consented(&site).await;
    let empty = |name| request("web").set(name, "");
    let no_scope = browser.authorize(&empty("scope")).await.code();
    assert_eq!(site.redeem("web", &no_scope).await.tokens().scope, "api.read");
    assert_eq!(browser.authorize(&empty("state")).await.client_redirect().get("state"), None);
    browser.authorize(&empty("code_challenge_method")).await.code();
    browser.authorize(&empty("prompt").also("response_mode", "")).await.code();
    for (name, error) in
        [("code_challenge", "invalid_request"), ("response_type", "invalid_request")]
    {
        browser.authorize(&empty(name)).await.assert_error_redirect(CB, error);
    }
    let no_challenge = empty("code_challenge").without("code_challenge_method");
    browser.authorize(&no_challenge).await.assert_error_redirect(CB, "invalid_request");
    let only_method = request("web").without("code_challenge");
    browser.authorize(&only_method).await.assert_error_redirect(CB, "invalid_request");
    browser.authorize(&empty("redirect_uri")).await.assert_error_page(400);
    browser.authorize(&empty("client_id")).await.assert_error_page(400);
}

/// AUTHZ-05
#[actix_web::test]
async fn a_repeated_parameter_is_refused_even_if_the_copies_are_equal() {
    let site = apis::site().await;
    let browser = consented(&site).await;
    let defined = [
        ("response_type", "code"),
        ("scope", "api.read"),
        ("state", "st"),
        ("code_challenge", sample::CHALLENGE),
        ("code_challenge_method", "S256"),
        ("nonce", "n"),
        ("prompt", "login"),
        ("max_age", "1"),
        ("response_mode", "query"),
        ("login_hint", "alice"),
        ("claims", "{}"),
    ];
    for (name, value) in defined {
        for second in [value, "other", ""] {
            let twice = request("web").set(name, value).also(name, second);
            let answer = browser.authorize(&twice).await;
            answer.assert_error_redirect(CB, "invalid_request");
            let state = (name != "state").then_some("st");
            assert_eq!(answer.client_redirect().get("state"), state, "{name}");
        }
    }
    for (name, value) in
        [("client_id", "web"), ("redirect_uri", CB), ("request", "x"), ("request_uri", "x")]
    {
        let twice = request("web").set(name, value).also(name, value);
        browser.authorize(&twice).await.assert_error_page(400);
    }
    browser.authorize(&at(request("web"), &[API, API])).await.code();
}

/// AUTHZ-07
#[actix_web::test]
async fn only_the_code_response_type_is_known() {
    let site = Site::new().await;
    let browser = consented(&site).await;
    let missing = request("web").without("response_type");
    browser.authorize(&missing).await.assert_error_redirect(CB, "invalid_request");
    for other in [
        "token",
        "id_token",
        "code token",
        "code id_token",
        "CODE",
        "code ",
        " code",
        "foo",
        "code\0",
    ] {
        let answer = browser.authorize(&request("web").set("response_type", other)).await;
        answer.assert_error_redirect(CB, "unsupported_response_type");
    }
}

/// AUTHZ-07
#[actix_web::test]
async fn a_client_without_the_grant_is_unauthorized() {
    let site = Site::new().await;
    let browser = consented(&site).await;
    site.kit.update_client("web", |web| {
        web.grant_types.remove(&GrantType::AuthorizationCode);
    });
    let answer = browser.authorize(&request("web")).await;
    answer.assert_error_redirect(CB, "unauthorized_client");
}

/// AUTHZ-09
#[actix_web::test]
async fn a_missing_unknown_or_disabled_client_gets_the_page() {
    let site = Site::new().await;
    let browser = consented(&site).await;
    browser.authorize(&request("web").without("client_id")).await.assert_error_page(400);
    for unknown in ["nobody", "WEB", "web ", " web", "we"] {
        let answer = browser.authorize(&request("web").set("client_id", unknown)).await;
        answer.assert_error_page(400);
    }
    site.kit.update_client("web", |web| {
        web.disabled_at = Some(Timestamp::from_unix(1));
    });
    browser.authorize(&request("web")).await.assert_error_page(400);
}

/// AUTHZ-10: nothing else that is wrong with a request, and no silence asked for, makes a bad
/// redirect URI a target.
#[actix_web::test]
async fn a_bad_redirect_uri_wins_over_every_other_fault() {
    let site = Site::new().await;
    let browser = consented(&site).await;
    let bad = request("web").set("redirect_uri", "https://evil.test/cb");
    let faults: [Params; 9] = [
        bad.clone(),
        bad.clone().set("response_type", "token"),
        bad.clone().set("scope", "bogus"),
        bad.clone().without("code_challenge"),
        bad.clone().set("prompt", "none"),
        bad.clone().set("request", "eyJ"),
        bad.clone().set("request_uri", "urn:ietf:params:oauth:request_uri:gone"),
        bad.clone().also("state", "again"),
        bad.set("response_mode", "foo"),
    ];
    for params in &faults {
        browser.authorize(params).await.assert_error_page(400);
        site.browser().authorize(params).await.assert_error_page(400);
    }
}

/// AUTHZ-11: byte for byte, on success and on every error. The harness compares.
#[actix_web::test]
async fn state_comes_back_byte_for_byte() {
    let site = Site::new().await;
    let browser = consented(&site).await;
    let long = "x".repeat(2048);
    for state in [
        "+ %20 & = # ' \" < > \\ ;",
        "%0d%0aSet-Cookie: a=b",
        "\r\nSet-Cookie: a=b\r\n\r\n<script>",
        "é 漢 \u{1f511} \u{202e}",
        r#"{"next":"/a?b=c","n":[1,2]}"#,
        "a\0b",
        " ",
        "?code=1&iss=https://evil.test",
        &long,
    ] {
        let params = request("web").set("state", state);
        let success = browser.authorize(&params).await;
        assert_eq!(success.client_redirect().get("state"), Some(state));
        assert!(success.cookies().is_empty());
        for (name, bad) in [("scope", "bogus"), ("response_type", "x"), ("code_challenge", "x")] {
            let error = browser.authorize(&params.clone().set(name, bad)).await;
            assert_eq!(error.client_redirect().get("state"), Some(state));
        }
        let silent = site.browser().authorize(&params.set("prompt", "none")).await;
        silent.assert_error_redirect(CB, "login_required");
    }
}

/// AUTHZ-18: the one mode of the metadata, and no other.
#[actix_web::test]
async fn an_unsupported_response_mode_gets_the_page() {
    let site = Site::new().await;
    let browser = consented(&site).await;
    let mode = |mode| request("web").set("response_mode", mode);
    browser.authorize(&mode("query")).await.code();
    for other in ["foo", "fragment", "form_post", "web_message", "query.jwt", "jwt", "QUERY"] {
        browser.authorize(&mode(other)).await.assert_error_page(400);
        let silent = mode(other).set("prompt", "none").set("scope", "bogus");
        browser.authorize(&silent).await.assert_error_page(400);
    }
}

/// AUTHZ-20
#[actix_web::test]
async fn request_objects_are_refused() {
    let site = Site::new().await;
    let browser = consented(&site).await;
    for (name, value, error) in [
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", "http://169.254.169.254/", "request_uri_not_supported"),
        ("request_uri", "https://listener.test/x", "request_uri_not_supported"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", "request_uri_not_supported"),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let answer = browser.authorize(&request("web").set(name, value)).await;
        answer.assert_error_redirect(CB, error);
    }
}

/// Scopes are asked for exactly; what nobody may grant is refused, not dropped (RFC 6749 §4.1.2.1).
#[actix_web::test]
async fn a_scope_that_is_malformed_unknown_or_not_allowed_is_refused() {
    let site = Site::new().await;
    let browser = consented(&site).await;
    let scope = |scope: &str| request("web").set("scope", scope);
    for bad in [
        "bogus",
        "api.read bogus",
        "API.READ",
        "api.read  api.write",
        " api.read",
        "api.read\tapi.write",
        "api.read\"",
        "é",
        "openid",
    ] {
        let answer = browser.authorize(&scope(bad)).await;
        answer.assert_error_redirect(CB, "invalid_scope");
    }
    let repeated = browser.authorize(&scope("api.read api.read")).await.code();
    assert_eq!(site.redeem("web", &repeated).await.tokens().scope, "api.read");
    site.kit.update_client("web", |web| web.scope = sample::scope("api.write"));
    browser.authorize(&scope("api.read")).await.assert_error_redirect(CB, "invalid_scope");
    // The default scope is not this client's, so there is none to fall back on.
    let none = request("web").without("scope");
    browser.authorize(&none).await.assert_error_redirect(CB, "invalid_scope");
}

/// AUTHZ-05, AUTHZ-10, AUTHZ-18: each fault hides all that come after it.
#[actix_web::test]
async fn of_two_faults_the_earlier_rule_decides() {
    let site = Site::over(&TestServer::new()).await;
    let browser = consented(&site).await;
    site.kit.update_client("web", |web| {
        web.grant_types.remove(&GrantType::AuthorizationCode);
        web.require_pkce = true;
    });
    // From the last rule to the first; each step adds an earlier fault.
    let mut params = request("web");
    let mut expect = async |change: &dyn Fn(Params) -> Params, error: Option<&str>| {
        params = change(params.clone());
        let answer = browser.authorize(&params).await;
        match error {
            Some(error) => answer.assert_error_redirect(CB, error),
            None => answer.assert_error_page(400),
        }
    };
    expect(&|it| it, Some("unauthorized_client")).await;
    expect(&|it| it.set("scope", "bogus"), Some("invalid_scope")).await;
    expect(&|it| it.set("code_challenge", "short"), Some("invalid_request")).await;
    expect(&|it| it.set("response_type", "token"), Some("unsupported_response_type")).await;
    expect(&|it| it.set("response_mode", "foo"), None).await;
    expect(
        &|it| it.set("response_mode", "query").also("nonce", "1").also("nonce", "2"),
        Some("invalid_request"),
    )
    .await;
    expect(&|it| it.set("redirect_uri", "https://evil.test/cb"), None).await;
    expect(&|it| it.set("client_id", "nobody"), None).await;
}

/// AUTHZ-14: every refusal that goes to a client, as it reads there.
#[actix_web::test]
async fn error_redirects_word_by_word() {
    let site = Site::new().await;
    let browser = consented(&site).await;
    site.kit.update_client("post", |post| {
        post.grant_types.remove(&GrantType::AuthorizationCode);
    });
    site.kit.update_client("spa", |spa| spa.scope = sample::scope("profile"));
    let web = || request("web");
    let mut told = String::new();
    for (what, params) in [
        ("a repeated parameter", web().also("nonce", "1").also("nonce", "2")),
        ("a request object", web().also("request", "x")),
        ("a request_uri", web().also("request_uri", "x")),
        ("a registration", web().also("registration", "x")),
        ("no response_type", web().without("response_type")),
        ("another response_type", web().set("response_type", "token")),
        ("no challenge", request("pub").without("code_challenge").without("code_challenge_method")),
        ("an empty challenge", web().set("code_challenge", "")),
        ("a malformed challenge", web().set("code_challenge", "x")),
        ("another method", web().set("code_challenge_method", "plain")),
        ("an unknown prompt", web().set("prompt", "x")),
        ("a contradictory prompt", web().set("prompt", "none login")),
        ("a malformed scope", web().set("scope", "\"")),
        ("an unknown scope", web().set("scope", "x")),
        ("no scope to fall back on", request("spa").without("scope")),
        ("a client without the grant", request("post")),
        ("silence without consent", request("evil").set("prompt", "none")),
    ] {
        let redirect = browser.authorize(&params).await.client_redirect();
        let words = ["error", "error_description"].map(|name| redirect.get(name).unwrap());
        let _ = writeln!(told, "{what}: {}: {}", words[0], words[1]);
    }
    let silent = site.browser().authorize(&web().set("prompt", "none")).await.client_redirect();
    let _ = writeln!(told, "silence without a session: {}", silent.get("error").unwrap());
    insta::assert_snapshot!(told);
}

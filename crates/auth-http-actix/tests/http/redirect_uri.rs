//! Redirect URIs, as requests name them.

use crate::harness::{Site, redemption, request};
use auth_core::policy::Policy;
use auth_core::redirect_uri::RegisteredRedirectUri;
use auth_testkit::sample;

/// REDIR-01
#[actix_web::test]
async fn a_variant_of_a_registered_uri_gets_the_page() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    for variant in [
        "https://rp.test/cb/",
        "https://RP.test/cb",
        "HTTPS://rp.test/cb",
        "https://rp.test:443/cb",
        "https://rp.test/cb?",
        "https://rp.test/cb?x=1",
        "https://rp.test/cb;x=1",
        "https://rp.test/cb#",
        "https://rp.test/cb#x",
        "https://rp.test/%63b",
        "https://rp.test/./cb",
        "https://rp.test/x/../cb",
        "https://rp.test//cb",
        "https://rp.test\\cb",
        "https:\\\\rp.test\\cb",
        "https://u@rp.test/cb",
        "https://rp.test.evil.test/cb",
        "https://evil.test/https://rp.test/cb",
        "https://rp.test@evil.test/cb",
        "https://rp.test%2eevil.test/cb",
        "https://rp.test./cb",
        " https://rp.test/cb",
        "https://rp.test/cb ",
        "https://rp.test/cb\t",
        "https://rp.test/cb\n",
        "https://rp.test/CB",
        "https://rp.test/c",
        "https://rp.test/cb2",
        "https://rp.test/cb2?fixed=2",
        "https://rp.test/cb2?fixed=1&more=2",
        "http://rp.test/cb",
        "//rp.test/cb",
        "https://r\u{440}.test/cb",
        "https://xn--r-6tb.test/cb",
        "https://rpXtest/cb",
    ] {
        let answer = browser.authorize(&request("web").set("redirect_uri", variant)).await;
        answer.assert_error_page(400);
    }
}

/// REDIR-02, UI-03
#[actix_web::test]
async fn a_loopback_address_matches_on_any_port_and_nothing_else() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let asked = |uri: &str| request("pub").set("redirect_uri", uri);
    for good in [
        "http://127.0.0.1/cb",
        "http://127.0.0.1:49152/cb",
        "http://127.0.0.1:65535/cb",
        "http://[::1]:1/cb",
    ] {
        let answer = browser.approve(&asked(good)).await;
        assert_eq!(answer.client_redirect().base, good);
        answer.code();
    }
    for bad in [
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:+80/cb",
        "https://127.0.0.1:5/cb",
        "http://127.0.0.1:5/cb2",
        "http://127.0.0.1:5/cb?x",
        "http://127.0.0.1:5/cb#x",
        "http://127.0.0.2:5/cb",
        "http://127.1:5/cb",
        "http://0x7f.1:5/cb",
        "http://2130706433:5/cb",
        "http://localhost:5/cb",
        "http://127.0.0.1.evil.test:5/cb",
        "http://127.0.0.1@evil.test/cb",
        "http://127.0.0.1:5@evil.test/cb",
        "http://evil.test/cb",
        "http://[::ffff:127.0.0.1]:5/cb",
        "http://[0:0:0:0:0:0:0:1]:5/cb",
        "http://[::1]:0/cb",
    ] {
        browser.authorize(&asked(bad)).await.assert_error_page(400);
    }
}

/// REDIR-03
#[actix_web::test]
async fn a_web_client_cannot_ask_for_loopback() {
    let site = Site::new().await;
    for uri in ["http://127.0.0.1:1/cb", "http://[::1]:1/cb", "http://localhost:1/cb"] {
        let answer = site.browser().authorize(&request("web").set("redirect_uri", uri)).await;
        answer.assert_error_page(400);
    }
}

/// REDIR-04
#[actix_web::test]
async fn localhost_matches_on_any_port_while_the_switch_is_on() {
    for switch in [true, false] {
        let site = Site::under(Policy { localhost_any_port: switch, ..sample::policy() }).await;
        site.kit.update_client("web", |web| {
            let uri = RegisteredRedirectUri::parse("http://localhost:8765/callback").unwrap();
            web.redirect_uris = vec![uri];
        });
        let browser = site.browser_of("alice").await;
        let asked = |uri| request("web").set("redirect_uri", uri);
        browser.approve(&asked("http://localhost:8765/callback")).await.code();
        let other = browser.authorize(&asked("http://localhost:9/callback")).await;
        match switch {
            true => assert!(!other.code().is_empty()),
            false => other.assert_error_page(400),
        }
        browser.authorize(&asked("http://127.0.0.1:8765/callback")).await.assert_error_page(400);
    }
}

/// REDIR-05
#[actix_web::test]
async fn private_scheme_uris_are_strings() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let asked = |uri| request("pub").set("redirect_uri", uri);
    browser.approve(&asked("com.example.app:/cb")).await.code();
    for other in ["com.example.app://cb", "com.example.app:cb", "COM.example.app:/cb"] {
        browser.authorize(&asked(other)).await.assert_error_page(400);
    }
}

/// REDIR-06
#[actix_web::test]
async fn a_script_scheme_is_never_redirected_to() {
    let site = Site::new().await;
    for scheme in [
        "javascript",
        "data",
        "vbscript",
        "file",
        "blob",
        "about",
        "view-source",
        "ws",
        "ftp",
        "mailto",
        "tel",
        "sms",
        "intent",
        "JavaScript",
        " javascript",
        "java\tscript",
    ] {
        for client in ["web", "pub", "spa"] {
            let uri = format!("{scheme}:/cb");
            let answer = site.browser().authorize(&request(client).set("redirect_uri", &uri)).await;
            answer.assert_error_page(400);
            assert!(!answer.text().contains(&uri));
        }
    }
}

/// REDIR-08
#[actix_web::test]
async fn an_absent_uri_is_the_only_registered_one() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let absent = |client| request(client).without("redirect_uri");
    browser.authorize(&absent("web")).await.assert_error_page(400);
    browser.authorize(&absent("pub")).await.assert_error_page(400);
    let answer = browser.approve(&absent("post")).await;
    assert_eq!(answer.client_redirect().base, "https://post.test/cb");
    site.redeem("post", &answer.code()).await.tokens();
}

/// REDIR-09
#[actix_web::test]
async fn a_dot_is_a_dot() {
    let site = Site::new().await;
    site.kit.update_client("web", |web| {
        web.redirect_uris = vec![RegisteredRedirectUri::parse("https://foo.rp.test/cb").unwrap()];
    });
    let browser = site.browser_of("alice").await;
    let asked = |uri| request("web").set("redirect_uri", uri);
    browser.approve(&asked("https://foo.rp.test/cb")).await.code();
    browser.authorize(&asked("https://fooXrp.test/cb")).await.assert_error_page(400);
    browser.authorize(&asked("https://*.rp.test/cb")).await.assert_error_page(400);
}

/// REDIR-10
#[actix_web::test]
async fn a_client_without_uris_is_sent_nowhere() {
    let site = Site::new().await;
    site.kit.update_client("web", |web| web.redirect_uris.clear());
    let browser = site.browser_of("alice").await;
    browser.authorize(&request("web")).await.assert_error_page(400);
    browser.authorize(&request("web").without("redirect_uri")).await.assert_error_page(400);
}

/// REDIR-13, CODE-09, CODE-10
#[actix_web::test]
async fn the_token_request_names_the_same_uri_or_none() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let code = browser.code(&request("web")).await;
    for wrong in [
        "https://rp.test/cb2?fixed=1",
        "https://rp.test/cb/",
        "https://evil.test/cb",
        "https%3A%2F%2Frp.test%2Fcb",
    ] {
        let params = redemption(&code).set("redirect_uri", wrong);
        site.token("web", params).await.assert_json_error(400, "invalid_grant");
    }
    site.token("web", redemption(&code)).await.tokens();
    let same = browser.code(&request("web")).await;
    let params = redemption(&same).set("redirect_uri", "https://rp.test/cb");
    site.token("web", params).await.tokens();
}

/// REDIR-13
#[actix_web::test]
async fn without_pkce_the_uri_that_was_sent_is_required() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let plain = |client| request(client).without("code_challenge").without("code_challenge_method");
    let bare = |code: &str| redemption(code).without("code_verifier");
    let code = browser.code(&plain("web")).await;
    let omitted = site.token("web", bare(&code)).await;
    omitted.assert_json_error(400, "invalid_grant");
    let empty = bare(&code).set("redirect_uri", "");
    site.token("web", empty).await.assert_json_error(400, "invalid_grant");
    let right = bare(&code).set("redirect_uri", "https://rp.test/cb");
    site.token("web", right).await.tokens();
    // Where none was sent, none is needed.
    let code = browser.code(&plain("post").without("redirect_uri")).await;
    site.token("post", bare(&code)).await.tokens();
}

/// REDIR-14
#[actix_web::test]
async fn the_loopback_port_is_part_of_the_uri_at_the_token_endpoint() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let asked = request("pub").set("redirect_uri", "http://127.0.0.1:5000/cb");
    let code = browser.code(&asked).await;
    for wrong in ["http://127.0.0.1:5001/cb", "http://127.0.0.1/cb", "http://[::1]:5000/cb"] {
        let params = redemption(&code).set("redirect_uri", wrong);
        site.token("pub", params).await.assert_json_error(400, "invalid_grant");
    }
    let params = redemption(&code).set("redirect_uri", "http://127.0.0.1:5000/cb");
    site.token("pub", params).await.tokens();
}

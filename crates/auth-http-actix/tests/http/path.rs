//! Paths: an issuer that has one, and spellings that are no second door.

use crate::harness::{Site, redemption, request};
use actix_web::test::TestRequest;
use auth_core::policy::Policy;
use auth_testkit::{TestServer, sample};

const ISSUER: &str = "https://as.test/t/one";

async fn under_a_path() -> Site {
    Site::under(Policy::new(ISSUER, sample::scopes())).await
}

/// META-01: the path stands behind the well-known part, and nowhere else.
#[actix_web::test]
async fn the_metadata_of_an_issuer_with_a_path() {
    let site = under_a_path().await;
    let answer = site.get("/.well-known/oauth-authorization-server/t/one").await;
    let document = answer.json();
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(document["authorization_endpoint"], "https://as.test/t/one/oauth/authorize");
    assert_eq!(document["token_endpoint"], "https://as.test/t/one/oauth/token");
    for other in [
        "/.well-known/oauth-authorization-server",
        "/t/one/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/t/one/",
        "/.well-known/oauth-authorization-server/t/two",
        "/oauth/authorize",
        "/login",
        "/",
        "/t/one",
        "/t/oneoauth/authorize",
    ] {
        assert_eq!(site.get(other).await.status, 404, "{other}");
    }
}

/// META-10, CODE-01: the whole flow below the path: links, forms, redirects and cookies stay there.
#[actix_web::test]
async fn the_flow_of_an_issuer_with_a_path() {
    let site = under_a_path().await;
    let browser = site.browser();
    let parked = browser.post("/t/one/oauth/authorize", &request("web")).await;
    assert!(parked.header("location").unwrap().starts_with("/t/one/oauth/authorize?"));
    let page = browser.follow(parked).await;
    assert!(page.is_sign_in_page());
    let consent = browser.sign_in_on(&page, "alice").await;
    assert!(consent.is_consent_page());
    let home = browser.get("/t/one/").await;
    for page in [&page, &consent, &home] {
        for name in ["href", "action"] {
            for target in page.attributes(&format!("[{name}]:not([rel=icon])"), name) {
                assert!(target.starts_with("/t/one/"), "{target}");
            }
        }
        let style = page.attributes("link[rel=stylesheet]", "href").remove(0);
        assert_eq!(browser.get(&style).await.status, 200);
    }
    let answer = browser.decide(&consent, "approve").await;
    assert_eq!(answer.client_redirect().get("iss"), Some(ISSUER));
    let request = TestRequest::post()
        .uri("/t/one/oauth/token")
        .insert_header(("Authorization", sample::basic("web")))
        .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
        .set_payload(redemption(&answer.code()).encode());
    site.send(request).await.tokens();
    let names = ["__Host-auth_browser|t|one", "__Host-auth_session|t|one"];
    assert_eq!(browser.cookie_names(), names);
    let out = home.form();
    let answer = browser.post(&out.action, &out.fields).await;
    assert_eq!(answer.header("location"), Some("/t/one/signed-out"));
}

/// META-10: what one issuer gave is worthless at another on the same host.
#[actix_web::test]
async fn two_issuers_on_one_host_share_nothing() {
    let one = under_a_path().await;
    // Its own database, and its own randomness.
    let root = Site::over(&TestServer::new()).await;
    root.kit.engine.entropy.fill(&mut [0; 8]).unwrap();
    let browser = one.browser_of("alice").await;
    let answer = browser.approve(&request("web")).await;
    let there = browser.visiting(&root);
    let silent = root.browser().authorize(&request("web").set("prompt", "none")).await;
    silent.assert_error_redirect("https://rp.test/cb", "login_required");
    assert_eq!(there.get("/").await.find("h1"), ["Nobody is signed in"]);
    root.redeem("web", &answer.code()).await.assert_json_error(400, "invalid_grant");
}

/// XC-08
#[actix_web::test]
async fn variants_of_a_path_are_no_second_door() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    browser.approve(&request("web")).await.code();
    let query = request("web").encode();
    for path in [
        "//oauth/authorize",
        "/oauth//authorize",
        "/oauth/authorize/",
        "/oauth/authorize//",
        "/oauth/authorize;x",
        "/oauth;x/authorize",
        "/oauth/%61uthorize",
        "/oauth%2Fauthorize",
        "/oauth/authorize%00",
        "/oauth/authorize%2F",
        "/oauth/./authorize",
        "/oauth/x/../authorize",
        "/OAUTH/authorize",
        "/oauth/Authorize",
        "/oauth/authorize.html",
        "/oauth",
        "/oauth/",
        "/v1/authorize",
        "/v1/auth/authorize/",
        "/authorize",
        "/oauth/token/",
        "/oauth/consent/",
        "/login/",
        "/logout/",
        "/assets/",
        "/assets/../login",
        "/oauth/interaction/",
        "/index.html",
    ] {
        let target = format!("{path}?{query}");
        browser.get(&target).await.assert_error_page(404);
        browser.post(&target, &request("web")).await.assert_error_page(404);
    }
}

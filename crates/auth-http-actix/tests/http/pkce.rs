//! PKCE (RFC 7636), from the request to the redemption.

use crate::harness::{Params, Site, redemption, request};
use auth_core::policy::{PkceRequiredFor, Policy};
use auth_testkit::sample;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

const CB: &str = "https://rp.test/cb";

fn without_pkce(client: &str) -> Params {
    request(client).without("code_challenge").without("code_challenge_method")
}

fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// PKCE-01
#[actix_web::test]
async fn it_is_required_of_public_clients_always_and_of_others_by_setting() {
    for required_for in [PkceRequiredFor::Public, PkceRequiredFor::All] {
        let site =
            Site::under(Policy { pkce_required_for: required_for, ..sample::policy() }).await;
        let browser = site.browser_of("alice").await;
        let public = browser.authorize(&without_pkce("pub")).await;
        public.assert_error_redirect("http://127.0.0.1/cb", "invalid_request");
        let web = browser.approve(&without_pkce("web")).await;
        match required_for {
            PkceRequiredFor::Public => assert!(!web.code().is_empty()),
            PkceRequiredFor::All => web.assert_error_redirect(CB, "invalid_request"),
        }
        site.kit.update_client("post", |post| post.require_pkce = true);
        let post = browser.authorize(&without_pkce("post")).await;
        post.assert_error_redirect("https://post.test/cb", "invalid_request");
    }
}

/// PKCE-02
#[actix_web::test]
async fn the_only_method_is_s256() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    for other in ["plain", "s256", "S512", "none", "S256 ", " S256", "S256\0"] {
        let params = request("web").set("code_challenge_method", other);
        browser.authorize(&params).await.assert_error_redirect(CB, "invalid_request");
    }
    let method_absent = request("web").without("code_challenge_method");
    let code = browser.code(&method_absent).await;
    site.redeem("web", &code).await.tokens();
    // Who meant plain is refused at the latest here.
    let plain = method_absent.set("code_challenge", sample::VERIFIER);
    let code = browser.code(&plain).await;
    site.redeem("web", &code).await.assert_json_error(400, "invalid_grant");
}

/// PKCE-03
#[actix_web::test]
async fn a_challenge_is_43_base64url_characters() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let good = sample::CHALLENGE;
    for bad in [
        good[..42].to_owned(),
        format!("{good}A"),
        "A".repeat(129),
        format!("{good}="),
        format!("{}=", &good[..42]),
        format!("{}+", &good[..42]),
        format!("{}/", &good[..42]),
        format!("{} ", &good[..42]),
        format!("{}\n", &good[..42]),
        format!("{}é", &good[..41]),
        format!("{}.", &good[..42]),
    ] {
        let params = request("web").set("code_challenge", &bad);
        browser.authorize(&params).await.assert_error_redirect(CB, "invalid_request");
    }
}

/// PKCE-04: bad length and bad characters are refused even where the hash fits.
#[actix_web::test]
async fn a_verifier_is_43_to_128_unreserved_characters() {
    let site = Site::new().await;
    let browser = site.browser_of("alice").await;
    let long = "v".repeat(100);
    for (verifier, good) in [
        ("v".repeat(42), false),
        ("v".repeat(43), true),
        ("v".repeat(128), true),
        ("v".repeat(129), false),
        (format!("{long}-._~AZaz09"), true),
        (format!("{long}+"), false),
        (format!("{long}\0"), false),
        (format!("{long}\n"), false),
        (format!("{long} "), false),
        (format!("{long}é"), false),
    ] {
        let params = request("web").set("code_challenge", &challenge_of(&verifier));
        let code = browser.code(&params).await;
        let redeemed = site.token("web", redemption(&code).set("code_verifier", &verifier)).await;
        match good {
            true => drop(redeemed.tokens()),
            false => redeemed.assert_json_error(400, "invalid_request"),
        }
    }
}

/// PKCE-05, CODE-10
#[actix_web::test]
async fn a_challenge_needs_its_verifier() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("pub")).await;
    let with = |verifier: &str| redemption(&code).set("code_verifier", verifier);
    let absent = redemption(&code).without("code_verifier");
    site.token("pub", absent).await.assert_json_error(400, "invalid_request");
    site.token("pub", with("")).await.assert_json_error(400, "invalid_request");
    for wrong in [sample::CHALLENGE, &sample::VERIFIER.to_lowercase(), &"x".repeat(43)] {
        site.token("pub", with(wrong)).await.assert_json_error(400, "invalid_grant");
    }
    site.token("pub", with(sample::VERIFIER)).await.tokens();
}

/// PKCE-06
#[actix_web::test]
async fn a_verifier_without_a_challenge_is_a_downgrade() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&without_pkce("web")).await;
    let redeemed = site.token("web", redemption(&code).set("redirect_uri", CB)).await;
    redeemed.assert_json_error(400, "invalid_request");
    let honest = redemption(&code).set("redirect_uri", CB).without("code_verifier");
    site.token("web", honest).await.tokens();
}

/// PKCE-07
#[actix_web::test]
async fn a_client_that_came_to_need_pkce_cannot_redeem_without() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&without_pkce("web")).await;
    site.kit.update_client("web", |web| web.require_pkce = true);
    let bare = redemption(&code).set("redirect_uri", CB).without("code_verifier");
    site.token("web", bare.clone()).await.assert_json_error(400, "invalid_grant");
    let with = bare.set("code_verifier", sample::VERIFIER);
    site.token("web", with).await.assert_json_error(400, "invalid_request");
}

/// PKCE-08: neither the code nor the redirect gives the challenge away, and a restart forgets nothing.
#[actix_web::test]
async fn the_challenge_is_kept_out_of_sight() {
    let site = Site::new().await;
    let answer = site.browser_of("alice").await.approve(&request("web")).await;
    let location = answer.header("location").unwrap();
    assert!(!location.contains(sample::CHALLENGE) && !location.contains(sample::VERIFIER));
    let code = answer.code();
    let bytes = URL_SAFE_NO_PAD.decode(&code).unwrap();
    let challenge = URL_SAFE_NO_PAD.decode(sample::CHALLENGE).unwrap();
    assert!(!bytes.windows(8).any(|it| challenge.windows(8).any(|other| it == other)));
    let restarted = Site::over(&site.kit).await;
    let wrong = redemption(&code).set("code_verifier", &"x".repeat(43));
    restarted.token("web", wrong).await.assert_json_error(400, "invalid_grant");
    restarted.redeem("web", &code).await.tokens();
}

//! How clients prove who they are, at every endpoint where they do.

use crate::answer::Answer;
use crate::harness::{Params, Site, redemption, request};
use actix_web::test::TestRequest;
use auth_core::client::{Client, ClientAuthMethod, ClientRegistry, ClientSecretRecord};
use auth_core::secret::ClientSecret;
use auth_http_actix::Limits;
use auth_testkit::{FixedClock, TestServer, sample};
use base64::{Engine as _, engine::general_purpose};

fn basic(credentials: impl AsRef<[u8]>) -> String {
    format!("Basic {}", general_purpose::STANDARD.encode(credentials))
}

fn in_body(id: &str, secret: &str) -> Params {
    redemption("x").also("client_id", id).also("client_secret", secret)
}

/// The client was believed: the refusal is about the code.
#[track_caller]
fn assert_authenticated(answer: &Answer) {
    answer.assert_json_error(400, "invalid_grant");
}

#[track_caller]
fn assert_refused(answer: &Answer, challenge: bool) {
    answer.assert_json_error(401, "invalid_client");
    let expected = challenge.then_some("Basic realm=\"clients\"");
    assert_eq!(answer.header("www-authenticate"), expected);
}

/// The endpoints where clients authenticate (CAUTH-11).
const ENDPOINTS: [&str; 3] = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"];

/// Sends credentials to every endpoint, with a request that nothing but they can fail but for the code,
/// which is unknown; the answer is the token endpoint's. The others judge credentials as it does, except
/// that a public client, which proves nothing, may not introspect.
async fn everywhere(site: &Site, authorization: Option<&str>, params: &Params) -> Answer {
    let params = params.clone().also("token", "x");
    let [token, revoke, introspect] = ENDPOINTS.map(|path| site.form(path, authorization, &params));
    let (token, revoke, introspect) = (token.await, revoke.await, introspect.await);
    if token.json()["error"] == "invalid_grant" {
        revoke.assert_revoked();
        let secrets = params.all("client_secret").concat();
        match authorization.is_some() || !secrets.is_empty() {
            true => introspect.assert_inactive(),
            false => assert_refused(&introspect, false),
        }
    } else {
        for other in [revoke, introspect] {
            assert_eq!((other.status, &other.body), (token.status, &token.body));
            assert_eq!(other.header("www-authenticate"), token.header("www-authenticate"));
        }
    }
    token
}

/// CAUTH-01, CAUTH-11
#[actix_web::test]
async fn basic_and_post_both_work() {
    let site = Site::new().await;
    for client in ["web", "post", "evil"] {
        site.flow(client).await;
    }
    // Without a pinned method, either.
    assert_authenticated(&everywhere(&site, None, &in_body("evil", "evil-secret")).await);
    assert_authenticated(
        &everywhere(&site, Some(&basic("evil:evil-secret")), &redemption("x")).await,
    );
}

/// CAUTH-02, CAUTH-11: encoded before base64, so decoded once after it.
#[actix_web::test]
async fn basic_credentials_are_form_encoded_inside() {
    let site = Site::new().await;
    let (id, secret) = ("a:b c%é", "p+/=%&é:x%41");
    let digest = ClientSecret::presented(secret).digest();
    let client = Client {
        id: sample::client_id(id),
        secrets: vec![ClientSecretRecord { id: "1".into(), digest, created_at: FixedClock::START }],
        ..sample::evil()
    };
    ClientRegistry::insert(&*site.kit.store, &client).unwrap();
    let send = async |credentials: &str| {
        everywhere(&site, Some(&basic(credentials)), &redemption("x")).await
    };
    let (encoded_id, encoded) = ("a%3Ab+c%25%C3%A9", "p%2B%2F%3D%25%26%c3%a9%3Ax%2541");
    assert_authenticated(&send(&format!("{encoded_id}:{encoded}")).await);
    // The colon of a secret need not be encoded, and what needs no encoding may have it.
    assert_authenticated(&send(&format!("{encoded_id}:{}", encoded.replace("%3A", ":"))).await);
    for wrong in [
        format!("{id}:{secret}"),
        format!("{encoded_id}:p%2B%2F%3D%25%26%c3%a9%3AxA"),
        format!("{encoded_id}:p%2B%2F%3D%25%26%c3%a9%3Ax%41"),
        format!("{encoded_id}:{}", encoded.replace('%', "%25")),
        format!("{encoded_id}: {encoded}"),
        format!("{encoded_id}:{encoded}\n"),
    ] {
        assert_refused(&send(&wrong).await, true);
    }
    assert_authenticated(&everywhere(&site, None, &in_body(id, secret)).await);
}

/// CAUTH-02, CAUTH-03, CAUTH-12, CAUTH-11
#[actix_web::test]
async fn malformed_basic_is_refused_with_a_challenge() {
    let site = Site::new().await;
    let good = general_purpose::STANDARD.encode("web:web-secret");
    let url_alphabet = general_purpose::URL_SAFE.encode("web:web-secret\u{3ff}\u{3ff}?>");
    for header in [
        basic("web:web-secre"),
        basic("web:web-secrets"),
        basic("WEB:web-secret"),
        basic("web:"),
        basic(":"),
        basic(":web-secret"),
        basic(""),
        basic("web"),
        basic("web:%zz"),
        basic("web:web-secret%"),
        basic(b"web:\xff"),
        basic(b"\xff:web-secret"),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic !!!!".to_owned(),
        format!("Basic {url_alphabet}"),
        format!("Basic {good} x"),
        format!("Basic {good},"),
        format!("Basic {}", good.trim_end_matches('=')),
        format!("Basic\t{good}"),
        format!("Basic:{good}"),
        format!("Bearer {good}"),
        "Bearer x".to_owned(),
        "Digest username=\"web\"".to_owned(),
        "\"".to_owned(),
    ] {
        let answer = everywhere(&site, Some(&header), &redemption("x")).await;
        assert_refused(&answer, true);
    }
    for header in [format!("basic {good}"), format!("BASIC {good}"), format!("Basic   {good}")] {
        let answer = everywhere(&site, Some(&header), &redemption("x")).await;
        assert_authenticated(&answer);
    }
}

/// CAUTH-04, CAUTH-11
#[actix_web::test]
async fn more_than_one_method_is_refused() {
    let site = Site::new().await;
    let web = basic("web:web-secret");
    let assertion =
        |it: Params| it.also("client_assertion", "x").also("client_assertion_type", "y");
    for (header, params) in [
        (Some(&web), redemption("x").also("client_secret", "web-secret")),
        (Some(&web), in_body("web", "web-secret")),
        (Some(&web), assertion(redemption("x"))),
        (None, assertion(in_body("evil", "evil-secret"))),
        (Some(&web), redemption("x").also("client_id", "evil")),
        (Some(&web), redemption("x").also("client_id", "pub")),
    ] {
        let answer = everywhere(&site, header.map(String::as_str), &params).await;
        answer.assert_json_error(400, "invalid_request");
    }
    for path in ENDPOINTS {
        let two_headers = TestRequest::post()
            .uri(path)
            .append_header(("Authorization", web.as_str()))
            .append_header(("Authorization", web.as_str()))
            .append_header(("Content-Type", "application/x-www-form-urlencoded"))
            .set_payload(redemption("x").also("token", "x").encode());
        site.send(two_headers).await.assert_json_error(400, "invalid_request");
    }
    let same = redemption("x").also("client_id", "web");
    assert_authenticated(&everywhere(&site, Some(&web), &same).await);
    // Sent empty is not sent.
    let empty = redemption("x").also("client_id", "").also("client_secret", "");
    assert_authenticated(&everywhere(&site, Some(&web), &empty).await);
}

/// CAUTH-05, CAUTH-10, CAUTH-11
#[actix_web::test]
async fn a_pinned_method_is_the_only_one() {
    let site = Site::new().await;
    let as_post = everywhere(&site, None, &in_body("web", "web-secret")).await;
    assert_refused(&as_post, false);
    let as_basic = everywhere(&site, Some(&basic("post:post-secret")), &redemption("x")).await;
    assert_refused(&as_basic, true);
    for secret in ["x", "pub-secret", ""] {
        let answer = everywhere(&site, None, &in_body("pub", secret)).await;
        match secret {
            // Sent empty is not sent; in the header there is no such thing.
            "" => assert_authenticated(&answer),
            _ => assert_refused(&answer, false),
        }
        let header = basic(format!("pub:{secret}"));
        assert_refused(&everywhere(&site, Some(&header), &redemption("x")).await, true);
    }
    assert_authenticated(&site.token("pub", redemption("x")).await);
    for client in ["web", "post", "pub", "evil"] {
        let assertion = redemption("x")
            .also("client_id", client)
            .also("client_assertion", "eyJhbGciOiJub25lIn0.e30.")
            .also(
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            );
        assert_refused(&everywhere(&site, None, &assertion).await, false);
    }
}

/// CAUTH-10: a secret that a public client was once given proves nothing.
#[actix_web::test]
async fn a_leftover_secret_of_a_public_client_is_no_proof() {
    let site = Site::new().await;
    site.kit.update_client("pub", |it| it.secrets = sample::confidential("pub", &[]).secrets);
    assert_refused(&everywhere(&site, None, &in_body("pub", "pub-secret")).await, false);
    let header = basic("pub:pub-secret");
    assert_refused(&everywhere(&site, Some(&header), &redemption("x")).await, true);
}

/// CAUTH-06, CAUTH-11
#[actix_web::test]
async fn a_confidential_client_without_a_secret_is_refused() {
    let site = Site::new().await;
    for client in ["web", "post", "evil"] {
        let named = redemption("x").also("client_id", client);
        assert_refused(&everywhere(&site, None, &named).await, false);
        assert_refused(&everywhere(&site, None, &in_body(client, "")).await, false);
        let header = basic(format!("{client}:"));
        assert_refused(&everywhere(&site, Some(&header), &redemption("x")).await, true);
    }
    assert_refused(&everywhere(&site, None, &redemption("x")).await, false);
    assert_refused(&everywhere(&site, None, &in_body("", "web-secret")).await, false);
    // Nor does it help if no secret is left at all.
    site.kit.update_client("evil", |evil| evil.secrets.clear());
    assert_refused(&everywhere(&site, None, &in_body("evil", "")).await, false);
    assert_refused(&everywhere(&site, None, &in_body("evil", "evil-secret")).await, false);
}

/// CAUTH-09, CAUTH-11: byte for byte the same.
#[actix_web::test]
async fn unknown_and_wrong_look_the_same() {
    let site = Site::new().await;
    site.kit.update_client("spa", |it| it.disabled_at = Some(FixedClock::START));
    site.kit.update_client("evil", |it| it.disabled_at = Some(FixedClock::START));
    let tries = [
        in_body("nobody", "x"),
        in_body("post", "x"),
        in_body("web", "web-secret"),
        in_body("evil", "evil-secret"),
        in_body("pub", "x"),
        in_body(&"x".repeat(10_000), "x"),
        in_body("a\0b", "x"),
        in_body("<script>", "x"),
        redemption("x").also("client_id", "spa"),
    ];
    let mut answers = Vec::new();
    for params in &tries {
        answers.push(everywhere(&site, None, params).await);
    }
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (401, &answers[0].body));
        assert_eq!(format!("{:?}", answer.headers), format!("{:?}", answers[0].headers));
    }
    insta::assert_snapshot!(answers[0].text());
}

/// CAUTH-07, CAUTH-11: a secret in the URL is none.
#[actix_web::test]
async fn a_secret_in_the_query_is_not_read() {
    let site = Site::new().await;
    let credentials = Params::of(&[("client_id", "evil"), ("client_secret", "evil-secret")]);
    for path in ENDPOINTS {
        let target = format!("{path}?{}", credentials.encode());
        let body = redemption("x").also("token", "x");
        assert_refused(&site.form(&target, None, &body).await, false);
        assert_refused(&site.form(&target, None, &body.also("client_id", "evil")).await, false);
    }
}

/// TOKEN-15, CAUTH-11: no endpoint is a second chance to guess.
#[actix_web::test]
async fn failures_at_one_endpoint_count_at_all_of_them() {
    let limits = Limits { failed_client_authentications: 3, ..Limits::default() };
    for guessed in ENDPOINTS {
        let site = Site::limited(&TestServer::new(), limits.clone()).await;
        for _ in 0..3 {
            let guess = in_body("evil", "wrong").also("token", "x");
            assert_refused(&site.form(guessed, None, &guess).await, false);
        }
        for path in ENDPOINTS {
            let right = in_body("evil", "evil-secret").also("token", "x");
            let answer = site.form(path, None, &right).await;
            answer.assert_json_error(429, "invalid_request");
            assert!(answer.header("retry-after").is_some());
        }
    }
}

/// CAUTH-14, CAUTH-13: two live secrets, then one; the store keeps neither in the clear.
#[actix_web::test]
async fn two_secrets_overlap() {
    let site = Site::new().await;
    let new = ClientSecretRecord {
        id: "evil-2".into(),
        digest: ClientSecret::presented("brand-new").digest(),
        created_at: FixedClock::START,
    };
    let store = &*site.kit.store;
    ClientRegistry::add_secret(store, &sample::client_id("evil"), &new, 2).unwrap();
    for secret in ["evil-secret", "brand-new"] {
        assert_authenticated(&everywhere(&site, None, &in_body("evil", secret)).await);
    }
    ClientRegistry::retire_secret(store, &sample::client_id("evil"), "evil-1").unwrap();
    assert_refused(&everywhere(&site, None, &in_body("evil", "evil-secret")).await, false);
    assert_authenticated(&everywhere(&site, None, &in_body("evil", "brand-new")).await);
    let dump = site.kit.store.edit(|data| format!("{:?}", data.clients));
    assert!(!dump.contains("brand-new"));
}

/// CAUTH-05: without a pinned method a confidential client chooses, request by request.
#[actix_web::test]
async fn an_unpinned_client_may_change_its_method() {
    let site = Site::new().await;
    site.kit.update_client("web", |web| web.auth_method = None);
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let credentials = |it: Params| it.also("client_id", "web").also("client_secret", "web-secret");
    let tokens = site.token_request(None, &credentials(redemption(&code))).await.tokens();
    site.refresh("web", tokens.refresh_token()).await.tokens();
    site.kit.update_client("web", |web| {
        web.auth_method = Some(ClientAuthMethod::ClientSecretPost);
    });
    let pinned = everywhere(&site, Some(&sample::basic("web")), &redemption("x")).await;
    assert_refused(&pinned, true);
}

//! Revocation: RFC 7009.

use crate::apis::{self, API, client_credentials, credentials_of};
use crate::harness::{Params, Site, refreshing, request};
use actix_web::http::{Method, header};
use actix_web::test::TestRequest;
use auth_testkit::sample;
use futures_util::future::join_all;
use time::Duration;

const PATH: &str = "/oauth/revoke";

fn token(text: &str) -> Params {
    Params::of(&[("token", text)])
}

/// REVOKE-01: whatever else is tried, the token stays good.
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
    // The query is not read, and the other API has no such endpoint.
    let query = format!("{PATH}?{form}");
    let answer = site.form_of("web", &query, Params::default()).await;
    answer.assert_json_error(400, "invalid_request");
    assert_eq!(site.form_of("web", "/v1/auth/revoke", token("x")).await.status, 404);
    assert!(site.accepts(&tokens.access));
}

/// REVOKE-01
#[actix_web::test]
async fn the_token_is_there_and_there_once() {
    let site = Site::new().await;
    let tokens = site.flow("web").await;
    let rows = site.rows();
    let hint = |it: Params| it.also("token_type_hint", "access_token");
    for params in [
        Params::default(),
        token(""),
        hint(Params::default()),
        Params::of(&[("Token", &tokens.access)]),
        token(&tokens.access).also("token", &tokens.access),
        token(&tokens.access).also("token", ""),
        hint(hint(token(&tokens.access))),
        token(&tokens.access).also("foo", "1").also("foo", "2"),
        token(&tokens.access).also("resource", API).also("resource", API),
    ] {
        let answer = site.form_of("web", PATH, params).await;
        answer.assert_json_error(400, "invalid_request");
    }
    assert_eq!(site.rows(), rows);
    let padded = token(&tokens.access).also("foo", "bar").also("token_type_hint", "");
    site.form_of("web", PATH, padded).await.assert_revoked();
    assert!(!site.accepts(&tokens.access));
}

/// REVOKE-01, TOKEN-13, TOKEN-14: a form in UTF-8 of at most 64 kB, and nothing else.
#[actix_web::test]
async fn the_body_is_a_form() {
    let site = Site::new().await;
    let tokens = site.flow("web").await;
    let rows = site.rows();
    let form = token(&tokens.access).encode();
    let json = format!(r#"{{"token":"{}"}}"#, tokens.access);
    let long = |length: usize| token(&"x".repeat(length)).encode();
    for (media_type, body, status) in [
        ("application/json", json.clone().into_bytes(), 415),
        ("text/plain", form.clone().into_bytes(), 415),
        ("multipart/form-data; boundary=x", form.clone().into_bytes(), 415),
        ("application/x-www-form-urlencoded", json.into_bytes(), 400),
        ("application/x-www-form-urlencoded", b"token=%zz".to_vec(), 400),
        ("application/x-www-form-urlencoded", b"token=\xff".to_vec(), 400),
        ("application/x-www-form-urlencoded", vec![], 400),
        ("application/x-www-form-urlencoded", long(70_000).into_bytes(), 413),
        ("application/x-www-form-urlencoded", long(3_000_000).into_bytes(), 413),
    ] {
        let request = TestRequest::post()
            .uri(PATH)
            .insert_header((header::AUTHORIZATION, sample::basic("web")))
            .insert_header((header::CONTENT_TYPE, media_type))
            .set_payload(body);
        site.send(request).await.assert_json_error(status, "invalid_request");
    }
    site.form_of("web", PATH, token(&"x".repeat(60_000))).await.assert_revoked();
    assert_eq!(site.rows(), rows);
}

/// REVOKE-02
#[actix_web::test]
async fn clients_authenticate_as_they_are_registered() {
    let site = Site::new().await;
    for client in ["web", "post", "evil"] {
        let tokens = site.flow(client).await;
        let rows = site.rows();
        for params in [token(&tokens.access), token(&tokens.access).also("client_id", client)] {
            site.form(PATH, None, &params).await.assert_json_error(401, "invalid_client");
        }
        let wrong = token(&tokens.access).also("client_id", client).also("client_secret", "x");
        site.form(PATH, None, &wrong).await.assert_json_error(401, "invalid_client");
        assert_eq!(site.rows(), rows);
        assert!(site.accepts(&tokens.access));
        site.revoke(client, &tokens.access).await.assert_revoked();
        assert!(!site.accepts(&tokens.access));
    }
    for client in ["pub", "spa"] {
        let tokens = site.flow(client).await;
        site.revoke(client, &tokens.access).await.assert_revoked();
        assert!(!site.accepts(&tokens.access), "it really dies");
        site.revoke(client, tokens.refresh_token()).await.assert_revoked();
        let refused = site.refresh(client, tokens.refresh_token()).await;
        refused.assert_json_error(400, "invalid_grant");
    }
}

/// REVOKE-03: for everybody else nothing changes, and nothing is learnt.
#[actix_web::test]
async fn only_its_client_revokes_a_token() {
    let site = apis::site().await;
    let tokens = site.flow("web").await;
    let rows = site.rows();
    for other in ["evil", "post", "pub", "spa", "svc"] {
        let nothing = site.revoke(other, "x").await;
        nothing.assert_revoked();
        for text in [tokens.access.as_str(), tokens.refresh_token()] {
            let answer = site.revoke(other, text).await;
            answer.assert_revoked();
            assert_eq!(format!("{:?}", answer.headers), format!("{:?}", nothing.headers));
        }
    }
    // The API that a token is for is not its client.
    for text in ["x", &tokens.access, tokens.refresh_token()] {
        let answer = site.revoke("rs", text).await;
        answer.assert_json_error(400, "unauthorized_client");
    }
    assert_eq!(site.rows(), rows);
    assert!(site.shows("web", &tokens.access).await);
    site.refresh("web", tokens.refresh_token()).await.tokens();
}

/// REVOKE-04
#[actix_web::test]
async fn what_is_no_token_any_more_is_no_error() {
    let site = Site::new().await;
    let tokens = site.flow("web").await;
    site.revoke("web", &tokens.access).await.assert_revoked();
    let rows = site.rows();
    site.revoke("web", &tokens.access).await.assert_revoked();
    assert_eq!(site.rows(), rows);
    site.revoke("web", tokens.refresh_token()).await.assert_revoked();
    let rows = site.rows();
    for text in [tokens.refresh_token(), &tokens.access, "unknown"] {
        site.revoke("web", text).await.assert_revoked();
        assert_eq!(site.rows(), rows);
    }
    let expired = site.flow("web").await;
    site.kit.clock.advance(Duration::minutes(10));
    let rows = site.rows();
    site.revoke("web", &expired.access).await.assert_revoked();
    assert_eq!(site.rows(), rows);
    site.refresh("web", expired.refresh_token()).await.tokens();
}

/// REVOKE-04, REVOKE-01: what was never a token, however near to one, revokes nothing and writes nothing.
#[actix_web::test]
async fn what_was_never_a_token_revokes_nothing() {
    let site = Site::new().await;
    let tokens = site.flow("web").await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let rows = site.rows();
    let mut never: Vec<String> =
        [&code, "web", "web-secret", "\0", "é", "../", "%00", " "].map(ToOwned::to_owned).into();
    for text in [tokens.access.as_str(), tokens.refresh_token()] {
        never.extend((1..=8).map(|cut| text[..text.len() - cut].to_owned()));
        never.extend(["A", "=", " ", "\n"].map(|end| format!("{text}{end}")));
        never.extend([text.to_uppercase(), text.to_lowercase(), format!(" {text}")]);
    }
    for text in &never {
        site.revoke("web", text).await.assert_revoked();
        assert_eq!(site.rows(), rows, "{text}");
    }
    assert!(site.accepts(&tokens.access));
    site.refresh("web", tokens.refresh_token()).await.tokens();
    site.redeem("web", &code).await.tokens();
}

/// REVOKE-05, REVOKE-06: with a refresh token ends all that came of one approval, at once, on every server.
#[actix_web::test]
async fn a_refresh_token_ends_its_grant() {
    for client in ["web", "pub"] {
        let site = Site::new().await;
        let other_server = Site::over(&site.kit).await;
        let apart = site.flow(client).await;
        let first = site.flow(client).await;
        let second = site.refresh(client, first.refresh_token()).await.tokens();
        let sibling = site.refresh(client, first.refresh_token()).await.tokens();
        let all = [&first, &second, &sibling];
        assert!(all.iter().all(|tokens| site.accepts(&tokens.access)));
        site.revoke(client, second.refresh_token()).await.assert_revoked();
        for tokens in all {
            let refused = other_server.refresh(client, tokens.refresh_token()).await;
            refused.assert_json_error(400, "invalid_grant");
            assert!(!site.accepts(&tokens.access));
        }
        if client == "web" {
            for tokens in all {
                assert!(!other_server.shows("web", &tokens.access).await);
                assert!(!other_server.shows("web", tokens.refresh_token()).await);
            }
        }
        assert!(site.accepts(&apart.access), "of another approval");
        site.refresh(client, apart.refresh_token()).await.tokens();
    }
}

/// REVOKE-06: also with one that was spent, or that a loser of the race to refresh holds.
#[actix_web::test]
async fn a_spent_refresh_token_ends_its_grant_too() {
    let site = Site::new().await;
    let first = site.flow("web").await;
    let second = site.refresh("web", first.refresh_token()).await.tokens();
    let third = site.refresh("web", second.refresh_token()).await.tokens();
    site.revoke("web", first.refresh_token()).await.assert_revoked();
    assert!(!site.shows("web", &third.access).await);
    let refused = site.refresh("web", third.refresh_token()).await;
    refused.assert_json_error(400, "invalid_grant");
}

/// REVOKE-06
#[actix_web::test]
async fn an_access_token_ends_alone() {
    let site = apis::site().await;
    let first = site.flow("web").await;
    let second = site.refresh("web", first.refresh_token()).await.tokens();
    site.revoke("web", &first.access).await.assert_revoked();
    for caller in ["web", "rs"] {
        assert!(!site.shows(caller, &first.access).await);
        assert!(site.shows(caller, &second.access).await);
    }
    assert!(site.shows("web", second.refresh_token()).await);
    site.refresh("web", second.refresh_token()).await.tokens();
    // One that a client got for itself, too.
    let own = site.token("svc", client_credentials()).await.tokens();
    site.revoke("svc", &own.access).await.assert_revoked();
    assert!(!site.shows("svc", &own.access).await);
}

/// REVOKE-07
#[actix_web::test]
async fn a_hint_never_hides_a_token() {
    let site = Site::new().await;
    let long = "x".repeat(5000);
    for hint in ["access_token", "refresh_token", "foo", "", "\0", "id_token", &long] {
        let tokens = site.flow("web").await;
        for text in [tokens.access.as_str(), tokens.refresh_token()] {
            let params = token(text).also("token_type_hint", hint);
            site.form_of("web", PATH, params).await.assert_revoked();
            assert!(!site.shows("web", text).await, "{hint}");
        }
    }
}

/// REVOKE-05: a refresh under way at the same time leaves nothing alive behind the revocation.
#[actix_web::test]
async fn a_refresh_that_races_with_revocation_leaves_nothing_alive() {
    let site = Site::new().await;
    let tokens = site.flow("pub").await;
    let asked = (0..40).map(|number| {
        let (site, text) = (site.clone(), tokens.refresh_token());
        async move {
            match number {
                20 => site.revoke("pub", text).await,
                _ => site.token("pub", refreshing(text)).await,
            }
        }
    });
    let answers = join_all(asked).await;
    for answer in answers.iter().filter(|answer| answer.status == 200 && !answer.body.is_empty()) {
        let minted = answer.tokens();
        assert!(!site.accepts(&minted.access));
        let refused = site.refresh("pub", minted.refresh_token()).await;
        refused.assert_json_error(400, "invalid_grant");
    }
    assert!(!site.accepts(&tokens.access));
}

/// REVOKE-02, TOKEN-12: an app in a browser signs itself out, so any origin may call.
#[actix_web::test]
async fn other_origins_may_call() {
    let site = Site::new().await;
    let preflight = TestRequest::default()
        .method(Method::OPTIONS)
        .uri(PATH)
        .insert_header((header::ORIGIN, "https://spa.test"))
        .insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "POST"));
    let answer = site.send(preflight).await;
    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
    let tokens = site.flow("spa").await;
    let browser = site.browser().sending("Origin", "https://spa.test");
    let params = token(tokens.refresh_token()).also("client_id", "spa");
    let answer = browser.post(PATH, &params).await;
    answer.assert_revoked();
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(!site.accepts(&tokens.access));
}

/// REVOKE-03: who stole another API's credentials cannot end anything with them either.
#[actix_web::test]
async fn the_credentials_of_an_api_end_nothing() {
    let site = Site::under(apis::policy()).await;
    // Not even if a client of that identifier once had grants.
    let tokens = site.flow("evil").await;
    site.kit.update_client("evil", |evil| {
        evil.resource_server = credentials_of("x", API).resource_server;
    });
    let rows = site.rows();
    for text in [tokens.access.as_str(), tokens.refresh_token()] {
        site.revoke("evil", text).await.assert_json_error(400, "unauthorized_client");
    }
    assert_eq!(site.rows(), rows);
}

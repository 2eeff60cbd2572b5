//! `/oauth/introspect`: RFC 7662.

use super::client_request::{ask, success};
use crate::app::App;
use crate::body::Accept;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use auth_core::usecase::introspect::{AccessClaims, ActiveToken};
use serde::Serialize;
use serde_json::json;

/// An introspection request.
pub(super) async fn post(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let answer =
        ask(&app, &request, payload, Accept::Form, |engine, request| engine.introspect(request));
    match answer.await {
        Ok(Some(token)) => success().json(Body::of(&token, &app.engine.policy.issuer)),
        // Not a word about why (INTRO-02).
        Ok(None) => success().json(json!({ "active": false })),
        Err(refusal) => refusal,
    }
}

/// RFC 7662 §2.2
#[derive(Serialize)]
struct Body<'a> {
    active: bool,
    scope: String,
    client_id: &'a str,
    sub: &'a str,
    exp: i64,
    iat: i64,
    iss: &'a str,
    #[serde(flatten)]
    access: Option<Access<'a>>,
}

/// What a refresh token does not have (INTRO-05).
#[derive(Serialize)]
struct Access<'a> {
    aud: OneOrMany<'a>,
    token_type: &'static str,
    jti: &'a str,
}

/// A single audience is a string (RFC 7519 §4.1.3).
#[derive(Serialize)]
#[serde(untagged)]
enum OneOrMany<'a> {
    One(&'a str),
    Many(&'a [String]),
}

impl<'a> Body<'a> {
    fn of(token: &'a ActiveToken, issuer: &'a str) -> Self {
        Self {
            active: true,
            scope: token.scope.to_string(),
            client_id: token.client_id.as_str(),
            sub: &token.sub,
            exp: token.expires_at.unix(),
            iat: token.issued_at.unix(),
            iss: issuer,
            access: token.access.as_ref().map(Access::of),
        }
    }
}

impl<'a> Access<'a> {
    fn of(claims: &'a AccessClaims) -> Self {
        let aud = match claims.audience.as_slice() {
            [one] => OneOrMany::One(one),
            many => OneOrMany::Many(many),
        };
        Self { aud, token_type: "Bearer", jti: &claims.jti }
    }
}

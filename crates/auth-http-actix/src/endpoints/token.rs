//! `/oauth/token` and `/v1/auth/token`.

use crate::app::App;
use crate::body::{Accept, read_params};
use crate::throttle::Throttled;
use crate::wire_error;
use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use auth_core::client::ClientId;
use auth_core::client_auth::ClientCredentials;
use auth_core::error::{ErrorCode, TokenError};
use auth_core::usecase::token::{Request, TokenResponse};
use serde::Serialize;
use std::time::Instant;

/// A token request. Everything is in its body and its `Authorization` header; the query is not read
/// (TOKEN-03).
pub(super) async fn post(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let params = match read_params(&request, payload, Accept::FormOrJson).await {
        Ok(params) => params,
        Err(error) => {
            let response = HttpResponse::build(error.status());
            return wire_error::transport(response, error.description());
        }
    };
    let authorization: Vec<Vec<u8>> = request
        .headers()
        .get_all(header::AUTHORIZATION)
        .map(|value| value.as_bytes().to_vec())
        .collect();
    let tried_basic = !authorization.is_empty();
    let attempt = {
        let headers: Vec<&[u8]> = authorization.iter().map(Vec::as_slice).collect();
        let claimed = ClientCredentials::read(&headers, &params);
        // An identifier that no client can have is not worth a bucket of its own.
        let claimed = claimed.ok().and_then(|it| ClientId::parse(it.claimed_id()));
        (claimed.map(|id| id.as_str().to_owned()).unwrap_or_default(), app.network(&request))
    };
    if let Err(throttled) = app.client_failures.check(&attempt, Instant::now()) {
        return too_many(throttled);
    }
    let answer = app.engine(move |engine| {
        let headers: Vec<&[u8]> = authorization.iter().map(Vec::as_slice).collect();
        engine.token(&Request { authorization: &headers, params: &params })
    });
    let answer = answer.await.unwrap_or_else(|fault| Err(TokenError::Fault(fault)));
    let failed_authentication = matches!(
        &answer,
        Err(TokenError::Refused(error)) if error.code == ErrorCode::InvalidClient
    );
    if failed_authentication {
        // Whether this was the last try is the next request's to learn.
        let _ = app.client_failures.take(attempt, Instant::now());
    }
    match answer {
        Ok(tokens) => success(&tokens),
        Err(TokenError::Refused(error)) => wire_error::refusal(&error, tried_basic),
        Err(TokenError::Fault(fault)) => {
            tracing::error!(%fault, "fault at the token endpoint");
            wire_error::fault(&fault)
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    scope: String,
}

fn success(tokens: &TokenResponse) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(Body {
            access_token: tokens.access_token.expose(),
            token_type: "Bearer",
            expires_in: tokens.expires_in,
            refresh_token: tokens.refresh_token.as_ref().map(|token| token.expose()),
            scope: tokens.scope.to_string(),
        })
}

/// Too many failed authentications for this client from this address (TOKEN-15).
fn too_many(throttled: Throttled) -> HttpResponse {
    let mut response = HttpResponse::TooManyRequests();
    response.insert_header((header::RETRY_AFTER, throttled.retry_after_seconds));
    wire_error::transport(response, "too many failed client authentications; wait and try again")
}

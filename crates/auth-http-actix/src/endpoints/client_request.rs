//! Requests that clients send for themselves, not through a browser: what the token, revocation and
//! introspection endpoints have in common (CAUTH-11).

use crate::app::App;
use crate::body::{Accept, read_params};
use crate::throttle::Throttled;
use crate::wire_error;
use actix_web::http::header;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use auth_core::AuthEngine;
use auth_core::client::ClientId;
use auth_core::client_auth::ClientCredentials;
use auth_core::error::{ErrorCode, TokenError};
use auth_core::usecase::token::Request;
use std::time::Instant;

/// Puts a request to the engine: its body and its `Authorization` headers. The query is not read
/// (TOKEN-03).
///
/// # Errors
/// The response, if the body cannot be read, the client has to wait, or the engine refuses or fails.
pub(super) async fn ask<T: Send + 'static>(
    app: &Data<App>,
    request: &HttpRequest,
    payload: Payload,
    accept: Accept,
    question: impl FnOnce(&AuthEngine, &Request<'_>) -> Result<T, TokenError> + Send + 'static,
) -> Result<T, HttpResponse> {
    let params = read_params(request, payload, accept).await.map_err(|error| {
        let response = HttpResponse::build(error.status());
        wire_error::transport(response, error.description())
    })?;
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
        (claimed.map(|id| id.as_str().to_owned()).unwrap_or_default(), app.network(request))
    };
    app.client_failures.check(&attempt, Instant::now()).map_err(too_many)?;
    let answer = app.engine(move |engine| {
        let headers: Vec<&[u8]> = authorization.iter().map(Vec::as_slice).collect();
        question(engine, &Request { authorization: &headers, params: &params })
    });
    answer.await.map_err(|error| match error {
        TokenError::Refused(error) => {
            if error.code == ErrorCode::InvalidClient {
                // Whether this was the last try is the next request's to learn.
                let _ = app.client_failures.take(attempt, Instant::now());
            }
            wire_error::refusal(&error, tried_basic)
        }
        TokenError::Fault(fault) => {
            tracing::error!(path = request.path(), %fault, "fault at an endpoint for clients");
            wire_error::fault(&fault)
        }
    })
}

/// A success that nobody may keep (TOKEN-08).
pub(super) fn success() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response.insert_header((header::PRAGMA, "no-cache"));
    response
}

/// Too many failed authentications for this client from this address (TOKEN-15).
fn too_many(throttled: Throttled) -> HttpResponse {
    let mut response = HttpResponse::TooManyRequests();
    response.insert_header((header::RETRY_AFTER, throttled.retry_after_seconds));
    wire_error::transport(response, "too many failed client authentications; wait and try again")
}

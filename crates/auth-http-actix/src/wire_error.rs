//! Errors as JSON: one exhaustive table from the protocol's codes to status and headers (OAuth 2.1
//! §3.2.4). What is logged and what is sent never mix.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use auth_core::error::{ErrorCode, Fault, OAuthError};
use serde_json::json;

/// What a client should wait before it tries again after a fault, in seconds.
pub(crate) const RETRY_AFTER_FAULT: &str = "2";

/// The status of a refusal.
pub(crate) fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
        ErrorCode::InvalidRequest
        | ErrorCode::InvalidGrant
        | ErrorCode::UnauthorizedClient
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::InvalidScope
        | ErrorCode::InvalidTarget
        | ErrorCode::AccessDenied
        | ErrorCode::UnsupportedResponseType
        | ErrorCode::LoginRequired
        | ErrorCode::ConsentRequired
        | ErrorCode::RequestNotSupported
        | ErrorCode::RequestUriNotSupported
        | ErrorCode::RegistrationNotSupported => StatusCode::BAD_REQUEST,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A refusal. `tried_basic` asks for the challenge that RFC 6749 §5.2 wants when the client used the
/// `Authorization` header (CAUTH-03).
pub(crate) fn refusal(error: &OAuthError, tried_basic: bool) -> HttpResponse {
    let mut response = HttpResponse::build(status(error.code));
    if tried_basic && error.code == ErrorCode::InvalidClient {
        response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"clients\""));
    }
    body(response, error.code, error.description)
}

/// A refusal with a status of the transport's own: 405, 408, 413, 415, 429. The core knows nothing of it,
/// so that it is logged here.
pub(crate) fn transport(response: HttpResponseBuilder, description: &str) -> HttpResponse {
    let response = body(response, ErrorCode::InvalidRequest, description);
    let status = response.status().as_u16();
    tracing::info!(target: "security", status, error = description, "client's request refused");
    response
}

/// A fault: 503 where trying again may help, 500 where it will not.
pub(crate) fn fault(fault: &Fault) -> HttpResponse {
    let code = fault.code();
    let mut response = HttpResponse::build(status(code));
    if code == ErrorCode::TemporarilyUnavailable {
        response.insert_header((header::RETRY_AFTER, RETRY_AFTER_FAULT));
    }
    body(response, code, "the server cannot answer at the moment")
}

fn body(mut response: HttpResponseBuilder, code: ErrorCode, description: &str) -> HttpResponse {
    response
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(json!({ "error": code.as_str(), "error_description": description }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::error::StoreError;

    /// TOKEN-09
    #[test]
    fn refusals_are_400_but_for_client_authentication() {
        for code in ErrorCode::ALL {
            let expected = match code {
                ErrorCode::InvalidClient => 401,
                ErrorCode::ServerError => 500,
                ErrorCode::TemporarilyUnavailable => 503,
                _ => 400,
            };
            assert_eq!(status(code).as_u16(), expected, "{code:?}");
        }
    }

    /// CAUTH-03
    #[test]
    fn a_failed_basic_authentication_is_challenged() {
        let challenged = |error: &OAuthError, basic| {
            refusal(error, basic).headers().contains_key(header::WWW_AUTHENTICATE)
        };
        assert!(challenged(&OAuthError::INVALID_CLIENT, true));
        assert!(!challenged(&OAuthError::INVALID_CLIENT, false));
        assert!(!challenged(&OAuthError::INVALID_GRANT, true));
    }

    #[test]
    fn a_transient_fault_is_503_with_retry_after_and_a_lasting_one_500() {
        let transient = fault(&Fault::Store(StoreError::Unavailable("disk".into())));
        assert_eq!(transient.status().as_u16(), 503);
        assert!(transient.headers().contains_key(header::RETRY_AFTER));
        let key = "k".to_owned();
        let corrupt = StoreError::Corrupt { table: "codes", column: "scope", key };
        assert_eq!(fault(&Fault::Store(corrupt)).status().as_u16(), 500);
    }
}

//! `/oauth/revoke`: RFC 7009.

use super::client_request::{ask, success};
use crate::app::App;
use crate::body::Accept;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

/// A revocation request. Success has nothing to say: the token is invalid now, or was before, or never
/// was one (RFC 7009 §2.2).
pub(super) async fn post(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let answer =
        ask(&app, &request, payload, Accept::Form, |engine, request| engine.revoke(request));
    answer.await.map_or_else(|refusal| refusal, |()| success().finish())
}

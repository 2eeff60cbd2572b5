//! `/oauth/token` and `/v1/auth/token`.

use super::client_request::{ask, success};
use crate::app::App;
use crate::body::Accept;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use auth_core::usecase::token::TokenResponse;
use serde::Serialize;

/// A token request, as a form or in JSON (TOKEN-02).
pub(super) async fn post(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let answer =
        ask(&app, &request, payload, Accept::FormOrJson, |engine, request| engine.token(request));
    answer.await.map_or_else(|refusal| refusal, |tokens| issued(&tokens))
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

fn issued(tokens: &TokenResponse) -> HttpResponse {
    success().json(Body {
        access_token: tokens.access_token.expose(),
        token_type: "Bearer",
        expires_in: tokens.expires_in,
        refresh_token: tokens.refresh_token.as_ref().map(|token| token.expose()),
        scope: tokens.scope.to_string(),
    })
}

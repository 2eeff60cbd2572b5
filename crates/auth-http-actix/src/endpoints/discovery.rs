//! What programs and people can find out without asking for anything: metadata (RFC 8414) and scopes.

use super::Api;
use crate::app::App;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

const CACHE: &str = "public, max-age=300";

/// The metadata document. Arrays without an element are left out (META-05).
#[derive(Serialize)]
struct Document<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes_supported: &'a [String],
    response_types_supported: &'a [&'static str],
    response_modes_supported: &'a [&'static str],
    grant_types_supported: &'a [&'static str],
    token_endpoint_auth_methods_supported: &'a [&'static str],
    revocation_endpoint_auth_methods_supported: &'a [&'static str],
    introspection_endpoint_auth_methods_supported: &'a [&'static str],
    code_challenge_methods_supported: &'a [&'static str],
    prompt_values_supported: &'a [&'static str],
    authorization_response_iss_parameter_supported: bool,
    request_parameter_supported: bool,
    // Its default is true, so it has to be said (OpenID Connect Discovery §3).
    request_uri_parameter_supported: bool,
}

/// `/.well-known/oauth-authorization-server`
pub(super) async fn metadata(app: Data<App>) -> HttpResponse {
    let can = app.engine.metadata();
    let endpoint = |path: &str| app.url(&format!("{}{path}", Api::OAuth.prefix()));
    cacheable().json(Document {
        issuer: &can.issuer,
        authorization_endpoint: endpoint("/authorize"),
        token_endpoint: endpoint("/token"),
        revocation_endpoint: endpoint("/revoke"),
        introspection_endpoint: endpoint("/introspect"),
        scopes_supported: &can.scopes_supported,
        response_types_supported: &can.response_types_supported,
        response_modes_supported: &can.response_modes_supported,
        grant_types_supported: &can.grant_types_supported,
        token_endpoint_auth_methods_supported: &can.token_endpoint_auth_methods_supported,
        revocation_endpoint_auth_methods_supported: &can.revocation_endpoint_auth_methods_supported,
        introspection_endpoint_auth_methods_supported: &can
            .introspection_endpoint_auth_methods_supported,
        code_challenge_methods_supported: &can.code_challenge_methods_supported,
        prompt_values_supported: &can.prompt_values_supported,
        authorization_response_iss_parameter_supported: true,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
    })
}

#[derive(Serialize)]
struct Scopes<'a> {
    scopes: Vec<ScopeEntry<'a>>,
}

#[derive(Serialize)]
struct ScopeEntry<'a> {
    name: &'a str,
    description: &'a str,
}

/// `/oauth/scopes` and `/v1/auth/scopes`
pub(super) async fn scopes(app: Data<App>) -> HttpResponse {
    let scopes =
        app.engine.policy.scopes.iter().map(|scope| ScopeEntry {
            name: scope.token.as_str(),
            description: &scope.description,
        });
    cacheable().json(Scopes { scopes: scopes.collect() })
}

/// Public and the same for everybody: caches need no `Vary`, and the CORS header needs no question.
fn cacheable() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, CACHE));
    response.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    response
}

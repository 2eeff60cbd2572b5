//! Redirects. To a client only with a [`RedirectResponse`], which the core alone can make; anywhere
//! else only to a path of our own.

use crate::app::App;
use actix_web::HttpResponse;
use actix_web::http::header;
use auth_core::response::RedirectResponse;

/// Sends the browser back to the client, with GET whatever came before (AUTHZ-16).
pub(crate) fn to_client(response: &RedirectResponse) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, response.location())).finish()
}

/// Sends the browser to another page of this server.
pub(crate) fn to_own(app: &App, path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, app.path(path))).finish()
}

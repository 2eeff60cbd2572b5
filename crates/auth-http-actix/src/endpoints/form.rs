//! Forms that people send.

use crate::app::App;
use crate::body::{Accept, read_params};
use crate::browser_checks::is_from_own_page;
use crate::csrf::{self, Purpose};
use crate::error_page::{self, Words};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use auth_core::params::Params;
use auth_core::secret::BrowserSecret;

/// The fields of a form; where it cannot be read, the page that says why.
pub(super) async fn read(
    app: &App,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Params, HttpResponse> {
    let read = read_params(request, payload, Accept::Form).await;
    read.map_err(|error| {
        let words = Words::unreadable(error.page_status(), error.description());
        error_page::page(app, &words)
    })
}

/// Whether a form was made for this browser and purpose, and sent from a page of ours (UI-07).
pub(super) fn is_ours(
    app: &App,
    request: &HttpRequest,
    csrf_token: &str,
    browser: &BrowserSecret,
    purpose: &Purpose<'_>,
) -> bool {
    csrf::is_valid(csrf_token, browser, purpose) && is_from_own_page(request, &app.origin)
}

//! Forms that people send.

use crate::app::App;
use crate::body::{Accept, read_params};
use crate::error_page::{self, Words};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use auth_core::params::Params;

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

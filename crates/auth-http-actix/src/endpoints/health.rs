//! `/healthz` and `/readyz`.

use crate::app::App;
use crate::wire_error::RETRY_AFTER_FAULT;
use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

/// The process answers.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain")).body("ok\n")
}

/// The database is reachable and its schema current.
pub(super) async fn ready(app: Data<App>) -> HttpResponse {
    let (mut response, body) = match app.is_ready().await {
        true => (HttpResponse::Ok(), "ready\n"),
        false => {
            let mut response = HttpResponse::ServiceUnavailable();
            response.insert_header((header::RETRY_AFTER, RETRY_AFTER_FAULT));
            (response, "not ready\n")
        }
    };
    response.insert_header((header::CONTENT_TYPE, "text/plain")).body(body)
}

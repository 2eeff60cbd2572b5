//! `/` and the stylesheet.

use crate::app::App;
use crate::csrf::{self, Purpose};
use crate::error_page;
use crate::pages::{Home, HomeAccount};
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

/// Who is signed in here, with a button to sign out.
pub(super) async fn get(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let visitor = app.visitor(&request);
    let found = app.engine(move |engine| Ok((visitor.owner(engine)?, visitor)));
    let (owner, visitor) = match found.await {
        Ok(found) => found,
        Err(fault) => return error_page::fault(&app, &fault),
    };
    let account = owner.zip(visitor.browser).map(|(owner, browser)| HomeAccount {
        username: owner.owner().username.to_string(),
        csrf_token: csrf::token(&browser, &Purpose::SignOut(visitor.session.as_ref())),
    });
    let page = Home { server: app.host.clone(), account };
    error_page::render(&app, HttpResponse::Ok(), &page)
}

/// The one stylesheet of all pages.
pub(super) async fn stylesheet(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .body(app.pages.stylesheet().to_owned())
}

//! `/logout`: ending a browser's session. What its owner granted stays.

use super::form;
use crate::app::App;
use crate::csrf::Purpose;
use crate::error_page::{self, Words};
use crate::pages::SignedOut;
use crate::redirect;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

/// The sign-out button.
pub(super) async fn post(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let params = match form::read(&app, &request, payload).await {
        Ok(params) => params,
        Err(response) => return response,
    };
    let visitor = app.visitor(&request);
    let token = params.one("csrf_token").ok().flatten().unwrap_or_default();
    let purpose = Purpose::SignOut(visitor.session.as_ref());
    let ours = |browser| form::is_ours(&app, &request, token, browser, &purpose);
    if !visitor.browser.as_ref().is_some_and(ours) {
        return error_page::page(&app, &Words::forged());
    }
    let ended = app.engine(move |engine| match visitor.owner(engine)? {
        Some(owner) => engine.sign_out(&owner),
        None => Ok(()),
    });
    if let Err(fault) = ended.await {
        return error_page::fault(&app, &fault);
    }
    let mut response = redirect::to_own(&app, "/signed-out");
    for cookie in app.cookies.clear() {
        let _ = response.add_cookie(&cookie);
    }
    response
}

/// The page after it.
pub(super) async fn done(app: Data<App>) -> HttpResponse {
    error_page::render(&app, HttpResponse::Ok(), &SignedOut { server: app.host.clone() })
}

//! `/oauth/authorize` and `/v1/auth/authorize`.

use super::{Api, api, form, interaction};
use crate::app::App;
use crate::error_page::{self, Words};
use crate::redirect;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use auth_core::params::{ParamLimits, Params, ParamsError};
use auth_core::secret::BrowserSecret;
use auth_core::usecase::authorize::Request;
use std::time::Instant;

/// The most bytes of a request's target (AUTHZ-25).
const MAX_TARGET: usize = 8 * 1024;

/// An authorization request.
pub(super) async fn get(app: Data<App>, request: HttpRequest) -> HttpResponse {
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > MAX_TARGET) {
        return too_long(&app);
    }
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let params = match Params::parse_form(query, ParamLimits::QUERY) {
        Ok(params) => params,
        Err(error) => return error_page::page(&app, &error.into()),
    };
    app.challenges.notices(&params, Instant::now());
    let api = api(&request);
    let origin = app.network(&request).to_string();
    let mut visitor = app.visitor(&request);
    // The browser is marked as soon as something may have to be shown to it.
    let new_browser = visitor.browser.is_none();
    let outcome = app.engine(move |engine| {
        let browser = match visitor.browser.take() {
            Some(browser) => browser,
            None => BrowserSecret::mint(&*engine.entropy)?,
        };
        let owner = visitor.owner(engine)?;
        let next = engine.authorize(&Request {
            params: &params,
            response_type_optional: api == Api::V1,
            browser: &browser.digest(),
            owner: owner.as_ref(),
            origin: &origin,
        })?;
        visitor.browser = Some(browser);
        Ok((next, visitor, owner))
    });
    interaction::show(&app, api, outcome.await, new_browser)
}

/// The same request by POST. A form of another site carries no `SameSite=Lax` cookie, so the request
/// is parked in the URL of a GET to ourselves, which does (AUTHZ-02). The query of the POST is not
/// read (AUTHZ-06).
pub(super) async fn post(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let params = match form::read(&app, &request, payload).await {
        Ok(params) => params,
        Err(response) => return response,
    };
    if params.iter().any(|(_, value)| value.len() > ParamLimits::QUERY.value_bytes) {
        return error_page::page(&app, &ParamsError::TooLong.into());
    }
    let target = format!("{}/authorize?{}", api(&request).prefix(), params.to_form());
    if app.path(&target).len() > MAX_TARGET {
        return too_long(&app);
    }
    redirect::to_own(&app, &target)
}

fn too_long(app: &App) -> HttpResponse {
    let words = Words::unreadable(StatusCode::URI_TOO_LONG, "it is longer than 8 kB");
    error_page::page(app, &words)
}

//! `/oauth/consent` and `/v1/auth/consent`: the owner's decision.

use super::form;
use crate::app::App;
use crate::csrf::{self, Purpose};
use crate::error_page::{self, Words};
use crate::redirect;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use auth_core::usecase::authorize::{Authorize, Refusal};
use auth_core::usecase::decide_consent::Decision;

/// A consent form. It names its interaction by its CSRF token.
pub(super) async fn post(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let params = match form::read(&app, &request, payload).await {
        Ok(params) => params,
        Err(response) => return response,
    };
    let token = match params.one("csrf_token") {
        Ok(Some(token)) => token,
        _ => {
            let words = Words::unreadable(StatusCode::BAD_REQUEST, "csrf_token is missing");
            return error_page::page(&app, &words);
        }
    };
    let visitor = app.visitor(&request);
    let (Some(interaction), Some(browser)) = (csrf::named_interaction(token), &visitor.browser)
    else {
        return error_page::page(&app, &Words::forged());
    };
    let purpose = Purpose::Consent(&interaction, visitor.session.as_ref());
    if !form::is_ours(&app, &request, token, browser, &purpose) {
        return error_page::page(&app, &Words::forged());
    }
    let browser = browser.digest();
    let decided = app.engine(move |engine| {
        let owner = visitor.owner(engine)?;
        engine.decide_consent(&Decision {
            interaction: &interaction,
            browser: &browser,
            owner: owner.as_ref(),
            params: &params,
        })
    });
    match decided.await {
        Ok(Authorize::Redirect(response)) => redirect::to_client(&response),
        Ok(Authorize::Refused(refusal)) => error_page::page(&app, &Words::from(refusal)),
        Ok(Authorize::NeedsSignIn(_) | Authorize::NeedsConsent(_)) => {
            error_page::page(&app, &Words::from(Refusal::SignInFirst))
        }
        Err(fault) => error_page::fault(&app, &fault),
    }
}

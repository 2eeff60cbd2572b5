//! `/login`: signing in with a local account.

use super::form;
use crate::app::{App, Visitor};
use crate::browser_checks::is_from_own_page;
use crate::csrf::{self, Purpose};
use crate::error_page::{self, Words};
use crate::lane::LaneError;
use crate::pages::{SignIn as SignInPage, SignInProblem};
use crate::redirect;
use crate::security_headers::policy_towards;
use crate::throttle::Throttled;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use auth_core::error::Fault;
use auth_core::owner::Username;
use auth_core::params::{ParamLimits, Params};
use auth_core::password::Password;
use auth_core::secret::{BrowserSecret, InteractionId};
use auth_core::usecase::authorize::{Authorize, Prompted, Refusal};
use auth_core::usecase::sign_in::SignIn;
use std::sync::Arc;
use std::time::Instant;

/// The sign-in form.
pub(super) async fn get(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let params = match Params::parse_form(query, ParamLimits::QUERY) {
        Ok(params) => params,
        Err(error) => return error_page::page(&app, &error.into()),
    };
    let visitor = app.visitor(&request);
    let wanted = match wanted(&app, &params, &visitor).await {
        Ok(wanted) => wanted,
        Err(response) => return response,
    };
    let (browser, new) = match visitor.browser {
        Some(browser) => (browser, false),
        None => match BrowserSecret::mint(&*app.engine.entropy) {
            Ok(browser) => (browser, true),
            Err(error) => return error_page::fault(&app, &error.into()),
        },
    };
    let mut response = form(&app, StatusCode::OK, &browser, wanted.as_ref(), "", None);
    if new {
        // A cookie of our own making is a valid header.
        let _ = response.add_cookie(&app.cookies.set_browser(&browser));
    }
    response
}

/// The filled-in form.
pub(super) async fn post(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let params = match form::read(&app, &request, payload).await {
        Ok(params) => params,
        Err(response) => return response,
    };
    let (Ok(username), Ok(password), Ok(token)) =
        (params.one("username"), params.one("password"), params.one("csrf_token"))
    else {
        let words = Words::unreadable(StatusCode::BAD_REQUEST, "a field was sent more than once");
        return error_page::page(&app, &words);
    };
    let username = username.unwrap_or_default();
    let password = Password::presented(password.unwrap_or_default().to_owned());
    let visitor = app.visitor(&request);
    let wanted = match wanted(&app, &params, &visitor).await {
        Ok(wanted) => wanted,
        Err(response) => return response,
    };
    let interaction = wanted.as_ref().map(|prompted| &prompted.interaction);
    let Some(browser) = &visitor.browser else {
        return stale(&app, username);
    };
    if !is_from_own_page(&request, &app.origin) {
        return error_page::page(&app, &Words::forged());
    }
    if !csrf::is_valid(token.unwrap_or_default(), browser, &Purpose::SignIn(interaction)) {
        let stale = Some(SignInProblem::Stale);
        return form(&app, StatusCode::FORBIDDEN, browser, wanted.as_ref(), username, stale);
    }
    let guess = match Guess::take(&app, &request, username) {
        Ok(guess) => guess,
        Err(Throttled { retry_after_seconds }) => {
            let problem = Some(SignInProblem::Throttled { retry_after_seconds });
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut response = form(&app, status, browser, wanted.as_ref(), username, problem);
            response.headers_mut().insert(header::RETRY_AFTER, retry_after_seconds.into());
            return response;
        }
    };
    let work = {
        let (app, username) = (Arc::clone(&app), username.to_owned());
        let interaction = interaction.map(|id| InteractionId::presented(id.expose()));
        let replaces = visitor.session;
        move || {
            app.engine.sign_in(&SignIn {
                username: &username,
                password: &password,
                replaces: replaces.as_ref(),
                interaction: interaction.as_ref(),
            })
        }
    };
    match app.passwords.run(work).await {
        Ok(Ok(Some(session))) => {
            guess.give_back(&app);
            let next = match interaction {
                Some(id) => format!("/oauth/interaction/{}", id.expose()),
                None => "/".to_owned(),
            };
            let mut response = redirect::to_own(&app, &next);
            let _ = response.add_cookie(&app.cookies.set_session(&session));
            response
        }
        Ok(Ok(None)) => {
            let problem = Some(SignInProblem::Mismatch);
            form(&app, StatusCode::FORBIDDEN, browser, wanted.as_ref(), username, problem)
        }
        Ok(Err(fault)) => {
            guess.give_back(&app);
            error_page::fault(&app, &fault)
        }
        Err(LaneError::Full) => {
            guess.give_back(&app);
            error_page::page(&app, &Words::busy())
        }
        Err(LaneError::Panicked) => {
            guess.give_back(&app);
            error_page::fault(&app, &Fault::Defect("a sign-in"))
        }
    }
}

/// The interaction that the form is for, checked to wait in this browser; none if none is named.
async fn wanted(
    app: &Data<App>,
    params: &Params,
    visitor: &Visitor,
) -> Result<Option<Prompted>, HttpResponse> {
    let refuse = |refusal: Refusal| Err(error_page::page(app, &Words::from(refusal)));
    let id = match params.one("interaction") {
        Ok(None) => return Ok(None),
        Ok(Some(id)) => InteractionId::presented(id),
        Err(repeated) => return refuse(Refusal::Repeated(repeated.0)),
    };
    let Some(browser) = visitor.browser.as_ref().map(BrowserSecret::digest) else {
        return refuse(Refusal::InteractionGone);
    };
    let resumed = app.engine(move |engine| engine.resume(&id, &browser, None));
    match resumed.await {
        Ok(Authorize::NeedsSignIn(prompted) | Authorize::NeedsConsent(prompted)) => {
            Ok(Some(prompted))
        }
        Ok(Authorize::Refused(refusal)) => refuse(refusal),
        Ok(Authorize::Redirect(response)) => Err(redirect::to_client(&response)),
        Err(fault) => Err(error_page::fault(app, &fault)),
    }
}

/// The form without a browser cookie to go by: it was lost, or is blocked. No interaction belongs to it.
fn stale(app: &App, username: &str) -> HttpResponse {
    match BrowserSecret::mint(&*app.engine.entropy) {
        Err(error) => error_page::fault(app, &error.into()),
        Ok(browser) => {
            let stale = Some(SignInProblem::Stale);
            let mut response = form(app, StatusCode::FORBIDDEN, &browser, None, username, stale);
            let _ = response.add_cookie(&app.cookies.set_browser(&browser));
            response
        }
    }
}

fn form(
    app: &App,
    status: StatusCode,
    browser: &BrowserSecret,
    wanted: Option<&Prompted>,
    username: &str,
    problem: Option<SignInProblem>,
) -> HttpResponse {
    let interaction = wanted.map(|prompted| &prompted.interaction);
    let page = SignInPage {
        server: app.host.clone(),
        client_name: wanted.map(|prompted| prompted.client.name.clone()),
        username: username.to_owned(),
        csrf_token: csrf::token(browser, &Purpose::SignIn(interaction)),
        interaction: interaction.map(|id| id.expose().to_owned()),
        problem,
    };
    let mut response = HttpResponse::build(status);
    if let Some(uri) = wanted.map(|prompted| &prompted.redirect_uri) {
        // Signing in may lead straight on to the client.
        let policy = policy_towards(uri.target(), uri.as_str());
        response.insert_header((header::CONTENT_SECURITY_POLICY, policy));
    }
    error_page::render(app, response, &page)
}

/// One guess at a password, counted before it is made, and given back if it was no wrong one.
struct Guess {
    account: (String, std::net::IpAddr),
}

impl Guess {
    fn take(app: &App, request: &HttpRequest, username: &str) -> Result<Self, Throttled> {
        let (network, now) = (app.network(request), Instant::now());
        let name = Username::parse(username).map(|username| username.key()).unwrap_or_default();
        app.address_failures.take(network, now)?;
        let account = (name, network);
        if let Err(throttled) = app.account_failures.take(account.clone(), now) {
            app.address_failures.give_back(&network);
            return Err(throttled);
        }
        Ok(Self { account })
    }

    fn give_back(&self, app: &App) {
        app.account_failures.give_back(&self.account);
        app.address_failures.give_back(&self.account.1);
    }
}

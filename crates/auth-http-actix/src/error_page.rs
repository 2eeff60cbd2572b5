//! Errors as pages: what was wrong, what to do, and the id under which the log tells more.

use crate::app::App;
use crate::pages::{ErrorPage, Page};
use crate::wire_error::RETRY_AFTER_FAULT;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use auth_core::error::Fault;
use auth_core::params::ParamsError;
use auth_core::redirect_uri::RedirectUriMismatch;
use auth_core::usecase::authorize::Refusal;

/// The words of an error page.
pub(crate) struct Words {
    pub status: StatusCode,
    pub title: &'static str,
    pub explanation: String,
    pub advice: &'static str,
}

const TELL_THE_APPLICATION: &str = "Go back to the application and start again. If that does not \
     help, tell the people who run it: the mistake is in its request.";
const START_AGAIN: &str = "Go back to the application and start again.";
const TRY_AGAIN: &str = "Wait a moment and try again.";

impl Words {
    pub(crate) fn new(
        status: StatusCode,
        title: &'static str,
        explanation: impl Into<String>,
        advice: &'static str,
    ) -> Self {
        Self { status, title, explanation: explanation.into(), advice }
    }

    /// A request that names no resource of ours.
    pub(crate) fn not_found() -> Self {
        let explanation = "There is nothing at this address.";
        Self::new(StatusCode::NOT_FOUND, "Page not found", explanation, START_AGAIN)
    }

    /// A method that the resource does not have.
    pub(crate) fn method_not_allowed() -> Self {
        let explanation = "This address does not answer that kind of request.";
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "This address works differently", explanation, START_AGAIN)
    }

    /// A form that cannot be read, with the reader's own words.
    pub(crate) fn unreadable(status: StatusCode, description: &str) -> Self {
        let explanation = format!("The server could not read the request: {description}.");
        Self::new(status, "This request cannot be read", explanation, TELL_THE_APPLICATION)
    }

    /// A form that did not come from a page of ours for this browser.
    pub(crate) fn forged() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "This form was not sent from our page",
            "The form does not belong to this browser and this session. It may be from another \
             window, from before you signed in, or from somebody who wants to act in your name.",
            START_AGAIN,
        )
    }

    /// Too many passwords wait to be checked.
    pub(crate) fn busy() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The server is busy",
            "Too many people are signing in at this moment.",
            TRY_AGAIN,
        )
    }
}

impl From<ParamsError> for Words {
    fn from(error: ParamsError) -> Self {
        Self::unreadable(StatusCode::BAD_REQUEST, error.description())
    }
}

impl From<&Fault> for Words {
    fn from(fault: &Fault) -> Self {
        if fault.is_transient() {
            return Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "The server cannot answer at the moment",
                "Something that the server depends on is out of reach. Nothing is lost.",
                TRY_AGAIN,
            );
        }
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something went wrong on the server",
            "The fault is on our side.",
            "Tell the people who run this server, with the error id.",
        )
    }
}

impl From<Refusal> for Words {
    fn from(refusal: Refusal) -> Self {
        let (title, explanation) = match refusal {
            Refusal::Repeated(name) => {
                ("This request is ambiguous", format!("It carries {name} more than once."))
            }
            Refusal::ClientIdMissing => (
                "The application did not say who it is",
                "The request has no client_id.".to_owned(),
            ),
            Refusal::ClientUnknown => (
                "This application is not known here",
                "No application with this client_id is registered.".to_owned(),
            ),
            Refusal::ClientDisabled => (
                "This application is switched off",
                "An administrator of this server disabled it.".to_owned(),
            ),
            Refusal::RedirectUri(mismatch) => (
                "This sign-in link does not work",
                match mismatch {
                    RedirectUriMismatch::NoneRegistered => {
                        "The application has no redirect URI registered, so nobody can be sent \
                         back to it."
                    }
                    RedirectUriMismatch::Ambiguous => {
                        "The application has several redirect URIs registered and the request \
                         names none of them."
                    }
                    RedirectUriMismatch::Unregistered => {
                        "The request asks to send you to an address (redirect_uri) that is not \
                         registered for this application. Addresses must match character by \
                         character."
                    }
                }
                .to_owned(),
            ),
            Refusal::ResponseMode => (
                "This kind of answer is not offered",
                "The request asks for a response_mode other than query.".to_owned(),
            ),
            Refusal::InteractionGone => {
                return Self::new(
                    StatusCode::BAD_REQUEST,
                    "This page is no longer valid",
                    "It was answered already, it was open for too long, or it was started in \
                     another browser.",
                    START_AGAIN,
                );
            }
            Refusal::SignInFirst => {
                return Self::new(
                    StatusCode::FORBIDDEN,
                    "You are not signed in any more",
                    "Your session ended before you decided.",
                    START_AGAIN,
                );
            }
            Refusal::FieldChanged(name) => (
                "This form was changed",
                format!("Its field {name} differs from the request that it answers."),
            ),
            Refusal::DecisionMissing => (
                "This form has no decision",
                "Its field decision must be approve or deny, once.".to_owned(),
            ),
        };
        Self::new(StatusCode::BAD_REQUEST, title, explanation, TELL_THE_APPLICATION)
    }
}

/// An error page, logged under the id that it shows.
pub(crate) fn page(app: &App, words: &Words) -> HttpResponse {
    build(app, HttpResponse::build(words.status), words)
}

/// An error page with headers of its own.
pub(crate) fn build(app: &App, response: HttpResponseBuilder, words: &Words) -> HttpResponse {
    let error_id = error_id(app);
    let (status, title) = (words.status.as_u16(), words.title);
    tracing::info!(target: "security", error_id, status, title, "answered with an error page");
    show(app, response, words, error_id)
}

/// The page of a fault. What failed goes to the log only.
pub(crate) fn fault(app: &App, fault: &Fault) -> HttpResponse {
    let error_id = error_id(app);
    tracing::error!(error_id, %fault, "fault");
    let words = Words::from(fault);
    show(app, HttpResponse::build(words.status), &words, error_id)
}

fn show(
    app: &App,
    mut response: HttpResponseBuilder,
    words: &Words,
    error_id: String,
) -> HttpResponse {
    if words.status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((header::RETRY_AFTER, RETRY_AFTER_FAULT));
    }
    let page = ErrorPage {
        server: app.host.clone(),
        status: words.status.as_u16(),
        title: words.title.to_owned(),
        explanation: words.explanation.clone(),
        advice: words.advice.to_owned(),
        error_id,
    };
    render(app, response, &page)
}

/// Renders a page. A template that fails in spite of having been tried at start is our fault, and is
/// told without it.
pub(crate) fn render(
    app: &App,
    mut response: HttpResponseBuilder,
    page: &impl Page,
) -> HttpResponse {
    response.insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"));
    match app.pages.render(page) {
        Ok(html) => response.body(html),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            HttpResponse::InternalServerError()
                .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
                .body("The server cannot show this page.")
        }
    }
}

fn error_id(app: &App) -> String {
    let mut bytes = [0u8; 6];
    match app.engine.entropy.fill(&mut bytes) {
        Ok(()) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => "unavailable".to_owned(),
    }
}

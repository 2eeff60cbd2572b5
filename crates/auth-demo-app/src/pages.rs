//! The pages of the demo: start, journey, and what went wrong.

use std::io;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType};
use actix_web::middleware::from_fn;
use actix_web::{Error, HttpRequest, HttpResponse, guard, web};
use serde::Deserialize;
use tera::{Context, Tera};

use crate::client::authority;
use crate::flow::{Demo, Refusal};
use crate::guard::{only_our_own, security_headers};

/// Cookies do not know ports: the name must differ from those of the authorization server on the
/// same host.
const COOKIE: &str = "auth_demo_journey";

const STYLE: &str = include_str!("../../../templates/style.css");
const DEMO_STYLE: &str = include_str!("../../../templates/demo.css");

/// All pages, under the header rules that apply to each of them.
pub(crate) fn configure(
    services: &mut web::ServiceConfig,
    demo: web::Data<Demo>,
    templates: web::Data<Tera>,
) {
    let readable = || web::route().guard(guard::Any(guard::Get()).or(guard::Head()));
    let page = |path: &str| web::resource(path.to_owned()).default_service(web::to(wrong_method));
    services.app_data(demo).app_data(templates).service(
        web::scope("")
            .wrap(from_fn(only_our_own))
            .wrap(security_headers())
            .service(page("/").route(readable().to(start_page)))
            .service(page("/start").route(web::post().to(start)))
            .service(page("/callback").route(web::get().to(callback)))
            .service(page("/journey").route(readable().to(journey_page)))
            .service(page("/refresh").route(web::post().to(refresh)))
            .service(page("/call").route(web::post().to(call)))
            .service(page("/revoke").route(web::post().to(revoke)))
            .service(page("/assets/style.css").route(readable().to(|| stylesheet(STYLE))))
            .service(page("/assets/demo.css").route(readable().to(|| stylesheet(DEMO_STYLE))))
            .default_service(web::to(not_found)),
    );
}

/// The templates, parsed.
pub(crate) fn templates() -> io::Result<Tera> {
    let mut templates = Tera::new();
    templates
        .add_raw_templates([
            ("demo_layout.html", include_str!("../../../templates/demo_layout.html")),
            ("demo_start.html", include_str!("../../../templates/demo_start.html")),
            ("demo_journey.html", include_str!("../../../templates/demo_journey.html")),
            ("demo_error.html", include_str!("../../../templates/demo_error.html")),
        ])
        .map_err(io::Error::other)?;
    Ok(templates)
}

#[derive(Debug, Deserialize)]
struct Start {
    #[serde(default)]
    prompt: Prompt,
}

/// `prompt` of the authorization request.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Prompt {
    #[default]
    #[serde(rename = "")]
    Usual,
    Consent,
    Login,
    None,
}

impl Prompt {
    fn value(self) -> Option<&'static str> {
        match self {
            Self::Usual => None,
            Self::Consent => Some("consent"),
            Self::Login => Some("login"),
            Self::None => Some("none"),
        }
    }
}

async fn start_page(
    request: HttpRequest,
    demo: web::Data<Demo>,
    templates: web::Data<Tera>,
) -> HttpResponse {
    let journey = journey_id(&request).and_then(|id| demo.journeys.with(&id, |_| ()));
    let mut context = context(&demo);
    context.insert("accounts", &demo.app.accounts);
    context.insert(
        "scope",
        &demo.app.scope.split(' ').filter(|it| !it.is_empty()).collect::<Vec<_>>(),
    );
    context.insert("client_id", &demo.app.client_id);
    context.insert("public", &demo.app.client_secret.is_none());
    context.insert("underway", &journey.is_some());
    render(&templates, "demo_start.html", &context, StatusCode::OK)
}

async fn start(
    request: HttpRequest,
    demo: web::Data<Demo>,
    templates: web::Data<Tera>,
    form: Result<web::Form<Start>, Error>,
) -> HttpResponse {
    let Ok(form) = form else {
        return error_page(
            &demo,
            &templates,
            StatusCode::BAD_REQUEST,
            "This form is not one of the demo’s",
            "Its prompt is none of those that the start page offers.",
        );
    };
    let (prompt, former) = (form.prompt.value(), journey_id(&request));
    let background = demo.clone();
    match web::block(move || background.start(prompt, former.as_deref())).await {
        Ok(Ok(begun)) => {
            let cookie = Cookie::build(COOKIE, begun.journey_id)
                .path("/")
                .http_only(true)
                // Lax, not Strict: the answer arrives by a navigation from another site.
                .same_site(SameSite::Lax)
                .finish();
            let mut response = see_other(&begun.authorization_url);
            match response.add_cookie(&cookie) {
                Ok(()) => response,
                Err(_) => overloaded(&demo, &templates),
            }
        }
        Ok(Err(refusal)) => refusal_page(&demo, &templates, &refusal),
        Err(_) => overloaded(&demo, &templates),
    }
}

async fn callback(
    request: HttpRequest,
    demo: web::Data<Demo>,
    templates: web::Data<Tera>,
) -> HttpResponse {
    let query = request.query_string().to_owned();
    let parameters = web::Query::<Vec<(String, String)>>::from_query(&query);
    let Ok(web::Query(parameters)) = parameters else {
        let refusal = Refusal::Answer("It cannot be decoded.");
        return refusal_page(&demo, &templates, &refusal);
    };
    journey_step(&request, &demo, &templates, move |demo, id| {
        demo.callback(id, &query, &parameters)
    })
    .await
}

async fn journey_page(
    request: HttpRequest,
    demo: web::Data<Demo>,
    templates: web::Data<Tera>,
) -> HttpResponse {
    let seen = journey_id(&request).and_then(|id| {
        demo.journeys.with(&id, |journey| {
            let mut context = context(&demo);
            context.insert("journey", &journey.view());
            render(&templates, "demo_journey.html", &context, StatusCode::OK)
        })
    });
    seen.unwrap_or_else(|| refusal_page(&demo, &templates, &Refusal::NoJourney))
}

async fn refresh(
    request: HttpRequest,
    demo: web::Data<Demo>,
    templates: web::Data<Tera>,
) -> HttpResponse {
    journey_step(&request, &demo, &templates, Demo::refresh).await
}

async fn call(
    request: HttpRequest,
    demo: web::Data<Demo>,
    templates: web::Data<Tera>,
) -> HttpResponse {
    journey_step(&request, &demo, &templates, Demo::call).await
}

async fn revoke(
    request: HttpRequest,
    demo: web::Data<Demo>,
    templates: web::Data<Tera>,
) -> HttpResponse {
    journey_step(&request, &demo, &templates, Demo::revoke).await
}

/// Takes a step in the blocking pool, then shows it under an address that may be reloaded.
async fn journey_step(
    request: &HttpRequest,
    demo: &web::Data<Demo>,
    templates: &Tera,
    step: impl FnOnce(&Demo, &str) -> Result<usize, Refusal> + Send + 'static,
) -> HttpResponse {
    let Some(id) = journey_id(request) else {
        return refusal_page(demo, templates, &Refusal::NoJourney);
    };
    let background = demo.clone();
    match web::block(move || step(&background, &id)).await {
        // The first four steps are read from the top; later ones are looked for.
        Ok(Ok(number)) if number <= 4 => see_other("/journey"),
        Ok(Ok(number)) => see_other(&format!("/journey#step-{number}")),
        Ok(Err(refusal)) => refusal_page(demo, templates, &refusal),
        Err(_) => overloaded(demo, templates),
    }
}

fn journey_id(request: &HttpRequest) -> Option<String> {
    request.cookie(COOKIE).map(|cookie| cookie.value().to_owned())
}

async fn stylesheet(text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(text)
}

async fn not_found(demo: web::Data<Demo>, templates: web::Data<Tera>) -> HttpResponse {
    error_page(
        &demo,
        &templates,
        StatusCode::NOT_FOUND,
        "There is no such page",
        "The demo has a start page and a page for your journey.",
    )
}

async fn wrong_method(
    request: HttpRequest,
    demo: web::Data<Demo>,
    templates: web::Data<Tera>,
) -> HttpResponse {
    let allowed = match request.path() {
        "/start" | "/refresh" | "/call" | "/revoke" => "POST",
        "/callback" => "GET",
        _ => "GET, HEAD",
    };
    let mut response = error_page(
        &demo,
        &templates,
        StatusCode::METHOD_NOT_ALLOWED,
        "This address is used by a button",
        "Go back to the page with the button and press it there.",
    );
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    response
}

fn refusal_page(demo: &Demo, templates: &Tera, refusal: &Refusal) -> HttpResponse {
    let (status, title, text) = match refusal {
        Refusal::Server(reason) => (
            StatusCode::BAD_GATEWAY,
            "The authorization server cannot be used",
            format!("The demo asked {} for its metadata. {reason}", demo.app.issuer),
        ),
        Refusal::Entropy => (
            StatusCode::SERVICE_UNAVAILABLE,
            "No randomness",
            "The operating system gave no random bytes, and the demo guesses none.".to_owned(),
        ),
        Refusal::NoJourney => (
            StatusCode::NOT_FOUND,
            "There is nothing to show yet",
            "The demo keeps no sign-in of this browser: it was restarted since, or nothing was started \
             here, or there is no token for this step."
                .to_owned(),
        ),
        Refusal::Answer(reason) => (
            StatusCode::BAD_REQUEST,
            "The demo does not believe this answer",
            format!("An authorization response arrived and was refused. {reason}"),
        ),
    };
    error_page(demo, templates, status, title, &text)
}

fn overloaded(demo: &Demo, templates: &Tera) -> HttpResponse {
    error_page(
        demo,
        templates,
        StatusCode::SERVICE_UNAVAILABLE,
        "The demo could not do this now",
        "Try again in a moment.",
    )
}

fn error_page(
    demo: &Demo,
    templates: &Tera,
    status: StatusCode,
    title: &str,
    text: &str,
) -> HttpResponse {
    let mut context = context(demo);
    context.insert("title", title);
    context.insert("text", text);
    render(templates, "demo_error.html", &context, status)
}

fn context(demo: &Demo) -> Context {
    let mut context = Context::new();
    context.insert("issuer_host", authority(&demo.app.issuer));
    context
}

fn render(templates: &Tera, name: &str, context: &Context, status: StatusCode) -> HttpResponse {
    match templates.render(name, context) {
        Ok(page) => HttpResponse::build(status).content_type(ContentType::html()).body(page),
        Err(_) => HttpResponse::InternalServerError()
            .content_type(ContentType::plaintext())
            .body("This page could not be rendered.\n"),
    }
}

pub(crate) fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
}

//! The endpoints, one file each, and the table that mounts them.

mod authorize;
mod client_request;
mod consent;
mod discovery;
mod form;
mod health;
mod home;
mod interaction;
mod introspection;
mod revocation;
mod sign_in;
mod sign_out;
mod token;

use crate::app::App;
use crate::error_page::{self, Words};
use crate::{security_headers, wire_error};
use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource, Route, guard};

/// The two documented APIs: the same handlers under two prefixes, with one set of clients, codes and
/// tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    /// `/oauth`, which the metadata names.
    OAuth,
    /// `/v1/auth`, where an absent `response_type` means `code`.
    V1,
}

impl Api {
    /// The path that all its endpoints begin with.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::OAuth => "/oauth",
            Self::V1 => "/v1/auth",
        }
    }
}

/// Every endpoint of the server, below the issuer's path if it has one.
pub fn service(app: Data<App>) -> impl HttpServiceFactory + 'static {
    let base = app.base.clone();
    // RFC 8414 §3.1 inserts the well-known part before the issuer's path (META-01).
    let metadata = format!("/.well-known/oauth-authorization-server{base}");
    web::scope("")
        .app_data(app)
        .wrap(from_fn(exact_paths_only))
        .wrap(from_fn(security_headers::add))
        .service(
            json(&metadata, GET_OR_HEAD, get_or_head().to(discovery::metadata))
                .wrap(cors(&["GET", "HEAD"])),
        )
        .service(page("/healthz", "GET, HEAD").route(get_or_head().to(health::live)))
        .service(page("/readyz", "GET, HEAD").route(get_or_head().to(health::ready)))
        .configure(|config| mount_api(config, &base, Api::OAuth))
        .configure(|config| mount_api(config, &base, Api::V1))
        .configure(|config| mount_pages(config, &base))
        .default_service(web::to(not_found))
}

fn mount_api(config: &mut ServiceConfig, base: &str, api: Api) {
    let at = |path: &str| format!("{base}{}{path}", api.prefix());
    config
        .service(
            // HEAD would issue codes like GET (XC-09), so it is refused like any other method.
            page(&at("/authorize"), "GET, POST")
                .app_data(api)
                .route(web::get().to(authorize::get))
                .route(web::post().to(authorize::post)),
        )
        .service(page(&at("/consent"), "POST").route(web::post().to(consent::post)))
        .service(json(&at("/token"), POST, web::post().to(token::post)).wrap(cors(&["POST"])))
        .service(
            json(&at("/scopes"), GET_OR_HEAD, get_or_head().to(discovery::scopes))
                .wrap(cors(&["GET", "HEAD"])),
        );
    if api == Api::OAuth {
        let revoke = json(&at("/revoke"), POST, web::post().to(revocation::post));
        config
            .service(revoke.wrap(cors(&["POST"])))
            // For programs on servers, which have a secret: no browser may ask.
            .service(json(&at("/introspect"), POST, web::post().to(introspection::post)));
    }
}

fn mount_pages(config: &mut ServiceConfig, base: &str) {
    let at = |path: &str| format!("{base}{path}");
    config
        .service(
            page(&at("/oauth/interaction/{interaction}"), "GET")
                .route(web::get().to(interaction::get)),
        )
        .service(
            page(&at("/login"), "GET, HEAD, POST")
                .route(get_or_head().to(sign_in::get))
                .route(web::post().to(sign_in::post)),
        )
        .service(page(&at("/logout"), "POST").route(web::post().to(sign_out::post)))
        .service(page(&at("/signed-out"), "GET, HEAD").route(get_or_head().to(sign_out::done)))
        .service(page(&at("/"), "GET, HEAD").route(get_or_head().to(home::get)))
        .service(
            page(&at("/assets/style.css"), "GET, HEAD").route(get_or_head().to(home::stylesheet)),
        );
}

fn get_or_head() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// A resource for people: another method gets a page.
fn page(path: &str, allow: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move |app: Data<App>| async move {
        let words = Words::method_not_allowed();
        let mut response = HttpResponse::build(words.status);
        response.insert_header((header::ALLOW, allow));
        error_page::build(&app, response, &words)
    }))
}

/// The values of `Allow` of resources for programs.
const POST: &str = "POST";
const GET_OR_HEAD: &str = "GET, HEAD";

/// A resource for programs: another method gets JSON.
fn json(path: &str, allow: &'static str, route: Route) -> Resource {
    web::resource(path).route(route).default_service(web::to(move || async move {
        let mut response = HttpResponse::MethodNotAllowed();
        response.insert_header((header::ALLOW, allow));
        wire_error::transport(response, "the method is not allowed here")
    }))
}

/// Use from pages of other origins, without credentials (TOKEN-12): no cookie is looked at here.
fn cors(methods: &[&'static str]) -> Cors {
    Cors::default()
        .allow_any_origin()
        .send_wildcard()
        .disable_vary_header()
        .allowed_methods(methods.iter().copied())
        .allow_any_header()
        .expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER])
        .max_age(600)
}

async fn not_found(app: Data<App>) -> HttpResponse {
    error_page::page(&app, &Words::not_found())
}

/// No path of ours has an escape in it, so one that has is another spelling of a path of ours, or of
/// none: `/%61uthorize` must not be a second door (XC-08).
async fn exact_paths_only(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let app = request.app_data::<Data<App>>().filter(|_| request.uri().path().contains('%'));
    if let Some(app) = app.cloned() {
        let response = error_page::page(&app, &Words::not_found());
        return Ok(request.into_response(response).map_into_boxed_body());
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// The API whose endpoint this request came to.
fn api(request: &HttpRequest) -> Api {
    request.app_data::<Api>().copied().unwrap_or(Api::OAuth)
}

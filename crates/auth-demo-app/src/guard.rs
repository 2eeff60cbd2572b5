//! What the demo's pages keep out: foreign frames, foreign forms, foreign names.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, ContentType, HeaderMap};
use actix_web::middleware::{DefaultHeaders, Next};
use actix_web::{Error, HttpResponse, web};

use crate::client::authority;
use crate::flow::Demo;
use crate::pages::see_other;

/// The headers of every answer.
pub(crate) fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((
            header::CONTENT_SECURITY_POLICY,
            // No form-action: browsers hold the whole redirect chain of a form against it (UI-03).
            "default-src 'none'; style-src 'self'; img-src 'self' data:; \
             frame-ancestors 'none'; base-uri 'none'",
        ))
        .add((header::CACHE_CONTROL, "no-store"))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((header::X_FRAME_OPTIONS, "DENY"))
        .add((header::REFERRER_POLICY, "no-referrer"))
}

/// Turns away what a foreign page could make a browser send: requests under a foreign host name
/// (DNS rebinding would let it read the passwords on the start page), and forms of other origins.
pub(crate) async fn only_our_own(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let foreign = request.app_data::<web::Data<Demo>>().and_then(|demo| {
        let base_url = demo.app.base_url.as_str();
        let headers = request.headers();
        if text(headers, &header::HOST) != Some(authority(base_url)) {
            return Some(see_other(&format!("{base_url}/")));
        }
        let forged = request.method() == Method::POST && !sent_by_our_page(headers, base_url);
        forged.then(HttpResponse::Forbidden).map(|mut refusal| {
            refusal
                .content_type(ContentType::plaintext())
                .body("This form was not sent by the demo.\n")
        })
    });
    match foreign {
        Some(response) => Ok(request.into_response(response)),
        None => next.call(request).await,
    }
}

fn sent_by_our_page(headers: &HeaderMap, base_url: &str) -> bool {
    // Our own forms send `Origin: null`, because the pages ask for no referrer.
    let origin = text(headers, &header::ORIGIN).is_none_or(|it| it == "null" || it == base_url);
    let site =
        headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none");
    origin && site
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

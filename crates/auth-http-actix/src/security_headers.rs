//! Headers that every answer carries (chapter UI of the requirements).

use crate::app::App;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use auth_core::redirect_uri::RedirectTarget;

/// The policy of pages without a form that leads to a client (UI-01, UI-02).
const CONTENT_SECURITY_POLICY: &str = concat!(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; ",
    "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
);

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::PERMISSIONS_POLICY,
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    // Plain `same-origin` would cut the tie to a client that opened us in a popup.
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin-allow-popups"),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
];

/// Adds what the handler did not set itself. `Cache-Control` is `no-store` unless something else was
/// said (UI-13).
pub(crate) async fn add(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let https = request.app_data::<Data<App>>().is_some_and(|app| app.is_https());
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    set_if_absent(headers, header::CACHE_CONTROL, "no-store");
    let policy = format!("{CONTENT_SECURITY_POLICY}; form-action 'self'");
    set_if_absent(headers, header::CONTENT_SECURITY_POLICY, &policy);
    if https {
        set_if_absent(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    Ok(response)
}

fn set_if_absent(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if !headers.contains_key(&name)
        && let Ok(value) = HeaderValue::from_str(value)
    {
        headers.insert(name, value);
    }
}

/// The policy of a page whose form ends in a redirect to a client. Chromium holds `form-action`
/// against the whole redirect chain, so it admits that client's redirect target, and nothing else
/// (UI-03). Where the target cannot be written as a source expression, `form-action` is left out.
pub(crate) fn policy_towards(target: RedirectTarget<'_>, redirect_uri: &str) -> String {
    let source = match target {
        RedirectTarget::App(scheme) => Some(format!("{scheme}:")),
        RedirectTarget::Web(host) | RedirectTarget::Loopback(host) => {
            let scheme = redirect_uri.split(':').next().unwrap_or_default();
            // A source expression knows no IPv6 literals (CSP 3 §2.3.1).
            (!host.contains('[')).then(|| format!("{scheme}://{host}"))
        }
    };
    match source {
        Some(source) => format!("{CONTENT_SECURITY_POLICY}; form-action 'self' {source}"),
        None => CONTENT_SECURITY_POLICY.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UI-03
    #[test]
    fn form_action_admits_the_redirect_target_and_nothing_broader() {
        let form_action = |target, uri| {
            let policy = policy_towards(target, uri);
            policy.split("; ").find(|part| part.starts_with("form-action")).map(str::to_owned)
        };
        assert_eq!(
            form_action(RedirectTarget::Web("rp.test:8443"), "https://rp.test:8443/cb").unwrap(),
            "form-action 'self' https://rp.test:8443"
        );
        assert_eq!(
            form_action(RedirectTarget::Loopback("127.0.0.1:5"), "http://127.0.0.1:5/cb").unwrap(),
            "form-action 'self' http://127.0.0.1:5"
        );
        assert_eq!(
            form_action(RedirectTarget::App("com.example.app"), "com.example.app:/cb").unwrap(),
            "form-action 'self' com.example.app:"
        );
        assert_eq!(form_action(RedirectTarget::Loopback("[::1]:5"), "http://[::1]:5/cb"), None);
    }
}

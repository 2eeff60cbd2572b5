//! The two cookies of a browser (UI-14).
//!
//! `session` says who is signed in. `browser` ties interactions and forms to one browser, signed in or
//! not; it is the secret behind every CSRF token. Over https both carry the `__Host-` prefix; over
//! plain http, which only loopback may use, they have other names, so that neither is ever taken for
//! the other's.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use auth_core::secret::{BrowserSecret, SessionSecret};

/// Names and attributes of the cookies of one issuer.
#[derive(Debug, Clone)]
pub struct Cookies {
    session: String,
    browser: String,
    secure: bool,
}

/// No cookie of ours is longer; what is longer is not looked at.
const MAX_VALUE: usize = 64;

impl Cookies {
    /// The cookies of an issuer at this path, reached over https or not. Two issuers on one host have
    /// different names, since `__Host-` cookies cannot have different paths (META-10).
    pub fn new(base_path: &str, secure: bool) -> Self {
        let prefix = if secure { "__Host-" } else { "" };
        let suffix: String =
            base_path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let name = |kind| format!("{prefix}auth_{kind}{suffix}");
        Self { session: name("session"), browser: name("browser"), secure }
    }

    /// The session that the browser presents.
    pub fn session(&self, request: &HttpRequest) -> Option<SessionSecret> {
        value(request, &self.session).map(|value| SessionSecret::presented(&value))
    }

    /// The browser's own secret.
    pub fn browser(&self, request: &HttpRequest) -> Option<BrowserSecret> {
        value(request, &self.browser).map(|value| BrowserSecret::presented(&value))
    }

    /// Signs the browser in.
    pub fn set_session(&self, secret: &SessionSecret) -> Cookie<'static> {
        self.cookie(&self.session, secret.expose())
    }

    /// Marks the browser.
    pub fn set_browser(&self, secret: &BrowserSecret) -> Cookie<'static> {
        self.cookie(&self.browser, secret.expose())
    }

    /// Removes both.
    pub fn clear(&self) -> [Cookie<'static>; 2] {
        [&self.session, &self.browser].map(|name| {
            let mut cookie = self.cookie(name, "");
            cookie.make_removal();
            cookie
        })
    }

    /// A cookie for this browser session: `Lax`, since people arrive from the client's site.
    fn cookie(&self, name: &str, value: &str) -> Cookie<'static> {
        Cookie::build(name.to_owned(), value.to_owned())
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .finish()
    }
}

fn value(request: &HttpRequest, name: &str) -> Option<String> {
    let value = request.cookie(name)?.value().to_owned();
    (!value.is_empty() && value.len() <= MAX_VALUE).then_some(value)
}

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

/// The length of every value that we set: 256 bits in base64url.
const VALUE_LENGTH: usize = 43;

impl Cookies {
    /// The cookies of an issuer at this path, reached over https or not. Two issuers on one host have
    /// different names, since `__Host-` cookies cannot have different paths (META-10).
    pub fn new(base_path: &str, secure: bool) -> Self {
        let prefix = if secure { "__Host-" } else { "" };
        // A character that cookie names may have and paths of issuers may not.
        let suffix = base_path.replace('/', "|");
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

/// What the browser presents under this name, if it has the form of a value that we set; anything else
/// counts as absent and is replaced (UI-15).
fn value(request: &HttpRequest, name: &str) -> Option<String> {
    let value = request.cookie(name)?.value().to_owned();
    let ours = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (value.len() == VALUE_LENGTH && value.bytes().all(ours)).then_some(value)
}

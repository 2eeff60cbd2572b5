//! An answer of the server, and what must hold for it whatever it answers.

use actix_web::cookie::Cookie;
use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, Query};
use scraper::{Html, Selector};
use serde_json::Value;

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Where a redirect to a client leads.
#[derive(Debug, Clone)]
pub struct ClientRedirect {
    /// The URI without the query.
    pub base: String,
    /// The query, decoded.
    pub params: Vec<(String, String)>,
}

impl ClientRedirect {
    fn parse(location: &str) -> Self {
        let (base, query) = location.split_once('?').unwrap_or((location, ""));
        let params =
            Query::<Vec<(String, String)>>::from_query(query).expect("a form-encoded query");
        Self { base: base.to_owned(), params: params.into_inner() }
    }

    /// The value of a parameter that stands there at most once.
    #[track_caller]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.params.iter().filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is repeated: {self:?}");
        first
    }

    /// The names of its parameters, in their order.
    pub fn names(&self) -> Vec<&str> {
        self.params.iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl Answer {
    /// A header that is sent at most once.
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name);
        let first = values.next().map(|value| value.to_str().expect("ASCII"));
        assert!(values.next().is_none(), "{name} is sent twice");
        first
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The body as a page.
    #[track_caller]
    pub fn html(&self) -> Html {
        assert!(self.is_html(), "no page: {self:?}");
        Html::parse_document(self.text())
    }

    fn is_html(&self) -> bool {
        self.header("content-type").is_some_and(|it| it.starts_with("text/html"))
    }

    /// The texts of the elements that a selector finds.
    #[track_caller]
    pub fn find(&self, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).expect("a selector");
        let html = self.html();
        let found = html.select(&selector);
        found.map(|it| it.text().collect::<String>().trim().to_owned()).collect()
    }

    /// The values of an attribute of the elements that a selector finds.
    #[track_caller]
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let selector = Selector::parse(selector).expect("a selector");
        let html = self.html();
        let found = html.select(&selector);
        found.filter_map(|it| it.attr(name).map(str::to_owned)).collect()
    }

    /// The cookies that it sets.
    pub fn cookies(&self) -> Vec<Cookie<'static>> {
        let headers = self.headers.get_all("set-cookie");
        let parse = |text: &str| Cookie::parse(text.to_owned()).expect("a cookie");
        headers.map(|it| parse(it.to_str().expect("ASCII"))).collect()
    }

    /// The content policy's sources, by directive.
    #[track_caller]
    pub fn policy(&self, directive: &str) -> Option<Vec<&str>> {
        let policy = self.header("content-security-policy").expect("a content policy");
        let mut found = policy.split("; ").filter_map(|part| {
            let mut words = part.split(' ');
            (words.next() == Some(directive)).then(|| words.collect())
        });
        let sources = found.next();
        assert!(found.next().is_none(), "{directive} stands there twice");
        sources
    }

    /// The redirect to a client that this is.
    #[track_caller]
    pub fn client_redirect(&self) -> ClientRedirect {
        assert_eq!(self.status, 303, "no redirect: {self:?}");
        let location = self.header("location").expect("a location");
        assert!(!location.starts_with('/') && !location.starts_with("https://as.test/"));
        ClientRedirect::parse(location)
    }

    /// The code that it carries.
    #[track_caller]
    pub fn code(&self) -> String {
        let redirect = self.client_redirect();
        let code = redirect.get("code").map(str::to_owned);
        code.unwrap_or_else(|| panic!("no code: {redirect:?}"))
    }

    /// It redirects this error to this redirect URI.
    #[track_caller]
    pub fn assert_error_redirect(&self, to: &str, error: &str) {
        let redirect = self.client_redirect();
        assert_eq!(
            (redirect.base.as_str(), redirect.get("error")),
            (to, Some(error)),
            "{redirect:?}"
        );
    }

    /// It is a page that tells an error and leads nowhere but back to this server.
    #[track_caller]
    pub fn assert_error_page(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("location"), None);
        assert!(self.cookies().is_empty(), "an error page changes nothing in the browser");
        assert_eq!(self.find("form, a, iframe, object, meta[http-equiv]"), [""; 0]);
        // UI-24: the page says which server it is, and the id to ask for.
        let facts = self.find("dl.facts dd");
        assert!(facts.len() == 2 && facts[0].len() == 12 && facts[1] == "as.test", "{facts:?}");
    }

    /// It is a JSON error.
    #[track_caller]
    pub fn assert_json_error(&self, status: u16, error: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json()["error"], error, "{self:?}");
    }

    /// What holds for every answer of the server with this issuer.
    #[track_caller]
    pub fn check(&self, issuer: &str) {
        // AUTHZ-16
        assert!(!matches!(self.status, 302 | 307 | 308), "{self:?}");
        // UI-21
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"), "{self:?}");
        assert_eq!(self.header("cross-origin-opener-policy"), Some("same-origin-allow-popups"));
        assert_eq!(self.header("cross-origin-resource-policy"), Some("same-origin"));
        assert!(self.header("permissions-policy").is_some());
        let is_https = issuer.starts_with("https:");
        assert_eq!(self.header("strict-transport-security").is_some(), is_https);
        // UI-12
        assert_eq!(self.header("referrer-policy"), Some("no-referrer"));
        // UI-13: only what is the same for everybody may be kept.
        let cache = self.header("cache-control").expect("a cache policy");
        assert!(
            cache == "no-store" || (cache.starts_with("public, max-age=") && self.status == 200)
        );
        // TOKEN-12
        assert_eq!(self.header("access-control-allow-credentials"), None);
        for cookie in self.cookies() {
            check_cookie(&cookie, is_https);
        }
        if let Some(location) = self.header("location") {
            assert_eq!((self.status, cache), (303, "no-store"), "{self:?}");
            self.check_location(location, issuer);
        }
        if self.is_html() {
            self.check_page();
        } else if self.status >= 400 && self.header("content-type") == Some("application/json") {
            self.check_json_error();
        }
    }

    fn check_location(&self, location: &str, issuer: &str) {
        let origin = issuer.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let own = location.strip_prefix(&origin).unwrap_or(location);
        if own.starts_with('/') {
            assert!(!own.starts_with("//") && !own.contains('\\'), "{location}");
            return;
        }
        // AUTHZ-08, AUTHZ-12
        assert!(!location.contains('#') && !location.contains("access_token"), "{location}");
        assert_eq!(location.matches('?').count(), 1, "{location}");
        assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location}");
        // CODE-01
        let redirect = ClientRedirect::parse(location);
        assert_eq!(redirect.get("iss"), Some(issuer), "{redirect:?}");
        let (code, error) = (redirect.get("code"), redirect.get("error"));
        assert!(code.is_some() != error.is_some(), "{redirect:?}");
        if let Some(error) = error {
            assert_description(error, redirect.get("error_description"));
            assert_eq!(redirect.get("error_uri"), None);
        }
    }

    fn check_page(&self) {
        // UI-01
        assert_eq!(self.policy("frame-ancestors"), Some(vec!["'none'"]));
        assert_eq!(self.header("x-frame-options"), Some("DENY"));
        // UI-02
        for (directive, sources) in [
            ("default-src", vec!["'none'"]),
            ("script-src", vec!["'self'"]),
            ("style-src", vec!["'self'"]),
            ("img-src", vec!["'self'", "data:"]),
            ("connect-src", vec!["'self'"]),
            ("object-src", vec!["'none'"]),
            ("base-uri", vec!["'none'"]),
        ] {
            assert_eq!(self.policy(directive), Some(sources), "{directive}");
        }
        // UI-13, AUTHZ-15
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("access-control-allow-origin"), None);
        // UI-12, UI-23: nothing from elsewhere, no script, and no need of one.
        assert_eq!(self.find("script, base, style, [style], meta[http-equiv]"), [""; 0]);
        for name in ["href", "src", "action", "formaction"] {
            for target in self.attributes(&format!("[{name}]"), name) {
                let own = target.starts_with('/') && !target.starts_with("//");
                assert!(own || target.starts_with("data:image/svg+xml,"), "{target}");
            }
        }
    }

    fn check_json_error(&self) {
        // TOKEN-08, TOKEN-11
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("pragma"), Some("no-cache"));
        let body = self.json();
        let members = body.as_object().expect("an object");
        let names: Vec<&str> = members.keys().map(String::as_str).collect();
        assert_eq!(names, ["error", "error_description"], "{body}");
        let text = |name: &str| members[name].as_str().expect("a string");
        assert_description(text("error"), Some(text("error_description")));
    }
}

/// AUTHZ-14, TOKEN-11: printable ASCII without `"` and `\`, in words that tell nothing of the inside.
#[track_caller]
fn assert_description(error: &str, description: Option<&str>) {
    for text in [error, description.expect("a description")] {
        let clean = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
        assert!(!text.is_empty() && text.bytes().all(clean), "{text}");
        for inside in ["panic", "SELECT", ".rs", "told to fail", "::"] {
            assert!(!text.contains(inside), "{text}");
        }
    }
}

/// UI-14
#[track_caller]
fn check_cookie(cookie: &Cookie<'_>, is_https: bool) {
    assert_eq!(cookie.name().starts_with("__Host-"), is_https, "{cookie}");
    assert_eq!(cookie.secure().unwrap_or(false), is_https, "{cookie}");
    assert_eq!(cookie.http_only(), Some(true), "{cookie}");
    assert_eq!(cookie.path(), Some("/"), "{cookie}");
    assert_eq!(cookie.domain(), None, "{cookie}");
    assert_eq!(cookie.same_site(), Some(actix_web::cookie::SameSite::Lax), "{cookie}");
    // 256 bits in base64url; a removal is empty.
    assert!(matches!(cookie.value().len(), 0 | 43), "{cookie}");
}

//! Redirect URIs: OAuth 2.1 §2.3, RFC 8252 §7, RFC 9700 §4.1.
//!
//! Registration is where a URI is judged; a request is compared with what was registered, character
//! by character. The one exception is the port of a loopback address.

use crate::uri;
use std::fmt;

/// Why a redirect URI cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidRedirectUri {
    /// A character that no URI may hold, or a `%` without two hexadecimal digits.
    BadCharacter,
    /// Longer than [`RegisteredRedirectUri::MAX_LEN`].
    TooLong,
    /// Not `scheme:…`.
    NoScheme,
    /// A scheme that runs script, reads files or starts other programs (REDIR-06).
    ForbiddenScheme,
    /// A private-use scheme without a dot (REDIR-05, RFC 8252 §7.1).
    SchemeWithoutDot,
    /// `http` to a host that is not loopback (REDIR-11).
    PlainHttp,
    /// A fragment, be it empty (REDIR-07).
    Fragment,
    /// User information before the host.
    UserInfo,
    /// No host, a malformed host, or a wildcard in it (REDIR-09).
    BadHost,
    /// A port that is no number from 1 to 65535.
    BadPort,
    /// A `.` or `..` path segment, which browsers would rewrite.
    DotSegment,
    /// A query parameter that an authorization response carries itself (REDIR-12).
    ReservedParameter,
}

impl InvalidRedirectUri {
    /// The fault and its cure in words.
    pub const fn description(self) -> &'static str {
        match self {
            Self::BadCharacter => {
                "it holds a character that no URI may hold, or a broken percent escape"
            }
            Self::TooLong => "it is longer than 2048 characters",
            Self::NoScheme => "it must be an absolute URI such as https://app.example/callback",
            Self::ForbiddenScheme => "this scheme must not receive authorization responses",
            Self::SchemeWithoutDot => {
                "a private-use scheme needs a dot, such as com.example.app:/callback"
            }
            Self::PlainHttp => "http is for 127.0.0.1, [::1] and localhost only; use https",
            Self::Fragment => "it must not have a fragment (#)",
            Self::UserInfo => "it must not carry a user name or password",
            Self::BadHost => "its host is missing, malformed or has a wildcard",
            Self::BadPort => "its port must be a number from 1 to 65535",
            Self::DotSegment => "its path must not have . or .. segments",
            Self::ReservedParameter => {
                "its query must not use code, state, iss, error, error_description, error_uri or response"
            }
        }
    }
}

impl fmt::Display for InvalidRedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid_redirect_uri: {}", self.description())
    }
}

impl std::error::Error for InvalidRedirectUri {}

/// A redirect URI that was judged good at registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredRedirectUri(String);

const RESERVED_PARAMETERS: [&str; 7] =
    ["code", "state", "iss", "error", "error_description", "error_uri", "response"];

impl RegisteredRedirectUri {
    /// The most characters of a redirect URI.
    pub const MAX_LEN: usize = 2048;

    /// Judges a URI for registration.
    pub fn parse(text: &str) -> Result<Self, InvalidRedirectUri> {
        use InvalidRedirectUri as Invalid;
        if text.len() > Self::MAX_LEN {
            return Err(Invalid::TooLong);
        }
        if !uri::has_only_uri_characters(text) {
            return Err(Invalid::BadCharacter);
        }
        if text.contains('#') {
            return Err(Invalid::Fragment);
        }
        let (scheme, rest) = uri::split_scheme(text).ok_or(Invalid::NoScheme)?;
        let lower = scheme.to_ascii_lowercase();
        // Most have no dot and would be refused anyway; this gives them the right reason, and holds
        // should the dot rule ever be relaxed.
        if uri::is_dangerous_scheme(&lower) {
            return Err(Invalid::ForbiddenScheme);
        }
        match lower.as_str() {
            "http" | "https" => judge_web(&lower, rest)?,
            _ if !is_reverse_domain(&lower) => return Err(Invalid::SchemeWithoutDot),
            _ => {}
        }
        let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
        if before_query.split('/').any(is_dot_segment) {
            return Err(Invalid::DotSegment);
        }
        let reserved = |pair: &str| {
            let name = pair.split('=').next().unwrap_or_default();
            let decoded = crate::params::form_decode(name.as_bytes());
            decoded.map_or(true, |name| RESERVED_PARAMETERS.contains(&name.as_str()))
        };
        if query.split('&').filter(|pair| !pair.is_empty()).any(reserved) {
            return Err(Invalid::ReservedParameter);
        }
        Ok(Self(text.to_owned()))
    }

    /// The URI as registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares a requested URI with this one: equal, or equal but for the port of a loopback host
    /// (REDIR-01, -02, -03). `localhost` counts as loopback only where `localhost_any_port` (REDIR-04).
    fn admits(&self, requested: &str, localhost_any_port: bool) -> bool {
        if self.0 == requested {
            return true;
        }
        let loopback =
            |uri| Loopback::parse(uri).filter(|it| it.host != "localhost" || localhost_any_port);
        match (loopback(&self.0), loopback(requested)) {
            (Some(registered), Some(asked)) => registered == asked,
            _ => false,
        }
    }
}

/// An `http` URI of a loopback host, without its port.
#[derive(PartialEq, Eq)]
struct Loopback<'a> {
    host: &'static str,
    rest: &'a str,
}

impl<'a> Loopback<'a> {
    fn parse(uri: &'a str) -> Option<Self> {
        let after_scheme = uri.strip_prefix("http://")?;
        let (host, rest) = ["127.0.0.1", "[::1]", "localhost"]
            .into_iter()
            .find_map(|host| after_scheme.strip_prefix(host).map(|rest| (host, rest)))?;
        let rest = match rest.strip_prefix(':') {
            Some(with_port) => {
                let end = with_port.find(['/', '?']).unwrap_or(with_port.len());
                let (port, rest) = with_port.split_at_checked(end)?;
                uri::is_port(port).then_some(rest)?
            }
            None => rest,
        };
        let ends_the_host = rest.is_empty() || rest.starts_with(['/', '?']);
        ends_the_host.then_some(Self { host, rest })
    }
}

/// Two names or more with dots between them.
fn is_reverse_domain(scheme: &str) -> bool {
    scheme.contains('.') && scheme.split('.').all(|name| !name.is_empty())
}

fn is_dot_segment(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

fn judge_web(scheme: &str, rest: &str) -> Result<(), InvalidRedirectUri> {
    use InvalidRedirectUri as Invalid;
    let (authority, _) = uri::split_authority(rest).ok_or(Invalid::BadHost)?;
    if authority.contains('@') {
        return Err(Invalid::UserInfo);
    }
    let (host, port) = uri::split_port(authority);
    if port.is_some_and(|port| !uri::is_port(port)) {
        return Err(Invalid::BadPort);
    }
    let is_loopback = matches!(host, "127.0.0.1" | "[::1]" | "localhost");
    if !is_loopback && !is_host_name(host) && !uri::is_ipv6_literal(host) {
        return Err(Invalid::BadHost);
    }
    if scheme == "http" && !is_loopback { Err(Invalid::PlainHttp) } else { Ok(()) }
}

fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    !host.is_empty() && host.len() <= 253 && host.split('.').all(label)
}

/// A redirect URI that equals one of the client's. Only matching makes one, so only a proven URI can
/// be redirected to.
///
/// ```compile_fail
/// let uri = auth_core::redirect_uri::ValidatedRedirectUri("https://evil.example/".into());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatedRedirectUri(String);

/// Where a redirect leads, for people and for page policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectTarget<'a> {
    /// A web site, by host and perhaps port.
    Web(&'a str),
    /// A program on the person's own device that listens on a loopback address (with its port).
    Loopback(&'a str),
    /// An app that owns this private-use scheme.
    App(&'a str),
}

impl ValidatedRedirectUri {
    /// The URI to redirect to, without response parameters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it leads.
    pub fn target(&self) -> RedirectTarget<'_> {
        let (scheme, rest) = self.0.split_once(':').unwrap_or((&self.0, ""));
        let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
        match uri::split_authority(rest).filter(|_| web) {
            None => RedirectTarget::App(scheme),
            Some((authority, _)) => match uri::split_port(authority).0 {
                "127.0.0.1" | "[::1]" | "localhost" => RedirectTarget::Loopback(authority),
                _ => RedirectTarget::Web(authority),
            },
        }
    }

    /// Whether only one party can receive what is sent there: an `https` site that is not loopback.
    /// Any program can listen on loopback or claim a private-use scheme (RFC 8252 §8.6, UI-05).
    pub fn is_claimed_https(&self) -> bool {
        self.0.starts_with("https:") && matches!(self.target(), RedirectTarget::Web(_))
    }
}

/// Why no redirect URI could be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectUriMismatch {
    /// The client has none registered (REDIR-10).
    NoneRegistered,
    /// None was sent and several are registered (REDIR-08).
    Ambiguous,
    /// What was sent equals none of the registered (REDIR-01).
    Unregistered,
}

/// Finds the redirect URI to use: the one sent, if it equals a registered one; the only registered
/// one, if none was sent (REDIR-08, RFC 6749 §3.1.2.3).
pub fn match_redirect_uri(
    registered: &[RegisteredRedirectUri],
    requested: Option<&str>,
    localhost_any_port: bool,
) -> Result<ValidatedRedirectUri, RedirectUriMismatch> {
    match (registered, requested) {
        ([], _) => Err(RedirectUriMismatch::NoneRegistered),
        ([only], None) => Ok(ValidatedRedirectUri(only.0.clone())),
        (_, None) => Err(RedirectUriMismatch::Ambiguous),
        (_, Some(requested)) => registered
            .iter()
            .any(|uri| uri.admits(requested, localhost_any_port))
            .then(|| ValidatedRedirectUri(requested.to_owned()))
            .ok_or(RedirectUriMismatch::Unregistered),
    }
}

#[cfg(test)]
#[path = "redirect_uri_tests.rs"]
mod tests;

//! Resource indicators: RFC 8707.
//!
//! A resource server is known by a URI. A token is for an [`Audience`], a set of such URIs; it comes
//! from the operator's catalog, and what a client sends only chooses among that.

use crate::error::OAuthError;
use crate::scope::{Scope, ScopeToken};
use crate::uri;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

/// Why a text is no resource URI. All are an `invalid_target` when a client sends them (RES-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidResourceUri {
    /// Longer than [`ResourceUri::MAX_LEN`].
    TooLong,
    /// A character that no URI may hold, or a `%` without two hexadecimal digits.
    BadCharacter,
    /// A fragment, be it empty.
    Fragment,
    /// Neither `scheme://host…` nor `urn:…:…`.
    NotAbsolute,
    /// A scheme that runs script, reads files or starts other programs.
    ForbiddenScheme,
    /// User information, a malformed host or port, or a wildcard.
    BadAuthority,
}

impl InvalidResourceUri {
    /// The fault as the rest of a sentence about the URI.
    pub const fn description(self) -> &'static str {
        match self {
            Self::TooLong => "is longer than 1024 characters",
            Self::BadCharacter => {
                "has a character that no URI may hold, or a broken percent escape"
            }
            Self::Fragment => "has a fragment (#)",
            Self::NotAbsolute => "is not an absolute URI",
            Self::ForbiddenScheme => "has a scheme that cannot be that of an API",
            Self::BadAuthority => "has a malformed host or port, or a user name before the host",
        }
    }
}

impl fmt::Display for InvalidResourceUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the resource URI {}", self.description())
    }
}

impl std::error::Error for InvalidResourceUri {}

/// The URI of a resource server: absolute, without fragment (RFC 8707 §2), `scheme://host…` or a URN.
///
/// Two are equal if they differ in nothing but the case of scheme and host, and one slash at the end:
/// clients write `https://API.example/` for `https://api.example`. The slash counts at the end of a
/// query, and so does a second one. Nothing else is forgiven: no escape, default port or dot segment
/// is rewritten.
#[derive(Debug, Clone)]
pub struct ResourceUri {
    text: String,
    /// What is compared.
    key: String,
}

impl ResourceUri {
    /// The most bytes of a resource URI.
    pub const MAX_LEN: usize = 1024;

    /// Reads a resource URI and keeps the text as it is.
    pub fn parse(text: &str) -> Result<Self, InvalidResourceUri> {
        use InvalidResourceUri as Invalid;
        if text.len() > Self::MAX_LEN {
            return Err(Invalid::TooLong);
        }
        if !uri::has_only_uri_characters(text) {
            return Err(Invalid::BadCharacter);
        }
        if text.contains('#') {
            return Err(Invalid::Fragment);
        }
        let (scheme, rest) = uri::split_scheme(text).ok_or(Invalid::NotAbsolute)?;
        let scheme = scheme.to_ascii_lowercase();
        if uri::is_dangerous_scheme(&scheme) {
            return Err(Invalid::ForbiddenScheme);
        }
        let key = match uri::split_authority(rest) {
            Some((authority, after)) if is_host_and_port(authority) => {
                let after = match after.strip_suffix('/') {
                    Some(shorter) if !after.contains('?') => shorter,
                    _ => after,
                };
                format!("{scheme}://{}{after}", authority.to_ascii_lowercase())
            }
            Some(_) => return Err(Invalid::BadAuthority),
            None if scheme == "urn" && is_urn(rest) => format!("urn:{rest}"),
            None => return Err(Invalid::NotAbsolute),
        };
        Ok(Self { text: text.to_owned(), key })
    }

    /// The URI as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for ResourceUri {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for ResourceUri {}

impl PartialOrd for ResourceUri {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceUri {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

/// A name or an address, and perhaps a port. Names of private networks may hold `_`.
fn is_host_and_port(authority: &str) -> bool {
    let (host, port) = uri::split_port(authority);
    let unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let is_name = !host.is_empty() && host.bytes().all(unreserved);
    (is_name || uri::is_ipv6_literal(host)) && port.is_none_or(uri::is_port)
}

/// A namespace and a name in it (RFC 8141 §2).
fn is_urn(rest: &str) -> bool {
    rest.split_once(':').is_some_and(|(namespace, name)| !namespace.is_empty() && !name.is_empty())
}

/// A set of resource servers: whom a token is for. It only narrows, but for remembered consents; the
/// URIs in it are as the operator wrote them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Audience(BTreeSet<ResourceUri>);

impl Audience {
    /// Reads the form that [`fmt::Display`] writes, in which the empty text is the empty audience;
    /// `None` if one of its URIs is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        text.split(' ').map(ResourceUri::parse).collect::<Result<_, _>>().map(Self).ok()
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this resource server is in it.
    pub fn contains(&self, uri: &ResourceUri) -> bool {
        self.0.contains(uri)
    }

    /// Whether everybody in `self` is in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Who is in both.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// Who is in either; for remembering consents, never for issuing.
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// The URIs in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &ResourceUri> {
        self.0.iter()
    }
}

impl FromIterator<ResourceUri> for Audience {
    fn from_iter<I: IntoIterator<Item = ResourceUri>>(uris: I) -> Self {
        Self(uris.into_iter().collect())
    }
}

/// The URIs in alphabetical order with one space between them, which no URI can hold.
impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, uri) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(uri.as_str())?;
        }
        Ok(())
    }
}

/// One resource server that tokens can be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What clients call it in `resource`.
    pub uri: ResourceUri,
    /// What people call it.
    pub name: String,
    /// The scopes that concern it.
    pub scopes: Scope,
}

/// Every resource server that tokens can be for, in the operator's order. No two have the same URI.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources(Vec<Resource>);

impl Resources {
    /// The most values of `resource` in one request.
    pub const MAX_REQUESTED: usize = 32;

    /// A catalog of these. Of several with the same URI the first is found.
    pub fn new(resources: Vec<Resource>) -> Self {
        Self(resources)
    }

    /// The resource servers in the operator's order.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.0.iter()
    }

    /// The one with this URI.
    pub fn find(&self, uri: &str) -> Option<&Resource> {
        self.get(&ResourceUri::parse(uri).ok()?)
    }

    /// Whether this is one of them.
    pub fn contains(&self, uri: &ResourceUri) -> bool {
        self.get(uri).is_some()
    }

    fn get(&self, uri: &ResourceUri) -> Option<&Resource> {
        self.0.iter().find(|resource| resource.uri == *uri)
    }

    /// Every one of them.
    pub fn all(&self) -> Audience {
        self.0.iter().map(|resource| resource.uri.clone()).collect()
    }

    /// Those that one of these scopes concerns: the audience of a request that names no resource.
    pub fn sharing(&self, scope: &Scope) -> Audience {
        let shares = |resource: &&Resource| !resource.scopes.intersection(scope).is_empty();
        self.0.iter().filter(shares).map(|resource| resource.uri.clone()).collect()
    }

    /// The audience that the values of `resource` name, each perhaps several times (RES-05); nobody,
    /// if there are none.
    ///
    /// # Errors
    /// `invalid_target` if one is malformed (RES-01) or not of this catalog (RES-02), or if there are
    /// more than [`Resources::MAX_REQUESTED`].
    pub fn choose(&self, requested: &[&str]) -> Result<Audience, OAuthError> {
        const MALFORMED: OAuthError =
            OAuthError::invalid_target("resource must be an absolute URI without fragment");
        const UNKNOWN: OAuthError = OAuthError::invalid_target("the resource is unknown");
        const TOO_MANY: OAuthError = OAuthError::invalid_target("too many resources");
        if requested.len() > Self::MAX_REQUESTED {
            return Err(TOO_MANY);
        }
        let choose = |text: &&str| {
            let uri = ResourceUri::parse(text).map_err(|_| MALFORMED)?;
            self.get(&uri).map(|resource| resource.uri.clone()).ok_or(UNKNOWN)
        };
        requested.iter().map(choose).collect()
    }

    /// The scopes that concern anybody in this audience.
    pub fn scopes_of(&self, audience: &Audience) -> Scope {
        let inside = self.0.iter().filter(|resource| audience.contains(&resource.uri));
        inside.flat_map(|resource| resource.scopes.iter().cloned()).collect()
    }

    /// What of a scope may be used at this audience: the scopes that concern it, and those that
    /// concern no resource server in particular (RES-06).
    pub fn scope_within(&self, scope: &Scope, audience: &Audience) -> Scope {
        let concerned = self.scopes_of(audience);
        let is_free =
            |token: &ScopeToken| !self.0.iter().any(|resource| resource.scopes.contains(token));
        scope.iter().filter(|token| concerned.contains(token) || is_free(token)).cloned().collect()
    }
}

#[cfg(test)]
#[path = "resource_tests.rs"]
mod tests;

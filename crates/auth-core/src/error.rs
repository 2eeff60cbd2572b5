//! Error codes of the protocol, and the ways a use case can fail.

use crate::entropy::EntropyError;
use crate::params::{ParamsError, Repeated};
use crate::password::PasswordHasherError;
use std::fmt;

/// The error codes that this server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// OAuth 2.1 §3.2.4, §4.1.2.1.
    InvalidRequest,
    /// OAuth 2.1 §3.2.4.
    InvalidClient,
    /// OAuth 2.1 §3.2.4.
    InvalidGrant,
    /// OAuth 2.1 §3.2.4, §4.1.2.1.
    UnauthorizedClient,
    /// OAuth 2.1 §3.2.4.
    UnsupportedGrantType,
    /// OAuth 2.1 §3.2.4, §4.1.2.1.
    InvalidScope,
    /// RFC 8707 §2.
    InvalidTarget,
    /// OAuth 2.1 §4.1.2.1.
    AccessDenied,
    /// OAuth 2.1 §4.1.2.1.
    UnsupportedResponseType,
    /// OAuth 2.1 §4.1.2.1.
    ServerError,
    /// OAuth 2.1 §4.1.2.1.
    TemporarilyUnavailable,
    /// OpenID Connect Core §3.1.2.6.
    LoginRequired,
    /// OpenID Connect Core §3.1.2.6.
    ConsentRequired,
    /// OpenID Connect Core §3.1.2.6.
    RequestNotSupported,
    /// OpenID Connect Core §3.1.2.6.
    RequestUriNotSupported,
    /// OpenID Connect Core §3.1.2.6.
    RegistrationNotSupported,
}

impl ErrorCode {
    /// Every code, for tables and tests.
    pub const ALL: [Self; 16] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::AccessDenied,
        Self::UnsupportedResponseType,
        Self::ServerError,
        Self::TemporarilyUnavailable,
        Self::LoginRequired,
        Self::ConsentRequired,
        Self::RequestNotSupported,
        Self::RequestUriNotSupported,
        Self::RegistrationNotSupported,
    ];

    /// The code on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
        }
    }
}

/// A refusal in the protocol's own terms.
///
/// The description is fixed text of printable ASCII without `"` and `\` (AUTHZ-14, TOKEN-11), so that
/// nothing from the request or from inside the server can leak into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OAuthError {
    /// The code.
    pub code: ErrorCode,
    /// What was wrong, for the client's developer.
    pub description: &'static str,
}

impl OAuthError {
    /// A refusal with this code and description.
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    /// An `invalid_request`.
    pub const fn invalid_request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// An `invalid_scope`.
    pub const fn invalid_scope(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidScope, description)
    }

    /// An `invalid_target`.
    pub const fn invalid_target(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidTarget, description)
    }

    /// The one `invalid_client`: unknown, disabled, wrong secret and wrong method look the same
    /// (CAUTH-09).
    pub const INVALID_CLIENT: Self =
        Self::new(ErrorCode::InvalidClient, "client authentication failed");

    /// The one `invalid_grant` for a code or token: unknown, expired, used, revoked and somebody
    /// else's look the same.
    pub const INVALID_GRANT: Self = Self::new(
        ErrorCode::InvalidGrant,
        "the code or token is invalid, expired, revoked or was issued to another client",
    );
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.description)
    }
}

impl From<Repeated> for OAuthError {
    fn from(_: Repeated) -> Self {
        Self::invalid_request("a parameter was sent more than once")
    }
}

impl From<ParamsError> for OAuthError {
    fn from(error: ParamsError) -> Self {
        Self::invalid_request(error.description())
    }
}

/// The storage machinery failed. That a thing is not there, or that somebody else was first, is no
/// error but an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// The store could not be reached, is full, busy or read-only. Trying again may help.
    Unavailable(
        /// What the machinery said; for the log, never for the wire.
        String,
    ),
    /// A stored row does not have the form it was written in.
    Corrupt {
        /// The table it is in.
        table: &'static str,
        /// The column that could not be read.
        column: &'static str,
        /// The row's key, which is no secret.
        key: String,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(reason) => write!(f, "store unavailable: {reason}"),
            Self::Corrupt { table, column, key } => {
                write!(f, "store corrupt: {table}.{column} of {key} cannot be read")
            }
        }
    }
}

impl std::error::Error for StoreError {}

/// Something beneath the protocol failed. It is no judgement on the request: the answer is 503 (or
/// 500), never `invalid_grant` or `invalid_client`, on which clients throw their tokens away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A store failed.
    Store(StoreError),
    /// The source of randomness failed.
    Entropy(EntropyError),
    /// The password hasher failed.
    PasswordHasher(PasswordHasherError),
    /// The server itself is wrong: a port or a use case panicked, and whoever called it caught that.
    Defect(
        /// Where.
        &'static str,
    ),
}

impl Fault {
    /// What a client hears of it: whether trying again may help, and nothing else.
    pub const fn code(&self) -> ErrorCode {
        match self.is_transient() {
            true => ErrorCode::TemporarilyUnavailable,
            false => ErrorCode::ServerError,
        }
    }

    /// Whether trying again may help. If not, somebody has to mend something.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Store(StoreError::Unavailable(_)) | Self::Entropy(_) => true,
            Self::Store(StoreError::Corrupt { .. }) | Self::PasswordHasher(_) | Self::Defect(_) => {
                false
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Entropy(error) => error.fmt(f),
            Self::PasswordHasher(error) => error.fmt(f),
            Self::Defect(place) => write!(f, "defect: {place} panicked"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<EntropyError> for Fault {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}

impl From<PasswordHasherError> for Fault {
    fn from(error: PasswordHasherError) -> Self {
        Self::PasswordHasher(error)
    }
}

/// How a request of a client for itself fails: at the token, revocation and introspection endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenError {
    /// The request is refused.
    Refused(OAuthError),
    /// The server could not judge it.
    Fault(Fault),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for TokenError {}

impl From<OAuthError> for TokenError {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
    }
}

impl From<Repeated> for TokenError {
    fn from(error: Repeated) -> Self {
        Self::Refused(error.into())
    }
}

impl<E: Into<Fault>> From<E> for TokenError {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_distinct_name_of_its_own() {
        let names: std::collections::BTreeSet<_> =
            ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }
}

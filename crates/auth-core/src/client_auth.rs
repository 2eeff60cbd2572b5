//! Client authentication: OAuth 2.1 §2.4, RFC 6749 §2.3.1.
//!
//! 1. At most one method is used; two are `invalid_request` (CAUTH-04).
//! 2. A public client names itself and sends no secret (CAUTH-05, CAUTH-10).
//! 3. A confidential client proves one of its live secrets, by the method that was pinned for it if
//!    one was (CAUTH-05, CAUTH-06, CAUTH-14).
//! 4. Every failure is the same `invalid_client` (CAUTH-09).

use crate::client::{Client, ClientAuthMethod, ClientId, ClientKind, ClientStore};
use crate::error::{OAuthError, TokenError};
use crate::params::{Params, form_decode};
use crate::secret::{ClientSecret, ClientSecretDigest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// How a request says which client it comes from.
#[derive(Debug)]
pub enum ClientCredentials {
    /// `client_id` alone, or nothing at all.
    Unproven {
        /// The `client_id` parameter, if one was sent.
        client_id: Option<String>,
    },
    /// An identifier and a secret.
    Secret {
        /// The identifier.
        client_id: String,
        /// The secret.
        secret: ClientSecret,
        /// Where they stood.
        method: ClientAuthMethod,
    },
    /// Credentials that cannot be anybody's: malformed Basic, another scheme, an assertion.
    Unusable,
}

impl ClientCredentials {
    /// Reads a request's credentials from its `Authorization` header values and its parameters.
    ///
    /// # Errors
    /// `invalid_request` for more than one method, a repeated parameter, or a `client_id` that differs
    /// from the header's (CAUTH-04).
    pub fn read(authorization: &[&[u8]], params: &Params) -> Result<Self, OAuthError> {
        let client_id = params.one("client_id")?;
        let body_secret = params.one("client_secret")?;
        let assertion = params.one("client_assertion")?.is_some()
            || params.one("client_assertion_type")?.is_some();
        let methods =
            authorization.len() + usize::from(body_secret.is_some()) + usize::from(assertion);
        if methods > 1 {
            return Err(OAuthError::invalid_request("more than one client authentication method"));
        }
        match (authorization.first(), body_secret) {
            _ if assertion => Ok(Self::Unusable),
            (Some(header), _) => match parse_basic(header) {
                None => Ok(Self::Unusable),
                Some((header_id, _)) if client_id.is_some_and(|id| id != header_id) => Err(
                    OAuthError::invalid_request("client_id differs from the Authorization header"),
                ),
                Some((client_id, secret)) => Ok(Self::Secret {
                    client_id,
                    secret,
                    method: ClientAuthMethod::ClientSecretBasic,
                }),
            },
            (None, None) => Ok(Self::Unproven { client_id: client_id.map(ToOwned::to_owned) }),
            (None, Some(secret)) => Ok(Self::Secret {
                client_id: client_id.unwrap_or_default().to_owned(),
                secret: ClientSecret::presented(secret),
                method: ClientAuthMethod::ClientSecretPost,
            }),
        }
    }

    /// The identifier that the request claims; empty if it claims none.
    pub fn claimed_id(&self) -> &str {
        match self {
            Self::Unproven { client_id } => client_id.as_deref().unwrap_or_default(),
            Self::Secret { client_id, .. } => client_id,
            Self::Unusable => "",
        }
    }
}

/// Reads Basic credentials: the scheme in any letter case, spaces, base64 of `id:secret`, both halves
/// form-encoded before that (CAUTH-02, CAUTH-12). `None` if anything is off.
fn parse_basic(header: &[u8]) -> Option<(String, ClientSecret)> {
    let header = std::str::from_utf8(header).ok()?;
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = zeroize::Zeroizing::new(STANDARD.decode(rest.trim_matches(' ')).ok()?);
    let mut halves = decoded.splitn(2, |byte| *byte == b':');
    let id = form_decode(halves.next()?).ok()?;
    let secret = zeroize::Zeroizing::new(form_decode(halves.next()?).ok()?);
    Some((id, ClientSecret::presented(&secret)))
}

/// Proof that a request comes from this client: an authenticated confidential client, or a public one
/// that named itself. Only [`authenticate_client`] makes one.
///
/// ```compile_fail
/// fn forge(client: auth_core::client::Client) -> auth_core::client_auth::AuthenticatedClient {
///     auth_core::client_auth::AuthenticatedClient(client)
/// }
/// ```
#[derive(Debug)]
pub struct AuthenticatedClient(Client);

impl AuthenticatedClient {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.0
    }

    /// Takes a client for authenticated, for tests of what follows.
    #[cfg(test)]
    pub(crate) fn assume(client: Client) -> Self {
        Self(client)
    }
}

/// Finds out which client a request comes from.
///
/// # Errors
/// [`OAuthError::INVALID_CLIENT`] for every failure, or the fault of the store.
pub fn authenticate_client(
    clients: &dyn ClientStore,
    credentials: &ClientCredentials,
) -> Result<AuthenticatedClient, TokenError> {
    let client = match ClientId::parse(credentials.claimed_id()) {
        Some(id) => clients.find(&id)?,
        None => None,
    };
    // An unknown client costs the same comparison as a known one (CAUTH-09).
    let proven = proves(credentials, client.as_ref());
    match client {
        Some(client) if proven && client.is_enabled() => Ok(AuthenticatedClient(client)),
        _ => Err(OAuthError::INVALID_CLIENT.into()),
    }
}

fn proves(credentials: &ClientCredentials, client: Option<&Client>) -> bool {
    match (credentials, client.map(|client| client.kind)) {
        (ClientCredentials::Unproven { .. }, Some(ClientKind::Public)) => true,
        (ClientCredentials::Secret { secret, method, .. }, kind) => {
            let presented = secret.digest();
            let nobody = ClientSecretDigest::from_bytes([0; 32]);
            let live = client.map_or(&[][..], |client| &client.secrets);
            let mut matched = presented.matches(&nobody) & live.is_empty();
            for record in live {
                matched |= presented.matches(&record.digest);
            }
            let pinned = client.and_then(|client| client.auth_method);
            let allowed = pinned.is_none_or(|pinned| pinned == *method);
            matched && allowed && kind == Some(ClientKind::Confidential)
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "client_auth_tests.rs"]
mod tests;

//! Clients: OAuth 2.1 §2.

use crate::error::StoreError;
use crate::redirect_uri::RegisteredRedirectUri;
use crate::resource::ResourceUri;
use crate::scope::Scope;
use crate::secret::ClientSecretDigest;
use crate::timestamp::Timestamp;
use std::collections::BTreeSet;
use std::fmt;

/// A client identifier (OAuth 2.1 §2.2): 1 to 255 bytes of text without control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// The most bytes of a client identifier.
    pub const MAX_LEN: usize = 255;

    /// Reads a client identifier; `None` if no client can have it.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=Self::MAX_LEN).contains(&text.len()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    /// The identifier as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier, if it is no longer than a UUID: what a request claims to be goes to a log only
    /// through here. Longer it may be a secret or a token in the wrong place (CODE-14); those that are
    /// minted here have 43 characters at least.
    pub fn for_log(self) -> Option<Self> {
        const UUID: usize = 36;
        (self.0.len() <= UUID).then_some(self)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a client can keep a secret (OAuth 2.1 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// It cannot: an app on a device or in a browser.
    Public,
    /// It can: a program on a server of its own.
    Confidential,
}

/// What a client may ask the token endpoint for (OAuth 2.1 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GrantType {
    /// `authorization_code` (OAuth 2.1 §4.1).
    AuthorizationCode,
    /// `refresh_token` (OAuth 2.1 §4.3).
    RefreshToken,
    /// `client_credentials` (OAuth 2.1 §4.2). For confidential clients only.
    ClientCredentials,
}

impl GrantType {
    /// Every grant type that this server offers.
    pub const ALL: [Self; 3] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// What a client may use unless it was registered otherwise: acting for owners, and not for itself.
    pub const DEFAULT: [Self; 2] = [Self::AuthorizationCode, Self::RefreshToken];

    /// The value of `grant_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// Reads a `grant_type`, in exactly its spelling.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant_type| grant_type.as_str() == text)
    }
}

/// How a confidential client sends its secret (OAuth 2.1 §2.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuthMethod {
    /// In the `Authorization` header.
    ClientSecretBasic,
    /// In the request body.
    ClientSecretPost,
}

impl ClientAuthMethod {
    /// Both methods.
    pub const ALL: [Self; 2] = [Self::ClientSecretBasic, Self::ClientSecretPost];

    /// The name in `token_endpoint_auth_method` (RFC 7591 §2).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }

    /// Reads a `token_endpoint_auth_method`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

/// One live secret of a client. Several may be live while one replaces another (CAUTH-14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSecretRecord {
    /// Its public name, for retiring it.
    pub id: String,
    /// What the presented secret must hash to.
    pub digest: ClientSecretDigest,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A registered client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its identifier.
    pub id: ClientId,
    /// Its name as people see it on the consent page.
    pub name: String,
    /// Whether it can keep a secret.
    pub kind: ClientKind,
    /// Where authorization responses may go.
    pub redirect_uris: Vec<RegisteredRedirectUri>,
    /// The most it may ever ask for.
    pub scope: Scope,
    /// The grants it may use.
    pub grant_types: BTreeSet<GrantType>,
    /// PKCE is required of it even where confidential clients may do without.
    pub require_pkce: bool,
    /// The only method it may authenticate with; `None` leaves it the choice.
    pub auth_method: Option<ClientAuthMethod>,
    /// Whether a refresh gives it a new refresh token. Always true of public clients (REFRESH-03).
    pub rotate_refresh_tokens: bool,
    /// The API whose credentials these are. They are good for introspection (RFC 7662), and for nothing
    /// else.
    pub resource_server: Option<ResourceUri>,
    /// Its live secrets, the newest first. Empty for public clients.
    pub secrets: Vec<ClientSecretRecord>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Since when it may do nothing.
    pub disabled_at: Option<Timestamp>,
}

impl Client {
    /// Whether it may do anything at all.
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    /// Whether it may use this grant: the credentials of an API may use none.
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.resource_server.is_none() && self.grant_types.contains(&grant_type)
    }

    /// Whether it cannot keep a secret.
    pub fn is_public(&self) -> bool {
        self.kind == ClientKind::Public
    }
}

/// Registered clients, as the protocol reads them.
#[cfg_attr(test, mockall::automock)]
pub trait ClientStore: Send + Sync {
    /// The client with this identifier, disabled or not. Reads what is true now: a client that was
    /// disabled or got a new secret a moment ago, through any server, is seen so.
    fn find(&self, id: &ClientId) -> Result<Option<Client>, StoreError>;
}

/// What adding a client or owner came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is there now.
    Inserted,
    /// The identifier or name belongs to another.
    NameTaken,
}

/// What changing something by name came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is changed.
    Changed,
    /// There is no such thing.
    NotFound,
}

/// What retiring a client secret came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// The secret authenticates nobody any more.
    Retired,
    /// It is the only live one; retiring it would lock the client out.
    LastOne,
    /// The client has no such secret.
    NotFound,
}

/// Registered clients, as their administration changes them.
#[cfg_attr(test, mockall::automock)]
pub trait ClientRegistry: Send + Sync {
    /// Every client, ordered by identifier.
    fn list(&self) -> Result<Vec<Client>, StoreError>;

    /// Adds a client with its redirect URIs and secrets.
    fn insert(&self, client: &Client) -> Result<Inserted, StoreError>;

    /// Replaces everything but secrets, `created_at` and `disabled_at`.
    fn update(&self, client: &Client) -> Result<Changed, StoreError>;

    /// Disables the client, then ends its grants and forgets the consents that were remembered for it;
    /// `None` enables it again, and people approve it anew. What is recorded for it at the same moment is
    /// ended as well. There may be very many grants: if this fails half-way the client is disabled, and
    /// doing it again, or enabling it, first ends what is left.
    fn set_disabled(&self, id: &ClientId, at: Option<Timestamp>) -> Result<Changed, StoreError>;

    /// Removes the client, its secrets and remembered consents, and ends its grants.
    fn delete(&self, id: &ClientId, at: Timestamp) -> Result<Changed, StoreError>;

    /// Adds a secret and keeps the `keep` newest of the others.
    fn add_secret(
        &self,
        id: &ClientId,
        secret: &ClientSecretRecord,
        keep: usize,
    ) -> Result<Changed, StoreError>;

    /// Removes one secret, unless it is the only one.
    fn retire_secret(&self, id: &ClientId, secret_id: &str) -> Result<Retired, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AUTHZ-09
    #[test]
    fn a_client_id_is_short_text_without_control_characters() {
        for good in ["web", "a:b c%é", "https://client.example/", &"x".repeat(255)] {
            assert!(ClientId::parse(good).is_some(), "{good}");
        }
        for bad in ["", "a\0", "a\r\n", &"x".repeat(256), &"x".repeat(10_240)] {
            assert!(ClientId::parse(bad).is_none(), "{bad:?}");
        }
    }

    /// TOKEN-04: spelling is exact.
    #[test]
    fn grant_types_and_methods_are_read_in_their_exact_spelling() {
        assert_eq!(GrantType::parse("refresh_token"), Some(GrantType::RefreshToken));
        assert_eq!(GrantType::parse("AUTHORIZATION_CODE"), None);
        assert_eq!(GrantType::parse("password"), None);
        assert_eq!(ClientAuthMethod::parse("client_secret_jwt"), None);
    }
}

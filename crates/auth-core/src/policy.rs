//! What the operator decided.

use crate::client::Client;
use crate::resource::Resources;
use crate::scope::ScopeCatalog;
use crate::session::SessionLifetimes;
use crate::token::RefreshReuse;
use time::Duration;

/// Of whom PKCE is required. Public clients always need it (PKCE-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PkceRequiredFor {
    /// Public clients, and confidential ones that are registered so.
    Public,
    /// Everybody.
    All,
}

/// The operator's decisions, as far as the protocol depends on them.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The issuer identifier (RFC 8414 §2), byte for byte as clients compare it.
    pub issuer: String,
    /// The scopes that exist.
    pub scopes: ScopeCatalog,
    /// The resource servers that tokens can be for.
    pub resources: Resources,
    /// Of whom PKCE is required.
    pub pkce_required_for: PkceRequiredFor,
    /// Whether redirects to `localhost` match on any port (REDIR-04).
    pub localhost_any_port: bool,
    /// How long a code can be redeemed.
    pub code_lifetime: Duration,
    /// How long an access token is valid.
    pub access_token_lifetime: Duration,
    /// How long a refresh token is valid after it was issued.
    pub refresh_token_lifetime: Duration,
    /// How long anything under one approval is valid; `None` for no cap.
    pub grant_lifetime: Option<Duration>,
    /// When a refresh token is spent.
    pub refresh_reuse: RefreshReuse,
    /// How long a request waits for its owner.
    pub pending_authorization_lifetime: Duration,
    /// How many requests of one network address may wait.
    pub pending_authorizations_per_origin: usize,
    /// How long sessions last.
    pub sessions: SessionLifetimes,
}

impl Policy {
    /// The defaults for an issuer with these scopes: codes 60 s, access tokens 10 min, refresh tokens
    /// 30 days, requests wait 15 min, sessions 8 h idle and 7 days in all; no resources.
    pub fn new(issuer: impl Into<String>, scopes: ScopeCatalog) -> Self {
        Self {
            issuer: issuer.into(),
            scopes,
            resources: Resources::default(),
            pkce_required_for: PkceRequiredFor::Public,
            localhost_any_port: true,
            code_lifetime: Duration::seconds(60),
            access_token_lifetime: Duration::minutes(10),
            refresh_token_lifetime: Duration::days(30),
            grant_lifetime: None,
            refresh_reuse: RefreshReuse::UntilSuccessorUsed,
            pending_authorization_lifetime: Duration::minutes(15),
            pending_authorizations_per_origin: 1000,
            sessions: SessionLifetimes { idle: Duration::hours(8), absolute: Duration::days(7) },
        }
    }

    /// Whether this client must use PKCE (PKCE-01).
    pub fn requires_pkce(&self, client: &Client) -> bool {
        client.is_public() || client.require_pkce || self.pkce_required_for == PkceRequiredFor::All
    }
}

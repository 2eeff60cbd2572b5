//! The settings, typed. What each one means stands in the table of settings and in the book's
//! configuration page.

use super::core_value;
use super::database_url::DatabaseUrl;
use super::duration;
use super::issuer::Issuer;
use super::network::Network;
use auth_core::resource::ResourceUri;
use auth_core::scope::ScopeToken;
use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// All settings, checked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) issuer: Issuer,
    pub(crate) listen: SocketAddr,
    pub(crate) database: Database,
    pub(crate) pkce: Pkce,
    pub(crate) tokens: Tokens,
    pub(crate) refresh: Refresh,
    pub(crate) redirects: Redirects,
    pub(crate) session: Session,
    #[allow(dead_code, reason = "judged, and used once sign-in through providers is there")]
    pub(crate) login: Login,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) limits: Limits,
    pub(crate) http: Http,
    pub(crate) pages: Pages,
    pub(crate) log: Log,
}

/// `[database]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Database {
    pub(crate) url: DatabaseUrl,
    pub(crate) migrate_on_start: bool,
}

/// `[pkce]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pkce {
    pub(crate) required_for: PkceRequiredFor,
}

/// The clients that must use PKCE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PkceRequiredFor {
    Public,
    All,
}

/// `[tokens]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tokens {
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) code_lifetime: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) access_token_lifetime: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) refresh_token_lifetime: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) pending_authorization_lifetime: Duration,
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    pub(crate) grant_lifetime: Option<Duration>,
}

/// `[refresh]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refresh {
    pub(crate) reuse: RefreshReuse,
}

/// When a refresh token is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefreshReuse {
    UntilSuccessorUsed,
    Strict,
}

/// `[redirects]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redirects {
    pub(crate) localhost_any_port: bool,
}

/// `[session]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Session {
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) idle_lifetime: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) absolute_lifetime: Duration,
}

/// `[login]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "as `Config::login`")]
pub(crate) struct Login {
    pub(crate) local: bool,
    pub(crate) upstream: Vec<Upstream>,
}

/// `[[login.upstream]]`: has a `client_secret` or a `client_secret_file`, never both.
#[allow(dead_code, reason = "as `Config::login`")]
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upstream {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<SecretText>,
    pub(crate) client_secret_file: Option<PathBuf>,
    pub(crate) scopes: Vec<String>,
}

/// A secret from the configuration; it never prints itself.
#[derive(Deserialize)]
#[allow(dead_code, reason = "as `Config::login`")]
pub(crate) struct SecretText(String);

#[allow(dead_code, reason = "as `Config::login`")]
impl SecretText {
    /// The secret.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// `[[scopes]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scope {
    #[serde(deserialize_with = "core_value::scope_token")]
    pub(crate) name: ScopeToken,
    pub(crate) description: String,
    pub(crate) default: bool,
}

/// `[[resources]]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resource {
    #[serde(deserialize_with = "core_value::resource_uri")]
    pub(crate) uri: ResourceUri,
    pub(crate) name: String,
    #[serde(deserialize_with = "core_value::scope")]
    pub(crate) scopes: auth_core::scope::Scope,
    #[allow(dead_code, reason = "judged, and used once JWT access tokens are there")]
    pub(crate) access_token_format: AccessTokenFormat,
}

/// What an access token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AccessTokenFormat {
    Opaque,
    Jwt,
}

/// `[limits]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) failed_sign_ins_per_account_and_address: u32,
    pub(crate) failed_sign_ins_per_address: u32,
    pub(crate) failed_client_authentications: u32,
    pub(crate) pending_authorizations_per_address: u32,
    pub(crate) hash_queue: usize,
}

/// `[http]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) workers: Option<usize>,
}

/// `[pages]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pages {
    pub(crate) templates: Option<PathBuf>,
}

/// `[log]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) filter: String,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

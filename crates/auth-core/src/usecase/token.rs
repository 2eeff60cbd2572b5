//! The token endpoint (OAuth 2.1 §3.2): what every grant has in common.
//!
//! 1. No parameter is repeated, known or not (TOKEN-06).
//! 2. `grant_type` is there and known (TOKEN-04, TOKEN-05).
//! 3. The client authenticates, or is public and names itself ([`crate::client_auth`]).
//! 4. The client may use this grant.
//! 5. The grant's own rules: `exchange_code`, `refresh`, `client_credentials`.

use crate::client::{ClientStore, GrantType};
use crate::client_auth::AuthenticatedClient;
use crate::code::CodeStore;
use crate::entropy::Entropy;
use crate::error::{ErrorCode, OAuthError, TokenError};
use crate::event::EventSink;
use crate::grant::Grant;
use crate::owner::OwnerStore;
use crate::params::Params;
use crate::policy::Policy;
use crate::resource::Audience;
use crate::scope::Scope;
use crate::secret::{AccessToken, RefreshToken};
use crate::timestamp::{Clock, Timestamp};
use crate::token::{NewAccessToken, NewRefreshToken, TokenStore};
pub use crate::usecase::client_request::Request;
use crate::usecase::client_request::{authenticate, record_refusal, require_single};
use crate::usecase::requested::read_resources;
use crate::usecase::{client_credentials, exchange_code, refresh};

/// The ports of the token endpoint.
pub struct Ports<'a> {
    /// Registered clients.
    pub clients: &'a dyn ClientStore,
    /// Resource owners.
    pub owners: &'a dyn OwnerStore,
    /// Authorization codes.
    pub codes: &'a dyn CodeStore,
    /// Tokens.
    pub tokens: &'a dyn TokenStore,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
    /// The security log.
    pub events: &'a dyn EventSink,
}

/// A successful token response (OAuth 2.1 §3.2.3). Its `token_type` is `Bearer`.
#[derive(Debug)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: AccessToken,
    /// How many seconds it is valid.
    pub expires_in: i64,
    /// The refresh token, if the client may refresh.
    pub refresh_token: Option<RefreshToken>,
    /// What the access token may do: always said (TOKEN-08, TOKEN-10).
    pub scope: Scope,
}

/// Answers a token request.
///
/// # Errors
/// A refusal, or a fault; a fault is never `invalid_grant` or `invalid_client`.
pub fn token(
    ports: &Ports<'_>,
    policy: &Policy,
    request: &Request<'_>,
) -> Result<TokenResponse, TokenError> {
    let result = answer(ports, policy, request);
    record_refusal(ports.events, request, &result);
    result
}

fn answer(
    ports: &Ports<'_>,
    policy: &Policy,
    request: &Request<'_>,
) -> Result<TokenResponse, TokenError> {
    let params = request.params;
    require_single(params, &REPEATABLE)?;
    let grant_type = read_grant_type(params.one("grant_type")?)?;
    let client = authenticate(ports.clients, request)?;
    if !client.client().may_use(grant_type) {
        return Err(UNAUTHORIZED_CLIENT.into());
    }
    match grant_type {
        GrantType::AuthorizationCode => {
            exchange_code::exchange_code(ports, policy, &client, params)
        }
        GrantType::RefreshToken => refresh::refresh(ports, policy, &client, params),
        GrantType::ClientCredentials => {
            client_credentials::client_credentials(ports, policy, &client, params)
        }
    }
}

/// The parameters that may be sent more than once (RFC 8707 §2, RFC 8693 §2.1).
const REPEATABLE: [&str; 2] = ["resource", "audience"];

pub(super) const UNAUTHORIZED_CLIENT: OAuthError =
    OAuthError::new(ErrorCode::UnauthorizedClient, "this client may not use this grant type");

fn read_grant_type(grant_type: Option<&str>) -> Result<GrantType, OAuthError> {
    let grant_type = grant_type.ok_or(OAuthError::invalid_request("grant_type is missing"))?;
    GrantType::parse(grant_type)
        .ok_or(OAuthError::new(ErrorCode::UnsupportedGrantType, "this grant_type is not supported"))
}

/// Freshly minted tokens, and what to store of them.
pub(super) struct Minted {
    access_token: AccessToken,
    refresh_token: Option<RefreshToken>,
    pub access: NewAccessToken,
    pub refresh: Option<NewRefreshToken>,
}

/// Mints tokens under a grant. Nothing outlives the grant, and neither scope nor audience is ever wider
/// than it.
pub(super) fn mint(
    ports: &Ports<'_>,
    policy: &Policy,
    grant: &Grant,
    (scope, audience): (Scope, Audience),
    with_refresh_token: bool,
    now: Timestamp,
) -> Result<Minted, TokenError> {
    let (access_token, digest) = AccessToken::mint(ports.entropy, grant.id)?;
    let access = NewAccessToken {
        digest,
        scope: scope.intersection(&grant.scope),
        audience: audience.intersection(&grant.audience),
        created_at: now,
        expires_at: grant.cap(now.after(policy.access_token_lifetime)),
    };
    let (refresh_token, refresh) = if with_refresh_token {
        let (token, digest) = RefreshToken::mint(ports.entropy, grant.id)?;
        let expires_at = grant.cap(now.after(policy.refresh_token_lifetime));
        (Some(token), Some(NewRefreshToken { digest, created_at: now, expires_at }))
    } else {
        (None, None)
    };
    Ok(Minted { access_token, refresh_token, access, refresh })
}

impl Minted {
    /// The response; `kept` is the refresh token that stays good where none was minted.
    pub(super) fn into_response(self, kept: Option<RefreshToken>, now: Timestamp) -> TokenResponse {
        TokenResponse {
            access_token: self.access_token,
            expires_in: now.seconds_until(self.access.expires_at),
            refresh_token: self.refresh_token.or(kept),
            scope: self.access.scope,
        }
    }
}

/// What a token under this grant may be for: what was approved, as far as the client may still ask for
/// it and the server still knows it (REFRESH-14), narrowed by the request's `scope` (REFRESH-06, -07;
/// where there is one to read) and `resource` (RES-03, RES-06).
///
/// # Errors
/// `invalid_grant` if nothing is left of the scope that was approved; `invalid_scope` or `invalid_target`
/// if the request asks for more than is left.
pub(super) fn narrow(
    policy: &Policy,
    client: &AuthenticatedClient,
    grant: &Grant,
    scope: Option<&str>,
    params: &Params,
) -> Result<(Scope, Audience), OAuthError> {
    let resources = &policy.resources;
    let left = grant.scope.intersection(&client.client().scope);
    let left = left.intersection(&policy.scopes.all());
    let known = grant.audience.intersection(&resources.all());
    if left.is_empty() {
        return Err(NOTHING_LEFT);
    }
    if known.is_empty() && !grant.audience.is_empty() {
        // The operator may put it back, so that the client must not throw its token away.
        return Err(OAuthError::invalid_target("what was approved is no longer offered"));
    }
    let scope = match scope {
        None => left,
        Some(text) => {
            let scope = Scope::parse(text);
            let scope = scope.ok_or(OAuthError::invalid_scope("scope is malformed"))?;
            if !scope.is_within(&grant.scope) {
                return Err(OAuthError::invalid_scope("scope is wider than what was granted"));
            }
            scope.intersection(&left)
        }
    };
    let (scope, audience) = match read_resources(policy, params)? {
        Some(chosen) if !chosen.is_within(&known) => {
            return Err(OAuthError::invalid_target("the resource was not granted"));
        }
        Some(chosen) => (resources.scope_within(&scope, &chosen), chosen),
        None => {
            // A token that says less is for fewer, but for all if it says nothing to anybody in particular.
            let concerned = known.intersection(&resources.sharing(&scope));
            let is_less = scope != grant.scope && !concerned.is_empty();
            (scope, if is_less { concerned } else { known })
        }
    };
    if scope.is_empty() {
        return Err(OAuthError::invalid_scope("nothing is left of this scope for the client"));
    }
    Ok((scope, audience))
}

const NOTHING_LEFT: OAuthError = OAuthError::new(
    ErrorCode::InvalidGrant,
    "the client may no longer have any scope that was approved",
);

/// The grant must be live, and its owner, if it has one, enabled (CODE-12, REFRESH-14).
pub(super) fn require_live(
    ports: &Ports<'_>,
    grant: &Grant,
    now: Timestamp,
) -> Result<(), TokenError> {
    let enabled = match &grant.subject {
        Some(subject) => ports.owners.find(subject)?.is_some_and(|owner| owner.is_enabled()),
        None => true,
    };
    if enabled && grant.is_live(now) { Ok(()) } else { Err(OAuthError::INVALID_GRANT.into()) }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;

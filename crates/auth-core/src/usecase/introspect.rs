//! The introspection endpoint (RFC 7662 §2).
//!
//! 1. No parameter is repeated, and the caller authenticates with a secret (INTRO-01).
//! 2. `token` is there. The hint is not read: one look-up finds either kind.
//! 3. The token is known, has not expired, is not spent, and its grant is live (INTRO-02).
//! 4. The caller may see it: a client its own, a resource server the access tokens whose audience
//!    includes it, as long as it is one of the operator's (INTRO-04, INTRO-05).
//!
//! Whatever fails of 3 and 4, the answer is the same, and nothing is written.

use crate::client::{Client, ClientId, ClientStore};
use crate::entropy::hex;
use crate::error::{OAuthError, TokenError};
use crate::event::{Event, EventSink};
use crate::grant::Grant;
use crate::policy::Policy;
use crate::scope::Scope;
use crate::secret::{AccessToken, TokenDigest};
use crate::timestamp::{Clock, Timestamp};
use crate::token::{TokenRecord, TokenStore};
use crate::usecase::client_request::{Request, authenticate, record_refusal, require_single};

/// The ports of the introspection endpoint.
pub struct Ports<'a> {
    /// Registered clients.
    pub clients: &'a dyn ClientStore,
    /// Tokens.
    pub tokens: &'a dyn TokenStore,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The security log.
    pub events: &'a dyn EventSink,
}

/// What is known of an active token (RFC 7662 §2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveToken {
    /// What it may do.
    pub scope: Scope,
    /// Which client has it.
    pub client_id: ClientId,
    /// Whom it acts for: an owner, or the client itself as `client:` and its identifier, which is no
    /// owner's (CC-03).
    pub sub: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From when on it is invalid.
    pub expires_at: Timestamp,
    /// What only an access token has; `None` for a refresh token.
    pub access: Option<AccessClaims>,
}

/// What is known of an active access token besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    /// Whom it is for, never empty: resource servers, or this server's own issuer identifier where no
    /// configured one is concerned (RES-07).
    pub audience: Vec<String>,
    /// A name of the token that says nothing about it.
    pub jti: String,
}

/// Tells what is known of a token; `None` for every token that is not active, or not the caller's to
/// know of.
///
/// # Errors
/// `invalid_request`, `invalid_client`, or a fault.
pub fn introspect(
    ports: &Ports<'_>,
    policy: &Policy,
    request: &Request<'_>,
) -> Result<Option<ActiveToken>, TokenError> {
    let result = answer(ports, policy, request);
    record_refusal(ports.events, request, &result);
    result
}

fn answer(
    ports: &Ports<'_>,
    policy: &Policy,
    request: &Request<'_>,
) -> Result<Option<ActiveToken>, TokenError> {
    let params = request.params;
    require_single(params, &[])?;
    let caller = authenticate(ports.clients, request)?;
    let caller = caller.client();
    if caller.is_public() {
        // It proved nothing: anybody can name it.
        return Err(OAuthError::INVALID_CLIENT.into());
    }
    let token = params.one("token")?.ok_or(OAuthError::invalid_request("token is missing"))?;
    if caller.resource_server.as_ref().is_some_and(|uri| !policy.resources.contains(uri)) {
        ports.events.record(&Event::ResourceGone { client: caller.id.clone() });
        return Ok(None);
    }
    // Of whatever kind the token is: they look the same.
    let Some(token) = AccessToken::presented(token).digest() else {
        return Ok(None);
    };
    let found = ports.tokens.find(&token)?;
    let now = ports.clock.now();
    Ok(found
        .filter(|(record, grant)| is_active(record, grant, now) && may_see(caller, record, grant))
        .map(|(record, grant)| describe(policy, &token, record, grant)))
}

fn is_active(record: &TokenRecord, grant: &Grant, now: Timestamp) -> bool {
    let current = match record {
        TokenRecord::Access(record) => !record.expires_at.is_expired(now),
        TokenRecord::Refresh(record) => !record.expires_at.is_expired(now) && !record.is_spent,
    };
    current && grant.is_live(now)
}

fn may_see(caller: &Client, record: &TokenRecord, grant: &Grant) -> bool {
    match (&caller.resource_server, record) {
        (None, _) => grant.client_id == caller.id,
        (Some(uri), TokenRecord::Access(record)) => record.audience.contains(uri),
        (Some(_), TokenRecord::Refresh(_)) => false,
    }
}

fn describe(
    policy: &Policy,
    token: &TokenDigest,
    record: TokenRecord,
    grant: Grant,
) -> ActiveToken {
    let sub = match grant.subject {
        Some(subject) => subject.to_string(),
        None => format!("client:{}", grant.client_id),
    };
    let (scope, issued_at, expires_at, access) = match record {
        TokenRecord::Refresh(record) => (grant.scope, record.created_at, record.expires_at, None),
        TokenRecord::Access(record) => {
            let mut audience: Vec<_> =
                record.audience.iter().map(|uri| uri.as_str().to_owned()).collect();
            if audience.is_empty() {
                audience.push(policy.issuer.clone());
            }
            let jti = token.as_bytes().first_chunk::<16>().map(|half| hex(half));
            let claims = AccessClaims { audience, jti: jti.unwrap_or_default() };
            (record.scope, record.created_at, record.expires_at, Some(claims))
        }
    };
    ActiveToken { scope, client_id: grant.client_id, sub, issued_at, expires_at, access }
}

#[cfg(test)]
#[path = "introspect_tests.rs"]
mod tests;

//! The revocation endpoint (RFC 7009 §2).
//!
//! 1. No parameter is repeated, and the client authenticates, or is public and names itself
//!    (REVOKE-02).
//! 2. `token` is there (REVOKE-01). The hint is not read: one look-up finds either kind (REVOKE-07).
//! 3. A token of somebody else's is treated like one that never was (REVOKE-03, REVOKE-04).
//! 4. A refresh token ends its grant, and with it every token under it; an access token ends alone
//!    (REVOKE-05, REVOKE-06).

use crate::client::ClientStore;
use crate::error::{ErrorCode, OAuthError, TokenError};
use crate::event::{Event, EventSink};
use crate::grant::GrantStore;
use crate::secret::AccessToken;
use crate::timestamp::Clock;
use crate::token::{TokenRecord, TokenStore};
use crate::usecase::client_request::{Request, authenticate, record_refusal, require_single};

/// The ports of the revocation endpoint.
pub struct Ports<'a> {
    /// Registered clients.
    pub clients: &'a dyn ClientStore,
    /// Grants.
    pub grants: &'a dyn GrantStore,
    /// Tokens.
    pub tokens: &'a dyn TokenStore,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The security log.
    pub events: &'a dyn EventSink,
}

/// Takes a token back. That it succeeds says nothing about the token: it may have been unknown.
///
/// # Errors
/// `invalid_request`, `invalid_client`, `unauthorized_client`, or a fault; never success if the token
/// may still be valid (REVOKE-09).
pub fn revoke(ports: &Ports<'_>, request: &Request<'_>) -> Result<(), TokenError> {
    let result = answer(ports, request);
    record_refusal(ports.events, request, &result);
    result
}

fn answer(ports: &Ports<'_>, request: &Request<'_>) -> Result<(), TokenError> {
    let params = request.params;
    require_single(params, &[])?;
    let client = authenticate(ports.clients, request)?;
    if client.client().resource_server.is_some() {
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, NOT_A_CLIENT).into());
    }
    let token = params.one("token")?.ok_or(OAuthError::invalid_request("token is missing"))?;
    let Some(token) = AccessToken::presented(token).digest() else {
        return Ok(());
    };
    let Some((record, grant)) = ports.tokens.find(&token)? else {
        return Ok(());
    };
    let now = ports.clock.now();
    if grant.client_id != client.client().id || !grant.is_live(now) {
        return Ok(());
    }
    let whole_grant = match record {
        // Spent or expired, it still says that its client is done with the grant.
        TokenRecord::Refresh(_) => {
            ports.grants.revoke(&grant.id, now)?;
            true
        }
        // Expired or not: a clock that is set back must not revive it (XC-06).
        TokenRecord::Access(_) => {
            ports.tokens.revoke_access(&token)?;
            false
        }
    };
    let client = grant.client_id;
    ports.events.record(&Event::TokenRevoked { grant: grant.id, client, whole_grant });
    Ok(())
}

const NOT_A_CLIENT: &str = "the credentials of an API are good for introspection only";

#[cfg(test)]
#[path = "revoke_tests.rs"]
mod tests;

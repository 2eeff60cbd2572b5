//! The token endpoint, `grant_type=client_credentials` (OAuth 2.1 §4.2): a client acts for itself.
//!
//! 1. The client is confidential: nobody else can prove to be itself.
//! 2. Scope and resource are its own to ask for (CC-02).
//! 3. It gets an access token, and nothing to refresh it with (CC-01). The grant has no owner, so
//!    that nobody takes the client for a person (CC-03).

use crate::client_auth::AuthenticatedClient;
use crate::error::{OAuthError, TokenError};
use crate::event::Event;
use crate::grant::{Grant, GrantId};
use crate::params::Params;
use crate::policy::Policy;
use crate::usecase::requested::read_requested;
use crate::usecase::token::{Ports, TokenResponse, UNAUTHORIZED_CLIENT, mint};

/// Issues an access token for the client itself.
///
/// # Errors
/// `unauthorized_client`, `invalid_scope`, `invalid_target`, or a fault.
pub(super) fn client_credentials(
    ports: &Ports<'_>,
    policy: &Policy,
    client: &AuthenticatedClient,
    params: &Params,
) -> Result<TokenResponse, TokenError> {
    let client = client.client();
    if client.is_public() {
        return Err(UNAUTHORIZED_CLIENT.into());
    }
    let (scope, audience) = read_requested(policy, client, params)?;
    let now = ports.clock.now();
    let grant = Grant {
        id: GrantId::mint(ports.entropy, ports.clock.unix_millis())?,
        subject: None,
        client_id: client.id.clone(),
        scope,
        audience,
        created_at: now,
        expires_at: None,
        revoked_at: None,
    };
    let (scope, audience) = (grant.scope.clone(), grant.audience.clone());
    let minted = mint(ports, policy, &grant, (scope, audience), false, now)?;
    if !ports.tokens.issue(&grant, &minted.access)? {
        // The client was disabled since it authenticated.
        return Err(OAuthError::INVALID_CLIENT.into());
    }
    let client = grant.client_id;
    ports.events.record(&Event::ClientTokenIssued { grant: grant.id, client });
    Ok(minted.into_response(None, now))
}

#[cfg(test)]
#[path = "client_credentials_tests.rs"]
mod tests;

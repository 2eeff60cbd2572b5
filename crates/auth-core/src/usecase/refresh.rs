//! The token endpoint, `grant_type=refresh_token` (OAuth 2.1 §4.3).
//!
//! 1. The token is a refresh token, belongs to this client and has not expired (REFRESH-01, -10, -11).
//! 2. `scope` and `resource`, where sent, are within the grant; they narrow the access token only
//!    (REFRESH-06..08).
//! 3. The owner is enabled and the grant has not ended (REFRESH-14).
//! 4. The token is used, by the rules of [`crate::token`] (REFRESH-03..05, -12). A spent one revokes
//!    the grant; a refused request changes nothing (REFRESH-09).

use crate::client_auth::AuthenticatedClient;
use crate::error::{OAuthError, TokenError};
use crate::event::Event;
use crate::params::Params;
use crate::policy::Policy;
use crate::secret::RefreshToken;
use crate::token::{Rotated, Rotation, TokenRecord};
use crate::usecase::token::{Ports, TokenResponse, mint, narrow, require_live};

/// Issues a new access token, and a new refresh token where the client's rotate.
///
/// # Errors
/// `invalid_request`, `invalid_grant`, `invalid_scope`, `invalid_target`, or a fault.
pub(super) fn refresh(
    ports: &Ports<'_>,
    policy: &Policy,
    client: &AuthenticatedClient,
    params: &Params,
) -> Result<TokenResponse, TokenError> {
    let token = params
        .one("refresh_token")?
        .ok_or(OAuthError::invalid_request("refresh_token is missing"))?;
    let token = RefreshToken::presented(token);
    let presented = token.digest().ok_or(OAuthError::INVALID_GRANT)?;
    let now = ports.clock.now();
    let grant = match ports.tokens.find(&presented)? {
        Some((TokenRecord::Refresh(record), grant))
            if grant.client_id == client.client().id && !record.expires_at.is_expired(now) =>
        {
            grant
        }
        _ => return Err(OAuthError::INVALID_GRANT.into()),
    };
    let narrowed = narrow(policy, client, &grant, params.one("scope")?, params)?;
    require_live(ports, &grant, now)?;
    // Public clients always rotate, whatever their record says (REFRESH-03).
    let rotates = client.client().rotate_refresh_tokens || client.client().is_public();
    let minted = mint(ports, policy, &grant, narrowed, rotates, now)?;
    let rotated = ports.tokens.rotate(&Rotation {
        presented: &presented,
        at: now,
        reuse: policy.refresh_reuse,
        access: &minted.access,
        successor: minted.refresh.as_ref(),
    })?;
    let (id, client) = (grant.id, grant.client_id);
    match rotated {
        Rotated::Done => {
            ports.events.record(&Event::Refreshed { grant: id, client });
            Ok(minted.into_response(Some(token), now))
        }
        Rotated::Replayed => {
            ports.events.record(&Event::RefreshReplayed { grant: id, client });
            Err(OAuthError::INVALID_GRANT.into())
        }
        Rotated::GrantEnded => Err(OAuthError::INVALID_GRANT.into()),
    }
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;

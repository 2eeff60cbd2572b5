//! The token endpoint, `grant_type=authorization_code` (OAuth 2.1 §4.1.3).
//!
//! 1. The code exists, belongs to this client and has not expired (CODE-04, CODE-08).
//! 2. A verifier is there iff a challenge was, and meets it (PKCE-04..07).
//! 3. `redirect_uri`, where sent, equals the one that the code was sent to; without PKCE it must be
//!    sent if it was sent before (REDIR-13).
//! 4. What is asked for is within the grant (RES-03), the owner is enabled and the grant has not ended (CODE-12).
//! 5. **The code is spent, once** (CODE-05, CODE-11). A second *valid* request revokes the grant
//!    (CODE-06); a refused one changes nothing (CODE-07, CODE-10).

use crate::client::GrantType;
use crate::client_auth::AuthenticatedClient;
use crate::code::{CodeRecord, Redeemed, Redemption};
use crate::error::{OAuthError, TokenError};
use crate::event::Event;
use crate::grant::Grant;
use crate::params::Params;
use crate::pkce::CodeVerifier;
use crate::policy::Policy;
use crate::secret::AuthorizationCode;
use crate::timestamp::Timestamp;
use crate::usecase::token::{Ports, TokenResponse, mint, narrow, require_live};

/// Redeems an authorization code for tokens.
///
/// # Errors
/// `invalid_request`, `invalid_grant`, `invalid_scope`, `invalid_target`, or a fault.
pub(super) fn exchange_code(
    ports: &Ports<'_>,
    policy: &Policy,
    client: &AuthenticatedClient,
    params: &Params,
) -> Result<TokenResponse, TokenError> {
    let code = params.one("code")?.ok_or(OAuthError::invalid_request("code is missing"))?;
    let code = AuthorizationCode::presented(code).digest().ok_or(OAuthError::INVALID_GRANT)?;
    let now = ports.clock.now();
    let (record, grant) = ports
        .codes
        .find(&code)?
        .filter(|(record, _)| belongs_to(record, client, now))
        .ok_or(OAuthError::INVALID_GRANT)?;
    check_verifier(&record, params.one("code_verifier")?, policy.requires_pkce(client.client()))?;
    check_redirect_uri(&record, params.one("redirect_uri")?)?;
    let narrowed = narrow(policy, client, &grant, None, params)?;
    require_live(ports, &grant, now)?;
    let may_refresh = client.client().may_use(GrantType::RefreshToken);
    let minted = mint(ports, policy, &grant, narrowed, may_refresh, now)?;
    let redeemed = ports.codes.redeem(&Redemption {
        code: &code,
        at: now,
        access: &minted.access,
        refresh: minted.refresh.as_ref(),
    })?;
    report(ports, &grant, redeemed);
    match redeemed {
        Redeemed::First => Ok(minted.into_response(None, now)),
        Redeemed::Replayed | Redeemed::GrantEnded => Err(OAuthError::INVALID_GRANT.into()),
    }
}

fn report(ports: &Ports<'_>, grant: &Grant, redeemed: Redeemed) {
    let (grant, client) = (grant.id, grant.client_id.clone());
    match redeemed {
        Redeemed::First => ports.events.record(&Event::CodeRedeemed { grant, client }),
        Redeemed::Replayed => ports.events.record(&Event::CodeReplayed { grant, client }),
        Redeemed::GrantEnded => {}
    }
}

fn belongs_to(record: &CodeRecord, client: &AuthenticatedClient, now: Timestamp) -> bool {
    record.client_id == client.client().id && !record.expires_at.is_expired(now)
}

/// Challenge and verifier go together: neither may be dropped or added between the two requests.
fn check_verifier(
    record: &CodeRecord,
    verifier: Option<&str>,
    pkce_required: bool,
) -> Result<(), OAuthError> {
    match (&record.code_challenge, verifier) {
        (None, Some(_)) => {
            Err(OAuthError::invalid_request("code_verifier was sent but no code_challenge was"))
        }
        // The client came to need PKCE after the code was issued (PKCE-07).
        (None, None) if pkce_required => Err(OAuthError::INVALID_GRANT),
        (None, None) => Ok(()),
        (Some(_), None) => Err(OAuthError::invalid_request("code_verifier is missing")),
        (Some(challenge), Some(verifier)) => {
            let verifier = CodeVerifier::parse(verifier).ok_or(OAuthError::invalid_request(
                "code_verifier must be 43 to 128 unreserved characters",
            ))?;
            if challenge.is_met_by(&verifier) { Ok(()) } else { Err(WRONG_VERIFIER) }
        }
    }
}

const WRONG_VERIFIER: OAuthError = OAuthError::new(
    crate::error::ErrorCode::InvalidGrant,
    "code_verifier does not match the code_challenge",
);

const WRONG_REDIRECT_URI: OAuthError = OAuthError::new(
    crate::error::ErrorCode::InvalidGrant,
    "redirect_uri differs from the authorization request",
);

fn check_redirect_uri(record: &CodeRecord, redirect_uri: Option<&str>) -> Result<(), OAuthError> {
    match redirect_uri {
        Some(sent) if sent == record.redirect_uri => Ok(()),
        Some(_) => Err(WRONG_REDIRECT_URI),
        None if record.redirect_uri_sent && record.code_challenge.is_none() => {
            Err(OAuthError::new(
                crate::error::ErrorCode::InvalidGrant,
                "redirect_uri is required where PKCE is not used",
            ))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "exchange_code_tests.rs"]
mod tests;

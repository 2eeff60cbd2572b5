//! What a client asks for, at the authorization endpoint or for itself: `scope` (RFC 6749 §3.3) and
//! `resource` (RFC 8707 §2).
//!
//! 1. Every `resource` is one of the operator's (RES-01, RES-02); none means every one that the scope
//!    concerns (RES-07).
//! 2. The scope is the client's to ask for; none means the defaults (AUTHZ-07, CC-02).
//! 3. Every scope concerns a resource that was asked for, or none in particular (RES-06).

use crate::client::Client;
use crate::error::OAuthError;
use crate::params::Params;
use crate::policy::Policy;
use crate::resource::Audience;
use crate::scope::Scope;

/// Reads the scope and the audience of a request.
pub(super) fn read_requested(
    policy: &Policy,
    client: &Client,
    params: &Params,
) -> Result<(Scope, Audience), OAuthError> {
    let resources = &policy.resources;
    let chosen = read_resources(policy, params)?;
    let allowed = client.scope.intersection(&policy.scopes.all());
    let at_chosen = |scope: &Scope| match &chosen {
        Some(audience) => resources.scope_within(scope, audience),
        None => scope.clone(),
    };
    let scope = match params.one("scope")? {
        None => at_chosen(&policy.scopes.defaults().intersection(&allowed)),
        Some(text) => Scope::parse(text).ok_or(OAuthError::invalid_scope("scope is malformed"))?,
    };
    if scope.is_empty() {
        return Err(OAuthError::invalid_scope(
            "name a scope; there is no default for this request",
        ));
    }
    if !scope.is_within(&allowed) {
        return Err(OAuthError::invalid_scope("a scope is unknown or not allowed for this client"));
    }
    if at_chosen(&scope) != scope {
        return Err(OAuthError::invalid_scope("a scope does not concern the requested resource"));
    }
    let audience = chosen.unwrap_or_else(|| resources.sharing(&scope));
    Ok((scope, audience))
}

/// The audience that `resource` names; `None` if it was not sent. Sent empty it is malformed, not
/// absent: dropping it would make the token good for more.
pub(super) fn read_resources(
    policy: &Policy,
    params: &Params,
) -> Result<Option<Audience>, OAuthError> {
    let requested: Vec<&str> = params.all("resource").collect();
    if requested.is_empty() {
        return Ok(None);
    }
    policy.resources.choose(&requested).map(Some)
}

#[cfg(test)]
#[path = "requested_tests.rs"]
mod tests;

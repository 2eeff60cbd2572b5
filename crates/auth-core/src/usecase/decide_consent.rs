//! The owner's decision (OAuth 2.1 §4.1.1, §7.9).
//!
//! 1. The interaction exists, belongs to this browser, waits, and has not expired (UI-08, AUTHZ-22).
//! 2. The owner is signed in, freshly if `prompt=login` asked for it.
//! 3. Fields that repeat the request equal it (AUTHZ-23).
//! 4. The client is still enabled and still owns the redirect URI.
//! 5. The interaction is decided, once; approving it issues a code and remembers the consent.

use crate::consent::AuthorizationRequest;
use crate::error::{ErrorCode, Fault, OAuthError};
use crate::event::Event;
use crate::grant::Decided;
use crate::params::Params;
use crate::policy::Policy;
use crate::scope::Scope;
use crate::secret::{BrowserDigest, InteractionId};
use crate::session::AuthenticatedOwner;
use crate::usecase::authorize::{
    Authorize, Context, Ports, Refusal, Stop, answer, find_interaction, identify_again, issue_code,
    satisfies_prompt_login,
};

/// A consent form as it arrives. That it comes from a page of this server, for this browser and
/// session, is for the caller to have checked (UI-07).
pub struct Decision<'a> {
    /// The interaction that it decides.
    pub interaction: &'a InteractionId,
    /// The browser that sent it.
    pub browser: &'a BrowserDigest,
    /// Who is signed in there.
    pub owner: Option<&'a AuthenticatedOwner>,
    /// The form's fields.
    pub params: &'a Params,
}

/// Records the owner's decision. Answers [`Authorize::Redirect`] or [`Authorize::Refused`].
///
/// # Errors
/// A fault that struck before the redirect URI was proven again.
pub fn decide_consent(
    ports: &Ports<'_>,
    policy: &Policy,
    decision: &Decision<'_>,
) -> Result<Authorize, Fault> {
    let pending = match find_interaction(ports, decision.interaction, decision.browser)? {
        Ok(pending) => pending,
        Err(refusal) => return Ok(Authorize::Refused(refusal)),
    };
    let request = &pending.request;
    let signed_in = pending.signed_in.as_ref();
    let fresh = |owner: &&_| satisfies_prompt_login(request.prompt, signed_in, owner);
    let Some(owner) = decision.owner.filter(fresh) else {
        return Ok(Authorize::Refused(Refusal::SignInFirst));
    };
    let approved = match read(decision.params, request) {
        Ok(approved) => approved,
        Err(refusal) => return Ok(Authorize::Refused(refusal)),
    };
    let (client, redirect_uri) = match identify_again(ports, policy, request)? {
        Ok(identified) => identified,
        Err(refusal) => return Ok(Authorize::Refused(refusal)),
    };
    let context = Context { ports, policy, client, redirect_uri: redirect_uri.clone() };
    let result = if approved {
        let now = ports.clock.now();
        issue_code(&context, request, owner, Some(decision.interaction), true, now)
    } else {
        deny(&context, owner, decision.interaction)
    };
    Ok(answer(ports, policy, result, redirect_uri, request.state.as_deref()))
}

fn deny(
    context: &Context<'_>,
    owner: &AuthenticatedOwner,
    interaction: &InteractionId,
) -> Result<Authorize, Stop> {
    let ports = context.ports;
    match ports.grants.deny(&interaction.digest(), ports.clock.now())? {
        Decided::Already => Ok(Authorize::Refused(Refusal::InteractionGone)),
        Decided::ClientDisabled => Ok(Authorize::Refused(Refusal::ClientDisabled)),
        Decided::First => {
            ports.events.record(&Event::Denied {
                client: context.client.id.clone(),
                subject: owner.owner().subject.clone(),
            });
            Err(Stop::Refused(OAuthError::new(ErrorCode::AccessDenied, "the owner said no")))
        }
    }
}

/// Whether the form approves. The six documented fields may be repeated in it; those that are must
/// equal the request.
fn read(params: &Params, request: &AuthorizationRequest) -> Result<bool, Refusal> {
    let once = |name| params.one(name).map_err(|repeated| Refusal::Repeated(repeated.0));
    let challenge = request.code_challenge.as_ref();
    let method = challenge.map(|_| "S256");
    for (name, value) in [
        ("client_id", Some(request.client_id.as_str())),
        ("redirect_uri", Some(request.redirect_uri.as_str())),
        ("state", request.state.as_deref()),
        ("code_challenge", challenge.map(|challenge| challenge.as_str())),
        ("code_challenge_method", method),
    ] {
        if once(name)?.is_some_and(|sent| Some(sent) != value) {
            return Err(Refusal::FieldChanged(name));
        }
    }
    let scope = once("scope")?.map(Scope::parse);
    if scope.is_some_and(|sent| sent.as_ref() != Some(&request.scope)) {
        return Err(Refusal::FieldChanged("scope"));
    }
    match once("decision")? {
        Some("approve") => Ok(true),
        Some("deny") => Ok(false),
        _ => Err(Refusal::DecisionMissing),
    }
}

#[cfg(test)]
#[path = "decide_consent_tests.rs"]
mod tests;

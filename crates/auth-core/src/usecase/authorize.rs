//! The authorization endpoint (OAuth 2.1 §4.1.1, OpenID Connect Core §3.1.2).
//!
//! Before the redirect URI is proven, every refusal is a page ([`Refusal`]):
//! 1. `client_id`, `redirect_uri`, `request` and `request_uri` are sent at most once.
//! 2. The client exists and is enabled.
//! 3. The redirect URI is one of the client's.
//!
//! From then on, refusals go to the client ([`RedirectResponse`]):
//! 4. No other defined parameter is repeated.
//! 5. `response_mode` is `query` (its refusal is a page all the same, AUTHZ-18).
//! 6. `response_type` is `code`.
//! 7. PKCE is used where it must be, and rightly (PKCE-01..03).
//! 8. `prompt`, `max_age` and `scope` make sense; the scope is within the client's.
//! 9. The client may use the code flow.
//!
//! What is left is up to the owner: signing in, consent, or nothing because it was given before.

mod identify;
mod proceed;
mod validate;

use crate::client::{Client, ClientStore};
use crate::consent::{AuthorizationRequest, ConsentStore, PendingAuthorizationStore};
use crate::entropy::Entropy;
use crate::error::{Fault, OAuthError};
use crate::event::{Event, EventSink};
use crate::grant::GrantStore;
use crate::params::Params;
use crate::policy::Policy;
use crate::redirect_uri::{RedirectUriMismatch, ValidatedRedirectUri};
use crate::response::RedirectResponse;
use crate::secret::{BrowserDigest, InteractionId};
use crate::session::AuthenticatedOwner;
use crate::timestamp::{Clock, Timestamp};
use identify::identify;
pub(super) use identify::{find_interaction, identify_again};
use proceed::proceed;
pub(super) use proceed::{Context, Stop, issue_code, satisfies_prompt_login};
use validate::{has_supported_response_mode, repeats_a_parameter, require_still_allowed, validate};

/// The ports of [`authorize`], [`resume`] and
/// [`decide_consent`](crate::usecase::decide_consent::decide_consent).
pub struct Ports<'a> {
    /// Registered clients.
    pub clients: &'a dyn ClientStore,
    /// Remembered consents.
    pub consents: &'a dyn ConsentStore,
    /// Requests that wait for their owner.
    pub pending: &'a dyn PendingAuthorizationStore,
    /// Grants.
    pub grants: &'a dyn GrantStore,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
    /// The security log.
    pub events: &'a dyn EventSink,
}

/// An authorization request as it arrives.
pub struct Request<'a> {
    /// Its parameters.
    pub params: &'a Params,
    /// What an absent `response_type` means: an error, or `code`.
    pub response_type_optional: bool,
    /// The browser that sent it.
    pub browser: &'a BrowserDigest,
    /// Who is signed in there.
    pub owner: Option<&'a AuthenticatedOwner>,
    /// The network address it came from, to bound how many may wait.
    pub origin: &'a str,
}

/// What to do next.
#[derive(Debug)]
pub enum Authorize {
    /// Show a page; the request leads nowhere that could be trusted.
    Refused(Refusal),
    /// Send the browser back to the client.
    Redirect(RedirectResponse),
    /// Sign the owner in, then [`resume`].
    NeedsSignIn(Prompted),
    /// Ask the owner, then
    /// [`decide_consent`](crate::usecase::decide_consent::decide_consent).
    NeedsConsent(Prompted),
}

/// A request that waits for its owner, with what a page should say about it.
#[derive(Debug)]
pub struct Prompted {
    /// The interaction's name, to be carried by the pages.
    pub interaction: InteractionId,
    /// Who asks.
    pub client: Client,
    /// Where the answer will go.
    pub redirect_uri: ValidatedRedirectUri,
    /// What is asked for.
    pub request: AuthorizationRequest,
    /// From when on the interaction leads nowhere.
    pub expires_at: Timestamp,
}

/// Why a request is answered with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A parameter that decides where to redirect was sent more than once.
    Repeated(&'static str),
    /// No `client_id`.
    ClientIdMissing,
    /// No client has this identifier.
    ClientUnknown,
    /// The client is disabled.
    ClientDisabled,
    /// No redirect URI could be proven.
    RedirectUri(RedirectUriMismatch),
    /// Only `response_mode=query` is offered.
    ResponseMode,
    /// The interaction is unknown, expired, decided, or belongs to another browser.
    InteractionGone,
    /// The owner must sign in first.
    SignInFirst,
    /// A form field differs from the request that it answers.
    FieldChanged(&'static str),
    /// `decision` is neither `approve` nor `deny`.
    DecisionMissing,
}

/// Judges an authorization request.
///
/// # Errors
/// A fault that struck before the redirect URI was proven; later ones go to the client as
/// [`Fault::code`] (AUTHZ-24).
pub fn authorize(
    ports: &Ports<'_>,
    policy: &Policy,
    request: &Request<'_>,
) -> Result<Authorize, Fault> {
    let (client, redirect_uri) = match identify(ports, policy, request.params)? {
        Ok(identified) => identified,
        Err(refusal) => return Ok(Authorize::Refused(refusal)),
    };
    if !repeats_a_parameter(request.params) && !has_supported_response_mode(request.params) {
        return Ok(Authorize::Refused(Refusal::ResponseMode));
    }
    let state = request.params.one("state").ok().flatten();
    let validated = validate(policy, request, &client, &redirect_uri, ports.clock.now());
    let result = validated.map_err(Stop::Refused).and_then(|validated| {
        let context = Context { ports, policy, client, redirect_uri: redirect_uri.clone() };
        proceed(context, validated, request.owner, None, |pending| {
            let limit = policy.pending_authorizations_per_origin;
            ports.pending.insert(&pending(*request.browser), request.origin, limit)
        })
    });
    Ok(answer(ports, policy, result, redirect_uri, state))
}

/// Takes up an interaction after its owner signed in, in the browser that started it.
///
/// # Errors
/// As for [`authorize`].
pub fn resume(
    ports: &Ports<'_>,
    policy: &Policy,
    interaction: &InteractionId,
    browser: &BrowserDigest,
    owner: Option<&AuthenticatedOwner>,
) -> Result<Authorize, Fault> {
    let pending = match find_interaction(ports, interaction, browser)? {
        Ok(pending) => pending,
        Err(refusal) => return Ok(Authorize::Refused(refusal)),
    };
    let (client, redirect_uri) = match identify_again(ports, policy, &pending.request)? {
        Ok(identified) => identified,
        Err(refusal) => return Ok(Authorize::Refused(refusal)),
    };
    let state = pending.request.state.clone();
    let context = Context { ports, policy, client, redirect_uri: redirect_uri.clone() };
    let request = pending.request.clone();
    // Nobody is asked for what would be refused after they approved.
    let result = require_still_allowed(policy, &context.client, &request)
        .map_err(Stop::Refused)
        .and_then(|()| proceed(context, request, owner, Some((interaction, &pending)), |_| Ok(())));
    Ok(answer(ports, policy, result, redirect_uri, state.as_deref()))
}

/// From the proven redirect URI on, everything that stops a request goes to the client, faults of the
/// server's own too (AUTHZ-24).
pub(super) fn answer(
    ports: &Ports<'_>,
    policy: &Policy,
    result: Result<Authorize, Stop>,
    uri: ValidatedRedirectUri,
    state: Option<&str>,
) -> Authorize {
    let error = match result {
        Ok(next) => return next,
        Err(Stop::Refused(error)) => error,
        Err(Stop::Fault(fault)) => {
            let code = fault.code();
            ports.events.record(&Event::Faulted { fault });
            OAuthError::new(code, "the server cannot decide this at the moment")
        }
    };
    Authorize::Redirect(RedirectResponse::error(uri, &policy.issuer, state, error))
}

#[cfg(test)]
#[path = "authorize_tests.rs"]
mod tests;

//! What is left to the owner: signing in, consent, or nothing because it was given before.

use super::validate::require_still_allowed;
use super::{Authorize, Ports, Prompted, Refusal};
use crate::client::Client;
use crate::code::CodeRecord;
use crate::consent::{AuthorizationRequest, Consent, PendingAuthorization, Prompt};
use crate::error::{ErrorCode, Fault, OAuthError, StoreError};
use crate::event::Event;
use crate::grant::{Approval, Decided, Grant, GrantId};
use crate::policy::Policy;
use crate::redirect_uri::ValidatedRedirectUri;
use crate::response::RedirectResponse;
use crate::secret::{AuthorizationCode, BrowserDigest, InteractionId, SessionDigest};
use crate::session::AuthenticatedOwner;
use crate::timestamp::Timestamp;

pub(in crate::usecase) enum Stop {
    Refused(OAuthError),
    Fault(Fault),
}

impl<E: Into<Fault>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

pub(in crate::usecase) struct Context<'a> {
    pub ports: &'a Ports<'a>,
    pub policy: &'a Policy,
    pub client: Client,
    pub redirect_uri: ValidatedRedirectUri,
}

pub(super) fn proceed(
    context: Context<'_>,
    request: AuthorizationRequest,
    owner: Option<&AuthenticatedOwner>,
    taken_up: Option<(&InteractionId, &PendingAuthorization)>,
    keep: impl FnOnce(&dyn Fn(BrowserDigest) -> PendingAuthorization) -> Result<(), StoreError>,
) -> Result<Authorize, Stop> {
    let now = context.ports.clock.now();
    let owner = owner.filter(|owner| {
        let signed_in = taken_up.and_then(|(_, pending)| pending.signed_in);
        satisfies_prompt_login(request.prompt, signed_in.as_ref(), owner)
    });
    let remembered = match owner {
        Some(owner) => may_skip_consent(&context, &request, owner)?,
        None => false,
    };
    if let (Some(owner), true) = (owner, remembered) {
        let interaction = taken_up.map(|(id, _)| id);
        return issue_code(&context, &request, owner, interaction, false, now);
    }
    if request.prompt.none {
        let (code, description) = match owner {
            None => (ErrorCode::LoginRequired, "the owner is not signed in"),
            Some(_) => (ErrorCode::ConsentRequired, "the owner has to approve"),
        };
        return Err(Stop::Refused(OAuthError::new(code, description)));
    }
    let (interaction, expires_at) = match taken_up {
        Some((id, pending)) => (InteractionId::presented(id.expose()), pending.expires_at),
        None => {
            let id = InteractionId::mint(context.ports.entropy)?;
            let expires_at = now.after(context.policy.pending_authorization_lifetime);
            keep(&|browser| PendingAuthorization {
                interaction: id.digest(),
                browser,
                request: request.clone(),
                created_at: now,
                expires_at,
                signed_in: None,
                decided_at: None,
            })?;
            (id, expires_at)
        }
    };
    let Context { client, redirect_uri, .. } = context;
    let prompted = Prompted { interaction, client, redirect_uri, request, expires_at };
    Ok(if owner.is_some() {
        Authorize::NeedsConsent(prompted)
    } else {
        Authorize::NeedsSignIn(prompted)
    })
}

/// `prompt=login` is satisfied by the session that was started for this very interaction.
pub(in crate::usecase) fn satisfies_prompt_login(
    prompt: Prompt,
    signed_in: Option<&SessionDigest>,
    owner: &AuthenticatedOwner,
) -> bool {
    !prompt.login || signed_in == Some(owner.session())
}

/// Remembered consent counts where nobody but the client can receive the answer: for confidential
/// clients, and for public ones on a claimed https site (RFC 8252 §8.6, UI-05).
fn may_skip_consent(
    context: &Context<'_>,
    request: &AuthorizationRequest,
    owner: &AuthenticatedOwner,
) -> Result<bool, Fault> {
    let must_ask = request.prompt.consent
        || (context.client.is_public() && !context.redirect_uri.is_claimed_https());
    if must_ask {
        return Ok(false);
    }
    let subject = &owner.owner().subject;
    let given = context.ports.consents.find(subject, &request.client_id)?;
    Ok(given.iter().any(|consent| {
        request.scope.is_within(&consent.scope) && request.audience.is_within(&consent.audience)
    }))
}

/// Records the approval and sends the code.
pub(in crate::usecase) fn issue_code(
    context: &Context<'_>,
    request: &AuthorizationRequest,
    owner: &AuthenticatedOwner,
    interaction: Option<&InteractionId>,
    approved_now: bool,
    now: Timestamp,
) -> Result<Authorize, Stop> {
    let Context { ports, policy, client, redirect_uri } = context;
    require_still_allowed(policy, client, request).map_err(Stop::Refused)?;
    let subject = owner.owner().subject.clone();
    let grant = Grant {
        id: GrantId::mint(ports.entropy, ports.clock.unix_millis())?,
        subject: Some(subject.clone()),
        client_id: client.id.clone(),
        scope: request.scope.clone(),
        audience: request.audience.clone(),
        created_at: now,
        expires_at: policy.grant_lifetime.map(|lifetime| now.after(lifetime)),
        revoked_at: None,
    };
    let (code, digest) = AuthorizationCode::mint(ports.entropy, grant.id)?;
    let record = CodeRecord {
        client_id: client.id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        redirect_uri_sent: request.redirect_uri_sent,
        code_challenge: request.code_challenge.clone(),
        created_at: now,
        expires_at: grant.cap(now.after(policy.code_lifetime)),
    };
    let consent = approved_now.then(|| Consent {
        subject: subject.clone(),
        client_id: client.id.clone(),
        scope: request.scope.clone(),
        audience: request.audience.clone(),
        given_at: now,
    });
    let decided = ports.grants.approve(&Approval {
        interaction: interaction.map(InteractionId::digest).as_ref(),
        grant: &grant,
        code: &digest,
        record: &record,
        remember: consent.as_ref(),
    })?;
    match decided {
        Decided::First => {}
        Decided::Already => return Ok(Authorize::Refused(Refusal::InteractionGone)),
        Decided::ClientDisabled => return Ok(Authorize::Refused(Refusal::ClientDisabled)),
    }
    ports.events.record(&Event::CodeIssued {
        grant: grant.id,
        client: client.id.clone(),
        subject,
        remembered: !approved_now,
    });
    let state = request.state.as_deref();
    let uri = redirect_uri.clone();
    Ok(Authorize::Redirect(RedirectResponse::success(uri, &policy.issuer, state, &code)))
}

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
//! 8. `prompt` and `scope` make sense; the scope is within the client's.
//! 9. The client may use the code flow.
//!
//! What is left is up to the owner: signing in, consent, or nothing because it was given before.

use crate::client::{Client, ClientId, ClientStore, GrantType};
use crate::code::CodeRecord;
use crate::consent::{
    AuthorizationRequest, Consent, ConsentStore, PendingAuthorization, PendingAuthorizationStore,
    Prompt,
};
use crate::entropy::Entropy;
use crate::error::{ErrorCode, Fault, OAuthError};
use crate::event::{Event, EventSink};
use crate::grant::{Approval, Decided, Grant, GrantId, GrantStore};
use crate::params::Params;
use crate::pkce::CodeChallenge;
use crate::policy::Policy;
use crate::redirect_uri::{RedirectUriMismatch, ValidatedRedirectUri, match_redirect_uri};
use crate::response::RedirectResponse;
use crate::scope::Scope;
use crate::secret::{AuthorizationCode, BrowserDigest, InteractionId};
use crate::session::AuthenticatedOwner;
use crate::timestamp::{Clock, Timestamp};

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
/// `temporarily_unavailable` (AUTHZ-24).
pub fn authorize(
    ports: &Ports<'_>,
    policy: &Policy,
    request: &Request<'_>,
) -> Result<Authorize, Fault> {
    let (client, redirect_uri) = match identify(ports, policy, request.params)? {
        Ok(identified) => identified,
        Err(refusal) => return Ok(Authorize::Refused(refusal)),
    };
    if !has_supported_response_mode(request.params) {
        return Ok(Authorize::Refused(Refusal::ResponseMode));
    }
    let state = request.params.one("state").ok().flatten();
    let validated = validate(policy, request, &client, &redirect_uri);
    let result = validated.map_err(Stop::Refused).and_then(|validated| {
        let context = Context {
            ports,
            policy,
            client,
            redirect_uri: redirect_uri.clone(),
        };
        proceed(context, validated, request.owner, None, |pending| {
            let limit = policy.pending_authorizations_per_origin;
            ports
                .pending
                .insert(&pending(*request.browser), request.origin, limit)
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
    let context = Context {
        ports,
        policy,
        client,
        redirect_uri: redirect_uri.clone(),
    };
    let request = pending.request.clone();
    let result = proceed(
        context,
        request,
        owner,
        Some((interaction, &pending)),
        |_| Ok(()),
    );
    Ok(answer(
        ports,
        policy,
        result,
        redirect_uri,
        state.as_deref(),
    ))
}

/// From the proven redirect URI on, everything that stops a request goes to the client.
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
            ports.events.record(&Event::Faulted { fault });
            UNAVAILABLE
        }
    };
    Authorize::Redirect(RedirectResponse::error(uri, &policy.issuer, state, error))
}

/// What a client hears of a fault that struck after its redirect URI was proven (AUTHZ-24).
const UNAVAILABLE: OAuthError = OAuthError::new(
    ErrorCode::TemporarilyUnavailable,
    "the server cannot decide this at the moment; try again",
);

pub(super) enum Stop {
    Refused(OAuthError),
    Fault(Fault),
}

impl<E: Into<Fault>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

pub(super) struct Context<'a> {
    pub ports: &'a Ports<'a>,
    pub policy: &'a Policy,
    pub client: Client,
    pub redirect_uri: ValidatedRedirectUri,
}

// Rules 1 to 3: who asks, and where an answer may go.

type Identified = Result<(Client, ValidatedRedirectUri), Refusal>;

fn identify(ports: &Ports<'_>, policy: &Policy, params: &Params) -> Result<Identified, Fault> {
    let once = |name| {
        params
            .one(name)
            .map_err(|repeated| Refusal::Repeated(repeated.0))
    };
    let read = || {
        once("request")?;
        once("request_uri")?;
        let id = once("client_id")?.ok_or(Refusal::ClientIdMissing)?;
        Ok((
            ClientId::parse(id).ok_or(Refusal::ClientUnknown)?,
            once("redirect_uri")?,
        ))
    };
    match read() {
        Err(refusal) => Ok(Err(refusal)),
        Ok((id, redirect_uri)) => find_client(ports, policy, &id, redirect_uri),
    }
}

/// The client may have been disabled, and its redirect URIs may have changed, while the owner was
/// looking at a page.
pub(super) fn identify_again(
    ports: &Ports<'_>,
    policy: &Policy,
    request: &AuthorizationRequest,
) -> Result<Identified, Fault> {
    find_client(
        ports,
        policy,
        &request.client_id,
        Some(&request.redirect_uri),
    )
}

fn find_client(
    ports: &Ports<'_>,
    policy: &Policy,
    id: &ClientId,
    redirect_uri: Option<&str>,
) -> Result<Identified, Fault> {
    let Some(client) = ports.clients.find(id)? else {
        return Ok(Err(Refusal::ClientUnknown));
    };
    if !client.is_enabled() {
        return Ok(Err(Refusal::ClientDisabled));
    }
    let found = match_redirect_uri(
        &client.redirect_uris,
        redirect_uri,
        policy.localhost_any_port,
    );
    Ok(found.map(|uri| (client, uri)).map_err(Refusal::RedirectUri))
}

pub(super) fn find_interaction(
    ports: &Ports<'_>,
    interaction: &InteractionId,
    browser: &BrowserDigest,
) -> Result<Result<PendingAuthorization, Refusal>, Fault> {
    let now = ports.clock.now();
    let pending = ports
        .pending
        .find(&interaction.digest())?
        .filter(|pending| {
            pending.browser.matches(browser)
                && pending.decided_at.is_none()
                && !pending.expires_at.is_expired(now)
        });
    Ok(pending.ok_or(Refusal::InteractionGone))
}

// Rules 4 to 9: the request itself.

/// Parameters that some specification defines here, so that sending one twice is an error even where
/// its value does not matter. `resource` (RFC 8707) is the one that may repeat.
const DEFINED: [&str; 18] = [
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "prompt",
    "max_age",
    "response_mode",
    "login_hint",
    "id_token_hint",
    "display",
    "ui_locales",
    "claims_locales",
    "acr_values",
    "claims",
    "registration",
    "dpop_jkt",
];

fn has_supported_response_mode(params: &Params) -> bool {
    // A repeated response_mode is rule 4's business.
    !matches!(params.one("response_mode"), Ok(Some(mode)) if mode != "query")
}

fn validate(
    policy: &Policy,
    request: &Request<'_>,
    client: &Client,
    redirect_uri: &ValidatedRedirectUri,
) -> Result<AuthorizationRequest, OAuthError> {
    let params = request.params;
    for name in DEFINED {
        params.one(name)?;
    }
    refuse_request_objects(params)?;
    check_response_type(params.one("response_type")?, request.response_type_optional)?;
    let code_challenge = read_code_challenge(params)?;
    if code_challenge.is_none() && policy.requires_pkce(client) {
        return Err(OAuthError::invalid_request(
            "code_challenge is required (PKCE with S256)",
        ));
    }
    let prompt = read_prompt(params.one("prompt")?)?;
    let scope = read_scope(params.one("scope")?, client, policy)?;
    if !client.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(OAuthError::new(
            ErrorCode::UnauthorizedClient,
            "this client may not use the authorization code flow",
        ));
    }
    Ok(AuthorizationRequest {
        client_id: client.id.clone(),
        redirect_uri: redirect_uri.as_str().to_owned(),
        redirect_uri_sent: params.one("redirect_uri")?.is_some(),
        scope,
        state: params.one("state")?.map(ToOwned::to_owned),
        code_challenge,
        prompt,
    })
}

/// Request objects are not supported, and a `request_uri` is never fetched (AUTHZ-20).
fn refuse_request_objects(params: &Params) -> Result<(), OAuthError> {
    let refuse = |name, code, description| match params.one(name) {
        Ok(Some(_)) => Err(OAuthError::new(code, description)),
        _ => Ok(()),
    };
    refuse(
        "request",
        ErrorCode::RequestNotSupported,
        "request objects are not supported",
    )?;
    refuse(
        "request_uri",
        ErrorCode::RequestUriNotSupported,
        "request_uri is not supported",
    )?;
    refuse(
        "registration",
        ErrorCode::RegistrationNotSupported,
        "registration is not supported",
    )
}

fn check_response_type(response_type: Option<&str>, optional: bool) -> Result<(), OAuthError> {
    match response_type {
        Some("code") => Ok(()),
        None if optional => Ok(()),
        None => Err(OAuthError::invalid_request(
            "response_type is missing; it must be code",
        )),
        Some(_) => Err(OAuthError::new(
            ErrorCode::UnsupportedResponseType,
            "the only response_type is code",
        )),
    }
}

/// An absent method means S256. Here an empty parameter is no absent one: nothing that was meant to
/// protect the flow may be dropped silently.
fn read_code_challenge(params: &Params) -> Result<Option<CodeChallenge>, OAuthError> {
    let challenge = params.one("code_challenge")?;
    let method = params.one("code_challenge_method")?;
    if challenge.is_none() {
        let sent = params.has("code_challenge") || params.has("code_challenge_method");
        let empty = OAuthError::invalid_request("code_challenge is empty or missing");
        return if sent { Err(empty) } else { Ok(None) };
    }
    if method.is_some_and(|method| method != "S256") {
        return Err(OAuthError::invalid_request(
            "the only code_challenge_method is S256",
        ));
    }
    challenge
        .map(|text| {
            CodeChallenge::parse(text).ok_or(OAuthError::invalid_request(
                "code_challenge must be 43 characters of base64url",
            ))
        })
        .transpose()
}

fn read_prompt(prompt: Option<&str>) -> Result<Prompt, OAuthError> {
    let mut read = Prompt::default();
    for value in prompt
        .unwrap_or_default()
        .split(' ')
        .filter(|value| !value.is_empty())
    {
        match value {
            "none" => read.none = true,
            "login" => read.login = true,
            "consent" => read.consent = true,
            _ => {
                return Err(OAuthError::invalid_request(
                    "prompt knows none, login and consent",
                ));
            }
        }
    }
    if read.none && (read.login || read.consent) {
        return Err(OAuthError::invalid_request("prompt=none stands alone"));
    }
    Ok(read)
}

fn read_scope(
    requested: Option<&str>,
    client: &Client,
    policy: &Policy,
) -> Result<Scope, OAuthError> {
    let allowed = client.scope.intersection(&policy.scopes.all());
    let scope = match requested {
        None => policy.scopes.defaults().intersection(&allowed),
        Some(text) => Scope::parse(text).ok_or(OAuthError::invalid_scope("scope is malformed"))?,
    };
    if scope.is_empty() {
        return Err(OAuthError::invalid_scope(
            "name a scope; this client has no default scope",
        ));
    }
    if !scope.is_within(&allowed) {
        return Err(OAuthError::invalid_scope(
            "a scope is unknown or not allowed for this client",
        ));
    }
    Ok(scope)
}

// What is left to the owner.

fn proceed(
    context: Context<'_>,
    request: AuthorizationRequest,
    owner: Option<&AuthenticatedOwner>,
    taken_up: Option<(&InteractionId, &PendingAuthorization)>,
    keep: impl FnOnce(
        &dyn Fn(BrowserDigest) -> PendingAuthorization,
    ) -> Result<(), crate::error::StoreError>,
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
    let Context {
        client,
        redirect_uri,
        ..
    } = context;
    let prompted = Prompted {
        interaction,
        client,
        redirect_uri,
        request,
        expires_at,
    };
    Ok(if owner.is_some() {
        Authorize::NeedsConsent(prompted)
    } else {
        Authorize::NeedsSignIn(prompted)
    })
}

/// `prompt=login` is satisfied by the session that was started for this very interaction.
pub(super) fn satisfies_prompt_login(
    prompt: Prompt,
    signed_in: Option<&crate::secret::SessionDigest>,
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
    Ok(given.is_some_and(|consent| request.scope.is_within(&consent.scope)))
}

/// Records the approval and sends the code.
pub(super) fn issue_code(
    context: &Context<'_>,
    request: &AuthorizationRequest,
    owner: &AuthenticatedOwner,
    interaction: Option<&InteractionId>,
    approved_now: bool,
    now: Timestamp,
) -> Result<Authorize, Stop> {
    let Context {
        ports,
        policy,
        client,
        redirect_uri,
    } = context;
    let subject = owner.owner().subject.clone();
    let grant = Grant {
        id: GrantId::mint(ports.entropy)?,
        subject: subject.clone(),
        client_id: client.id.clone(),
        scope: request.scope.clone(),
        created_at: now,
        expires_at: policy.grant_lifetime.map(|lifetime| now.after(lifetime)),
        revoked_at: None,
    };
    let code = AuthorizationCode::mint(ports.entropy)?;
    let record = CodeRecord {
        grant_id: grant.id.clone(),
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
        given_at: now,
    });
    let decided = ports.grants.approve(&Approval {
        interaction: interaction.map(InteractionId::digest).as_ref(),
        grant: &grant,
        code: &code.digest(),
        record: &record,
        remember: consent.as_ref(),
    })?;
    if decided == Decided::Already {
        return Ok(Authorize::Refused(Refusal::InteractionGone));
    }
    ports.events.record(&Event::CodeIssued {
        grant: grant.id,
        client: client.id.clone(),
        subject,
        remembered: !approved_now,
    });
    let state = request.state.as_deref();
    let uri = redirect_uri.clone();
    Ok(Authorize::Redirect(RedirectResponse::success(
        uri,
        &policy.issuer,
        state,
        &code,
    )))
}

#[cfg(test)]
#[path = "authorize_tests.rs"]
mod tests;

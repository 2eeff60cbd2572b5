//! Rules 4 to 9: the request itself. Pure.

use super::Request;
use crate::client::{Client, GrantType};
use crate::consent::{AuthorizationRequest, Prompt};
use crate::error::{ErrorCode, OAuthError};
use crate::params::Params;
use crate::pkce::CodeChallenge;
use crate::policy::Policy;
use crate::redirect_uri::ValidatedRedirectUri;
use crate::session::AuthenticatedOwner;
use crate::timestamp::Timestamp;
use crate::usecase::requested::read_requested;
use time::Duration;

/// Parameters that some specification defines here, so that sending one twice is an error even where
/// its value does not matter. `resource` (RFC 8707) is the one that may repeat.
pub(super) const DEFINED: [&str; 18] = [
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

pub(super) fn repeats_a_parameter(params: &Params) -> bool {
    DEFINED.iter().any(|name| params.one(name).is_err())
}

pub(super) fn has_supported_response_mode(params: &Params) -> bool {
    !matches!(params.one("response_mode"), Ok(Some(mode)) if mode != "query")
}

pub(super) fn validate(
    policy: &Policy,
    request: &Request<'_>,
    client: &Client,
    redirect_uri: &ValidatedRedirectUri,
    now: Timestamp,
) -> Result<AuthorizationRequest, OAuthError> {
    let params = request.params;
    for name in DEFINED {
        params.one(name)?;
    }
    refuse_request_objects(params)?;
    check_response_type(params.one("response_type")?, request.response_type_optional)?;
    let code_challenge = read_code_challenge(params)?;
    if code_challenge.is_none() && policy.requires_pkce(client) {
        return Err(OAuthError::invalid_request("code_challenge is required (PKCE with S256)"));
    }
    let mut prompt = read_prompt(params.one("prompt")?)?;
    let max_age = read_max_age(params.one("max_age")?)?;
    let too_old = |owner: &AuthenticatedOwner| {
        max_age.is_some_and(|age| owner.signed_in_at().after(age).is_expired(now))
    };
    prompt.login |= request.owner.is_some_and(too_old);
    let (scope, audience) = read_requested(policy, client, params)?;
    require_code_flow(client)?;
    Ok(AuthorizationRequest {
        client_id: client.id.clone(),
        redirect_uri: redirect_uri.as_str().to_owned(),
        redirect_uri_sent: params.one("redirect_uri")?.is_some(),
        scope,
        audience,
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
    refuse("request", ErrorCode::RequestNotSupported, "request objects are not supported")?;
    refuse("request_uri", ErrorCode::RequestUriNotSupported, "request_uri is not supported")?;
    refuse("registration", ErrorCode::RegistrationNotSupported, "registration is not supported")
}

fn check_response_type(response_type: Option<&str>, optional: bool) -> Result<(), OAuthError> {
    match response_type {
        Some("code") => Ok(()),
        None if optional => Ok(()),
        None => Err(OAuthError::invalid_request("response_type is missing; it must be code")),
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
        return Err(OAuthError::invalid_request("the only code_challenge_method is S256"));
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
    for value in prompt.unwrap_or_default().split(' ').filter(|value| !value.is_empty()) {
        match value {
            "none" => read.none = true,
            "login" => read.login = true,
            "consent" => read.consent = true,
            _ => {
                return Err(OAuthError::invalid_request("prompt knows none, login and consent"));
            }
        }
    }
    if read.none && (read.login || read.consent) {
        return Err(OAuthError::invalid_request("prompt=none stands alone"));
    }
    Ok(read)
}

/// The longest time since the owner signed in (OpenID Connect Core §3.1.2.1). A sign-in that is older
/// has to be repeated, like with `prompt=login`.
fn read_max_age(max_age: Option<&str>) -> Result<Option<Duration>, OAuthError> {
    let Some(text) = max_age else {
        return Ok(None);
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    let malformed = OAuthError::invalid_request("max_age must be a whole number of seconds");
    seconds.map(|seconds: u32| Some(Duration::seconds(seconds.into()))).ok_or(malformed)
}

/// What the client may ask for can have shrunk while the owner was looking at a page.
pub(super) fn require_still_allowed(
    policy: &Policy,
    client: &Client,
    request: &AuthorizationRequest,
) -> Result<(), OAuthError> {
    if !request.audience.is_within(&policy.resources.all()) {
        return Err(OAuthError::invalid_target("a resource is no longer offered"));
    }
    if !request.scope.is_within(&client.scope.intersection(&policy.scopes.all())) {
        return Err(OAuthError::invalid_scope("a scope is no longer allowed for this client"));
    }
    require_code_flow(client)
}

fn require_code_flow(client: &Client) -> Result<(), OAuthError> {
    if client.may_use(GrantType::AuthorizationCode) {
        return Ok(());
    }
    let description = "this client may not use the authorization code flow";
    Err(OAuthError::new(ErrorCode::UnauthorizedClient, description))
}

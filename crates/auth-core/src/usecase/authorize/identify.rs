//! Rules 1 to 3: who asks, and where an answer may go.

use super::{Ports, Refusal};
use crate::client::{Client, ClientId};
use crate::consent::{AuthorizationRequest, PendingAuthorization};
use crate::error::Fault;
use crate::params::Params;
use crate::policy::Policy;
use crate::redirect_uri::{ValidatedRedirectUri, match_redirect_uri};
use crate::secret::{BrowserDigest, InteractionId};

pub(in crate::usecase) type Identified = Result<(Client, ValidatedRedirectUri), Refusal>;

pub(super) fn identify(
    ports: &Ports<'_>,
    policy: &Policy,
    params: &Params,
) -> Result<Identified, Fault> {
    let once = |name| params.one(name).map_err(|repeated| Refusal::Repeated(repeated.0));
    let read = || {
        once("request")?;
        once("request_uri")?;
        let (id, redirect_uri) = (once("client_id")?, once("redirect_uri")?);
        let id = id.ok_or(Refusal::ClientIdMissing)?;
        Ok((ClientId::parse(id).ok_or(Refusal::ClientUnknown)?, redirect_uri))
    };
    match read() {
        Err(refusal) => Ok(Err(refusal)),
        Ok((id, redirect_uri)) => find_client(ports, policy, &id, redirect_uri),
    }
}

/// The client may have been disabled, and its redirect URIs may have changed, while the owner was
/// looking at a page.
pub(in crate::usecase) fn identify_again(
    ports: &Ports<'_>,
    policy: &Policy,
    request: &AuthorizationRequest,
) -> Result<Identified, Fault> {
    find_client(ports, policy, &request.client_id, Some(&request.redirect_uri))
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
    let found = match_redirect_uri(&client.redirect_uris, redirect_uri, policy.localhost_any_port);
    Ok(found.map(|uri| (client, uri)).map_err(Refusal::RedirectUri))
}

pub(in crate::usecase) fn find_interaction(
    ports: &Ports<'_>,
    interaction: &InteractionId,
    browser: &BrowserDigest,
) -> Result<Result<PendingAuthorization, Refusal>, Fault> {
    let now = ports.clock.now();
    let pending = ports.pending.find(&interaction.digest())?.filter(|pending| {
        pending.browser.matches(browser)
            && pending.decided_at.is_none()
            && !pending.expires_at.is_expired(now)
    });
    Ok(pending.ok_or(Refusal::InteractionGone))
}

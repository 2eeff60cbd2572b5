//! What the endpoints have in common that clients call by themselves: token, revocation, introspection
//! (CAUTH-11).

use crate::client::{ClientId, ClientStore};
use crate::client_auth::{AuthenticatedClient, ClientCredentials, authenticate_client};
use crate::error::{OAuthError, TokenError};
use crate::event::{Event, EventSink};
use crate::params::Params;

/// A request as it arrives.
pub struct Request<'a> {
    /// The values of its `Authorization` headers.
    pub authorization: &'a [&'a [u8]],
    /// The parameters of its body. The query is not read (TOKEN-03).
    pub params: &'a Params,
}

/// No parameter is repeated, known or not, but for these (TOKEN-06).
pub(super) fn require_single(params: &Params, repeatable: &[&str]) -> Result<(), OAuthError> {
    if params.has_repeated(repeatable) {
        return Err(OAuthError::invalid_request("a parameter was sent more than once"));
    }
    Ok(())
}

/// The client authenticates, or is public and names itself ([`crate::client_auth`]).
pub(super) fn authenticate(
    clients: &dyn ClientStore,
    request: &Request<'_>,
) -> Result<AuthenticatedClient, TokenError> {
    let credentials = ClientCredentials::read(request.authorization, request.params)?;
    authenticate_client(clients, &credentials)
}

/// Takes note of a refusal, with the client that the request says it comes from.
pub(super) fn record_refusal<T>(
    events: &dyn EventSink,
    request: &Request<'_>,
    result: &Result<T, TokenError>,
) {
    if let Err(TokenError::Refused(error)) = result {
        events.record(&Event::TokenRefused { client: claimed_client(request), error: *error });
    }
}

fn claimed_client(request: &Request<'_>) -> Option<ClientId> {
    let claimed = ClientCredentials::read(request.authorization, request.params).ok()?;
    ClientId::parse(claimed.claimed_id()).and_then(ClientId::for_log)
}

//! Authorization requests that wait for their owner, and consents that are remembered.

use crate::client::ClientId;
use crate::error::StoreError;
use crate::owner::SubjectId;
use crate::pkce::CodeChallenge;
use crate::resource::Audience;
use crate::scope::Scope;
use crate::secret::{BrowserDigest, InteractionDigest, SessionDigest};
use crate::timestamp::Timestamp;

/// What a request's `prompt` parameter asks for (OpenID Connect Core §3.1.2.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prompt {
    /// `none`: show nothing; answer with an error if something would have to be shown.
    pub none: bool,
    /// `login`: sign in again, whoever is signed in.
    pub login: bool,
    /// `consent`: ask again, whatever was approved before.
    pub consent: bool,
}

/// The validated parameters of an authorization request. What was validated at the start is what is
/// used at the end (AUTHZ-23).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes: equal to a registered URI when the request was validated.
    pub redirect_uri: String,
    /// Whether the request named that URI itself.
    pub redirect_uri_sent: bool,
    /// What is asked for.
    pub scope: Scope,
    /// At which resource servers; empty if none is configured that the scope concerns.
    pub audience: Audience,
    /// The client's own text, to be sent back byte for byte.
    pub state: Option<String>,
    /// The PKCE challenge.
    pub code_challenge: Option<CodeChallenge>,
    /// What must be shown.
    pub prompt: Prompt,
}

/// An authorization request that waits for sign-in or consent in one browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAuthorization {
    /// The stored form of the interaction's name.
    pub interaction: InteractionDigest,
    /// The browser that started it; no other may continue it (AUTHZ-22).
    pub browser: BrowserDigest,
    /// The request.
    pub request: AuthorizationRequest,
    /// When it began.
    pub created_at: Timestamp,
    /// From when on it leads nowhere.
    pub expires_at: Timestamp,
    /// The session of the last sign-in that was done for this interaction. It is what satisfies
    /// `prompt=login`, and nothing else does, so a forced sign-in can neither be skipped nor loop.
    pub signed_in: Option<SessionDigest>,
    /// When it was approved or denied.
    pub decided_at: Option<Timestamp>,
}

/// Authorization requests that wait for their owner. Anybody can start one, so their number is
/// bounded per origin.
#[cfg_attr(test, mockall::automock)]
pub trait PendingAuthorizationStore: Send + Sync {
    /// Keeps a request. If `origin` (a network address) has more than `limit` afterwards, its oldest
    /// are forgotten (XC-07).
    fn insert(
        &self,
        pending: &PendingAuthorization,
        origin: &str,
        limit: usize,
    ) -> Result<(), StoreError>;

    /// The request with this digest, whatever its state.
    fn find(
        &self,
        interaction: &InteractionDigest,
    ) -> Result<Option<PendingAuthorization>, StoreError>;

    /// Records that this session was started for the interaction.
    fn signed_in(
        &self,
        interaction: &InteractionDigest,
        session: &SessionDigest,
    ) -> Result<(), StoreError>;
}

/// A consent that is remembered for the owner's next visit: one for each audience, because what was
/// approved at one resource server is not approved at another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Who gave it.
    pub subject: SubjectId,
    /// To which client.
    pub client_id: ClientId,
    /// For what.
    pub scope: Scope,
    /// At which resource servers.
    pub audience: Audience,
    /// When it was last given.
    pub given_at: Timestamp,
}

/// Remembered consents. [`GrantStore::approve`](crate::grant::GrantStore::approve) adds to them, and
/// withdrawing removes them.
#[cfg_attr(test, mockall::automock)]
pub trait ConsentStore: Send + Sync {
    /// Everything that this owner approved for this client and did not withdraw, in no order.
    fn find(&self, subject: &SubjectId, client_id: &ClientId) -> Result<Vec<Consent>, StoreError>;
}

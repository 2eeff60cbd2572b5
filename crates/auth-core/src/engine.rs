//! All ports in one place, for embedders that do not want to name them one by one.

use crate::client::ClientStore;
use crate::code::CodeStore;
use crate::consent::{ConsentStore, PendingAuthorizationStore};
use crate::entropy::Entropy;
use crate::error::{Fault, TokenError};
use crate::event::EventSink;
use crate::grant::GrantStore;
use crate::owner::OwnerStore;
use crate::password::PasswordHasher;
use crate::policy::Policy;
use crate::secret::{BrowserDigest, InteractionId, SessionSecret};
use crate::session::{AuthenticatedOwner, SessionStore};
use crate::timestamp::Clock;
use crate::token::TokenStore;
use crate::usecase::authorize::{self, Authorize};
use crate::usecase::decide_consent::{Decision, decide_consent};
use crate::usecase::introspect::{self, ActiveToken};
use crate::usecase::metadata::{Metadata, metadata};
use crate::usecase::revoke;
use crate::usecase::sign_in::{self, SignIn};
use crate::usecase::token::{self, TokenResponse};
use std::sync::Arc;

/// The authorization server without its transport: the policy, the ports, and the use cases as
/// methods. It has no state of its own; clone it freely.
#[derive(Clone)]
#[allow(missing_docs)] // the fields are named after the ports that they hold
pub struct AuthEngine {
    pub policy: Arc<Policy>,
    pub clients: Arc<dyn ClientStore>,
    pub owners: Arc<dyn OwnerStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub pending: Arc<dyn PendingAuthorizationStore>,
    pub consents: Arc<dyn ConsentStore>,
    pub grants: Arc<dyn GrantStore>,
    pub codes: Arc<dyn CodeStore>,
    pub tokens: Arc<dyn TokenStore>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub events: Arc<dyn EventSink>,
}

/// A store that keeps everything.
pub trait Store:
    ClientStore
    + OwnerStore
    + SessionStore
    + PendingAuthorizationStore
    + ConsentStore
    + GrantStore
    + CodeStore
    + TokenStore
    + 'static
{
}

impl<T> Store for T where
    T: ClientStore
        + OwnerStore
        + SessionStore
        + PendingAuthorizationStore
        + ConsentStore
        + GrantStore
        + CodeStore
        + TokenStore
        + 'static
{
}

impl AuthEngine {
    /// An engine that keeps everything in one store.
    pub fn new(
        policy: Policy,
        store: Arc<impl Store>,
        passwords: Arc<dyn PasswordHasher>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        events: Arc<dyn EventSink>,
    ) -> Self {
        Self {
            policy: Arc::new(policy),
            clients: store.clone(),
            owners: store.clone(),
            sessions: store.clone(),
            pending: store.clone(),
            consents: store.clone(),
            grants: store.clone(),
            codes: store.clone(),
            tokens: store,
            passwords,
            clock,
            entropy,
            events,
        }
    }

    /// [`authorize::authorize`]
    pub fn authorize(&self, request: &authorize::Request<'_>) -> Result<Authorize, Fault> {
        authorize::authorize(&self.authorize_ports(), &self.policy, request)
    }

    /// [`authorize::resume`]
    pub fn resume(
        &self,
        interaction: &InteractionId,
        browser: &BrowserDigest,
        owner: Option<&AuthenticatedOwner>,
    ) -> Result<Authorize, Fault> {
        authorize::resume(&self.authorize_ports(), &self.policy, interaction, browser, owner)
    }

    /// [`decide_consent`]
    pub fn decide_consent(&self, decision: &Decision<'_>) -> Result<Authorize, Fault> {
        decide_consent(&self.authorize_ports(), &self.policy, decision)
    }

    /// [`sign_in::sign_in`]
    pub fn sign_in(&self, form: &SignIn<'_>) -> Result<Option<SessionSecret>, Fault> {
        let ports = sign_in::Ports {
            owners: &*self.owners,
            sessions: &*self.sessions,
            pending: &*self.pending,
            passwords: &*self.passwords,
            clock: &*self.clock,
            entropy: &*self.entropy,
            events: &*self.events,
        };
        sign_in::sign_in(&ports, form)
    }

    /// [`sign_in::recognize`]
    pub fn recognize(&self, secret: &SessionSecret) -> Result<Option<AuthenticatedOwner>, Fault> {
        sign_in::recognize(&*self.sessions, &*self.clock, &self.policy, secret)
    }

    /// [`sign_in::sign_out`]
    pub fn sign_out(&self, owner: &AuthenticatedOwner) -> Result<(), Fault> {
        sign_in::sign_out(&*self.sessions, &*self.events, owner)
    }

    /// [`token::token`]
    pub fn token(&self, request: &token::Request<'_>) -> Result<TokenResponse, TokenError> {
        let ports = token::Ports {
            clients: &*self.clients,
            owners: &*self.owners,
            codes: &*self.codes,
            tokens: &*self.tokens,
            clock: &*self.clock,
            entropy: &*self.entropy,
            events: &*self.events,
        };
        token::token(&ports, &self.policy, request)
    }

    /// [`revoke::revoke`]
    pub fn revoke(&self, request: &token::Request<'_>) -> Result<(), TokenError> {
        let ports = revoke::Ports {
            clients: &*self.clients,
            grants: &*self.grants,
            tokens: &*self.tokens,
            clock: &*self.clock,
            events: &*self.events,
        };
        revoke::revoke(&ports, request)
    }

    /// [`introspect::introspect`]
    pub fn introspect(
        &self,
        request: &token::Request<'_>,
    ) -> Result<Option<ActiveToken>, TokenError> {
        let ports = introspect::Ports {
            clients: &*self.clients,
            tokens: &*self.tokens,
            clock: &*self.clock,
            events: &*self.events,
        };
        introspect::introspect(&ports, &self.policy, request)
    }

    /// [`metadata`]
    pub fn metadata(&self) -> Metadata {
        metadata(&self.policy)
    }

    fn authorize_ports(&self) -> authorize::Ports<'_> {
        authorize::Ports {
            clients: &*self.clients,
            consents: &*self.consents,
            pending: &*self.pending,
            grants: &*self.grants,
            clock: &*self.clock,
            entropy: &*self.entropy,
            events: &*self.events,
        }
    }
}

//! What every endpoint works with.

use crate::address::client_address;
use crate::challenge_watch::ChallengeWatch;
use crate::cookies::Cookies;
use crate::lane::Lane;
use crate::line::Line;
use crate::pages::{PageError, Pages};
use crate::throttle::{Throttle, network_of};
use actix_web::{HttpRequest, web};
use auth_core::AuthEngine;
use auth_core::error::Fault;
use auth_core::secret::{BrowserSecret, SessionSecret};
use auth_core::session::AuthenticatedOwner;
use std::net::IpAddr;
use std::sync::Arc;

/// Bounds on what strangers may do.
#[derive(Clone)]
pub struct Limits {
    /// Failed sign-ins per minute for one account from one address.
    pub failed_sign_ins_per_account_and_address: u32,
    /// Failed sign-ins per minute from one address.
    pub failed_sign_ins_per_address: u32,
    /// Failed client authentications per minute for one client from one address.
    pub failed_client_authentications: u32,
    /// Threads that hash passwords.
    pub hash_threads: usize,
    /// Sign-ins that may wait for one of them.
    pub hash_queue: usize,
    /// Whether the `X-Forwarded-For` of a peer with this address is believed.
    pub is_trusted_proxy: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            failed_sign_ins_per_account_and_address: 10,
            failed_sign_ins_per_address: 100,
            failed_client_authentications: 300,
            hash_threads: 1,
            hash_queue: 32,
            is_trusted_proxy: Arc::new(|_| false),
        }
    }
}

/// Why the HTTP side cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The issuer has no `http` or `https` origin.
    #[error("the issuer {0} is no http or https URL")]
    Issuer(String),
    /// A page template is broken.
    #[error(transparent)]
    Pages(#[from] PageError),
    /// No thread for password hashing.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Whether the server can do its work: the database is reachable and its schema current. It logs why
/// not.
type Readiness = dyn Fn() -> bool + Send + Sync;

/// Whose failures a throttle counts: the user name as it is compared, or the client identifier, and the
/// address.
type FailureKey = (String, IpAddr);

/// The engine and everything around it. Shared by all workers.
pub struct App {
    pub(crate) engine: AuthEngine,
    pub(crate) pages: Pages,
    pub(crate) cookies: Cookies,
    /// `https://host[:port]`, as browsers send it in `Origin`.
    pub(crate) origin: String,
    /// `host[:port]`, as people see it.
    pub(crate) host: String,
    /// The issuer's path: what every path of ours begins with. Empty or `/…` without a slash at the end.
    pub(crate) base: String,
    pub(crate) passwords: Lane,
    pub(crate) account_failures: Throttle<FailureKey>,
    pub(crate) address_failures: Throttle<IpAddr>,
    pub(crate) client_failures: Throttle<FailureKey>,
    pub(crate) challenges: ChallengeWatch,
    line: Line,
    is_trusted_proxy: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    readiness: Box<Readiness>,
}

impl App {
    /// Puts the HTTP side together. Every URL that it ever writes follows from the engine's issuer,
    /// never from a request's headers (UI-20, META-03).
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn new(
        engine: AuthEngine,
        pages: Pages,
        limits: Limits,
        readiness: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let issuer = engine.policy.issuer.clone();
        let (scheme, rest) = issuer
            .split_once("://")
            .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
            .ok_or_else(|| StartError::Issuer(issuer.clone()))?;
        let (host, base) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let base = base.trim_end_matches('/');
        Ok(Self {
            cookies: Cookies::new(base, scheme == "https"),
            origin: format!("{scheme}://{host}"),
            host: host.to_owned(),
            pages: pages.under(base),
            base: base.to_owned(),
            passwords: Lane::start(limits.hash_threads, limits.hash_queue)?,
            account_failures: Throttle::new(limits.failed_sign_ins_per_account_and_address),
            address_failures: Throttle::new(limits.failed_sign_ins_per_address),
            client_failures: Throttle::new(limits.failed_client_authentications),
            challenges: ChallengeWatch::new(),
            line: Line::default(),
            is_trusted_proxy: limits.is_trusted_proxy,
            readiness: Box::new(readiness),
            engine,
        })
    }

    /// Whether pages are reached over https.
    pub(crate) fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// An absolute URL of this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.base)
    }

    /// A path of this server, for links and redirects on it.
    pub(crate) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// The network that a request comes from, for bounds and throttles.
    pub(crate) fn network(&self, request: &HttpRequest) -> IpAddr {
        network_of(client_address(request, &*self.is_trusted_proxy))
    }

    /// What a request's cookies say.
    pub(crate) fn visitor(&self, request: &HttpRequest) -> Visitor {
        Visitor { session: self.cookies.session(request), browser: self.cookies.browser(request) }
    }

    /// Runs one piece of work with the engine in the blocking pool, where waiting for the store harms
    /// no worker, when its turn comes.
    pub(crate) async fn engine<T: Send + 'static, E: From<Fault> + Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&AuthEngine) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (app, place) = (Arc::clone(self), self.line.join()?);
        let done = web::block(move || {
            place.turn()?;
            work(&app.engine)
        });
        done.await.unwrap_or_else(|_| Err(Fault::Defect("a request").into()))
    }

    pub(crate) async fn is_ready(self: &Arc<Self>) -> bool {
        let app = Arc::clone(self);
        let Ok(place) = self.line.join() else { return false };
        let checked = web::block(move || place.turn().is_ok() && (app.readiness)());
        checked.await.unwrap_or(false)
    }
}

/// The secrets that a browser's cookies carry.
pub(crate) struct Visitor {
    pub session: Option<SessionSecret>,
    pub browser: Option<BrowserSecret>,
}

impl Visitor {
    /// Who is signed in, if anybody.
    pub(crate) fn owner(&self, engine: &AuthEngine) -> Result<Option<AuthenticatedOwner>, Fault> {
        self.session.as_ref().map_or(Ok(None), |session| engine.recognize(session))
    }
}

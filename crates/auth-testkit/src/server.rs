//! A whole server without a transport, and the words that tests of flows are written in.

use crate::{CountingEntropy, FixedClock, MemoryStore, PlainPasswords, RecordingEvents, sample};
use auth_core::AuthEngine;
use auth_core::client::{ClientAuthMethod, ClientId, ClientRegistry, ClientStore};
use auth_core::engine::Store;
use auth_core::error::{OAuthError, TokenError};
use auth_core::owner::OwnerRegistry;
use auth_core::params::{ParamLimits, Params};
use auth_core::policy::Policy;
use auth_core::response::RedirectResponse;
use auth_core::secret::{AccessToken, BrowserSecret, InteractionId};
use auth_core::session::AuthenticatedOwner;
use auth_core::timestamp::Clock;
use auth_core::token::{TokenRecord, TokenStore};
use auth_core::usecase::authorize::{self, Authorize, Prompted};
use auth_core::usecase::decide_consent::Decision;
use auth_core::usecase::introspect::ActiveToken;
use auth_core::usecase::sign_in::SignIn;
use auth_core::usecase::token::{self, TokenResponse};
use std::fmt;
use std::sync::Arc;

/// An [`AuthEngine`] over a [`MemoryStore`] with every client and owner of [`sample`], and the verbs
/// that tests of flows are written in. It stands for one browser; [`TestServer::in_browser`] gives
/// another. Its methods panic where a test took for granted what did not happen.
#[derive(Clone)]
pub struct TestServer {
    /// The engine.
    pub engine: AuthEngine,
    /// What it keeps everything in.
    pub store: Arc<MemoryStore>,
    /// Its time.
    pub clock: Arc<FixedClock>,
    /// Its security log.
    pub events: Arc<RecordingEvents>,
    browser: String,
}

impl TestServer {
    /// A server with the sample policy.
    pub fn new() -> Self {
        Self::with_policy(sample::policy())
    }

    /// A server with the sample policy and [`sample::resources`].
    pub fn with_resources() -> Self {
        Self::with_policy(Policy { resources: sample::resources(), ..sample::policy() })
    }

    /// A server with this policy.
    pub fn with_policy(policy: Policy) -> Self {
        let store = Arc::new(MemoryStore::new());
        for client in sample::clients() {
            ClientRegistry::insert(&*store, &client).expect("memory does not fail");
        }
        for owner in [sample::alice(), sample::bob()] {
            let hash = sample::password_hash_of(owner.username.as_str());
            OwnerRegistry::insert(&*store, &owner, &hash).expect("memory does not fail");
        }
        let clock = Arc::new(FixedClock::default());
        let events = Arc::new(RecordingEvents::default());
        let engine = AuthEngine::new(
            policy,
            store.clone(),
            Arc::new(PlainPasswords),
            clock.clone(),
            Arc::new(CountingEntropy::default()),
            events.clone(),
        );
        Self { engine, store, clock, events, browser: "browser".into() }
    }

    /// The same server with its ports served by another store, such as a
    /// [`FaultyStore`](crate::FaultyStore) around its own.
    pub fn over(&self, store: Arc<impl Store>) -> Self {
        let engine = &self.engine;
        Self {
            engine: AuthEngine::new(
                (*engine.policy).clone(),
                store,
                engine.passwords.clone(),
                engine.clock.clone(),
                engine.entropy.clone(),
                engine.events.clone(),
            ),
            ..self.clone()
        }
    }

    /// The same server under another policy, as after a restart.
    pub fn under(&self, policy: Policy) -> Self {
        let engine = AuthEngine { policy: Arc::new(policy), ..self.engine.clone() };
        Self { engine, ..self.clone() }
    }

    /// The same server as another browser sees it.
    pub fn in_browser(&self, name: &str) -> Self {
        Self { browser: name.into(), ..self.clone() }
    }

    /// Changes a registered client.
    pub fn update_client(&self, id: &str, change: impl FnOnce(&mut auth_core::client::Client)) {
        let id = sample::client_id(id);
        self.store.edit(|data| change(data.clients.get_mut(&id).expect("a registered client")));
    }

    /// Signs a sample owner in with their password.
    pub fn sign_in(&self, username: &str) -> AuthenticatedOwner {
        self.sign_in_for(username, None)
    }

    /// Signs a sample owner in because an interaction asked for it.
    pub fn sign_in_for(
        &self,
        username: &str,
        interaction: Option<&InteractionId>,
    ) -> AuthenticatedOwner {
        let secret = self
            .engine
            .sign_in(&SignIn {
                username,
                password: &sample::password_of(username),
                replaces: None,
                interaction,
            })
            .expect("no fault")
            .expect("the right password");
        let owner = self.engine.recognize(&secret).expect("no fault");
        owner.expect("a fresh session")
    }

    /// Sends an authorization request. Absent `response_type` is an error, as at `/oauth/authorize`.
    pub fn authorize(
        &self,
        params: &[(&str, &str)],
        owner: Option<&AuthenticatedOwner>,
    ) -> Authorize {
        let request = authorize::Request {
            params: &form(params),
            response_type_optional: false,
            browser: &BrowserSecret::presented(&self.browser).digest(),
            owner,
            origin: "192.0.2.1",
        };
        self.engine.authorize(&request).expect("no fault")
    }

    /// Takes up an interaction.
    pub fn resume(
        &self,
        interaction: &InteractionId,
        owner: Option<&AuthenticatedOwner>,
    ) -> Authorize {
        let browser = BrowserSecret::presented(&self.browser).digest();
        let resumed = self.engine.resume(interaction, &browser, owner);
        resumed.expect("no fault")
    }

    /// Sends the consent form with these fields.
    pub fn decide(
        &self,
        interaction: &InteractionId,
        owner: Option<&AuthenticatedOwner>,
        fields: &[(&str, &str)],
    ) -> Authorize {
        let decision = Decision {
            interaction,
            browser: &BrowserSecret::presented(&self.browser).digest(),
            owner,
            params: &form(fields),
        };
        self.engine.decide_consent(&decision).expect("no fault")
    }

    /// Authorizes and, where a page is shown, approves. Answers the code.
    pub fn code_for(&self, params: &[(&str, &str)], owner: &AuthenticatedOwner) -> String {
        let answer = match self.authorize(params, Some(owner)) {
            Authorize::NeedsConsent(page) => {
                self.decide(&page.interaction, Some(owner), &[("decision", "approve")])
            }
            other => other,
        };
        code_in(&answer)
    }

    /// A code for this client by this owner, with PKCE, for `api.read api.write`.
    pub fn code(&self, client: &str, owner: &AuthenticatedOwner) -> String {
        self.code_for(&request_of(client), owner)
    }

    /// Sends a token request of a client, authenticated as it registered.
    pub fn token(
        &self,
        client: &str,
        params: &[(&str, &str)],
    ) -> Result<TokenResponse, TokenError> {
        self.as_client(client, params, |request| self.engine.token(request))
    }

    /// Takes a token back as this client, authenticated as it registered.
    pub fn revoke(&self, client: &str, token: &str) -> Result<(), TokenError> {
        self.as_client(client, &[("token", token)], |request| self.engine.revoke(request))
    }

    /// Asks about a token as this client, authenticated as it registered.
    pub fn introspect(&self, client: &str, token: &str) -> Result<Option<ActiveToken>, TokenError> {
        self.as_client(client, &[("token", token)], |request| self.engine.introspect(request))
    }

    /// Authenticates these parameters the way that the client registered, as Basic if it did not choose
    /// or does not exist.
    pub fn as_client<T>(
        &self,
        client: &str,
        params: &[(&str, &str)],
        send: impl FnOnce(&token::Request<'_>) -> T,
    ) -> T {
        let id = ClientId::parse(client).expect("a client identifier");
        let registered = ClientStore::find(&*self.store, &id).expect("memory does not fail");
        let secret = sample::secret_of(client);
        let basic = sample::basic(client);
        let mut params = params.to_vec();
        let mut headers: Vec<&[u8]> = Vec::new();
        match registered {
            Some(it) if it.is_public() => params.push(("client_id", client)),
            Some(it) if it.auth_method == Some(ClientAuthMethod::ClientSecretPost) => {
                params.extend([("client_id", client), ("client_secret", secret.as_str())]);
            }
            _ => headers.push(basic.as_bytes()),
        }
        send(&token::Request { authorization: &headers, params: &form(&params) })
    }

    /// Redeems a code with the sample verifier.
    pub fn redeem(&self, client: &str, code: &str) -> Result<TokenResponse, TokenError> {
        self.token(
            client,
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("code_verifier", sample::VERIFIER),
            ],
        )
    }

    /// Refreshes.
    pub fn refresh(&self, client: &str, token: &str) -> Result<TokenResponse, TokenError> {
        let grant = ("grant_type", "refresh_token");
        self.token(client, &[grant, ("refresh_token", token)])
    }

    /// Asks for a token for the client itself, with these parameters besides.
    pub fn client_credentials(
        &self,
        client: &str,
        params: &[(&str, &str)],
    ) -> Result<TokenResponse, TokenError> {
        let mut all = vec![("grant_type", "client_credentials")];
        all.extend(params);
        self.token(client, &all)
    }

    /// The whole flow: sign in, authorize with PKCE, approve, redeem.
    pub fn flow(&self, client: &str, username: &str) -> TokenResponse {
        let owner = self.sign_in(username);
        let code = self.code(client, &owner);
        self.redeem(client, &code).expect("tokens")
    }

    /// Whether a resource server would accept this access token now: it is known, has not expired, and
    /// its grant is live.
    pub fn accepts(&self, access_token: &AccessToken) -> bool {
        let Some(digest) = access_token.digest() else {
            return false;
        };
        let now = self.clock.now();
        match TokenStore::find(&*self.store, &digest).expect("memory does not fail") {
            Some((TokenRecord::Access(token), grant)) => {
                !token.expires_at.is_expired(now) && grant.is_live(now)
            }
            _ => false,
        }
    }
}

impl Default for TestServer {
    fn default() -> Self {
        Self::new()
    }
}

/// Parameters of a query or form.
pub fn form(pairs: &[(&str, &str)]) -> Params {
    let owned = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Params::from_pairs(owned.collect(), ParamLimits::BODY).expect("few parameters")
}

/// An authorization request of a sample client: its first redirect URI, PKCE, `api.read api.write`.
pub fn request_of(client: &str) -> Vec<(&str, &str)> {
    let redirect_uri = match client {
        "web" => "https://rp.test/cb",
        "post" => "https://post.test/cb",
        "pub" => "http://127.0.0.1/cb",
        "spa" => "https://spa.test/cb",
        "evil" => "https://evil.test/cb",
        other => panic!("{other} is no sample client"),
    };
    vec![
        ("client_id", client),
        ("redirect_uri", redirect_uri),
        ("response_type", "code"),
        ("scope", "api.read api.write"),
        ("state", "st"),
        ("code_challenge", sample::CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

/// The redirect that an answer is.
#[track_caller]
pub fn redirect_in(answer: &Authorize) -> &RedirectResponse {
    match answer {
        Authorize::Redirect(redirect) => redirect,
        other => panic!("no redirect: {other:?}"),
    }
}

/// The value of a parameter of the redirect that an answer is.
#[track_caller]
pub fn parameter_in(answer: &Authorize, name: &'static str) -> Option<String> {
    let location = redirect_in(answer).location();
    let query = location.split_once('?').map_or("", |(_, query)| query);
    let params = Params::parse_form(query.as_bytes(), ParamLimits::QUERY).expect("a good query");
    let value = params.one(name).expect("no repetition");
    value.map(ToOwned::to_owned)
}

/// The code that an answer carries.
#[track_caller]
pub fn code_in(answer: &Authorize) -> String {
    parameter_in(answer, "code").unwrap_or_else(|| panic!("no code: {answer:?}"))
}

/// The page that an answer asks to show, for signing in or for consent.
#[track_caller]
pub fn page_in(answer: Authorize) -> Prompted {
    match answer {
        Authorize::NeedsSignIn(page) | Authorize::NeedsConsent(page) => page,
        other => panic!("no page: {other:?}"),
    }
}

/// The refusal that a request to the token, revocation or introspection endpoint got.
#[track_caller]
pub fn refusal_in<T: fmt::Debug>(answer: Result<T, TokenError>) -> OAuthError {
    match answer {
        Err(TokenError::Refused(error)) => error,
        other => panic!("no refusal: {other:?}"),
    }
}

/// The refresh token of a response.
#[track_caller]
pub fn refresh_token_in(response: &TokenResponse) -> &str {
    response.refresh_token.as_ref().expect("a refresh token").expose()
}

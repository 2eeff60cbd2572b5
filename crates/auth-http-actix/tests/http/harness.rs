//! A server in this process, over the store in memory and a clock that stands still.

use crate::answer::Answer;
use crate::browser::Browser;
use actix_web::http::header;
use actix_web::test::{self, TestRequest};
use actix_web::web::Data;
use auth_core::client::{ClientAuthMethod, ClientStore};
use auth_core::policy::Policy;
use auth_core::secret::AccessToken;
use auth_http_actix::pages::Pages;
use auth_http_actix::{App, Limits, service};
use auth_testkit::{TestServer, sample, server};
use futures_util::future::LocalBoxFuture;
use std::fmt::Write as _;
use std::rc::Rc;

/// Parameters in their order.
#[derive(Debug, Clone, Default)]
pub struct Params(pub Vec<(String, String)>);

impl Params {
    /// These.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        let owned = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Self(owned.collect())
    }

    /// One more, whether or not there is one of this name.
    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without those of this name.
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(other, _)| other != name);
        self
    }

    /// One of this name, in place of any other.
    pub fn set(self, name: &str, value: &str) -> Self {
        self.without(name).also(name, value)
    }

    /// The values of this name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let found = self.0.iter().filter(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// As a query or form, written by other code than the server's.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            let separator = if text.is_empty() { "" } else { "&" };
            let _ = write!(text, "{separator}{}={}", percent(name), percent(value));
        }
        text
    }
}

fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        other => format!("%{other:02x}"),
    };
    text.bytes().map(encode).collect()
}

/// An authorization request of a sample client: its first redirect URI, PKCE, `api.read api.write` and
/// the state `st`.
pub fn request(client: &str) -> Params {
    Params::of(&server::request_of(client))
}

/// A token response.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: Option<String>,
    pub scope: String,
    pub expires_in: i64,
}

type Call = dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>;

/// A running server.
#[derive(Clone)]
pub struct Site {
    call: Rc<Call>,
    /// What is behind it.
    pub kit: TestServer,
    /// The issuer.
    pub issuer: String,
}

impl Site {
    /// A server with the sample policy.
    pub async fn new() -> Self {
        Self::over(&TestServer::new()).await
    }

    /// A server under this policy.
    pub async fn under(policy: Policy) -> Self {
        Self::over(&TestServer::with_policy(policy)).await
    }

    /// A server around this engine.
    pub async fn over(kit: &TestServer) -> Self {
        Self::limited(kit, Limits::default()).await
    }

    /// A server around this engine, with these limits.
    pub async fn limited(kit: &TestServer, limits: Limits) -> Self {
        let app = app(kit, limits);
        let service = test::init_service(actix_web::App::new().service(service(app))).await;
        let service = Rc::new(service);
        let call = move |request: TestRequest| -> LocalBoxFuture<'static, Answer> {
            let service = Rc::clone(&service);
            Box::pin(async move {
                let answer = test::call_service(&*service, request.to_request()).await;
                Answer {
                    status: answer.status().as_u16(),
                    headers: answer.headers().clone(),
                    body: test::read_body(answer).await,
                }
            })
        };
        Self { call: Rc::new(call), kit: kit.clone(), issuer: kit.engine.policy.issuer.clone() }
    }

    /// Sends a request and checks what holds for every answer.
    pub async fn send(&self, request: TestRequest) -> Answer {
        let answer = (self.call)(request).await;
        answer.check(&self.issuer);
        answer
    }

    /// A request without cookies.
    pub async fn get(&self, target: &str) -> Answer {
        self.send(TestRequest::get().uri(target)).await
    }

    /// A browser that was never here.
    pub fn browser(&self) -> Browser {
        Browser::new(self)
    }

    /// A browser in which somebody signed in.
    pub async fn browser_of(&self, username: &str) -> Browser {
        let browser = self.browser();
        browser.sign_in(username).await;
        browser
    }

    /// A form of a program as it is: with this `Authorization` header and these parameters.
    pub async fn form(&self, path: &str, authorization: Option<&str>, params: &Params) -> Answer {
        let mut request = TestRequest::post()
            .uri(path)
            .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .set_payload(params.encode());
        if let Some(value) = authorization {
            request = request.insert_header((header::AUTHORIZATION, value));
        }
        self.send(request).await
    }

    /// A form of a client, authenticated as it is registered.
    pub async fn form_of(&self, client: &str, path: &str, params: Params) -> Answer {
        let found = ClientStore::find(&*self.kit.store, &sample::client_id(client));
        let client_record = found.expect("memory does not fail").expect("a client");
        if client_record.is_public() {
            self.form(path, None, &params.also("client_id", client)).await
        } else if client_record.auth_method == Some(ClientAuthMethod::ClientSecretPost) {
            let params = params.also("client_id", client);
            let params = params.also("client_secret", &sample::secret_of(client));
            self.form(path, None, &params).await
        } else {
            self.form(path, Some(&sample::basic(client)), &params).await
        }
    }

    /// A token request as it is: with this `Authorization` header and these parameters.
    pub async fn token_request(&self, authorization: Option<&str>, params: &Params) -> Answer {
        self.form("/oauth/token", authorization, params).await
    }

    /// A token request of a client, authenticated as it is registered.
    pub async fn token(&self, client: &str, params: Params) -> Answer {
        self.form_of(client, "/oauth/token", params).await
    }

    /// Revokes a token, in the name of this client.
    pub async fn revoke(&self, client: &str, token: &str) -> Answer {
        self.form_of(client, "/oauth/revoke", Params::of(&[("token", token)])).await
    }

    /// Introspects a token, in the name of this client.
    pub async fn introspect(&self, client: &str, token: &str) -> Answer {
        self.form_of(client, "/oauth/introspect", Params::of(&[("token", token)])).await
    }

    /// Whether introspection shows the token to this client. If not, it shows nothing at all.
    pub async fn shows(&self, client: &str, token: &str) -> bool {
        let answer = self.introspect(client, token).await;
        let active = answer.json()["active"].as_bool().expect("a truth value");
        if !active {
            answer.assert_inactive();
        }
        active
    }

    /// Everything that the store holds, to compare.
    pub fn rows(&self) -> String {
        self.kit.store.edit(|data| format!("{data:?}"))
    }

    /// Redeems a code with the sample verifier.
    pub async fn redeem(&self, client: &str, code: &str) -> Answer {
        self.token(client, redemption(code)).await
    }

    /// Refreshes.
    pub async fn refresh(&self, client: &str, token: &str) -> Answer {
        self.token(client, refreshing(token)).await
    }

    /// The whole flow, as alice.
    pub async fn flow(&self, client: &str) -> Tokens {
        let code = self.browser_of("alice").await.approve(&request(client)).await.code();
        self.redeem(client, &code).await.tokens()
    }

    /// Whether a resource server would accept this access token.
    pub fn accepts(&self, access_token: &str) -> bool {
        self.kit.accepts(&AccessToken::presented(access_token))
    }
}

/// The HTTP side around an engine.
pub fn app(kit: &TestServer, limits: Limits) -> Data<App> {
    let pages = Pages::embedded().expect("the embedded templates are well formed");
    Data::new(App::new(kit.engine.clone(), pages, limits, || true).expect("an app"))
}

/// The parameters that redeem a code with the sample verifier.
pub fn redemption(code: &str) -> Params {
    Params::of(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", sample::VERIFIER),
    ])
}

/// The parameters that refresh.
pub fn refreshing(token: &str) -> Params {
    Params::of(&[("grant_type", "refresh_token"), ("refresh_token", token)])
}

impl Answer {
    /// The tokens that it brings.
    #[track_caller]
    pub fn tokens(&self) -> Tokens {
        assert_eq!(self.status, 200, "{self:?}");
        let body = self.json();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        assert_eq!(text("token_type").as_deref(), Some("Bearer"));
        Tokens {
            access: text("access_token").expect("an access token"),
            refresh: text("refresh_token"),
            scope: text("scope").expect("a scope"),
            expires_in: body["expires_in"].as_i64().expect("a number"),
        }
    }
}

impl Answer {
    /// It says that a token was revoked, or never was one: nothing (RFC 7009 §2.2).
    #[track_caller]
    pub fn assert_revoked(&self) {
        assert_eq!((self.status, self.text()), (200, ""), "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }

    /// It says that a token is not active, and nothing besides (RFC 7662 §2.2).
    #[track_caller]
    pub fn assert_inactive(&self) {
        assert_eq!((self.status, self.text()), (200, r#"{"active":false}"#), "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"));
    }
}

impl Tokens {
    /// The refresh token.
    #[track_caller]
    pub fn refresh_token(&self) -> &str {
        self.refresh.as_deref().expect("a refresh token")
    }
}

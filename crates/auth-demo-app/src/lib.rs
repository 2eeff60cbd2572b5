//! The demo application: a small, ordinary OAuth client (RFC 6749, RFC 7636, RFC 9207) that sends a
//! browser through the authorization-code flow and then shows every request and every answer,
//! secrets included. It knows the authorization server by its metadata alone (RFC 8414).
//!
//! Under `/api` it serves an API to call: the example of the documentation, as it stands there.
//!
//! For local accounts on loopback only: its pages print passwords, codes and tokens.

mod client;
mod encoding;
mod flow;
mod guard;
mod journey;
mod listing;
mod messages;
mod pages;
#[path = "../../auth-server/examples/protected_api.rs"]
#[allow(dead_code, reason = "the example is a program of its own, with settings and a `main`")]
mod protected_api;

use std::fmt;
use std::io;
use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};
use serde::Serialize;

use crate::flow::Demo;
use crate::protected_api::Api;

/// The demo's configuration. `Debug` leaves secrets out.
#[derive(Clone)]
pub struct DemoApp {
    /// The authorization server's issuer identifier, exactly as its metadata states it.
    pub issuer: String,
    /// Where browsers reach the demo, without a trailing slash: `http://127.0.0.1:8081`.
    pub base_url: String,
    /// The demo's client. Its redirect URI must be [`DemoApp::redirect_uri`].
    pub client_id: String,
    /// The client's secret, sent by `client_secret_basic`; `None` for a public client.
    pub client_secret: Option<String>,
    /// The scope to ask for, tokens separated by spaces; empty for the server's default.
    pub scope: String,
    /// The accounts that the start page offers for signing in.
    pub accounts: Vec<Account>,
    /// The credentials with which the demo's API asks about tokens: those of a resource server, whose URI
    /// is [`DemoApp::api_uri`].
    pub api_client_id: String,
    /// Their secret.
    pub api_client_secret: String,
}

/// An account to sign in with. `Debug` leaves the password out.
#[derive(Clone, Serialize)]
pub struct Account {
    /// What the account may do, in a word: `user`, `administrator`.
    pub role: String,
    /// The name to type into the sign-in form.
    pub username: String,
    /// The password, which the start page prints.
    pub password: String,
}

impl DemoApp {
    /// The redirect URI that the demo's client must have registered.
    pub fn redirect_uri(&self) -> String {
        format!("{}/callback", self.base_url)
    }

    /// What the demo's API is called in `resource` and in the audience of tokens (RFC 8707).
    pub fn api_uri(&self) -> String {
        format!("{}/api", self.base_url)
    }
}

impl fmt::Debug for DemoApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoApp")
            .field("issuer", &self.issuer)
            .field("base_url", &self.base_url)
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .field("accounts", &self.accounts)
            .field("api_client_id", &self.api_client_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("role", &self.role)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Serves the demo on `listener`. The server stops by itself on SIGINT and SIGTERM.
///
/// # Errors
///
/// When the listener cannot be used.
pub fn server(app: DemoApp, listener: TcpListener) -> io::Result<Server> {
    let api = web::Data::new(Api {
        uri: app.api_uri(),
        introspection_endpoint: format!("{}/oauth/introspect", app.issuer),
        client_id: app.api_client_id.clone(),
        client_secret: app.api_client_secret.clone(),
    });
    let demo = web::Data::new(Demo::new(app));
    let templates = web::Data::new(pages::templates()?);
    let server = HttpServer::new(move || {
        let (demo, templates) = (demo.clone(), templates.clone());
        App::new()
            .configure(protected_api::routes(api.clone()))
            .configure(move |services| pages::configure(services, demo, templates))
    });
    // Whoever calls the API keeps one thread while the API, in the same process, needs another.
    let server = server.workers(1).worker_max_blocking_threads(64);
    Ok(server.shutdown_timeout(5).listen(listener)?.run())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn app() -> DemoApp {
        DemoApp {
            issuer: "http://127.0.0.1:8080".to_owned(),
            base_url: "http://127.0.0.1:8081".to_owned(),
            client_id: "demo".to_owned(),
            client_secret: Some("the-secret".to_owned()),
            scope: "projects:read".to_owned(),
            accounts: vec![Account {
                role: "user".to_owned(),
                username: "alice".to_owned(),
                password: "the-password".to_owned(),
            }],
            api_client_id: "demo-api".to_owned(),
            api_client_secret: "another-secret".to_owned(),
        }
    }

    #[test]
    fn secrets_are_left_out_of_debug_output() {
        let printed = format!("{:?}", app());
        assert!(printed.contains("alice"));
        for secret in ["the-secret", "the-password", "another-secret"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

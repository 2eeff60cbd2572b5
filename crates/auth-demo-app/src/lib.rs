//! The demo application: a small, ordinary OAuth client (RFC 6749, RFC 7636, RFC 9207) that sends a
//! browser through the authorization-code flow and then shows every request and every answer,
//! secrets included. It knows the authorization server by its metadata alone (RFC 8414).
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

use std::fmt;
use std::io;
use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};
use serde::Serialize;

use crate::flow::Demo;

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
}

impl fmt::Debug for DemoApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoApp")
            .field("issuer", &self.issuer)
            .field("base_url", &self.base_url)
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .field("accounts", &self.accounts)
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
    let demo = web::Data::new(Demo::new(app));
    let templates = web::Data::new(pages::templates()?);
    let server = HttpServer::new(move || {
        let (demo, templates) = (demo.clone(), templates.clone());
        App::new().configure(move |services| pages::configure(services, demo, templates))
    });
    Ok(server.workers(1).worker_max_blocking_threads(4).shutdown_timeout(5).listen(listener)?.run())
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
        }
    }

    #[test]
    fn secrets_are_left_out_of_debug_output() {
        let printed = format!("{:?}", app());
        assert!(printed.contains("alice"));
        assert!(!printed.contains("the-secret") && !printed.contains("the-password"), "{printed}");
    }
}

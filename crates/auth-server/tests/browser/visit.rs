//! A browser at a server with one client, and what people do there.

use crate::chromium::Chromium;
use crate::support::person::authorization;
use crate::support::server::{Client, PASSWORD, Process, Site};
use crate::support::stand_in;

/// A browser, a server, and a client to come back to.
pub struct Visit {
    pub browser: Chromium,
    pub site: Site,
    pub client: Client,
    pub redirect_uri: String,
    _process: Process,
}

impl Visit {
    /// All of it, with a client of this name; none if there is no browser here.
    pub fn to_client_named(name: &str) -> Option<Self> {
        let browser = Chromium::start()?;
        let address = stand_in::client("127.0.0.1").expect("a client");
        let redirect_uri = format!("http://{address}/cb");
        let site = Site::new();
        let client = site.add_client(name, &[&redirect_uri], &[]);
        let process = site.serve(&[]);
        Some(Self { browser, site, client, redirect_uri, _process: process })
    }

    /// A path of the server.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.site.issuer)
    }

    /// Opens an authorization request.
    #[track_caller]
    pub fn start(&mut self) {
        let target = authorization(&self.client, &self.redirect_uri, "a state");
        let url = self.url(&target);
        self.browser.open(&url);
    }

    /// Opens an authorization request and signs in for it: now the consent page is there.
    #[track_caller]
    pub fn start_and_sign_in(&mut self) {
        self.start();
        sign_in(&mut self.browser, &self.site.issuer, PASSWORD);
        self.arrive("/oauth/interaction/");
    }

    /// Waits for a page of the server.
    #[track_caller]
    pub fn arrive(&mut self, path: &str) {
        let url = self.url(path);
        self.browser.arrive(&url);
    }

    /// Waits for the arrival at the client, and answers its address.
    #[track_caller]
    pub fn leave(&mut self) -> String {
        self.browser.arrive(&self.redirect_uri);
        self.browser.location()
    }

    /// The codes that went through the browser.
    pub fn codes(&self) -> usize {
        let requested = self.browser.requested();
        requested.iter().filter(|url| url.contains("code=") && url.contains("/cb?")).count()
    }
}

/// Fills in the sign-in form as alice and sends it.
#[track_caller]
pub fn sign_in(browser: &mut Chromium, issuer: &str, password: &str) {
    browser.arrive(&format!("{issuer}/login"));
    browser.fill("#username", "alice");
    browser.fill("#password", password);
    browser.click("main button[type=submit]");
}

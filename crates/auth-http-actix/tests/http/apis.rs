//! A server with two APIs to issue tokens for: `https://api.test/` with the scopes `api.read` and
//! `api.write`, and `https://mail.test/v1` with `email`. `profile` concerns neither in particular.

use crate::harness::{Params, Site, Tokens, redemption, request};
use auth_core::client::{Client, ClientRegistry, GrantType};
use auth_core::policy::Policy;
use auth_core::resource::{Resource, ResourceUri, Resources};
use auth_core::scope::Scope;
use auth_testkit::sample;

/// The first.
pub const API: &str = "https://api.test/";
/// The second.
pub const MAIL: &str = "https://mail.test/v1";

/// The policy of such a server.
pub fn policy() -> Policy {
    let resource = |uri, name: &str, scopes| Resource {
        uri: resource_uri(uri),
        name: name.into(),
        scopes: sample::scope(scopes),
    };
    let resources =
        vec![resource(API, "Photo Archive", "api.read api.write"), resource(MAIL, "Mail", "email")];
    Policy { resources: Resources::new(resources), ..sample::policy() }
}

fn resource_uri(text: &str) -> ResourceUri {
    ResourceUri::parse(text).expect("a resource URI")
}

/// Such a server, with three clients more: `rs` and `rs2` are the credentials of the two APIs, and `svc`
/// acts for itself, with `api.read` and `email`.
pub async fn site() -> Site {
    let site = Site::under(policy()).await;
    add_clients(&site);
    site
}

/// Registers `rs`, `rs2` and `svc`.
pub fn add_clients(site: &Site) {
    add(site, &credentials_of("rs", API));
    add(site, &credentials_of("rs2", MAIL));
    add(
        site,
        &Client {
            scope: sample::scope("api.read email"),
            grant_types: [GrantType::ClientCredentials].into(),
            ..sample::confidential("svc", &[])
        },
    );
}

/// The credentials of an API.
pub fn credentials_of(id: &str, uri: &str) -> Client {
    Client {
        scope: Scope::default(),
        grant_types: [].into(),
        resource_server: Some(resource_uri(uri)),
        ..sample::confidential(id, &[])
    }
}

/// Registers a client.
pub fn add(site: &Site, client: &Client) {
    ClientRegistry::insert(&*site.kit.store, client).expect("memory does not fail");
}

/// An authorization request of `web` for this scope at these resources.
pub fn request_for(scope: &str, resources: &[&str]) -> Params {
    at(request("web").set("scope", scope), resources)
}

/// These parameters with these resources.
pub fn at(params: Params, resources: &[&str]) -> Params {
    resources.iter().fold(params, |params, uri| params.also("resource", uri))
}

/// The parameters with which `svc` asks for a token for itself.
pub fn client_credentials() -> Params {
    Params::of(&[("grant_type", "client_credentials")])
}

impl Site {
    /// Tokens that alice approved for `web`: this scope at these resources.
    pub async fn flow_for(&self, scope: &str, resources: &[&str]) -> Tokens {
        let browser = self.browser_of("alice").await;
        let code = browser.code(&request_for(scope, resources)).await;
        self.token("web", redemption(&code)).await.tokens()
    }

    /// Whom a token of `web` or `svc` is for, as introspection says.
    pub async fn audience(&self, client: &str, token: &str) -> serde_json::Value {
        self.introspect(client, token).await.json()["aud"].take()
    }
}

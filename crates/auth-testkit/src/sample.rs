//! Clients, owners, scopes and a policy to test with.
//!
//! | client | kind | redirect URIs |
//! |---|---|---|
//! | [`web`] | confidential, Basic | `https://rp.test/cb`, `https://rp.test/cb2?fixed=1` |
//! | [`post`] | confidential, secret in the body | `https://post.test/cb` |
//! | [`public`] (`pub`) | public | `http://127.0.0.1/cb`, `http://[::1]/cb`, `com.example.app:/cb` |
//! | [`spa`] | public | `https://spa.test/cb` |
//! | [`evil`] | confidential, Basic, somebody else's | `https://evil.test/cb` |
//! | [`svc`] | confidential, acts for itself with `api.read` | none |
//! | [`rs`] | the API `https://api.test/` of [`resources`] | none |
//! | [`rs2`] | the API `https://other.test/` of [`resources`] | none |
//!
//! Those with redirect URIs may use the code and refresh grants and every scope. A client's secret is
//! [`secret_of`] it, an owner's password is [`password_of`] them. Everything is a plain value: change a
//! field to get another.

use crate::FixedClock;
use auth_core::client::{
    Client, ClientAuthMethod, ClientId, ClientKind, ClientSecretRecord, GrantType,
};
use auth_core::owner::{Owner, Role, SubjectId, Username};
use auth_core::password::{Password, PasswordHash};
use auth_core::policy::Policy;
use auth_core::redirect_uri::RegisteredRedirectUri;
use auth_core::resource::{Audience, Resource, ResourceUri, Resources};
use auth_core::scope::{Scope, ScopeCatalog, ScopeDefinition, ScopeToken};
use auth_core::secret::ClientSecret;
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The issuer of [`policy`].
pub const ISSUER: &str = "https://as.test";

/// The code verifier of RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// Its S256 challenge.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Reads a scope that is known to be well-formed; the empty text is the empty scope.
pub fn scope(text: &str) -> Scope {
    match text {
        "" => Scope::default(),
        text => Scope::parse(text).expect("a well-formed scope"),
    }
}

/// Reads an audience that is known to be well-formed: URIs with one space between them.
pub fn audience(text: &str) -> Audience {
    Audience::parse(text).expect("a well-formed audience")
}

/// `api.read` (the default), `api.write`, `profile` and `email`.
pub fn scopes() -> ScopeCatalog {
    let define = |token, description: &str, default| ScopeDefinition {
        token: ScopeToken::parse(token).expect("a scope token"),
        description: description.into(),
        default,
    };
    ScopeCatalog::new(vec![
        define("api.read", "Read your things.", true),
        define("api.write", "Change your things.", false),
        define("profile", "Your name.", false),
        define("email", "Your e-mail address.", false),
    ])
}

/// Two resource servers: `https://api.test/` for `api.read` and `api.write`, `https://other.test/` for
/// `api.read` and `profile`. `email` concerns neither in particular.
pub fn resources() -> Resources {
    let define = |uri, name: &str, scopes| Resource {
        uri: resource_uri(uri),
        name: name.into(),
        scopes: scope(scopes),
    };
    Resources::new(vec![
        define("https://api.test/", "The API", "api.read api.write"),
        define("https://other.test/", "The other API", "api.read profile"),
    ])
}

fn resource_uri(text: &str) -> ResourceUri {
    ResourceUri::parse(text).expect("a resource URI")
}

/// The default policy for [`ISSUER`] with [`scopes`], without resources.
pub fn policy() -> Policy {
    Policy::new(ISSUER, scopes())
}

/// A confidential client that authenticates with Basic and has two redirect URIs.
pub fn web() -> Client {
    Client {
        auth_method: Some(ClientAuthMethod::ClientSecretBasic),
        ..confidential("web", &["https://rp.test/cb", "https://rp.test/cb2?fixed=1"])
    }
}

/// A confidential client that sends its secret in the body.
pub fn post() -> Client {
    Client {
        auth_method: Some(ClientAuthMethod::ClientSecretPost),
        ..confidential("post", &["https://post.test/cb"])
    }
}

/// `pub`, a public client with loopback and private-scheme redirect URIs: a native app.
pub fn public() -> Client {
    let uris = ["http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb"];
    client("pub", ClientKind::Public, &uris)
}

/// A public client on a web site: a single-page app.
pub fn spa() -> Client {
    client("spa", ClientKind::Public, &["https://spa.test/cb"])
}

/// A second confidential client, in the hands of an attacker.
pub fn evil() -> Client {
    confidential("evil", &["https://evil.test/cb"])
}

/// A service that acts for itself and for nobody else.
pub fn svc() -> Client {
    Client {
        scope: scope("api.read"),
        grant_types: [GrantType::ClientCredentials].into(),
        ..confidential("svc", &[])
    }
}

/// The credentials of the API `https://api.test/`.
pub fn rs() -> Client {
    resource_server("rs", "https://api.test/")
}

/// The credentials of the API `https://other.test/`.
pub fn rs2() -> Client {
    resource_server("rs2", "https://other.test/")
}

/// Every client of this module.
pub fn clients() -> Vec<Client> {
    vec![web(), post(), public(), spa(), evil(), svc(), rs(), rs2()]
}

/// The credentials of an API.
pub fn resource_server(id: &str, uri: &str) -> Client {
    Client {
        scope: Scope::default(),
        grant_types: [].into(),
        resource_server: Some(resource_uri(uri)),
        ..confidential(id, &[])
    }
}

/// A confidential client with [`secret_of`] it as its only secret, and no method pinned.
pub fn confidential(id: &str, redirect_uris: &[&str]) -> Client {
    let mut client = client(id, ClientKind::Confidential, redirect_uris);
    client.secrets.push(ClientSecretRecord {
        id: format!("{id}-1"),
        digest: ClientSecret::presented(&secret_of(id)).digest(),
        created_at: FixedClock::START,
    });
    client
}

/// A client of either kind, without secrets, that may use the code and refresh grants and every scope.
pub fn client(id: &str, kind: ClientKind, redirect_uris: &[&str]) -> Client {
    let uri = |text: &&str| RegisteredRedirectUri::parse(text).expect("a good redirect URI");
    Client {
        id: client_id(id),
        name: format!("The {id} client"),
        kind,
        redirect_uris: redirect_uris.iter().map(uri).collect(),
        scope: scopes().all(),
        grant_types: GrantType::DEFAULT.into_iter().collect(),
        require_pkce: false,
        auth_method: None,
        rotate_refresh_tokens: true,
        resource_server: None,
        secrets: Vec::new(),
        created_at: FixedClock::START,
        disabled_at: None,
    }
}

/// Reads a client identifier that is known to be well-formed.
pub fn client_id(id: &str) -> ClientId {
    ClientId::parse(id).expect("a client identifier")
}

/// The secret of a sample client.
pub fn secret_of(id: &str) -> String {
    format!("{id}-secret")
}

/// The `Authorization` header of a sample client.
pub fn basic(id: &str) -> String {
    let credentials = format!("{id}:{}", secret_of(id));
    format!("Basic {}", STANDARD.encode(credentials))
}

/// Alice, a person like any other.
pub fn alice() -> Owner {
    owner("alice")
}

/// Bob, another.
pub fn bob() -> Owner {
    owner("bob")
}

/// An owner whose subject is `sub-` and their user name.
pub fn owner(username: &str) -> Owner {
    Owner {
        subject: SubjectId::new(format!("sub-{username}")),
        username: Username::parse(username).expect("a user name"),
        name: None,
        email: Some(format!("{username}@example.test")),
        role: Role::User,
        created_at: FixedClock::START,
        disabled_at: None,
    }
}

/// The password of a sample owner.
pub fn password_of(username: &str) -> Password {
    Password::presented(format!("{username}-password"))
}

/// The stored form of a sample owner's password, as [`PlainPasswords`](crate::PlainPasswords) has it.
pub fn password_hash_of(username: &str) -> PasswordHash {
    PasswordHash::new(format!("$plain${username}-password"))
}

//! What the tests of the use cases share: clients, an owner, requests, and a [`World`] whose ports
//! refuse every call that a test did not announce. So a port that must not be called is simply one
//! that was not announced.

mod world;

pub(crate) use world::World;

use crate::client::{
    Client, ClientAuthMethod, ClientId, ClientKind, ClientSecretRecord, GrantType,
};
use crate::consent::{AuthorizationRequest, PendingAuthorization, Prompt};
use crate::entropy::hex;
use crate::error::{Fault, StoreError};
use crate::grant::{Grant, GrantId};
use crate::owner::{Owner, Role, SubjectId, Username};
use crate::params::{ParamLimits, Params};
use crate::pkce::CodeChallenge;
use crate::policy::Policy;
use crate::redirect_uri::RegisteredRedirectUri;
use crate::resource::{Audience, Resource, ResourceUri, Resources};
use crate::scope::{Scope, ScopeCatalog, ScopeDefinition, ScopeToken};
use crate::secret::{
    BrowserDigest, BrowserSecret, ClientSecret, InteractionId, SessionDigest, SessionSecret,
};
use crate::session::AuthenticatedOwner;
use crate::timestamp::Timestamp;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The instant at which every test happens.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_795_600_000);
pub(crate) const ISSUER: &str = "https://as.test";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// The one secret of `web` and of `post`.
pub(crate) const SECRET: &str = "kept-by-the-client";

/// The instant `seconds` after (or before) [`NOW`].
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(NOW.unix() + seconds)
}

pub(crate) fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

/// `api.read` is the default; `api.admin` exists, but no client here may ask for it.
pub(crate) fn policy() -> Policy {
    let define = |(name, default)| ScopeDefinition {
        token: ScopeToken::parse(name).unwrap(),
        description: name.to_owned(),
        default,
    };
    let scopes = [("api.read", true), ("api.write", false), ("api.admin", false)];
    Policy::new(ISSUER, ScopeCatalog::new(scopes.map(define).into()))
}

/// `https://a.test/` for `api.read` and `api.write`, `https://b.test/` for `api.read` and `api.admin`.
pub(crate) fn resources() -> Resources {
    let define = |(uri, scopes): (&str, &str)| Resource {
        uri: ResourceUri::parse(uri).unwrap(),
        name: uri.to_owned(),
        scopes: scope(scopes),
    };
    let known =
        [("https://a.test/", "api.read api.write"), ("https://b.test/", "api.read api.admin")];
    Resources::new(known.map(define).into())
}

/// The audience of these URIs, with one space between them.
pub(crate) fn audience(text: &str) -> Audience {
    Audience::parse(text).unwrap()
}

/// The credentials of this API.
pub(crate) fn resource_server(uri: &str) -> Client {
    Client {
        id: ClientId::parse("rs").unwrap(),
        redirect_uris: Vec::new(),
        scope: Scope::default(),
        grant_types: [].into(),
        auth_method: None,
        resource_server: Some(ResourceUri::parse(uri).unwrap()),
        ..web()
    }
}

fn uris(uris: &[&str]) -> Vec<RegisteredRedirectUri> {
    let parse = |uri: &&str| RegisteredRedirectUri::parse(uri).unwrap();
    uris.iter().map(parse).collect()
}

pub(crate) fn secret_record(id: &str, secret: &str) -> ClientSecretRecord {
    ClientSecretRecord {
        id: id.to_owned(),
        digest: ClientSecret::presented(secret).digest(),
        created_at: at(-1000),
    }
}

/// A confidential client, pinned to `client_secret_basic`, with two redirect URIs.
pub(crate) fn web() -> Client {
    Client {
        id: ClientId::parse("web").unwrap(),
        name: "Web".into(),
        kind: ClientKind::Confidential,
        redirect_uris: uris(&["https://rp.test/cb", "https://rp.test/cb2?fixed=1"]),
        scope: scope("api.read api.write"),
        grant_types: GrantType::DEFAULT.into(),
        require_pkce: false,
        auth_method: Some(ClientAuthMethod::ClientSecretBasic),
        rotate_refresh_tokens: true,
        resource_server: None,
        secrets: vec![secret_record("s1", SECRET)],
        created_at: at(-1000),
        disabled_at: None,
    }
}

/// Like [`web`], pinned to `client_secret_post`.
pub(crate) fn post() -> Client {
    Client {
        id: ClientId::parse("post").unwrap(),
        auth_method: Some(ClientAuthMethod::ClientSecretPost),
        ..web()
    }
}

/// A public client with loopback and private-scheme redirect URIs.
pub(crate) fn public() -> Client {
    Client {
        id: ClientId::parse("pub").unwrap(),
        kind: ClientKind::Public,
        redirect_uris: uris(&["http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb"]),
        auth_method: None,
        secrets: Vec::new(),
        ..web()
    }
}

/// A second client, in somebody else's hands.
pub(crate) fn evil() -> Client {
    Client {
        id: ClientId::parse("evil").unwrap(),
        redirect_uris: uris(&["https://evil.test/cb"]),
        ..web()
    }
}

/// The same client with only this redirect URI.
pub(crate) fn only_uri(client: Client, uri: &str) -> Client {
    Client { redirect_uris: uris(&[uri]), ..client }
}

pub(crate) fn disabled(client: Client) -> Client {
    Client { disabled_at: Some(at(-1)), ..client }
}

pub(crate) fn alice() -> Owner {
    Owner {
        subject: SubjectId::new("subject-of-alice".into()),
        username: Username::parse("alice").unwrap(),
        name: None,
        email: None,
        role: Role::User,
        created_at: at(-1000),
        disabled_at: None,
    }
}

pub(crate) fn disabled_alice() -> Owner {
    Owner { disabled_at: Some(at(-1)), ..alice() }
}

pub(crate) fn session(name: &str) -> SessionDigest {
    SessionSecret::presented(name).digest()
}

/// Alice, signed in with the session `alice`.
pub(crate) fn signed_in() -> AuthenticatedOwner {
    AuthenticatedOwner { owner: alice(), session: session("alice"), signed_in_at: NOW }
}

pub(crate) fn browser() -> BrowserDigest {
    BrowserSecret::presented("this browser").digest()
}

/// The name of [`pending`].
pub(crate) const INTERACTION: &str = "interaction";

/// A request of `web` that has been waiting for a minute and has another one.
pub(crate) fn pending() -> PendingAuthorization {
    PendingAuthorization {
        interaction: InteractionId::presented(INTERACTION).digest(),
        browser: browser(),
        request: AuthorizationRequest {
            client_id: web().id,
            redirect_uri: "https://rp.test/cb".into(),
            redirect_uri_sent: false,
            scope: scope("api.read"),
            audience: Audience::default(),
            state: Some("xyz".into()),
            code_challenge: CodeChallenge::parse(CHALLENGE),
            prompt: Prompt::default(),
        },
        created_at: at(-60),
        expires_at: at(60),
        signed_in: None,
        decided_at: None,
    }
}

/// What alice approved for `web`.
pub(crate) fn grant() -> Grant {
    Grant {
        id: GrantId::from_bytes([0x67; 16]),
        subject: Some(alice().subject),
        client_id: web().id,
        scope: scope("api.read api.write"),
        audience: Audience::default(),
        created_at: at(-10),
        expires_at: None,
        revoked_at: None,
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let limits = ParamLimits::BODY;
    let params = Params::parse_form(text.as_bytes(), limits).unwrap();
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    params.iter().map(owned).collect()
}

/// The parameters of `base` with `changes`, both form-encoded: what a change names replaces every
/// copy in the base, and `-name` takes it away.
pub(crate) fn overlay(base: &str, changes: &str) -> Params {
    let changes = pairs(changes);
    let untouched = |(name, _): &(String, String)| {
        let touches = |(change, _): &(String, String)| change.trim_start_matches('-') == name;
        !changes.iter().any(touches)
    };
    let mut all: Vec<_> = pairs(base).into_iter().filter(untouched).collect();
    let added = changes.iter().filter(|(name, _)| !name.starts_with('-'));
    all.extend(added.cloned());
    Params::from_pairs(all, ParamLimits::BODY).unwrap()
}

pub(crate) fn unavailable() -> StoreError {
    StoreError::Unavailable("down".into())
}

pub(crate) fn store_fault() -> Fault {
    Fault::Store(unavailable())
}

/// The `nth` secret that [`World::mints`], from 1.
pub(crate) fn minted_secret(nth: u8) -> String {
    URL_SAFE_NO_PAD.encode([nth; 32])
}

/// The `nth` code or token that [`World::mints`], if it is one under this grant.
pub(crate) fn minted_under(grant: GrantId, nth: u8) -> String {
    let masked = grant.as_bytes().map(|byte| byte ^ nth);
    URL_SAFE_NO_PAD.encode([&[nth; 32][..], &masked].concat())
}

/// The name of a session that [`World::mints`] in the `nth` place, from 1.
pub(crate) fn minted_public_id(nth: u8) -> String {
    hex(&[nth; 16])
}

/// The grant that [`World::mints`] in the `nth` place, from 1.
pub(crate) fn minted_grant(nth: u8) -> GrantId {
    let made_at = u64::try_from(NOW.unix()).unwrap() * 1000;
    let mut bytes = [nth; 16];
    bytes[..6].copy_from_slice(&made_at.to_be_bytes()[2..]);
    GrantId::from_bytes(bytes)
}

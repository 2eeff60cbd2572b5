//! What may be registered of a client: the arguments of `client add` and `client update`, judged.

use super::Admin;
use super::names::{client_id, client_name, person_name};
use super::output::quoted;
use super::secret;
use crate::system::OsEntropy;
use anyhow::{Result, anyhow, bail};
use auth_core::client::{Client, ClientAuthMethod, ClientKind, GrantType};
use auth_core::entropy::{self, EntropyError};
use auth_core::owner::{OwnerStore as _, SubjectId};
use auth_core::policy::Policy;
use auth_core::redirect_uri::RegisteredRedirectUri;
use auth_core::resource::{Resource, Resources};
use auth_core::scope::{Scope, ScopeCatalog};
use auth_core::secret::ClientSecret;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::collections::BTreeSet;

/// A client to register.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("scope", |arg| default(arg, "the whole catalog")),
    mut_arg("grants", |arg| default(arg, "authorization_code refresh_token"))
)]
pub(crate) struct New {
    /// What people see on the consent page
    #[arg(long, required_unless_present = "resource_server")]
    name: Option<String>,
    /// The client_id, instead of 32 random hexadecimal digits
    #[arg(long)]
    id: Option<String>,
    /// It cannot keep a secret: an app on a device or in a browser
    #[arg(long)]
    public: bool,
    /// It is an API of [[resources]] and may ask about the tokens for it, and nothing else; --name is then
    /// that of the resource, unless it is given
    #[arg(long, value_name = "URI", conflicts_with_all = [
        "public", "redirect_uris", "scope", "grants", "require_pkce", "no_rotation",
    ])]
    resource_server: Option<String>,
    #[command(flatten)]
    attributes: Attributes,
}

/// What to replace of a registered client.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("changes").required(true).multiple(true).args([
    "name", "redirect_uris", "scope", "grants", "require_pkce", "auth_method", "no_rotation",
]))]
pub(crate) struct Changes {
    /// What people see on the consent page
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    attributes: Attributes,
}

/// What is said of a client when it is registered, and may be replaced later.
#[derive(Debug, clap::Args)]
struct Attributes {
    /// Where authorization responses may go; any number of them
    #[arg(long = "redirect-uri", value_name = "URI", num_args = 1..)]
    redirect_uris: Vec<String>,
    /// The most it may ask for, separated by spaces
    #[arg(long)]
    scope: Option<String>,
    /// The grants it may use
    #[arg(long = "grant", value_name = "GRANT", num_args = 1.., value_parser = grant_type())]
    grants: Vec<GrantType>,
    /// It must use PKCE, as every public client must
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    require_pkce: Option<bool>,
    /// How it must send its secret; `any` leaves it the choice
    #[arg(long, value_name = "METHOD", value_parser = auth_method())]
    auth_method: Option<AuthMethod>,
    /// Refreshing does not replace its refresh token; never for public clients
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    no_rotation: Option<bool>,
}

/// The authentication method that is pinned, if one is.
#[derive(Debug, Clone, Copy)]
struct AuthMethod(Option<ClientAuthMethod>);

fn auth_method() -> impl TypedValueParser<Value = AuthMethod> {
    let names = ["client_secret_basic", "client_secret_post", "any"];
    PossibleValuesParser::new(names).map(|name| AuthMethod(ClientAuthMethod::parse(&name)))
}

fn grant_type() -> impl TypedValueParser<Value = GrantType> {
    PossibleValuesParser::new(GrantType::ALL.map(GrantType::as_str))
        .try_map(|name| GrantType::parse(&name).ok_or("no grant type"))
}

/// The argument, with what applies without it in its help.
fn default(arg: clap::Arg, value: &str) -> clap::Arg {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    arg.help(format!("{help} [default: {value}]"))
}

impl New {
    /// The client, with a first secret if it can keep one.
    pub(super) fn client(&self, admin: &Admin) -> Result<(Client, Option<ClientSecret>)> {
        let (policy, now) = (&admin.policy, admin.now());
        let id = match &self.id {
            Some(id) => client_id(id)?,
            None => client_id(&mint_id()?)?,
        };
        let namesake = SubjectId::new(id.to_string());
        if admin.store.find(&namesake)?.is_some() {
            // The client could be taken for that person (CC-03).
            bail!("{} is the user_id of a user; choose another --id", quoted(id.as_str()));
        }
        let (kind, secret) = match self.public {
            true => (ClientKind::Public, None),
            false => (ClientKind::Confidential, Some(secret::mint(now)?)),
        };
        let (secret, record) = secret.unzip();
        let mut client = Client {
            id,
            name: String::new(),
            kind,
            redirect_uris: Vec::new(),
            scope: policy.scopes.all(),
            grant_types: GrantType::DEFAULT.into(),
            require_pkce: false,
            auth_method: None,
            rotate_refresh_tokens: true,
            resource_server: None,
            secrets: record.into_iter().collect(),
            created_at: now,
            disabled_at: None,
        };
        if let Some(text) = &self.resource_server {
            let resource = resource(text, &policy.resources)?;
            client.name.clone_from(&resource.name);
            client.scope = Scope::default();
            client.grant_types = BTreeSet::new();
            client.resource_server = Some(resource.uri.clone());
        }
        let name = self.name.as_deref().unwrap_or(&client.name);
        client.name = judged_name(name, &client, policy)?;
        self.attributes.apply(&mut client, &policy.scopes)?;
        Ok((client, secret))
    }
}

impl Changes {
    /// Replaces what is named, and nothing else.
    pub(super) fn apply(&self, client: &mut Client, policy: &Policy) -> Result<()> {
        if let Some(name) = &self.name {
            client.name = judged_name(name, client, policy)?;
        }
        self.attributes.apply(client, &policy.scopes)
    }
}

fn judged_name(name: &str, client: &Client, policy: &Policy) -> Result<String> {
    match client.resource_server {
        // It asks nobody for anything, so that its name deceives nobody.
        Some(_) => person_name(name),
        None => client_name(name, &policy.issuer),
    }
}

/// The API with this URI, as the operator wrote it.
fn resource<'a>(text: &str, resources: &'a Resources) -> Result<&'a Resource> {
    if let Some(resource) = resources.find(text) {
        return Ok(resource);
    }
    let known: Vec<&str> = resources.iter().map(|resource| resource.uri.as_str()).collect();
    match known.is_empty() {
        true => {
            bail!("there are no [[resources]] in the configuration: add {} first", quoted(text))
        }
        false => {
            bail!("there is no resource {}; [[resources]] has: {}", quoted(text), known.join(" "))
        }
    }
}

impl Attributes {
    fn apply(&self, client: &mut Client, catalog: &ScopeCatalog) -> Result<()> {
        if client.resource_server.is_some() && self.concern_tokens() {
            bail!(
                "{} are the credentials of a resource server, which gets no tokens: only --name and \
                 --auth-method apply",
                quoted(client.id.as_str())
            );
        }
        if !self.redirect_uris.is_empty() {
            client.redirect_uris = redirect_uris(&self.redirect_uris)?;
        }
        if let Some(text) = &self.scope {
            client.scope = scope(text, catalog)?;
        }
        if !self.grants.is_empty() {
            client.grant_types = self.grants.iter().copied().collect();
        }
        if let Some(require_pkce) = self.require_pkce {
            client.require_pkce = require_pkce;
        }
        if let Some(AuthMethod(method)) = self.auth_method {
            client.auth_method = method;
        }
        if let Some(no_rotation) = self.no_rotation {
            client.rotate_refresh_tokens = !no_rotation;
        }
        if client.is_public() {
            self.judge_public(client)?;
        }
        if client.grant_types.contains(&GrantType::AuthorizationCode)
            && client.redirect_uris.is_empty()
        {
            bail!("the grant authorization_code needs a redirect URI: add --redirect-uri");
        }
        Ok(())
    }

    /// Whether anything is said that only who gets tokens can have.
    fn concern_tokens(&self) -> bool {
        !self.redirect_uris.is_empty()
            || self.scope.is_some()
            || !self.grants.is_empty()
            || self.require_pkce.is_some()
            || self.no_rotation.is_some()
    }

    fn judge_public(&self, client: &Client) -> Result<()> {
        if client.auth_method.is_some() {
            bail!("a public client has no secret to send: leave out --auth-method");
        }
        if !client.rotate_refresh_tokens {
            bail!(
                "the refresh tokens of a public client are always rotated: leave out --no-rotation"
            );
        }
        if self.require_pkce == Some(false) {
            bail!("a public client always uses PKCE: leave out --require-pkce=false");
        }
        if client.grant_types.contains(&GrantType::ClientCredentials) {
            bail!(
                "a public client cannot act for itself, since anybody can use its name: leave out \
                 --grant client_credentials"
            );
        }
        Ok(())
    }
}

/// The URIs in the order given, each once.
fn redirect_uris(texts: &[String]) -> Result<Vec<RegisteredRedirectUri>> {
    let mut uris = Vec::new();
    for text in texts {
        let uri = RegisteredRedirectUri::parse(text).map_err(|invalid| {
            let why = invalid.description();
            anyhow!("invalid_redirect_uri: {}: {why}", quoted(text))
        })?;
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    Ok(uris)
}

fn scope(text: &str, catalog: &ScopeCatalog) -> Result<Scope> {
    let known = catalog.all();
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        bail!("the scope is empty; the catalog has: {known}");
    }
    let is_known = |word: &&str| known.iter().any(|token| token.as_str() == *word);
    if let Some(unknown) = words.iter().find(|word| !is_known(word)) {
        bail!("there is no scope {}; the catalog has: {known}", quoted(unknown));
    }
    Ok(known.iter().filter(|token| words.contains(&token.as_str())).cloned().collect())
}

/// A fresh public name: 128 random bits as 32 lower-case hexadecimal digits.
pub(crate) fn mint_id() -> Result<String, EntropyError> {
    entropy::mint_id(&OsEntropy)
}

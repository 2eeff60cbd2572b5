//! `auth-server demo`: everything that `serve` is, with nothing to configure, and an application to
//! try it with.
//!
//! What it makes on its first run stays in its directory: the database, and the credentials that it
//! prints. Nothing is shipped, and it listens on loopback only.

mod credentials;
mod ports;

use crate::admin;
use crate::config::Config;
use crate::serve;
use crate::system::{OsEntropy, SystemClock};
use anyhow::{Context as _, Result, anyhow};
use auth_core::client::{
    Changed, Client, ClientId, ClientKind, ClientRegistry, ClientSecretRecord, ClientStore,
    GrantType, Inserted,
};
use auth_core::owner::{Owner, OwnerRegistry, OwnerStore, Role, SubjectId, Username};
use auth_core::password::{Password, PasswordHasher as _};
use auth_core::redirect_uri::RegisteredRedirectUri;
use auth_core::resource::ResourceUri;
use auth_core::scope::Scope;
use auth_core::secret::ClientSecret;
use auth_core::timestamp::Clock as _;
use auth_demo_app::{Account, DemoApp};
use auth_password_argon2::{Argon2Hasher, Cost};
use auth_store_diesel::DieselStore;
use clap::Args;
use credentials::Credentials;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The demonstration's command line.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the database and the credentials are kept
    #[arg(long, value_name = "DIR", default_value = "auth-demo")]
    directory: PathBuf,
    /// The server's port [default: 8080, or a free one if that is taken]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The demo application's port [default: 8081, or a free one if that is taken]
    #[arg(long, value_name = "PORT")]
    app_port: Option<u16>,
}

/// The scopes of the demonstration: name, description, whether a request that names none asks for it.
const CATALOG: [(&str, &str, bool); 7] = [
    ("projects:read", "View project details and membership.", true),
    ("projects:write", "Create and manage projects.", false),
    ("models:read", "View and download models.", false),
    ("models:write", "Upload, update, and delete models.", false),
    ("issues:read", "View issues and tasks.", false),
    ("libraries:read", "View project material, codification, and property libraries.", false),
    ("libraries:write", "Manage project material, codification, and property libraries.", false),
];

/// What the demo application asks for.
const SCOPE: &str = "projects:read models:read";

const CONFIDENTIAL_CLIENT: &str = "demo-app";
const PUBLIC_CLIENT: &str = "demo-cli";
const RESOURCE_SERVER: &str = "demo-api";
const API_NAME: &str = "Demo API";

/// The address that the documentation's example programs listen on.
const EXAMPLE_REDIRECT_URI: &str = "http://localhost:8765/callback";

/// Serves until a signal to stop.
pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let directory = &args.directory;
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot create {}", directory.display()))?;
    let (listener, port) = ports::listen(args.port, 8080)?;
    let (app_listener, app_port) = ports::listen(args.app_port, 8081)?;
    let config = configuration(directory, port, app_port)?;
    crate::log::start(&config.log)?;
    let credentials = Credentials::load_or_make(&directory.join("credentials.json"))?;
    let store = serve::open_store(&config)?;
    let app = DemoApp {
        issuer: config.issuer.as_str().to_owned(),
        base_url: format!("http://127.0.0.1:{app_port}"),
        client_id: CONFIDENTIAL_CLIENT.to_owned(),
        client_secret: Some(credentials.demo_app_secret.clone()),
        scope: SCOPE.to_owned(),
        accounts: vec![
            account("user", "alice", &credentials.alice_password),
            account("administrator", "admin", &credentials.admin_password),
        ],
        api_client_id: RESOURCE_SERVER.to_owned(),
        api_client_secret: credentials.demo_api_secret.clone(),
    };
    prepare(&store, &config, &app, &credentials)?;
    let server = serve::server(&config, Arc::clone(&store), listener)?;
    actix_web::rt::System::new().block_on(async {
        let app_server = auth_demo_app::server(app.clone(), app_listener)?;
        print!("{}", welcome(&app, directory));
        let sessions = serve::policy(&config).sessions;
        let housekeeping = actix_web::rt::spawn(serve::keep_house(sessions, store));
        let app_server = actix_web::rt::spawn(app_server);
        let served = server.await;
        housekeeping.abort();
        let _ = app_server.await;
        served.context("the server stopped")
    })
}

fn account(role: &str, username: &str, password: &str) -> Account {
    Account { role: role.into(), username: username.into(), password: password.into() }
}

/// The configuration that `serve` would have read.
fn configuration(directory: &Path, port: u16, app_port: u16) -> Result<Config> {
    let database = directory.join("auth.db");
    let mut text = format!(
        "# Written anew at every start of `auth-server demo`, for the administration commands.\n\
         issuer = \"http://127.0.0.1:{port}\"\nlisten = \"127.0.0.1:{port}\"\n\
         [log]\nfilter = \"warn,security=info\"\n\
         [database]\nurl = {}\n",
        quoted(&format!("sqlite://{}", database.display()))
    );
    for (name, description, default) in CATALOG {
        let description = quoted(description);
        text += &format!(
            "[[scopes]]\nname = \"{name}\"\ndescription = {description}\ndefault = {default}\n"
        );
    }
    let names = CATALOG.map(|(name, ..)| name);
    text += &format!(
        "[[resources]]\nuri = \"http://127.0.0.1:{app_port}/api\"\nname = \"{API_NAME}\"\n\
         scopes = {names:?}\n"
    );
    let path = directory.join("auth.toml");
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    let loaded = Config::load(Some(&path), std::iter::empty());
    Ok(loaded.map_err(|problems| anyhow!("{problems}"))?.config)
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Makes the clients and accounts on the first run. Afterwards they are left alone, but for what is
/// printed to be true: the demo application's secret works, and so do passwords that were made anew.
fn prepare(
    store: &DieselStore,
    config: &Config,
    app: &DemoApp,
    credentials: &Credentials,
) -> Result<()> {
    let now = SystemClock.now();
    let scope = serve::policy(config).scopes.all();
    let uri = |uri: &str| RegisteredRedirectUri::parse(uri).map_err(anyhow::Error::from);
    let client = |id: &str, name: &str, kind, redirect_uris| -> Result<Client> {
        Ok(Client {
            id: ClientId::parse(id).context("the client identifier is malformed")?,
            name: name.to_owned(),
            kind,
            redirect_uris,
            scope: scope.clone(),
            grant_types: GrantType::DEFAULT.into(),
            require_pkce: false,
            auth_method: None,
            rotate_refresh_tokens: true,
            resource_server: None,
            secrets: Vec::new(),
            created_at: now,
            disabled_at: None,
        })
    };
    let own = vec![uri(&app.redirect_uri())?, uri(EXAMPLE_REDIRECT_URI)?];
    let confidential =
        client(CONFIDENTIAL_CLIENT, "Demo application", ClientKind::Confidential, own)?;
    let loopback = vec![uri("http://127.0.0.1/callback")?, uri(EXAMPLE_REDIRECT_URI)?];
    let public = client(PUBLIC_CLIENT, "Demo command line", ClientKind::Public, loopback)?;
    let api = Client {
        resource_server: Some(ResourceUri::parse(&app.api_uri())?),
        scope: Scope::default(),
        grant_types: BTreeSet::new(),
        ..client(RESOURCE_SERVER, API_NAME, ClientKind::Confidential, Vec::new())?
    };
    for client in [&confidential, &public] {
        // Taken on every run but the first.
        let _: Inserted = ClientRegistry::insert(store, client)?;
    }
    if ClientRegistry::insert(store, &api)? == Inserted::NameTaken {
        // Its URI has the port of this run.
        let _: Changed = store.update(&api)?;
    }
    prepare_secret(store, &confidential.id, &credentials.demo_app_secret)?;
    prepare_secret(store, &api.id, &credentials.demo_api_secret)?;
    prepare_account(store, Role::User, "alice", &credentials.alice_password, credentials.fresh)?;
    prepare_account(store, Role::Admin, "admin", &credentials.admin_password, credentials.fresh)
}

/// Adds the secret, unless the client has it.
fn prepare_secret(store: &DieselStore, client: &ClientId, secret: &str) -> Result<()> {
    let digest = ClientSecret::presented(secret).digest();
    let stored = ClientStore::find(store, client)?;
    let works = |client: Client| client.secrets.iter().any(|secret| secret.digest == digest);
    if !stored.is_some_and(works) {
        let id = admin::mint_id()?;
        let secret = ClientSecretRecord { id, digest, created_at: SystemClock.now() };
        store.add_secret(client, &secret, 1)?;
    }
    Ok(())
}

fn prepare_account(
    store: &DieselStore,
    role: Role,
    name: &str,
    password: &str,
    fresh: bool,
) -> Result<()> {
    let now = SystemClock.now();
    let username = Username::parse(name).context("the user name is malformed")?;
    let existing = store.find_by_username(&username)?.map(|(owner, _)| owner);
    if existing.is_some() && !fresh {
        return Ok(());
    }
    let hasher = Argon2Hasher::new(Cost::default())?;
    let hash = hasher.hash(&Password::presented(password.to_owned()))?;
    if let Some(owner) = existing {
        store.set_password(&owner.subject, &hash, None, now)?;
        return Ok(());
    }
    let owner = Owner {
        subject: SubjectId::mint(&OsEntropy)?,
        username,
        name: None,
        email: None,
        role,
        created_at: now,
        disabled_at: None,
    };
    let _: Inserted = OwnerRegistry::insert(store, &owner, &hash)?;
    Ok(())
}

/// What is printed once the server answers.
fn welcome(app: &DemoApp, directory: &Path) -> String {
    let DemoApp { issuer, base_url, client_id, api_client_secret, .. } = app;
    let secret = app.client_secret.as_deref().unwrap_or_default();
    let accounts: String = app
        .accounts
        .iter()
        .map(|account| {
            format!("  {:<15}{}  {}\n", account.role, account.username, account.password)
        })
        .collect();
    let directory = directory.display();
    format!(
        "\n\
         auth-server demo is running. Open this and press the button:\n\n  \
         {base_url}\n\n\
         Sign in as (unless you changed the password)\n{accounts}\n\
         The server\n  \
         issuer         {issuer}\n  \
         metadata       {issuer}/.well-known/oauth-authorization-server\n  \
         scopes         {issuer}/oauth/scopes\n\n\
         Clients\n  \
         confidential   {client_id}  {secret}\n  \
         public         {PUBLIC_CLIENT}  (no secret, PKCE required)\n  \
         redirect URIs  {redirect_uri}  {EXAMPLE_REDIRECT_URI}\n\n\
         The API\n  \
         resource       {api_uri}\n  \
         introspection  {RESOURCE_SERVER}  {api_client_secret}\n\n\
         By hand: open this, sign in, approve, and copy `code` from the address bar\n  \
         {issuer}/oauth/authorize?response_type=code&client_id={client_id}\
         &redirect_uri=http%3A%2F%2Flocalhost%3A8765%2Fcallback&scope=projects%3Aread&state=xyz\n\
         then, within a minute,\n  \
         curl -u {client_id}:{secret} {issuer}/oauth/token \\\n    \
         -d grant_type=authorization_code -d redirect_uri={EXAMPLE_REDIRECT_URI} -d code=CODE\n  \
         curl -u {client_id}:{secret} {issuer}/oauth/token \\\n    \
         -d grant_type=refresh_token -d refresh_token=REFRESH_TOKEN\n  \
         curl -i -H 'Authorization: Bearer ACCESS_TOKEN' {api_uri}/projects\n  \
         curl -u {client_id}:{secret} {issuer}/oauth/revoke -d token=REFRESH_TOKEN\n\n\
         Everything is kept in {directory}/ ; delete it to start over. Stop with Ctrl-C.\n",
        redirect_uri = app.redirect_uri(),
        api_uri = app.api_uri(),
    )
}

//! `auth-server serve`: the parts put together.

use crate::config::{self, Config};
use crate::events::LoggedEvents;
use crate::system::{OsEntropy, SystemClock};
use anyhow::{Context as _, Result, bail};
use auth_core::AuthEngine;
use auth_core::housekeeping::Housekeeping as _;
use auth_core::policy::{PkceRequiredFor, Policy};
use auth_core::resource::{Resource, Resources};
use auth_core::scope::{ScopeCatalog, ScopeDefinition};
use auth_core::session::SessionLifetimes;
use auth_core::timestamp::Clock as _;
use auth_core::token::RefreshReuse;
use auth_http_actix::pages::Pages;
use auth_http_actix::{App, Limits};
use auth_password_argon2::{Argon2Hasher, Cost};
use auth_store_diesel::{DieselStore, OpenError, StoreOptions};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

/// Serves until a signal to stop, and lets requests in flight finish.
pub(crate) fn run(config: &Config) -> Result<()> {
    let listener = TcpListener::bind(config.listen)
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let store = open_store(config)?;
    let server = server(config, Arc::clone(&store), listener)?;
    tracing::info!(issuer = config.issuer.as_str(), listen = %config.listen, "serving");
    actix_web::rt::System::new().block_on(async {
        let housekeeping = actix_web::rt::spawn(keep_house(policy(config).sessions, store));
        let served = server.await;
        housekeeping.abort();
        served.context("the server stopped")
    })
}

/// Opens the database that the configuration names, bringing it up to date if it says so.
pub(crate) fn open_store(config: &Config) -> Result<Arc<DieselStore>> {
    let url = config.database.url.expose();
    let options = StoreOptions {
        migrate: config.database.migrate_on_start,
        readers: u32::try_from(workers(config) * auth_http_actix::BLOCKING_THREADS).unwrap_or(8),
        ..StoreOptions::default()
    };
    match DieselStore::open(&url, options) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error @ OpenError::MigrationsPending(_)) => {
            bail!("{error}; run `auth-server migrate` first")
        }
        Err(error) => Err(error).context("cannot open the database"),
    }
}

/// The server on this listener, ready to be awaited.
pub(crate) fn server(
    config: &Config,
    store: Arc<DieselStore>,
    listener: TcpListener,
) -> Result<impl Future<Output = std::io::Result<()>>> {
    let passwords = Argon2Hasher::new(Cost::default())?;
    let readiness = {
        let store = Arc::clone(&store);
        move || store.is_ready()
    };
    let engine = AuthEngine::new(
        policy(config),
        store,
        Arc::new(passwords),
        Arc::new(SystemClock),
        Arc::new(OsEntropy),
        Arc::new(LoggedEvents),
    );
    let pages = match &config.pages.templates {
        Some(directory) => Pages::with_overrides(directory),
        None => Pages::embedded(),
    };
    let app = App::new(engine, pages?, limits(config), readiness)?;
    Ok(auth_http_actix::serve(app, listener, workers(config))?)
}

fn workers(config: &Config) -> usize {
    let cores = || available_parallelism().map_or(2, usize::from);
    config.http.workers.unwrap_or_else(cores)
}

fn limits(config: &Config) -> Limits {
    let limits = &config.limits;
    let proxies = config.http.trusted_proxies.clone();
    Limits {
        failed_sign_ins_per_account_and_address: limits.failed_sign_ins_per_account_and_address,
        failed_sign_ins_per_address: limits.failed_sign_ins_per_address,
        failed_client_authentications: limits.failed_client_authentications,
        // Half the cores at most, so that hashing leaves room for everything else.
        hash_threads: (available_parallelism().map_or(1, usize::from) / 2).max(1),
        hash_queue: limits.hash_queue,
        is_trusted_proxy: Arc::new(move |it| proxies.iter().any(|network| network.contains(it))),
    }
}

/// The operator's decisions as the core knows them.
pub(crate) fn policy(config: &Config) -> Policy {
    let lifetime =
        |duration: Duration| time::Duration::try_from(duration).unwrap_or(time::Duration::MAX);
    let tokens = &config.tokens;
    Policy {
        resources: resources(&config.resources),
        pkce_required_for: match config.pkce.required_for {
            config::PkceRequiredFor::Public => PkceRequiredFor::Public,
            config::PkceRequiredFor::All => PkceRequiredFor::All,
        },
        localhost_any_port: config.redirects.localhost_any_port,
        code_lifetime: lifetime(tokens.code_lifetime),
        access_token_lifetime: lifetime(tokens.access_token_lifetime),
        refresh_token_lifetime: lifetime(tokens.refresh_token_lifetime),
        grant_lifetime: tokens.grant_lifetime.map(lifetime),
        refresh_reuse: match config.refresh.reuse {
            config::RefreshReuse::UntilSuccessorUsed => RefreshReuse::UntilSuccessorUsed,
            config::RefreshReuse::Strict => RefreshReuse::Strict,
        },
        pending_authorization_lifetime: lifetime(tokens.pending_authorization_lifetime),
        pending_authorizations_per_origin: usize::try_from(
            config.limits.pending_authorizations_per_address,
        )
        .unwrap_or(usize::MAX),
        sessions: SessionLifetimes {
            idle: lifetime(config.session.idle_lifetime),
            absolute: lifetime(config.session.absolute_lifetime),
        },
        ..Policy::new(config.issuer.as_str(), catalog(&config.scopes))
    }
}

fn catalog(scopes: &[config::Scope]) -> ScopeCatalog {
    let definition = |scope: &config::Scope| ScopeDefinition {
        token: scope.name.clone(),
        description: scope.description.clone(),
        default: scope.default,
    };
    ScopeCatalog::new(scopes.iter().map(definition).collect())
}

fn resources(resources: &[config::Resource]) -> Resources {
    let resource = |resource: &config::Resource| Resource {
        uri: resource.uri.clone(),
        name: resource.name.clone(),
        scopes: resource.scopes.clone(),
    };
    Resources::new(resources.iter().map(resource).collect())
}

/// How many rows of each kind one batch removes at most.
const PURGE_BATCH: usize = 200;

/// Removes what has expired, in small batches that let other writes pass, for as long as it is polled.
pub(crate) async fn keep_house(sessions: SessionLifetimes, store: Arc<DieselStore>) {
    loop {
        let batch = {
            let store = Arc::clone(&store);
            move || store.purge(SystemClock.now(), sessions, PURGE_BATCH)
        };
        let pause = match tokio::task::spawn_blocking(batch).await {
            // More waits: it must go faster than rows can come.
            Ok(Ok(removed)) if removed >= PURGE_BATCH => Duration::from_millis(10),
            Ok(Ok(removed)) if removed > 0 => Duration::from_millis(100),
            Ok(Ok(_)) => Duration::from_secs(20),
            Ok(Err(error)) => {
                tracing::warn!(%error, "housekeeping failed; it will be tried again");
                Duration::from_secs(20)
            }
            Err(_) => Duration::from_secs(20),
        };
        tokio::time::sleep(pause).await;
    }
}

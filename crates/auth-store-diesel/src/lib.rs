//! Persistence for [`auth_core`] with diesel.
//!
//! [`DieselStore`] keeps every port of the core in one database, which the scheme of its URL chooses:
//!
//! - **SQLite**, one file on one machine: one thread writes with group commit, a pool reads, and readers
//!   never wait for the writer. Other processes may use the same file at the same time.
//! - **PostgreSQL**, for any number of servers on one database: a pool of connections, each port method
//!   one transaction.
//!
//! What a port answered survives a crash and a loss of power.
//!
//! ```
//! # #[cfg(feature = "sqlite")] {
//! # let directory = tempfile::tempdir().unwrap();
//! # let url = format!("sqlite://{}/auth.db", directory.path().display());
//! use auth_core::owner::OwnerRegistry;
//! use auth_store_diesel::{DieselStore, StoreOptions};
//!
//! let store = DieselStore::open(&url, StoreOptions::default())?;
//! assert!(store.is_ready());
//! assert!(OwnerRegistry::list(&store).unwrap().is_empty());
//! # }
//! # Ok::<(), auth_store_diesel::OpenError>(())
//! ```
//!
//! # Features
//!
//! `sqlite` and `postgres` are both on unless taken away. `postgres` brings a libpq that needs nothing but
//! a C compiler and speaks no TLS; `postgres-tls` adds TLS and builds OpenSSL for it.

#![deny(missing_docs)]
// The repository is compiled once for each backend: see its module documentation.
#![allow(clippy::duplicate_mod)]

#[cfg(not(any(feature = "sqlite", feature = "postgres")))]
compile_error!("auth-store-diesel needs one of its features `sqlite` and `postgres`");

// Named for their features only: what they stand for is compiled in, never the system's.
#[cfg(feature = "sqlite")]
use libsqlite3_sys as _;
#[cfg(feature = "postgres-tls")]
use openssl_sys as _;
#[cfg(feature = "postgres")]
use pq_sys as _;

mod failure;
mod open;
mod ports;
#[cfg(feature = "postgres")]
mod postgres;
mod schema;
#[cfg(test)]
mod schema_tests;
#[cfg(feature = "sqlite")]
mod sqlite;
mod text;
mod transfer;
mod transition;
mod url;

pub use open::{OpenError, integrity_problems, migrate, pending_migrations};
pub use transfer::{Counts, TransferError, export, import};

use auth_core::error::StoreError;
use std::time::Duration;
use url::Database;

/// How a [`DieselStore`] works.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Runs the migrations that the database still needs; otherwise such a database is refused.
    pub migrate: bool,
    /// The most connections that are used at once: as many as there are threads that call the ports.
    /// SQLite reads with them, and has one more that writes.
    pub readers: u32,
    /// SQLite: the most writes that wait; one more is answered with [`StoreError::Unavailable`] at once.
    pub queue: usize,
    /// SQLite: how long a write waits for another process that writes to the same file.
    pub busy_timeout: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { migrate: true, readers: 8, queue: 1024, busy_timeout: Duration::from_secs(5) }
    }
}

/// A store in a database. Share it in an `Arc`. Dropping it writes what still waits.
#[derive(Debug)]
pub struct DieselStore {
    backend: Backend,
}

/// The database behind the ports.
#[derive(Debug)]
enum Backend {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlite::Store),
    #[cfg(feature = "postgres")]
    Postgres(postgres::Store),
}

impl DieselStore {
    /// Opens the database at `url`: `sqlite://auth.db` relative to the working directory,
    /// `sqlite:///var/lib/auth/auth.db`, or `postgres://user@host/name` with the parameters that libpq
    /// knows. An SQLite file that does not exist is created, readable by its owner only; its directory
    /// must be there. A PostgreSQL database must exist, and its encoding must be UTF-8.
    ///
    /// # Errors
    /// See [`OpenError`]. None of them shows a password.
    // By value: options are a last word, and callers write them in place.
    #[allow(clippy::needless_pass_by_value)]
    pub fn open(url: &str, options: StoreOptions) -> Result<Self, OpenError> {
        if !options.migrate {
            let pending = pending_migrations(url)?;
            if !pending.is_empty() {
                return Err(OpenError::MigrationsPending(pending));
            }
        }
        for migration in migrate(url)? {
            tracing::info!(migration, "the database was migrated");
        }
        let backend = match Database::parse(url)? {
            #[cfg(feature = "sqlite")]
            Database::Sqlite(path) => Backend::Sqlite(sqlite::Store::open(&path, &options)?),
            #[cfg(feature = "postgres")]
            Database::Postgres(address) => {
                Backend::Postgres(postgres::Store::open(address, &options)?)
            }
        };
        Ok(Self { backend })
    }

    /// Whether requests can be served: the database answers, its schema is one for this program, and
    /// writes are taken. Two keyed reads at most; why not is logged.
    pub fn is_ready(&self) -> bool {
        let obstacle = match &self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(store) => store.obstacle(),
            #[cfg(feature = "postgres")]
            Backend::Postgres(store) => store.obstacle(),
        };
        match obstacle {
            Ok(None) => return true,
            Ok(Some(obstacle)) => tracing::warn!("not ready: {obstacle}"),
            Err(error) => tracing::warn!(%error, "not ready"),
        }
        false
    }
}

/// Why requests cannot be served, if that is so.
type Obstacle = Result<Option<&'static str>, StoreError>;

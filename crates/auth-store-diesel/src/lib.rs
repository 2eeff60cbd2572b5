//! Persistence for [`auth_core`] with diesel.
//!
//! [`DieselStore`] keeps every port of the core in one SQLite file: one thread writes with group
//! commit, a pool reads, and readers never wait for the writer. What a port answered survives a crash
//! and a loss of power. Other processes may use the same file at the same time, on the same machine.
//!
//! ```
//! # let directory = tempfile::tempdir().unwrap();
//! # let url = format!("sqlite://{}/auth.db", directory.path().display());
//! use auth_core::owner::OwnerRegistry;
//! use auth_store_diesel::{DieselStore, StoreOptions};
//!
//! let store = DieselStore::open(&url, StoreOptions::default())?;
//! assert!(store.is_ready());
//! assert!(OwnerRegistry::list(&store).unwrap().is_empty());
//! # Ok::<(), auth_store_diesel::OpenError>(())
//! ```

#![deny(missing_docs)]

// Named for its features only: SQLite is compiled in, never the system's.
use libsqlite3_sys as _;

mod control;
mod failure;
mod integrity;
mod migrate;
mod open;
mod pool;
mod ports;
mod repository;
mod schema;
#[cfg(test)]
mod schema_tests;
mod url;
mod writer;

pub use integrity::integrity_problems;
pub use migrate::{migrate, pending_migrations};
pub use open::OpenError;

use auth_core::error::StoreError;
use failure::Failure;
use pool::Pool;
use std::time::Duration;
use writer::Writer;

type Connection = diesel::sqlite::SqliteConnection;

/// How a [`DieselStore`] works.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Runs the migrations that the database still needs; otherwise such a database is refused.
    pub migrate: bool,
    /// The most connections that read at once: as many as there are threads that call the ports.
    pub readers: u32,
    /// The most writes that wait; one more is answered with [`StoreError::Unavailable`] at once.
    pub queue: usize,
    /// How long a write waits for another process that writes to the same file.
    pub busy_timeout: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { migrate: true, readers: 8, queue: 1024, busy_timeout: Duration::from_secs(5) }
    }
}

/// A store in an SQLite file. Share it in an `Arc`. Dropping it writes what still waits, and moves the
/// write-ahead log into the file.
#[derive(Debug)]
pub struct DieselStore {
    writer: Writer,
    readers: Pool,
    newest_migration: String,
}

impl DieselStore {
    /// Opens the database at `url`: `sqlite://auth.db` relative to the working directory, or
    /// `sqlite:///var/lib/auth/auth.db`. A file that does not exist is created, readable by its owner
    /// only; its directory must be there.
    ///
    /// # Errors
    /// See [`OpenError`].
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
        let path = url::sqlite_file(url)?;
        let unavailable = |error: String| OpenError::Unavailable(error);
        let conn = open::connect(&path, options.busy_timeout)?;
        Ok(Self {
            readers: pool::readers(&path, options.readers, options.busy_timeout)
                .map_err(|error| unavailable(error.to_string()))?,
            writer: Writer::start(conn, options.queue)
                .map_err(|error| unavailable(error.to_string()))?,
            newest_migration: migrate::newest()?,
        })
    }

    /// Whether requests can be served: the database answers, its schema is one for this program, and
    /// writes are taken. Two keyed reads; why not is logged.
    pub fn is_ready(&self) -> bool {
        let newest = &self.newest_migration;
        let current = self.read(|conn| Ok(migrate::is_usable(conn, newest)?));
        match current {
            Ok(true) if self.writer.is_alive() => true,
            Ok(true) => {
                tracing::warn!("not ready: the store's writer has stopped");
                false
            }
            Ok(false) => {
                tracing::warn!(newest, "not ready: the database is at another schema");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "not ready");
                false
            }
        }
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut conn = self
            .readers
            .get()
            .map_err(|error| StoreError::Unavailable(format!("no connection to read: {error}")))?;
        Ok(read(&mut conn)?)
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(work)
    }
}

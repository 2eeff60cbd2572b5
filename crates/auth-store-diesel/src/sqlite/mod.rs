//! SQLite: one thread writes with group commit, a pool reads.

mod control;
mod integrity;
mod open;
mod pool;
#[cfg(test)]
pub(crate) mod scratch;
mod writer;

#[path = "../migrations.rs"]
mod migrations;
#[path = "../repository/mod.rs"]
pub(crate) mod repository;
#[path = "../transfer/rows.rs"]
mod rows;

use crate::failure::Failure;
use crate::transfer::file::Reader;
use crate::{Counts, Obstacle, OpenError, StoreOptions, TransferError};
use auth_core::error::StoreError;
use auth_core::timestamp::Timestamp;
use diesel::Connection as _;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use pool::Pool;
use std::io::Write;
use std::path::Path;
use writer::Writer;

pub(crate) type Connection = diesel::sqlite::SqliteConnection;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// How a statement locks the rows that it reads: not at all, there is one writer at a time.
const FOR_UPDATE: &str = "";
/// The same, passing over rows that are locked.
const FOR_UPDATE_SKIP_LOCKED: &str = "";
/// The same, beside others that do so.
const FOR_NO_KEY_UPDATE: &str = "";
const FOR_KEY_SHARE: &str = "";

/// How text is put in the order of its bytes: it is anyway.
const BYTE_ORDER: &str = "";
/// How rows are read one by one: they are anyway.
type LoadingMode = diesel::connection::DefaultLoadingMode;

/// A store in a file. Dropping it writes what still waits, and moves the write-ahead log into the file.
#[derive(Debug)]
pub(crate) struct Store {
    writer: Writer,
    readers: Pool,
    newest_migration: String,
}

impl Store {
    pub(crate) fn open(path: &Path, options: &StoreOptions) -> Result<Self, OpenError> {
        let conn = open::connect(path, options.busy_timeout)?;
        Ok(Self {
            readers: pool::readers(path, options.readers, options.busy_timeout)
                .map_err(|error| OpenError::Unavailable(error.to_string()))?,
            writer: Writer::start(conn, options.queue)
                .map_err(|error| OpenError::Unavailable(error.to_string()))?,
            newest_migration: migrations::newest()?,
        })
    }

    pub(crate) fn obstacle(&self) -> Obstacle {
        let newest = &self.newest_migration;
        let current = self.read(|conn| Ok(migrations::is_usable(conn, newest)?))?;
        if !current {
            return Ok(Some("the database is at another schema"));
        }
        // A transaction without a write costs no sync, and needs all that one with a write needs but space.
        self.write(|_| Ok(()))?;
        Ok(None)
    }

    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut conn = self
            .readers
            .get()
            .map_err(|error| StoreError::Unavailable(format!("no connection to read: {error}")))?;
        Ok(read(&mut conn)?)
    }

    /// Runs a transition and answers when it is committed.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.write(work)
    }

    /// Runs a transition that is one statement: no different here.
    pub(crate) fn write_one<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.write(work)
    }
}

pub(crate) use integrity::integrity_problems;

pub(crate) fn pending_migrations(path: &Path) -> Result<Vec<String>, OpenError> {
    match open::existing(path)? {
        None => migrations::names(&[]),
        Some(mut conn) => migrations::pending(&mut conn),
    }
}

pub(crate) fn migrate(path: &Path) -> Result<Vec<String>, OpenError> {
    let mut conn = open::create(path)?;
    if migrations::pending(&mut conn)?.is_empty() {
        return Ok(Vec::new());
    }
    conn.immediate_transaction(migrations::run)
}

pub(crate) fn export(
    path: &Path,
    at: Timestamp,
    out: &mut dyn Write,
) -> Result<Counts, TransferError> {
    let mut conn = current(path)?;
    let schema = migrations::newest()?;
    // It sees what was there at its first read, whatever is written meanwhile.
    conn.transaction(|conn| rows::dump(conn, &schema, at, out))
}

pub(crate) fn import(path: &Path, file: &mut Reader<'_>) -> Result<Counts, TransferError> {
    file.expect_schema(&migrations::newest()?)?;
    current(path)?.immediate_transaction(|conn| rows::load(conn, file))
}

/// A connection to a database that needs no migration.
fn current(path: &Path) -> Result<Connection, OpenError> {
    let pending = pending_migrations(path)?;
    if !pending.is_empty() {
        return Err(OpenError::MigrationsPending(pending));
    }
    open::create(path)
}

/// Whether the database has the table that keeps the versions of its migrations.
fn has_versions(conn: &mut Connection) -> QueryResult<bool> {
    let query =
        "SELECT COUNT(*) AS count FROM sqlite_master WHERE name = '__diesel_schema_migrations'";
    Ok(diesel::sql_query(query).get_result::<Count>(conn)?.count > 0)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

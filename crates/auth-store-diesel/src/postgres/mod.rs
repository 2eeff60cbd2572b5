//! PostgreSQL: a pool of connections, and each port method one transaction on one of them.
//!
//! Any number of servers may work on one database. Transactions run at READ COMMITTED: every statement sees
//! what was committed before it began, and an `UPDATE` or a locking `SELECT` that had to wait looks again
//! at the row that it waited for. The module documentation of `repository` says what is locked, and in
//! which order.

mod address;
mod integrity;
mod pool;
#[cfg(test)]
pub(crate) mod scratch;

#[path = "../migrations.rs"]
mod migrations;
#[path = "../repository/mod.rs"]
pub(crate) mod repository;
#[path = "../transfer/rows.rs"]
mod rows;

pub(crate) use address::Address;

use crate::failure::Failure;
use crate::transfer::file::Reader;
use crate::{Counts, Obstacle, OpenError, StoreOptions, TransferError};
use auth_core::error::StoreError;
use auth_core::timestamp::Timestamp;
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use pool::{Pool, Pooled};
use std::io::Write;

pub(crate) type Connection = diesel::pg::PgConnection;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// How a statement locks the rows that it reads, until its transaction ends.
const FOR_UPDATE: &str = " FOR UPDATE";
/// The same, passing over rows that are locked.
const FOR_UPDATE_SKIP_LOCKED: &str = " FOR UPDATE SKIP LOCKED";
/// How a statement locks the rows that it reads in order to change them, beside those that
/// [`FOR_KEY_SHARE`].
const FOR_NO_KEY_UPDATE: &str = " FOR NO KEY UPDATE";
/// How a statement lets others [`FOR_UPDATE`] wait for the end of its transaction, and holds up nobody
/// else. Any number of statements may do so at once, one after the other for ever: whoever must not wait
/// for ever first sees to it that no more of them begin.
const FOR_KEY_SHARE: &str = " FOR KEY SHARE";

/// How text is put in the order of its bytes, whatever the database's collation.
const BYTE_ORDER: &str = " COLLATE \"C\"";
/// How rows are read one by one, instead of all of them before the first.
type LoadingMode = diesel::pg::PgRowByRowLoadingMode;

/// How often a transition that lost against another is begun again, and a read or transition whose
/// connection was lost.
const REPETITIONS: usize = 2;

/// A store in a database.
pub(crate) struct Store {
    connections: Pool,
    newest_migration: String,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    pub(crate) fn open(address: Address, options: &StoreOptions) -> Result<Self, OpenError> {
        if cfg!(not(feature = "postgres-tls")) && address.is_remote() {
            tracing::warn!(
                "the database is on another machine, and this program was built without TLS to it: \
                 build it with the feature postgres-tls"
            );
        }
        let connections = pool::connections(address, options.readers);
        Ok(Self { connections, newest_migration: migrations::newest()? })
    }

    pub(crate) fn obstacle(&self) -> Obstacle {
        let newest = &self.newest_migration;
        self.read(|conn| {
            if !migrations::is_usable(conn, newest)? {
                return Ok(Some("the database is at another schema"));
            }
            Ok(is_read_only(conn)?.then_some("the database is read-only"))
        })
    }

    fn checkout(&self) -> Result<Pooled, StoreError> {
        self.connections
            .get()
            .map_err(|error| StoreError::Unavailable(format!("no connection: {error}")))
    }

    /// Runs a read. It changes nothing, so it is done again if its connection was lost.
    pub(crate) fn read<T>(
        &self,
        read: impl Fn(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.repeat(|conn| read(conn).map_err(|failure| (failure, Fate::Undone)))
    }

    /// Runs a transition as one transaction. It is begun again after losing against another transaction or
    /// losing its connection, but never once its `COMMIT` was sent: nobody knows then whether it counts.
    pub(crate) fn write<T>(
        &self,
        work: impl Fn(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.repeat(|conn| {
            let mut fate = Fate::Undone;
            let outcome = conn.transaction(|conn| {
                let outcome = work(conn)?;
                fate = Fate::Unknown;
                Ok(outcome)
            });
            outcome.map_err(|failure| (failure, fate))
        })
    }

    /// Runs a transition that is one statement, and so its own transaction: one round trip. What it did is
    /// unknown if the connection is lost.
    pub(crate) fn write_one<T>(
        &self,
        work: impl Fn(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.repeat(|conn| work(conn).map_err(|failure| (failure, Fate::Unknown)))
    }

    fn repeat<T>(
        &self,
        attempt: impl Fn(&mut Connection) -> Result<T, (Failure, Fate)>,
    ) -> Result<T, StoreError> {
        let mut repetitions = REPETITIONS;
        loop {
            let mut member = self.checkout()?;
            let (failure, fate) = match attempt(member.conn()) {
                Ok(outcome) => return Ok(outcome),
                Err(failed) => failed,
            };
            let fault = Fault::of(&failure);
            if fault.is_of_the_connection() {
                member.give_up();
            }
            if repetitions == 0 || !fault.may_pass(fate) {
                return Err(failure.into());
            }
            repetitions -= 1;
        }
    }
}

/// What became of an attempt that failed, if the connection does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It was not committed.
    Undone,
    /// It may have been committed.
    Unknown,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The connection is lost.
    Lost,
    /// The database takes no writes: it is a replica, or became one.
    ReadOnly,
    /// Another transaction came first. The database has undone this one.
    Conflict,
    Other,
}

impl Fault {
    fn of(failure: &Failure) -> Self {
        let Failure::Database(error) = failure else {
            return Self::Other;
        };
        match error {
            Error::DatabaseError(kind, information) => match kind {
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                    Self::Lost
                }
                DatabaseErrorKind::ReadOnlyTransaction => Self::ReadOnly,
                DatabaseErrorKind::SerializationFailure => Self::Conflict,
                // diesel passes on the message, not the code.
                _ if information.message() == "deadlock detected" => Self::Conflict,
                _ => Self::Other,
            },
            Error::RollbackErrorOnCommit { rollback_error, .. } => {
                Self::of_rollback(rollback_error)
            }
            Error::BrokenTransactionManager => Self::Lost,
            _ => Self::Other,
        }
    }

    /// A transaction could not even be rolled back.
    fn of_rollback(error: &Error) -> Self {
        match error {
            Error::DatabaseError(..) | Error::BrokenTransactionManager => Self::Lost,
            _ => Self::Other,
        }
    }

    /// Whether another connection would fare better. One to a primary that became a replica is given up
    /// as well: with several hosts in the URL, the next one finds the new primary.
    fn is_of_the_connection(self) -> bool {
        matches!(self, Self::Lost | Self::ReadOnly)
    }

    /// Whether the same may be tried again without doing it twice.
    fn may_pass(self, fate: Fate) -> bool {
        match self {
            Self::Lost => fate == Fate::Undone,
            Self::Conflict => true,
            Self::ReadOnly | Self::Other => false,
        }
    }
}

/// Whoever migrates holds this advisory lock, one for each database. The number is ours: "auth-srv".
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"auth-srv");

/// How long a program waits for another that migrates, and a migration for a table that is in use.
const MIGRATION_PATIENCE: &str = "SET lock_timeout = '60s'";

pub(crate) fn pending_migrations(address: &Address) -> Result<Vec<String>, OpenError> {
    migrations::pending(&mut connect_to_migrate(address)?)
}

pub(crate) fn migrate(address: &Address) -> Result<Vec<String>, OpenError> {
    let mut conn = connect_to_migrate(address)?;
    // Most starts find nothing to do, and a replica could not do it.
    if migrations::pending(&mut conn)?.is_empty() {
        return Ok(Vec::new());
    }
    conn.transaction(|conn| {
        diesel::sql_query("SELECT pg_advisory_xact_lock($1)")
            .bind::<BigInt, _>(MIGRATION_LOCK)
            .execute(conn)?;
        migrations::run(conn)
    })
}

/// No bound on how long everything takes.
const TRANSFER_PATIENCE: &str = "\
    SET statement_timeout = 0;\
    SET idle_in_transaction_session_timeout = 0";

pub(crate) fn export(
    address: &Address,
    at: Timestamp,
    out: &mut dyn Write,
) -> Result<Counts, TransferError> {
    let mut conn = connect_to_transfer(address)?;
    let schema = migrations::newest()?;
    // All its statements see what was there at the first one.
    let mut transaction = conn.build_transaction().repeatable_read().read_only();
    transaction.run(|conn| rows::dump(conn, &schema, at, out))
}

pub(crate) fn import(address: &Address, file: &mut Reader<'_>) -> Result<Counts, TransferError> {
    file.expect_schema(&migrations::newest()?)?;
    connect_to_transfer(address)?
        .build_transaction()
        .read_committed()
        .run(|conn| rows::load(conn, file))
}

/// A connection to a database that needs no migration.
fn connect_to_transfer(address: &Address) -> Result<Connection, OpenError> {
    let mut conn = connect_to_migrate(address)?;
    let pending = migrations::pending(&mut conn)?;
    if !pending.is_empty() {
        return Err(OpenError::MigrationsPending(pending));
    }
    conn.batch_execute(TRANSFER_PATIENCE)?;
    Ok(conn)
}

pub(crate) fn integrity_problems(address: &Address) -> Result<Vec<String>, OpenError> {
    Ok(integrity::problems(&mut connect_to_migrate(address)?)?)
}

fn connect_to_migrate(address: &Address) -> Result<Connection, OpenError> {
    let unavailable = |error: pool::Refused| OpenError::Unavailable(error.to_string());
    let mut conn = pool::establish(address).map_err(unavailable)?;
    conn.batch_execute(MIGRATION_PATIENCE)?;
    let encoding = setting(&mut conn, "server_encoding")?;
    match encoding.as_str() {
        "UTF8" => Ok(conn),
        _ => Err(OpenError::WrongEncoding(encoding)),
    }
}

/// Whether the database has the table that keeps the versions of its migrations.
fn has_versions(conn: &mut Connection) -> QueryResult<bool> {
    // From the catalogue itself: `to_regclass` may repeat what it knew when the transaction began.
    let query =
        "SELECT EXISTS (SELECT 1 FROM pg_tables WHERE tablename = '__diesel_schema_migrations'
                 AND schemaname = ANY (current_schemas(false))) AS answer";
    Ok(diesel::sql_query(query).get_result::<Answer>(conn)?.answer)
}

fn is_read_only(conn: &mut Connection) -> QueryResult<bool> {
    Ok(setting(conn, "transaction_read_only")? == "on")
}

fn setting(conn: &mut Connection, name: &str) -> QueryResult<String> {
    let query = diesel::sql_query("SELECT current_setting($1) AS value").bind::<Text, _>(name);
    Ok(query.get_result::<Setting>(conn)?.value)
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    answer: bool,
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

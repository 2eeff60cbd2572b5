//! Opening a database, bringing it up to date, and saying clearly why that cannot be done.

use crate::url::Database;
use std::path::PathBuf;

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL names no database that this program can use. A password in it is left out here.
    #[error(
        "{0:?} is no database URL: use sqlite://file.db, sqlite:///path/to/file.db or \
         postgres://user@host/name"
    )]
    UnsupportedUrl(String),
    /// The program was built without the feature for this database.
    #[error("this program was built without {0}")]
    NotBuiltIn(&'static str),
    /// The directory that the file should be in does not exist.
    #[error("the directory {} does not exist", .0.display())]
    DirectoryMissing(PathBuf),
    /// The file, or the directory that it is in, may not be written.
    #[error("{} is not writable by this user", .0.display())]
    NotWritable(PathBuf),
    /// The file is something else.
    #[error("{} is not an SQLite database", .0.display())]
    NotADatabase(PathBuf),
    /// The database cannot hold every text.
    #[error("the encoding of the database is {0}: it must be UTF8")]
    WrongEncoding(String),
    /// The database has lost what this program needs. Only programs that know this migration may use it.
    #[error("the database is for programs that know its schema {0}: upgrade this one")]
    NewerSchema(String),
    /// The database needs migrations, and the options forbid to run them.
    #[error("the database needs migrations: {}", .0.join(", "))]
    MigrationsPending(Vec<String>),
    /// A migration failed. Nothing of it was kept.
    #[error("migration failed: {0}")]
    Migration(String),
    /// The database could not be reached, or is busy, full, read-only or broken.
    #[error("the database cannot be opened: {0}")]
    Unavailable(String),
}

impl From<diesel::result::Error> for OpenError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The names of the migrations that the database at `url` still needs, in the order in which they
/// will run. Changes nothing; of an SQLite file that does not exist yet, that is all of them.
///
/// # Errors
/// See [`OpenError`].
pub fn pending_migrations(url: &str) -> Result<Vec<String>, OpenError> {
    match Database::parse(url)? {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => crate::sqlite::pending_migrations(&path),
        #[cfg(feature = "postgres")]
        Database::Postgres(address) => crate::postgres::pending_migrations(&address),
    }
}

/// What is wrong with the database at `url`: rows that refer to rows which are not there, and in an SQLite
/// file damaged pages and indexes (for which PostgreSQL has `pg_amcheck`). Reads everything, beside a
/// running server if need be, and changes nothing; of a file that does not exist, nothing is wrong.
///
/// # Errors
/// See [`OpenError`]. A file so damaged that it cannot be read at all is
/// [`OpenError::NotADatabase`] or [`OpenError::Unavailable`].
pub fn integrity_problems(url: &str) -> Result<Vec<String>, OpenError> {
    match Database::parse(url)? {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => crate::sqlite::integrity_problems(&path),
        #[cfg(feature = "postgres")]
        Database::Postgres(address) => crate::postgres::integrity_problems(&address),
    }
}

/// Creates the SQLite file at `url` if need be, runs the migrations that the database still needs, and
/// answers their names. Several processes may do so at once: one runs them, the others wait and find
/// them done.
///
/// # Errors
/// See [`OpenError`].
pub fn migrate(url: &str) -> Result<Vec<String>, OpenError> {
    match Database::parse(url)? {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => crate::sqlite::migrate(&path),
        #[cfg(feature = "postgres")]
        Database::Postgres(address) => crate::postgres::migrate(&address),
    }
}

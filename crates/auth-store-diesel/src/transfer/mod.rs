//! Moving everything from one database to another, through a file.
//!
//! The file is JSON, one object a line: what it is, every row of every table with parents before their
//! children, and how many there were. [`tables`] says what a row consists of, [`file`] how it is written and
//! read, and `rows` (compiled once for each backend) how it comes out of a database and into one.

pub(crate) mod file;
pub(crate) mod tables;

use crate::open::OpenError;
use crate::url::Database;
use auth_core::timestamp::Timestamp;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use std::io::{self, BufRead, BufWriter, Write};
use tables::TABLES;

/// Why a database could not be exported or imported. No message shows a value of a row but its public name,
/// or the beginning of a digest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The database cannot be opened, or is at another schema than this program.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file cannot be written.
    #[error("the export cannot be written: {0}")]
    Write(io::Error),
    /// The file cannot be read.
    #[error("the import cannot be read: {0}")]
    Read(io::Error),
    /// A row of the database is broken: no import would take it.
    #[error("{table}.{column} of {key} cannot be exported: it must be {expected}")]
    Unreadable {
        /// Where it is.
        table: &'static str,
        /// What is broken.
        column: &'static str,
        /// Which row.
        key: String,
        /// What should stand there.
        expected: String,
    },
    /// The file is not what it should be.
    #[error("line {line}: {problem}")]
    Line {
        /// The first line is 1.
        line: u64,
        /// Why it is refused.
        problem: String,
    },
    /// A grant in the file has neither a code nor a token: once here, nothing would ever remove it.
    #[error("the grant {0:?} has no code and no token, so that nothing would ever remove it")]
    EmptyGrant(String),
    /// The database to import into has rows in this table.
    #[error("the database is not empty, there are rows in {0}: import into a new one")]
    NotEmpty(&'static str),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(String),
}

impl From<diesel::result::Error> for TransferError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.to_string())
    }
}

/// How many rows of each table there are, in the order of a file.
///
/// Serializes as an object from table to count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(pub(crate) [u64; TABLES.len()]);

impl Counts {
    /// Each table with its count.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        TABLES.iter().map(|table| table.name).zip(self.0)
    }

    /// All rows together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, count) in self.iter() {
            map.serialize_entry(name, &count)?;
        }
        map.end()
    }
}

/// Writes everything in the database at `url` to `out`, as it was at one moment, with bounded memory. Servers
/// may work on the database meanwhile. `at` is what the file says of when this was.
///
/// There is no secret in the file that can be presented, but there is what can be guessed at: password hashes.
/// What depends on the database, the order of rows included, does not depend on which kind it is.
///
/// A grant that has neither a code nor a token is left out: it is over.
///
/// # Errors
/// See [`TransferError`]. What was written by then is no complete file, and no import takes it.
pub fn export(url: &str, at: Timestamp, out: &mut dyn Write) -> Result<Counts, TransferError> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    match Database::parse(url)? {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => crate::sqlite::export(&path, at, &mut out),
        #[cfg(feature = "postgres")]
        Database::Postgres(address) => crate::postgres::export(&address, at, &mut out),
    }
}

/// Puts everything in the file `input` into the database at `url`, which must have every table and no row.
/// All of it, or on any error nothing.
///
/// # Errors
/// See [`TransferError`].
pub fn import(url: &str, input: &mut dyn BufRead) -> Result<Counts, TransferError> {
    let mut file = file::Reader::begin(input)?;
    match Database::parse(url)? {
        #[cfg(feature = "sqlite")]
        Database::Sqlite(path) => crate::sqlite::import(&path, &mut file),
        #[cfg(feature = "postgres")]
        Database::Postgres(address) => crate::postgres::import(&address, &mut file),
    }
}

//! What can go wrong between a port and the database, and how it is reported.

use auth_core::error::StoreError;
use diesel::result::{DeserializeFieldError, Error, QueryResult};
use std::fmt::{self, Write as _};

/// A statement failed, or a row could not be read. Inside this crate only; ports answer
/// [`StoreError`].
#[derive(Debug)]
pub(crate) enum Failure {
    Database(Error),
    Store(StoreError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    /// Whatever the database says — busy, full, read-only, I/O error, a broken constraint — is the
    /// machinery's failure: what others did first never comes as an error.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Database(error) => Self::Unavailable(error.to_string()),
            Failure::Store(error) => error,
        }
    }
}

/// The key of a row as an error may show it: a public name in full, of a digest the first bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key<'a> {
    Name(&'a str),
    Id(&'a [u8]),
    Digest(&'a [u8]),
    /// Of one row among many.
    Listed,
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Id(id) => f.write_str(&hex(id)),
            Self::Digest(digest) => write!(f, "{}..", hex(&digest[..digest.len().min(4)])),
            Self::Listed => f.write_str("a listed row"),
        }
    }
}

/// Two lower-case hexadecimal digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A row that is being read, for saying where something is wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) table: &'static str,
    pub(crate) key: Key<'a>,
}

impl Row<'_> {
    pub(crate) fn corrupt(self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column, key: self.key.to_string() }
    }

    /// The value of a column, if it could be parsed.
    pub(crate) fn parsed<T>(self, column: &'static str, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| self.corrupt(column))
    }

    /// The value of a column that may be NULL.
    pub(crate) fn optional<S, T>(
        self,
        column: &'static str,
        stored: Option<S>,
        parse: impl FnOnce(S) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        stored.map(|stored| self.parsed(column, parse(stored))).transpose()
    }

    /// A digest column.
    pub(crate) fn digest(
        self,
        column: &'static str,
        stored: &[u8],
    ) -> Result<[u8; 32], StoreError> {
        self.parsed(column, stored.try_into().ok())
    }

    /// A flag column.
    pub(crate) fn flag(self, column: &'static str, stored: i64) -> Result<bool, StoreError> {
        self.parsed(column, (0..=1).contains(&stored).then_some(stored == 1))
    }
}

/// Says of a failed read which row it was after.
pub(crate) trait Reading<T> {
    fn reading(self, table: &'static str, key: Key<'_>) -> Result<T, Failure>;
}

impl<T> Reading<T> for QueryResult<T> {
    fn reading(self, table: &'static str, key: Key<'_>) -> Result<T, Failure> {
        self.map_err(|error| match &error {
            Error::DeserializationError(cause) => {
                let row = Row { table, key };
                row.corrupt(column_of(cause.as_ref())).into()
            }
            _ => error.into(),
        })
    }
}

/// The column that diesel could not read as the type it has: text that is not UTF-8.
fn column_of(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> &'static str {
    let name =
        cause.downcast_ref::<DeserializeFieldError>().and_then(|field| field.field_name.as_deref());
    TEXT_COLUMNS.into_iter().find(|column| Some(*column) == name).unwrap_or("a column")
}

pub(crate) const TEXT_COLUMNS: [&str; 21] = [
    "audience",
    "auth_method",
    "client_id",
    "code_challenge",
    "email",
    "grant_types",
    "id",
    "kind",
    "name",
    "origin",
    "password_hash",
    "prompt",
    "redirect_uri",
    "resource_server",
    "role",
    "scope",
    "subject",
    "uri",
    "username",
    "username_key",
    "version",
];

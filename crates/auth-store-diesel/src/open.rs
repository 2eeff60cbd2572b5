//! Opening a database, and saying clearly why it cannot be opened.

use crate::Connection;
use crate::pool;
use crate::url::sqlite_file;
use diesel::ConnectionError;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL names no database that this program can use. A password in it is left out here.
    #[error("{0:?} is no database URL: use sqlite://file.db or sqlite:///path/to/file.db")]
    UnsupportedUrl(String),
    /// The directory that the file should be in does not exist.
    #[error("the directory {} does not exist", .0.display())]
    DirectoryMissing(PathBuf),
    /// The file, or the directory that it is in, may not be written.
    #[error("{} is not writable by this user", .0.display())]
    NotWritable(PathBuf),
    /// The file is something else.
    #[error("{} is not an SQLite database", .0.display())]
    NotADatabase(PathBuf),
    /// The database has lost what this program needs. Only programs that know this migration may use it.
    #[error("the database is for programs that know its schema {0}: upgrade this one")]
    NewerSchema(String),
    /// The database needs migrations, and the options forbid to run them.
    #[error("the database needs migrations: {}", .0.join(", "))]
    MigrationsPending(Vec<String>),
    /// A migration failed. Nothing of it was kept.
    #[error("migration failed: {0}")]
    Migration(String),
    /// The database could not be reached, or is busy, full or broken.
    #[error("the database cannot be opened: {0}")]
    Unavailable(String),
}

impl From<diesel::result::Error> for OpenError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// How long opening waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to the database at `url`, or `None` if there is none. Creates nothing.
pub(crate) fn existing(url: &str) -> Result<Option<Connection>, OpenError> {
    let path = sqlite_file(url)?;
    match inspect(&path)? {
        Found::Nothing => Ok(None),
        Found::Database => connect(&path, BUSY_TIMEOUT).map(Some),
    }
}

/// A connection to the database at `url`, which is created if there is none.
pub(crate) fn create(url: &str) -> Result<Connection, OpenError> {
    let path = sqlite_file(url)?;
    create_file(&path)?;
    connect(&path, BUSY_TIMEOUT)
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Database,
}

/// What stands at the path, by its first bytes.
fn inspect(path: &Path) -> Result<Found, OpenError> {
    let directory = path.parent().unwrap_or(path);
    if !directory.is_dir() {
        return Err(OpenError::DirectoryMissing(directory.to_owned()));
    }
    if path.is_dir() {
        return Err(OpenError::NotADatabase(path.to_owned()));
    }
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        opened => opened.map_err(|error| explain(path, &error))?,
    };
    let mut start = Vec::new();
    file.take(16).read_to_end(&mut start).map_err(|error| explain(path, &error))?;
    // An empty file is a database that nobody wrote to yet.
    if start.is_empty() || start == b"SQLite format 3\0" {
        Ok(Found::Database)
    } else {
        Err(OpenError::NotADatabase(path.to_owned()))
    }
}

/// Creates the file, for its owner's eyes only: it will hold password hashes. SQLite gives its
/// companions (`-wal`, `-shm`) the same permissions.
fn create_file(path: &Path) -> Result<(), OpenError> {
    if inspect(path)? == Found::Database {
        let file = OpenOptions::new().read(true).write(true).open(path);
        return file.map(drop).map_err(|error| explain(path, &error));
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        opened => opened.map(drop).map_err(|error| explain(path, &error)),
    }
}

fn explain(path: &Path, error: &std::io::Error) -> OpenError {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            OpenError::NotWritable(path.to_owned())
        }
        _ => OpenError::Unavailable(format!("{}: {error}", path.display())),
    }
}

pub(crate) fn connect(path: &Path, busy_timeout: Duration) -> Result<Connection, OpenError> {
    pool::connect(path, busy_timeout).map_err(|error| {
        let message = match error {
            ConnectionError::CouldntSetupConfiguration(error) => error.to_string(),
            error => error.to_string(),
        };
        // diesel passes on SQLite's message, not its code.
        match message.as_str() {
            "file is not a database" => OpenError::NotADatabase(path.to_owned()),
            "unable to open database file" | "attempt to write a readonly database" => {
                OpenError::NotWritable(path.to_owned())
            }
            _ => OpenError::Unavailable(message),
        }
    })
}

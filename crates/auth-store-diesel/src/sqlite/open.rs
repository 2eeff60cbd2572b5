//! Opening and creating files.

use super::{Connection, pool};
use crate::open::OpenError;
use diesel::ConnectionError;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::time::Duration;

/// How long opening waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to the database at `path`, or `None` if there is none. Creates nothing.
pub(super) fn existing(path: &Path) -> Result<Option<Connection>, OpenError> {
    match inspect(path)? {
        Found::Nothing => Ok(None),
        Found::Database => connect(path, BUSY_TIMEOUT).map(Some),
    }
}

/// A connection to the database at `path`, which is created if there is none.
pub(super) fn create(path: &Path) -> Result<Connection, OpenError> {
    create_file(path)?;
    connect(path, BUSY_TIMEOUT)
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

pub(super) fn connect(path: &Path, busy_timeout: Duration) -> Result<Connection, OpenError> {
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

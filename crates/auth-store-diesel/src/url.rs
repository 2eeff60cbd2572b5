//! Database URLs.

use crate::open::OpenError;
#[cfg(feature = "postgres")]
use crate::postgres::Address;
#[cfg(feature = "sqlite")]
use std::path::{Path, PathBuf};

/// The database that a URL names, by its scheme.
#[derive(Debug)]
pub(crate) enum Database {
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres(Address),
}

impl Database {
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            #[cfg(feature = "postgres")]
            return match Address::parse(url) {
                Some(address) => Ok(Self::Postgres(address)),
                None => Err(OpenError::UnsupportedUrl(without_password(url))),
            };
            #[cfg(not(feature = "postgres"))]
            return Err(OpenError::NotBuiltIn("PostgreSQL"));
        }
        #[cfg(feature = "sqlite")]
        return sqlite_file(url).map(Self::Sqlite);
        #[cfg(not(feature = "sqlite"))]
        Err(match url.starts_with("sqlite://") {
            true => OpenError::NotBuiltIn("SQLite"),
            false => OpenError::UnsupportedUrl(without_password(url)),
        })
    }
}

/// The file that a `sqlite://` URL names, as an absolute path, so that a later change of the working
/// directory does not move the database.
///
/// What follows `sqlite://` is the path as it stands: `sqlite://auth.db` is relative to the working
/// directory, `sqlite:///var/lib/auth/auth.db` is absolute. Nothing is decoded, and there are no
/// parameters.
#[cfg(feature = "sqlite")]
fn sqlite_file(url: &str) -> Result<PathBuf, OpenError> {
    let path = url.strip_prefix("sqlite://").unwrap_or_default();
    let is_file = !path.is_empty() && !path.ends_with('/') && !path.contains(['?', '#', '\0']);
    if !is_file || path == ":memory:" {
        return Err(OpenError::UnsupportedUrl(without_password(url)));
    }
    let path = std::path::absolute(Path::new(path))
        .map_err(|error| OpenError::Unavailable(error.to_string()))?;
    // SQLite takes the name as UTF-8, and the working directory may not be.
    match path.to_str() {
        Some(_) => Ok(path),
        None => Err(OpenError::UnsupportedUrl(url.to_owned())),
    }
}

/// The URL without what stands before an `@` or behind a `?`: both may hold a password.
fn without_password(url: &str) -> String {
    let (place, parameters) = match url.split_once('?') {
        Some((place, _)) => (place, "?…"),
        None => (url, ""),
    };
    match (place.split_once("://"), place.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://…@{place}{parameters}"),
        _ => format!("{place}{parameters}"),
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        match Database::parse(url) {
            Err(OpenError::UnsupportedUrl(shown)) => shown,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn a_url_names_a_relative_or_an_absolute_file() {
        let working_directory = std::env::current_dir().unwrap();
        for (url, path) in [
            ("sqlite://auth.db", working_directory.join("auth.db")),
            ("sqlite://data/auth.db", working_directory.join("data/auth.db")),
            ("sqlite:///var/lib/auth.db", PathBuf::from("/var/lib/auth.db")),
            ("sqlite:///var/a b%20.db", PathBuf::from("/var/a b%20.db")),
        ] {
            assert_eq!(sqlite_file(url).unwrap(), path, "{url}");
        }
    }

    #[test]
    fn what_names_no_database_is_refused_without_showing_a_password() {
        for url in ["", "auth.db", "sqlite:auth.db", "sqlite://", "sqlite:///", "sqlite://:memory:"]
        {
            assert_eq!(refused(url), url);
        }
        assert_eq!(refused("sqlite://auth.db?mode=ro"), "sqlite://auth.db?…");
        assert_eq!(refused("mysql://user:pa@ss@host/name"), "mysql://…@host/name");
        assert_eq!(refused("mysql://host/name?password=word"), "mysql://host/name?…");
    }
}

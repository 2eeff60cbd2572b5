//! Database URLs.

use crate::open::OpenError;
use std::path::{Path, PathBuf};

/// The file that a `sqlite://` URL names, as an absolute path, so that a later change of the working
/// directory does not move the database.
///
/// What follows `sqlite://` is the path as it stands: `sqlite://auth.db` is relative to the working
/// directory, `sqlite:///var/lib/auth/auth.db` is absolute. Nothing is decoded, and there are no
/// parameters.
pub(crate) fn sqlite_file(url: &str) -> Result<PathBuf, OpenError> {
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

/// The URL without what stands before an `@`: another database's URL may carry a password.
fn without_password(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://…@{place}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_names_no_file_is_refused_without_showing_a_password() {
        for url in [
            "",
            "auth.db",
            "sqlite:auth.db",
            "sqlite://",
            "sqlite:///",
            "sqlite://:memory:",
            "sqlite://auth.db?mode=ro",
            "mysql://host/name",
        ] {
            let error = sqlite_file(url).unwrap_err();
            assert!(matches!(error, OpenError::UnsupportedUrl(_)), "{url}");
        }
        let error = sqlite_file("postgres://user:pa@ss@host/name").unwrap_err();
        let OpenError::UnsupportedUrl(shown) = error else {
            panic!("{error}");
        };
        assert_eq!(shown, "postgres://…@host/name");
    }
}

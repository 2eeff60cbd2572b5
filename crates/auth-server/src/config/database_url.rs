//! Where the database is.

use super::problem::Complaint;
use serde::Deserialize;
use std::path::PathBuf;
use std::str::FromStr;
use url::Url;

/// The database, by the scheme of its URL.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum DatabaseUrl {
    /// An SQLite file; a relative path starts at the working directory.
    Sqlite(PathBuf),
    /// A PostgreSQL connection URL, which may contain a password.
    Postgres(String),
}

impl DatabaseUrl {
    /// The URL as stores take it. It may carry a password: never print it.
    pub(crate) fn expose(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) => url.clone(),
        }
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = Complaint;

    /// The complaint never repeats the URL: it may contain a password.
    fn from_str(text: &str) -> Result<Self, Complaint> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            if path.is_empty() || path.ends_with('/') {
                let fix = "write \"sqlite://auth.db\", or \"sqlite:///var/lib/auth/auth.db\"";
                return Err(Complaint::new("names no file", fix));
            }
            if path.contains(['?', '#', '\0']) {
                let fix = "leave out everything from the ? or # on; there are no parameters";
                return Err(Complaint::new("has parameters", fix));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let fix = "write \"postgres://user@host/name\"";
            return match names_a_database(text) {
                true => Ok(Self::Postgres(text.to_owned())),
                false => Err(Complaint::new("names no database", fix)),
            };
        }
        let fix = "write \"sqlite://auth.db\" (from the working directory), \
                   \"sqlite:///var/lib/auth/auth.db\" (absolute) or \"postgres://user@host/name\"";
        Err(Complaint::new("is not the URL of a database", fix))
    }
}

/// Whether a PostgreSQL URL has a path. It may name several hosts, and is then no URL to the standard.
fn names_a_database(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let place = rest.split(['?', '#']).next().unwrap_or_default();
    place.split_once('/').is_some_and(|(_, name)| !name.is_empty())
}

impl TryFrom<String> for DatabaseUrl {
    type Error = Complaint;

    fn try_from(text: String) -> Result<Self, Complaint> {
        text.parse()
    }
}

/// What stands in for a secret where settings are shown.
pub(super) const MASK: &str = "********";

/// The URL with its password masked, in the authority and in a `password` parameter.
pub(super) fn masked(text: &str) -> String {
    if text.starts_with("sqlite://") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else {
        return MASK.to_owned();
    };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    if url.query().is_some() {
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let mut query = url.query_pairs_mut();
        query.clear();
        for (name, value) in pairs {
            let secret = name.to_ascii_lowercase().contains("password");
            query.append_pair(&name, if secret { MASK } else { &value });
        }
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_names_the_database_and_three_slashes_make_a_path_absolute() {
        for (text, path) in [
            ("sqlite://auth.db", "auth.db"),
            ("sqlite://data/auth.db", "data/auth.db"),
            ("sqlite://./auth.db", "./auth.db"),
            ("sqlite:///var/lib/auth/auth.db", "/var/lib/auth/auth.db"),
        ] {
            assert_eq!(text.parse(), Ok(DatabaseUrl::Sqlite(path.into())));
        }
        for text in [
            "postgres://user@host/name",
            "postgresql://u:p@h:5432/n?sslmode=require",
            "postgres:///name?host=/run/postgresql",
            "postgres://user@one:5432,two:5432/name?target_session_attrs=read-write",
        ] {
            assert_eq!(text.parse(), Ok(DatabaseUrl::Postgres(text.to_owned())));
        }
    }

    #[test]
    fn a_refusal_never_repeats_the_url() {
        for text in [
            "",
            "sqlite:",
            "sqlite://",
            "sqlite:///",
            "sqlite:hunter2.db",
            "sqlite://hunter2.db?mode=rwc",
            "hunter2.db",
            "mysql://root:hunter2@host/name",
            "postgres://user:hunter2@host",
            "postgres://user:hunter2@host/",
            "postgres://user:hunter2@host?dbname=name",
        ] {
            let complaint = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(!complaint.contains("hunter2"), "{complaint}");
        }
    }

    #[test]
    fn a_shown_url_has_no_password() {
        for (text, shown) in [
            ("sqlite://auth.db", "sqlite://auth.db"),
            ("postgres://u@h/n", "postgres://u@h/n"),
            ("postgres://u:hunter2@h/n", "postgres://u:********@h/n"),
            ("postgres:///n?user=u&password=hunter2", "postgres:///n?user=u&password=********"),
            ("postgres://u:hunter2@h:99999/n", "********"),
        ] {
            assert_eq!(masked(text), shown);
        }
        assert_eq!(format!("{:?}", DatabaseUrl::Postgres("hunter2".into())), "Postgres(..)");
    }
}

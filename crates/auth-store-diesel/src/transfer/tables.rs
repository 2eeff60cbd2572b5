//! Every table and column that is moved, and what may stand there.
//!
//! The one list behind reading, writing, checking and inserting. A test compares it with the catalogue.

use crate::text::{ACCESS, REFRESH, parse_grant_types, parse_kind, parse_prompt, parse_scope};
use auth_core::client::{ClientAuthMethod, ClientId};
use auth_core::owner::{Role, Username};
use auth_core::pkce::CodeChallenge;
use auth_core::redirect_uri::RegisteredRedirectUri;
use auth_core::resource::{Audience, ResourceUri};

/// A table: its columns in the order of a file's members, the first of them the key.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// How many of the columns are its key, in which order its rows are read.
    pub(crate) key: usize,
    pub(crate) columns: &'static [Column],
}

#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
}

/// What stands in a column, and so what a value of it looks like in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Text, if it passes: a string.
    Text(fn(&str) -> bool, &'static str),
    /// Any text, NUL included, kept as bytes: a string.
    TextInBytes,
    /// A number of seconds or a position: a number.
    Integer,
    /// 0 or 1: a number.
    Flag,
    /// The 32 bytes of a SHA-256: 64 lower-case hexadecimal digits.
    Digest,
    /// The 16 bytes of a grant's id: 32 lower-case hexadecimal digits.
    GrantId,
}

/// How a column is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    Text,
    Bytes,
    Integer,
}

impl Kind {
    pub(crate) const fn storage(self) -> Storage {
        match self {
            Self::Text(..) => Storage::Text,
            Self::TextInBytes | Self::Digest | Self::GrantId => Storage::Bytes,
            Self::Integer | Self::Flag => Storage::Integer,
        }
    }
}

/// What stands in one column of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Text(String),
    Bytes(Vec<u8>),
    Integer(i64),
}

impl Column {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, nullable: false }
    }

    const fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// Whether this value may stand here; otherwise what should.
    pub(crate) fn check(&self, value: &Value) -> Result<(), &'static str> {
        let (fits, expected) = match (self.kind, value) {
            (_, Value::Null) => (self.nullable, "something other than null"),
            (Kind::Text(is_good, expected), Value::Text(text)) => {
                (!text.contains('\0') && is_good(text), expected)
            }
            (Kind::Text(_, expected), _) => (false, expected),
            (Kind::TextInBytes, Value::Bytes(bytes)) => {
                (std::str::from_utf8(bytes).is_ok(), "text")
            }
            (Kind::TextInBytes, _) => (false, "text"),
            (Kind::Integer, Value::Integer(_)) => (true, ""),
            (Kind::Integer, _) => (false, "a whole number"),
            (Kind::Flag, value) => (matches!(value, Value::Integer(0 | 1)), "0 or 1"),
            (Kind::Digest, Value::Bytes(bytes)) => (bytes.len() == 32, DIGEST),
            (Kind::Digest, _) => (false, DIGEST),
            (Kind::GrantId, Value::Bytes(bytes)) => (bytes.len() == 16, GRANT_ID),
            (Kind::GrantId, _) => (false, GRANT_ID),
        };
        if fits { Ok(()) } else { Err(expected) }
    }
}

/// What a digest is in a file.
pub(crate) const DIGEST: &str = "a digest of 64 lower-case hexadecimal digits";

/// What the id of a grant is in a file.
pub(crate) const GRANT_ID: &str = "a grant's id of 32 lower-case hexadecimal digits";

/// Text of any kind, the empty one included.
const fn text(name: &'static str) -> Column {
    Column::new(name, Kind::Text(|_| true, "text without NUL"))
}

/// The name of something.
const fn name(name: &'static str) -> Column {
    Column::new(name, Kind::Text(|it| !it.is_empty(), "text that is not empty"))
}

const fn client_id(name: &'static str) -> Column {
    Column::new(name, Kind::Text(|it| ClientId::parse(it).is_some(), "a client id"))
}

const fn scope() -> Column {
    Column::new("scope", Kind::Text(|it| parse_scope(it).is_some(), "a scope"))
}

const fn audience() -> Column {
    let is_good = |it: &str| Audience::parse(it).is_some();
    Column::new("audience", Kind::Text(is_good, "URIs with one space between them"))
}

const fn code_challenge() -> Column {
    let is_good = |it: &str| CodeChallenge::parse(it).is_some();
    Column::new("code_challenge", Kind::Text(is_good, "an S256 code challenge")).or_null()
}

const fn integer(name: &'static str) -> Column {
    Column::new(name, Kind::Integer)
}

const fn flag(name: &'static str) -> Column {
    Column::new(name, Kind::Flag)
}

const fn digest(name: &'static str) -> Column {
    Column::new(name, Kind::Digest)
}

const fn grant_id(name: &'static str) -> Column {
    Column::new(name, Kind::GrantId)
}

/// `$`, the name of a function, `$`, and what it made: not a password that somebody typed.
fn is_phc_string(text: &str) -> bool {
    let parts = text.strip_prefix('$').and_then(|rest| rest.split_once('$'));
    parts.is_some_and(|(function, rest)| !function.is_empty() && !rest.is_empty())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Parents before their children: in this order rows can be inserted.
pub(crate) static TABLES: [Table; 10] = [
    Table {
        name: "clients",
        key: 1,
        columns: &[
            client_id("id"),
            text("name"),
            Column::new(
                "kind",
                Kind::Text(|it| parse_kind(it).is_some(), "\"public\" or \"confidential\""),
            ),
            scope(),
            Column::new(
                "grant_types",
                Kind::Text(|it| parse_grant_types(it).is_some(), "grant types"),
            ),
            flag("require_pkce"),
            Column::new(
                "auth_method",
                Kind::Text(|it| ClientAuthMethod::parse(it).is_some(), "a method"),
            )
            .or_null(),
            flag("rotate_refresh_tokens"),
            Column::new(
                "resource_server",
                Kind::Text(|it| ResourceUri::parse(it).is_ok(), "the URI of an API"),
            )
            .or_null(),
            integer("created_at"),
            integer("disabled_at").or_null(),
        ],
    },
    Table {
        name: "client_redirect_uris",
        key: 2,
        columns: &[
            client_id("client_id"),
            integer("position"),
            Column::new(
                "uri",
                Kind::Text(
                    |it| RegisteredRedirectUri::parse(it).is_ok(),
                    "a redirect URI that may be registered",
                ),
            ),
        ],
    },
    Table {
        name: "client_secrets",
        key: 2,
        columns: &[
            client_id("client_id"),
            name("id"),
            integer("ordinal"),
            digest("secret_digest"),
            integer("created_at"),
        ],
    },
    Table {
        name: "owners",
        key: 1,
        columns: &[
            name("subject"),
            Column::new("username", Kind::Text(|it| Username::parse(it).is_some(), "a user name")),
            name("username_key"),
            text("name").or_null(),
            text("email").or_null(),
            Column::new("role", Kind::Text(|it| Role::parse(it).is_some(), "a role")),
            Column::new("password_hash", Kind::Text(is_phc_string, "a PHC string")),
            integer("created_at"),
            integer("disabled_at").or_null(),
        ],
    },
    Table {
        name: "sessions",
        key: 1,
        columns: &[
            digest("session_digest"),
            name("id"),
            name("subject"),
            integer("created_at"),
            integer("last_seen_at"),
        ],
    },
    Table {
        name: "pending_authorizations",
        key: 1,
        columns: &[
            digest("interaction_digest"),
            digest("browser_digest"),
            text("origin"),
            integer("ordinal"),
            client_id("client_id"),
            text("redirect_uri"),
            flag("redirect_uri_sent"),
            scope(),
            audience(),
            Column::new("state", Kind::TextInBytes).or_null(),
            code_challenge(),
            Column::new(
                "prompt",
                Kind::Text(|it| parse_prompt(it).is_some(), "values of `prompt`"),
            ),
            integer("created_at"),
            integer("expires_at"),
            digest("signed_in").or_null(),
            integer("decided_at").or_null(),
        ],
    },
    Table {
        name: "consents",
        key: 3,
        columns: &[
            name("subject"),
            client_id("client_id"),
            audience(),
            scope(),
            integer("given_at"),
        ],
    },
    Table {
        name: "grants",
        key: 1,
        columns: &[
            grant_id("id"),
            name("subject").or_null(),
            client_id("client_id"),
            scope(),
            audience(),
            integer("created_at"),
            integer("expires_at").or_null(),
            integer("revoked_at").or_null(),
        ],
    },
    Table {
        name: "codes",
        key: 2,
        columns: &[
            grant_id("grant_id"),
            digest("code_digest"),
            client_id("client_id"),
            text("redirect_uri"),
            flag("redirect_uri_sent"),
            code_challenge(),
            integer("created_at"),
            integer("expires_at"),
            integer("redeemed_at").or_null(),
        ],
    },
    Table {
        name: "tokens",
        key: 2,
        columns: &[
            grant_id("grant_id"),
            digest("token_digest"),
            Column::new(
                "kind",
                Kind::Text(|it| it == ACCESS || it == REFRESH, "\"access\" or \"refresh\""),
            ),
            scope().or_null(),
            audience().or_null(),
            digest("parent_digest").or_null(),
            integer("ordinal"),
            integer("uses"),
            integer("created_at"),
            integer("expires_at"),
            integer("spent_at").or_null(),
        ],
    },
];

/// Which grants are worth moving: those that something hangs on. Purging removes a grant with the last code
/// or token under it, and would never meet one that came without any.
pub(crate) const GRANT_IN_USE: &str = "\
    EXISTS (SELECT 1 FROM codes WHERE codes.grant_id = grants.id) \
    OR EXISTS (SELECT 1 FROM tokens WHERE tokens.grant_id = grants.id)";

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;

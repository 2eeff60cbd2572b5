//! Every setting there is: the one table from which the known keys, the environment variables, the
//! template, the reference page and the printed settings derive.

use super::check;
use super::database_url::DatabaseUrl;
use super::issuer::{self, Issuer};
use super::kind::Kind;
use super::network::Network;
use Kind::{Choice, Count, Duration, Flag, List, Text};

/// A table of the file, or its top level.
pub(crate) struct Section {
    /// Its name in the file; empty for the top level.
    pub(super) path: &'static str,
    /// An array of tables: `[[path]]`.
    pub(super) repeated: bool,
    /// What it is about.
    pub(super) doc: &'static str,
    /// For a repeated section: example entries.
    pub(super) example: &'static str,
    /// Set while the section is refused: what it describes, which is not built into this version.
    pub(super) later: Option<&'static str>,
    /// Its keys.
    pub(super) settings: &'static [Setting],
}

/// One key.
pub(crate) struct Setting {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) default: Default,
    pub(super) doc: &'static str,
    pub(super) shown: Shown,
}

/// What applies when a key is absent. Values are TOML literals.
pub(crate) enum Default {
    /// The key must be there.
    Required,
    /// This value.
    Is(&'static str),
    /// Nothing; with an example of a value.
    Unset(&'static str),
    /// A value that follows from other settings: the value for the defaults, and the rule in words.
    // Only the documentation tells the rule, and a test writes that.
    Derived(&'static str, #[cfg_attr(not(test), allow(dead_code))] &'static str),
}

/// How a value is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Open,
    Masked,
    /// A URL whose password is masked.
    MaskedUrl,
}

use Default::{Derived, Is, Required, Unset};

const fn setting(name: &'static str, kind: Kind, default: Default, doc: &'static str) -> Setting {
    Setting { name, kind, default, doc, shown: Shown::Open }
}

const fn section(path: &'static str, doc: &'static str, settings: &'static [Setting]) -> Section {
    Section { path, repeated: false, doc, example: "", later: None, settings }
}

const COUNT: Kind = Count { min: 1, max: 1_000_000 };
const YEARS: Kind = Duration { max: "3650d" };

/// All sections, in the order in which they are written; a section stands before those below it.
// One setting, one to three lines: the formatter would make it seven.
#[rustfmt::skip]
pub(crate) const SECTIONS: &[Section] = &[
    section("", "The server itself.", &[
        setting("issuer", Text(check::parses::<Issuer>),
            Derived("\"http://127.0.0.1:8080\"", "`http://` and `listen`, if that is a loopback address"),
            "The URL by which clients and browsers reach the server (RFC 8414). https, except on \
             127.0.0.1, [::1] and localhost; a path is allowed, a trailing slash is not."),
        setting("listen", Text(check::socket_address), Is("\"127.0.0.1:8080\""),
            "The address and port to listen on."),
    ]),
    section("database", "Where everything is kept.", &[
        Setting { shown: Shown::MaskedUrl, ..setting("url", Text(check::parses::<DatabaseUrl>),
            Is("\"sqlite://auth.db\""),
            "An SQLite file: sqlite://auth.db starts at the working directory, \
             sqlite:///var/lib/auth/auth.db is absolute. Or PostgreSQL, which several servers may share: \
             postgres://user@host/name, with the parameters of libpq.") },
        setting("migrate_on_start", Flag, Is("true"),
            "Whether the server and the administration commands bring the schema up to date first. \
             If not, run `auth-server migrate` after an upgrade."),
    ]),
    section("pkce", "Proof Key for Code Exchange (RFC 7636), always with S256.", &[
        setting("required_for", Choice(&["public", "all"]), Is("\"public\""),
            "Which clients must use PKCE. Public clients always must; \"all\" includes confidential ones."),
    ]),
    section("tokens", "How long things live.", &[
        setting("code_lifetime", Duration { max: "10m" }, Is("\"60s\""),
            "An authorization code, from approval to redemption."),
        setting("access_token_lifetime", Duration { max: "30d" }, Is("\"10m\""), "An access token."),
        setting("refresh_token_lifetime", YEARS, Is("\"30d\""),
            "A refresh token; every refresh hands out a new one."),
        setting("pending_authorization_lifetime", Duration { max: "1d" }, Is("\"15m\""),
            "The time a person has to sign in and decide."),
        setting("grant_lifetime", YEARS, Unset("\"180d\""),
            "The end of what a person approved, however often it is refreshed. Without it a grant \
             lasts as long as it is refreshed in time."),
    ]),
    section("refresh", "Refresh tokens.", &[
        setting("reuse", Choice(&["until_successor_used", "strict"]), Is("\"until_successor_used\""),
            "When a refresh token is spent: as soon as one of its successors is used, so that a \
             lost answer can be asked for again; or \"strict\", at its first use. A spent token \
             that comes back revokes the grant."),
    ]),
    section("redirects", "Redirect URIs.", &[
        setting("localhost_any_port", Flag, Is("true"),
            "Whether a redirect URI on `localhost` matches on any port, as those on 127.0.0.1 and \
             [::1] always do (RFC 8252 §7.3)."),
    ]),
    section("session", "How long a browser stays signed in.", &[
        setting("idle_lifetime", Duration { max: "365d" }, Is("\"8h\""), "Without any activity."),
        setting("absolute_lifetime", Duration { max: "365d" }, Is("\"7d\""), "In any case."),
    ]),
    section("login", "How people sign in.", &[
        setting("local", Flag, Is("true"), "With a username and a password kept here."),
    ]),
    Section { repeated: true, example: UPSTREAM, later: Some("sign-in through an OpenID Connect provider"),
        ..section("login.upstream", "OpenID Connect providers that people may sign in with, any number.", &[
        setting("id", Text(check::path_segment), Required, "A short name for URLs: lower-case letters, digits, - and _."),
        setting("name", Text(check::sentence), Required, "What the sign-in page calls it."),
        setting("issuer", Text(issuer::check_foreign), Required, "The provider's issuer URL."),
        setting("client_id", Text(check::sentence), Required, "This server's client identifier there."),
        Setting { shown: Shown::Masked, ..setting("client_secret", Text(check::sentence), Unset("\"…\""),
            "This server's secret there. Give this or `client_secret_file`.") },
        setting("client_secret_file", Text(check::readable_file), Unset("\"/run/secrets/corp\""),
            "A file that contains the secret."),
        setting("scopes", List(check::scope_name), Is("[\"openid\", \"profile\", \"email\"]"),
            "What to ask for; `openid` must be among them."),
    ])},
    Section { repeated: true, example: SCOPES,
        ..section("scopes", "The scopes that clients can ask for; at least one.", &[
        setting("name", Text(check::scope_name), Required,
            "The name on the wire: printable ASCII without space, \" and \\ (RFC 6749 §3.3)."),
        setting("description", Text(check::sentence), Required, "What the consent page says it allows."),
        setting("default", Flag, Is("false"), "Granted when a request names no scope."),
    ])},
    Section { repeated: true, example: RESOURCES,
        ..section("resources", "Resource servers (RFC 8707): the APIs that tokens are for.", &[
        setting("uri", Text(check::resource_uri), Required, "Its absolute URI, without fragment: https://… or another scheme with a host, or urn:…"),
        setting("name", Text(check::sentence), Required, "What people call it."),
        setting("scopes", List(check::scope_name), Required, "Which of the scopes concern it."),
        setting("access_token_format", Choice(&["opaque", "jwt"]), Is("\"opaque\""),
            "Opaque tokens can be revoked at once; JWTs (RFC 9068) are verified without asking."),
    ])},
    section("limits", "What is slowed down (429 with Retry-After) and bounded.", &[
        setting("failed_sign_ins_per_account_and_address", COUNT, Is("10"), "Wrong passwords a minute."),
        setting("failed_sign_ins_per_address", COUNT, Is("100"), "Wrong passwords a minute, for all accounts together."),
        setting("failed_client_authentications", COUNT, Is("300"), "Wrong client secrets a minute, per client and address."),
        setting("pending_authorizations_per_address", COUNT, Is("1000"),
            "Requests that wait for sign-in or consent; beyond it the oldest is forgotten."),
        setting("hash_queue", Count { min: 1, max: 10_000 }, Is("32"),
            "Passwords that wait for verification; beyond it the answer is 503 with Retry-After."),
    ]),
    section("http", "The listener.", &[
        setting("trusted_proxies", List(check::parses::<Network>), Is("[]"),
            "Addresses and networks of reverse proxies whose X-Forwarded-For is believed."),
        setting("workers", Count { min: 1, max: 1024 }, Unset("4"), "Worker threads; without it one per processor."),
    ]),
    section("pages", "What people see.", &[
        setting("templates", Text(check::directory), Unset("\"/etc/auth-server/templates\""),
            "A directory whose files replace the built-in pages of the same name."),
    ]),
    section("log", "The log, on standard error.", &[
        setting("format", Choice(&["text", "json"]), Is("\"text\""), "How an event is written: a line of text, or a JSON object."),
        setting("filter", Text(check::log_filter), Is("\"info\""),
            "What is logged: a level, or levels by module such as \"warn,auth_http_actix=debug\"."),
    ]),
];

const UPSTREAM: &str = r#"[[login.upstream]]
id = "corp"
name = "Corporate sign-in"
issuer = "https://idp.example.com"
client_id = "auth-server"
client_secret_file = "/run/secrets/corp"
scopes = ["openid", "profile", "email"]
"#;

const SCOPES: &str = r#"[[scopes]]
name = "projects:read"
description = "View project details and membership."
default = true

[[scopes]]
name = "projects:write"
description = "Create and manage projects."
"#;

const RESOURCES: &str = r#"[[resources]]
uri = "https://api.example.com/"
name = "Example API"
scopes = ["projects:read"]
access_token_format = "opaque"
"#;

impl Section {
    /// The section of this name.
    pub(super) fn find(path: &str) -> Option<&'static Section> {
        SECTIONS.iter().find(|section| section.path == path)
    }

    /// The setting of this name.
    pub(super) fn setting(&self, name: &str) -> Option<&'static Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// The header line, or how to name the section in a sentence.
    pub(super) fn header(&self) -> String {
        match (self.path, self.repeated) {
            ("", _) => "the top level".to_owned(),
            (path, false) => format!("[{path}]"),
            (path, true) => format!("[[{path}]]"),
        }
    }

    /// A setting's name with its section's.
    pub(super) fn full_name(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The environment variable for a setting; there is none for those of repeated sections.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let full = self.full_name(name).replace('.', "__").to_ascii_uppercase();
        (!self.repeated).then(|| format!("AUTH__{full}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::de::DeValue;

    #[test]
    fn every_default_and_example_is_a_value_that_its_own_setting_accepts() {
        for section in SECTIONS {
            for setting in section.settings {
                let (Is(literal) | Derived(literal, _) | Unset(literal)) = setting.default else {
                    continue;
                };
                let value = setting.kind.read(&DeValue::parse(literal).unwrap());
                // Examples of files and directories need not exist on the machine that tests.
                let is_file = literal.contains("\"/");
                assert!(value.is_ok() || is_file, "{}: {value:?}", setting.name);
            }
        }
    }

    #[test]
    fn no_setting_from_the_environment_can_be_mistaken_for_the_file_form_of_another() {
        for section in SECTIONS.iter().filter(|section| !section.repeated) {
            for setting in section.settings {
                assert!(!setting.name.ends_with("_file"), "{}", setting.name);
                assert!(!setting.name.contains("__"), "{}", setting.name);
            }
        }
    }
}

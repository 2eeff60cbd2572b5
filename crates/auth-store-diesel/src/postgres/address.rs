//! Where a PostgreSQL database is, and keeping its password out of sight.

use std::fmt;
use std::net::IpAddr;

/// What is added to a URL that does not say it itself: a server that is gone is noticed within seconds,
/// while connecting and afterwards, instead of when the operating system gives up.
const DEFAULTS: [(&str, &str); 6] = [
    ("connect_timeout", "3"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "3"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "10000"),
    ("fallback_application_name", "auth-server"),
];

/// A connection URL as libpq takes it.
#[derive(Clone)]
pub(crate) struct Address {
    url: String,
    /// What an error must not repeat: as it stands in the URL, and decoded.
    secrets: Vec<String>,
    is_remote: bool,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

impl Address {
    /// A URL that begins with `postgres://` or `postgresql://`; libpq understands the rest.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let (_, rest) = url.split_once("://")?;
        if url.contains('\0') {
            return None;
        }
        // As libpq does: whoever stands before the first `@`, if no `/` comes earlier, is the user.
        let end = rest.find(['@', '/']).unwrap_or(rest.len());
        let (user, place) = match rest[end..].strip_prefix('@') {
            Some(place) => (&rest[..end], place),
            None => ("", rest),
        };
        let parameters = place.split_once('?').map(|(_, parameters)| parameters);
        let pairs: Vec<_> = parameters.unwrap_or_default().split('&').map(pair).collect();

        let mut secrets: Vec<_> =
            user.split_once(':').map(|(_, password)| password).into_iter().collect();
        secrets
            .extend(pairs.iter().filter(|(name, _)| name.contains("password")).map(|(_, it)| *it));
        // A password that is not escaped: libpq takes parts of it for a host, a port or a database.
        let before_query = rest.split('?').next().unwrap_or_default();
        let meant = before_query.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
        secrets.extend(meant.into_iter().flat_map(|(_, password)| password.split(['/', '@', ':'])));
        secrets.retain(|secret| !secret.is_empty());
        let decoded = secrets.iter().map(|secret| decode(secret));
        let secrets = decoded.chain(secrets.iter().map(|it| (*it).to_owned())).collect();

        let authority = place.split(['/', '?']).next().unwrap_or_default();
        let named = pairs.iter().filter(|(name, _)| matches!(*name, "host" | "hostaddr"));
        let hosts = named.map(|(_, hosts)| *hosts).chain([authority]).flat_map(|it| it.split(','));
        let is_remote = hosts.map(decode).any(|host| !is_of_this_machine(&host));

        let mut url = url.to_owned();
        let mut separator = if parameters.is_some() { '&' } else { '?' };
        for (name, value) in DEFAULTS {
            if pairs.iter().all(|(given, _)| *given != name) {
                url = format!("{url}{separator}{name}={value}");
                separator = '&';
            }
        }
        Some(Self { url, secrets, is_remote })
    }

    /// The URL with its password: for libpq only.
    pub(super) fn expose(&self) -> &str {
        &self.url
    }

    /// Whether what is said to the database leaves this machine.
    pub(super) fn is_remote(&self) -> bool {
        self.is_remote
    }

    /// What libpq said, unless that repeats a secret: of a URL that it cannot read it shows parts.
    pub(super) fn scrub(&self, message: &str) -> String {
        // On one line: logs have one for each event.
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        if self.secrets.iter().any(|secret| message.contains(secret.as_str())) {
            return "the connection was refused; the reason is left out because it repeats the password"
                .into();
        }
        message
    }
}

fn pair(parameter: &str) -> (&str, &str) {
    parameter.split_once('=').unwrap_or((parameter, ""))
}

/// Of a socket's directory, a name or an address; the last two may have a port.
fn is_of_this_machine(host: &str) -> bool {
    let is_loopback = |name: &str| {
        name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    };
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        // An address of version 6 has many colons, a port has one.
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => host,
    };
    name.is_empty() || name.starts_with('/') || is_loopback(name)
}

/// Resolves `%XX`; what is no such thing stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_what_it_says_and_gets_the_rest() {
        let bare = Address::parse("postgres://user@host/name").unwrap();
        assert_eq!(
            bare.expose(),
            "postgres://user@host/name?connect_timeout=3&keepalives_idle=10&keepalives_interval=3\
             &keepalives_count=3&tcp_user_timeout=10000&fallback_application_name=auth-server"
        );
        let full = Address::parse("postgres:///name?host=/run/db&connect_timeout=9").unwrap();
        assert!(full.expose().starts_with("postgres:///name?host=/run/db&connect_timeout=9&keep"));
        assert!(!full.expose().contains("connect_timeout=3"));
        assert!(Address::parse("postgres://user@host/na\0me").is_none());
    }

    #[test]
    fn a_message_that_repeats_a_password_is_not_passed_on() {
        for url in [
            "postgres://user:hunter%32@host/name",
            "postgres://user:hunter2@host/name",
            "postgres:///name?user=u&password=hunter2",
            "postgres:///name?sslpassword=hunter%32",
            "postgres://user:hunter2/more@host/name",
            "postgres://user:more@hunter2@host/name",
        ] {
            let address = Address::parse(url).unwrap();
            assert!(!address.scrub("invalid: \"hunter2\"").contains("hunter"), "{url}");
            assert_eq!(address.scrub("no route to host\n"), "no route to host");
            assert_eq!(format!("{address:?}"), "Address(..)");
        }
        let address = Address::parse("postgres://user:hunter%32@host/name").unwrap();
        assert!(!address.scrub("invalid: \"hunter%32\"").contains("hunter"));
    }

    #[test]
    fn what_stays_on_this_machine_is_told_from_what_leaves_it() {
        for url in [
            "postgres:///name",
            "postgres://user@localhost:5433/name",
            "postgres://user:p@[::1]:5432/name",
            "postgres://127.0.0.2/name",
            "postgres://%2Frun%2Fpostgresql/name",
            "postgres:///name?host=/run/postgresql,localhost",
        ] {
            assert!(!Address::parse(url).unwrap().is_remote(), "{url}");
        }
        for url in [
            "postgres://db.example.com/name",
            "postgres://user@localhost,10.0.0.2:5432/name",
            "postgres://[fd00::1]/name",
            "postgres:///name?hostaddr=fd00::1",
        ] {
            assert!(Address::parse(url).unwrap().is_remote(), "{url}");
        }
    }

    #[test]
    fn decoding_leaves_alone_what_is_no_escape() {
        for (text, decoded) in
            [("a%20b", "a b"), ("100%", "100%"), ("%zz%4", "%zz%4"), ("é%C3%A9", "éé")]
        {
            assert_eq!(decode(text), decoded);
        }
    }
}

//! Names: judging new ones, and finding what an existing one means.

use super::Admin;
use super::output::quoted;
use anyhow::{Result, anyhow, bail};
use auth_core::client::{Client, ClientId, ClientStore};
use auth_core::owner::{Owner, OwnerStore as _, Username};
use auth_http_actix::pages::visible_text;

/// The most characters of a name; pages show no more.
pub(super) const MAX_NAME_CHARS: usize = 80;

/// What this server is called, as [`skeleton`]s. Nobody else may be called so (UI-11).
const BRANDS: [&str; 3] = ["authserver", "authorizationserver", "authorisationserver"];

/// Judges a name that people will see, and takes out what they would not see: zero-width and
/// bidirectional characters, and white space beyond one space (UI-11).
pub(super) fn person_name(text: &str) -> Result<String> {
    if text.contains(char::is_control) {
        bail!("the name {} contains a control character", quoted(text));
    }
    let name = visible_text(text, MAX_NAME_CHARS + 1);
    if name.is_empty() {
        bail!("the name is empty: people would see nothing");
    }
    if name.chars().count() > MAX_NAME_CHARS {
        bail!("the name is longer than {MAX_NAME_CHARS} characters");
    }
    Ok(name)
}

/// Like [`person_name`], and it must not pass for this server's own, nor for the host that people see
/// as its name on every page (UI-11).
pub(super) fn client_name(text: &str, issuer: &str) -> Result<String> {
    let name = person_name(text)?;
    let called = skeleton(&name);
    let is_own_host = own_host(issuer).is_some_and(|own| {
        let mut words = name.split(|c: char| c.is_whitespace() || "/:()".contains(c));
        called == own || words.any(|word| skeleton(word) == own)
    });
    if is_own_host || BRANDS.iter().any(|own| called.contains(own)) {
        bail!(
            "the name {} could be taken for this server itself: people would trust it with their \
             password",
            quoted(&name)
        );
    }
    Ok(name)
}

/// The [`skeleton`] of an issuer's host, if that is a name of its own.
fn own_host(issuer: &str) -> Option<String> {
    match url::Url::parse(issuer).ok()?.host()? {
        url::Host::Domain("localhost") => None,
        url::Host::Domain(name) => Some(skeleton(name)),
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => None,
    }
}

/// Judges an e-mail address: something, `@`, something; what is beyond only its delivery can tell.
pub(super) fn email(text: &str) -> Result<String> {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let parts = text.rsplit_once('@');
    let whole = parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if !whole || text.contains(blank) || text.len() > 254 || visible_text(text, 254) != text {
        bail!("{} is no e-mail address", quoted(text));
    }
    Ok(text.to_owned())
}

/// Judges a new user name.
pub(super) fn username(text: &str) -> Result<Username> {
    Username::parse(text)
        .filter(|name| visible_text(name.as_str(), Username::MAX_LEN) == name.as_str())
        .ok_or_else(|| {
            let most = Username::MAX_LEN;
            anyhow!(
                "{} is no user name: it needs 1 to {most} bytes of visible text on one line",
                quoted(text)
            )
        })
}

/// Judges a client identifier.
pub(super) fn client_id(text: &str) -> Result<ClientId> {
    ClientId::parse(text).ok_or_else(|| {
        let most = ClientId::MAX_LEN;
        anyhow!(
            "{} is no client id: it needs 1 to {most} bytes without control characters",
            quoted(text)
        )
    })
}

impl Admin {
    /// The user with this name.
    pub(super) fn user(&self, name: &str) -> Result<Owner> {
        let found = match Username::parse(name) {
            Some(name) => self.store.find_by_username(&name)?,
            None => None,
        };
        found.map(|(owner, _)| owner).ok_or_else(|| {
            anyhow!("there is no user {}; `auth-server user list` shows all", quoted(name))
        })
    }

    /// The client with this identifier.
    pub(super) fn client(&self, id: &str) -> Result<Client> {
        let found = match ClientId::parse(id) {
            Some(id) => ClientStore::find(&self.store, &id)?,
            None => None,
        };
        found.ok_or_else(|| no_client(id))
    }
}

/// The refusal for an identifier that belongs to no client.
pub(super) fn no_client(id: &str) -> anyhow::Error {
    anyhow!("there is no client {}; `auth-server client list` shows all", quoted(id))
}

/// The letters and digits of a name in lower case, with look-alikes replaced by the Latin letter
/// that they pass for. For comparing only: it makes the mistakes that a reader's eye makes.
fn skeleton(name: &str) -> String {
    let folded = name.chars().map(|c| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    });
    let letters = folded.flat_map(char::to_lowercase).map(|c| match c {
        '@' | '4' | 'а' | 'α' | 'ɑ' => 'a',
        '3' | 'е' | 'ε' | 'є' => 'e',
        'һ' | 'н' | 'η' | 'հ' => 'h',
        '1' | '!' | 'і' | 'ι' | 'ı' => 'i',
        'ո' => 'n',
        '0' | 'о' | 'ο' | 'օ' => 'o',
        'г' | 'ɾ' => 'r',
        '$' | '5' | 'ѕ' => 's',
        '7' | 'т' | 'τ' => 't',
        'υ' | 'ս' | 'ʋ' => 'u',
        'ѵ' | 'ν' => 'v',
        c => c,
    });
    letters.filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UI-11
    #[test]
    fn a_name_that_passes_for_this_server_is_refused_in_every_disguise() {
        let client_name = |name| client_name(name, "https://acme.example:8443/t/one");
        for name in [
            "auth-server",
            "Auth Server",
            "AUTH_SERVER security",
            "The authorization server",
            "Authorisation-Server",
            "\u{430}uth\u{2011}s\u{435}rver",
            "ＡＵＴＨ server",
            "4uth-5erver",
            "au\u{200b}th server",
            "acme.example",
            "https://acme.example",
            "Acme.Example sign-in",
            "Аcme-еxample",
        ] {
            assert!(client_name(name).is_err(), "{name}");
        }
        for name in ["Author's server", "OAuth playground", "Server", "Ёлка", "東京 🚀"] {
            assert_eq!(client_name(name).unwrap(), name);
        }
    }

    /// UI-11: only the host as a whole is this server's name, and an address is nobody's.
    #[test]
    fn a_name_that_has_the_letters_of_the_host_in_it_is_good() {
        for (issuer, name) in [
            ("https://a.io", "Kaio tool"),
            ("http://[::1]", "Foo"),
            ("http://[::1]:8080", "Billing"),
            ("http://127.0.0.1:8080", "127 tools"),
        ] {
            assert_eq!(client_name(name, issuer).unwrap(), name);
        }
        for name in ["a.io", "Sign in to a.io", "A.IO", "a-i-o", "https://a.io/login (a.io)"] {
            assert!(client_name(name, "https://a.io").is_err(), "{name}");
        }
    }

    /// UI-11
    #[test]
    fn what_nobody_sees_is_taken_out_of_a_name_and_control_characters_are_refused() {
        let client_name = |name: &str| client_name(name, "http://localhost:8080");
        assert!(client_name("localhost tool").is_ok());
        assert_eq!(client_name(" a\u{202e}b  c\u{200b} ").unwrap(), "ab c");
        for name in ["", "  ", "\u{200b}\u{202e}", "a\nb", "a\u{1b}[2J", &"x".repeat(81)] {
            assert!(client_name(name).is_err(), "{name:?}");
        }
        assert!(client_name(&"é".repeat(80)).is_ok());
    }

    #[test]
    fn a_user_name_is_visible_text_and_an_address_has_two_parts() {
        assert_eq!(username(" alice ").unwrap().as_str(), "alice");
        for name in ["", "a\u{200b}b", "a\u{202e}b", "a  b", "a\nb", &"x".repeat(129)] {
            assert!(username(name).is_err(), "{name:?}");
        }
        assert!(email("alice@example.com").is_ok());
        for address in ["", "alice", "@example.com", "alice@", "a b@c", "a\n@c", "a\u{202e}@c"] {
            assert!(email(address).is_err(), "{address:?}");
        }
    }
}

//! The issuer identifier (RFC 8414 §2).

use super::problem::Complaint;
use serde::Deserialize;
use std::str::FromStr;
use url::{Host, Url};

/// The server's own name: an https URL without query, fragment, user or trailing slash; http only on
/// this machine. It is compared byte for byte by clients, so only the canonical spelling is taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Issuer(String);

impl Issuer {
    /// The identifier as configured.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Issuer {
    type Err = Complaint;

    fn from_str(text: &str) -> Result<Self, Complaint> {
        let mut judged = Judged::new(text)?;
        if text.ends_with('/') {
            judged.faults.push("ends in a slash");
        }
        if judged.faults.is_empty() && judged.mended() != text {
            judged.faults.push("is not spelled canonically");
        }
        judged.verdict()?;
        let path = judged.path();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        if !path.split('/').skip(1).all(|part| !part.is_empty() && part.chars().all(plain)) {
            let fix = "use only letters, digits, - . _ ~ between single slashes, or no path";
            return Err(Complaint::new("has an unusual path", fix));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Issuer {
    type Error = Complaint;

    fn try_from(text: String) -> Result<Self, Complaint> {
        text.parse()
    }
}

/// Judges somebody else's issuer: as strict, but its spelling and a trailing slash are theirs to choose.
pub(super) fn check_foreign(text: &str) -> Result<(), Complaint> {
    Judged::new(text)?.verdict()
}

/// A URL with everything that is wrong with it as an issuer.
struct Judged {
    url: Url,
    faults: Vec<&'static str>,
}

impl Judged {
    /// Refuses what cannot be mended by leaving something out.
    fn new(text: &str) -> Result<Self, Complaint> {
        const FORM: &str = "write a URL such as \"https://auth.example.com\"";
        let url = Url::parse(text)
            .map_err(|error| Complaint::new(format!("is not a URL: {error}"), FORM))?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.octets() == [127, 0, 0, 1],
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(Complaint::new("has no host", FORM)),
        };
        let faults = match url.scheme() {
            "https" => Vec::new(),
            "http" if loopback => Vec::new(),
            "http" => vec!["is not https"],
            _ => return Err(Complaint::new("is not an https URL", FORM)),
        };
        let found = [('?', "has a query"), ('#', "has a fragment"), ('@', "has a user name")];
        let found = found.into_iter().filter(|(mark, _)| text.contains(*mark));
        Ok(Self { faults: faults.into_iter().chain(found.map(|(_, fault)| fault)).collect(), url })
    }

    fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The canonical URL without the faults.
    fn mended(&self) -> String {
        let mut origin = self.url.origin().ascii_serialization();
        if self.faults.contains(&"is not https") {
            origin = origin.replacen("http:", "https:", 1);
        }
        format!("{origin}{}", self.path())
    }

    fn verdict(&self) -> Result<(), Complaint> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let mut fix = format!("write \"{}\"", self.mended());
        if self.faults.contains(&"is not https") {
            fix.push_str("; http is only for 127.0.0.1, [::1] and localhost");
        }
        Err(Complaint::new(self.faults.join(", "), fix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// META-04, META-01
    #[test]
    fn an_issuer_is_https_or_http_on_loopback_and_may_have_a_path() {
        for text in [
            "https://as.test",
            "https://as.test:8443",
            "https://as.test/t/one",
            "https://192.0.2.1",
            "https://[2001:db8::1]:444/a",
            "http://127.0.0.1:8080",
            "http://localhost/t",
            "http://[::1]:1",
        ] {
            assert_eq!(text.parse::<Issuer>().unwrap().as_str(), text);
        }
    }

    /// META-04
    #[test]
    fn every_other_issuer_is_refused_with_the_fix() {
        for (text, what, fix) in [
            ("http://as.test", "is not https", "\"https://as.test\"; http is only for"),
            ("http://127.0.0.2", "is not https", "127.0.0.1"),
            ("http://localhost.evil.test", "is not https", "localhost"),
            ("http://10.0.0.1", "is not https", "https://"),
            ("https://as.test?x=1", "query", "\"https://as.test\""),
            ("https://as.test?", "query", "\"https://as.test\""),
            ("https://as.test/t#", "fragment", "\"https://as.test/t\""),
            ("https://user@as.test", "user name", "\"https://as.test\""),
            ("https://user:pw@as.test", "user name", "\"https://as.test\""),
            ("http://h:1/", "is not https, ends in a slash", "\"https://h:1\""),
            ("http://localhost:1/", "ends in a slash", "\"http://localhost:1\""),
            ("https://as.test/t/", "ends in a slash", "\"https://as.test/t\""),
            ("HTTPS://AS.test", "canonical", "\"https://as.test\""),
            ("https://as.test:443", "canonical", "\"https://as.test\""),
            ("https://as.test/a/../b", "canonical", "\"https://as.test/b\""),
            ("https:as.test", "canonical", "\"https://as.test\""),
            (" https://as.test", "canonical", "\"https://as.test\""),
            ("https://bücher.test", "canonical", "\"https://xn--bcher-kva.test\""),
            ("https://as.test/a//b", "unusual path", "no path"),
            ("https://as.test/a%20b", "unusual path", "no path"),
            ("ftp://as.test", "is not an https URL", "https://"),
            ("mailto:a@b", "has no host", "https://"),
            ("as.test", "is not a URL", "https://"),
            ("https://", "is not a URL", "https://"),
            ("", "is not a URL", "https://"),
        ] {
            let complaint = text.parse::<Issuer>().unwrap_err();
            assert!(complaint.what.contains(what), "{text}: {complaint}");
            assert!(complaint.fix.contains(fix), "{text}: {complaint}");
        }
    }
}

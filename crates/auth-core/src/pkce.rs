//! Proof Key for Code Exchange: RFC 7636, OAuth 2.1 §4.1.1 and §7.5.1.
//!
//! `S256` is the only method; `plain` has no representation (PKCE-02).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// An `S256` code challenge: exactly 43 characters of base64url (PKCE-03).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads a `code_challenge`; `None` unless it has the form of an S256 challenge.
    pub fn parse(text: &str) -> Option<Self> {
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (text.len() == 43 && text.bytes().all(base64url)).then(|| Self(text.to_owned()))
    }

    /// The challenge as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `verifier` is the one that this challenge was made from (RFC 7636 §4.6), compared in
    /// constant time.
    pub fn is_met_by(&self, verifier: &CodeVerifier) -> bool {
        let derived = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.0.as_bytes()));
        derived.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

/// A code verifier: 43 to 128 unreserved characters (RFC 7636 §4.1, PKCE-04). Zeroized on drop.
pub struct CodeVerifier(Zeroizing<String>);

impl CodeVerifier {
    /// Reads a `code_verifier`; `None` if it breaks the grammar.
    pub fn parse(text: &str) -> Option<Self> {
        let unreserved =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let fits = (43..=128).contains(&text.len()) && text.bytes().all(unreserved);
        fits.then(|| Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn verifier(text: &str) -> CodeVerifier {
        CodeVerifier::parse(text).unwrap()
    }

    #[test]
    fn the_vector_of_rfc_7636_appendix_b_holds() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        assert!(challenge.is_met_by(&verifier(VERIFIER)));
    }

    /// PKCE-05: a wrong verifier, and the challenge itself sent as the verifier, are refused.
    #[test]
    fn a_wrong_verifier_and_plain_confusion_are_refused() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        assert!(!challenge.is_met_by(&verifier(CHALLENGE)));
        assert!(!challenge.is_met_by(&verifier(&"a".repeat(43))));
    }

    /// PKCE-03
    #[test]
    fn a_challenge_is_exactly_43_base64url_characters() {
        for bad in [
            CHALLENGE.get(1..).unwrap().to_owned(),
            format!("{CHALLENGE}a"),
            "a".repeat(129),
            format!("{}=", CHALLENGE.get(1..).unwrap()),
            CHALLENGE.replace('-', "+"),
            CHALLENGE.replace('-', "/"),
            CHALLENGE.replace('-', " "),
            CHALLENGE.replace('-', "~"),
            format!("{}é", CHALLENGE.get(2..).unwrap()),
        ] {
            assert!(CodeChallenge::parse(&bad).is_none(), "{bad}");
        }
    }

    /// PKCE-04
    #[test]
    fn a_verifier_is_43_to_128_unreserved_characters() {
        for (text, good) in [
            ("a".repeat(42), false),
            ("a".repeat(43), true),
            ("~".repeat(128), true),
            ("a".repeat(129), false),
            (format!("{}+", "a".repeat(43)), false),
            (format!("{}\0", "a".repeat(43)), false),
            (format!("{}\n", "a".repeat(43)), false),
        ] {
            assert_eq!(CodeVerifier::parse(&text).is_some(), good, "{text:?}");
        }
    }
}

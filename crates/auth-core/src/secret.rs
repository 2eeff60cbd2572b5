//! Secrets as they are presented, and the digests that are stored in their place.
//!
//! Every secret that the server mints carries 256 random bits (XC-01, CODE-03), so one SHA-256 is a
//! safe stored form (CODE-13, CAUTH-13): a dump of the database cannot be presented to the server.
//!
//! Codes and tokens also say which grant they belong to, so that stores can keep them beside it. The
//! name is masked with the random bits: to everybody else the text is random from end to end (CODE-03),
//! and nobody comes to depend on its structure. That a token names a grant proves nothing; only its
//! digest does.

use crate::entropy::{Entropy, EntropyError, hex};
use crate::id::GrantId;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A secret text. Zeroized on drop; it has no `Clone`, `Display` or `PartialEq`, prints as
/// `Secret(..)`, and [`Secret::expose`] is its only exit.
///
/// ```compile_fail
/// let secret = auth_core::secret::Secret::presented("hidden");
/// println!("{secret}");
/// ```
/// ```compile_fail
/// let secret = auth_core::secret::Secret::presented("hidden");
/// let copy = secret.clone();
/// ```
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret that somebody presented.
    pub fn presented(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// A fresh secret: 256 random bits as 43 characters of base64url.
    pub fn mint(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0u8; 32]);
        entropy.fill(bytes.as_mut())?;
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()))))
    }

    /// A fresh secret that names a grant: 256 random bits, and the name masked with the first 128 of
    /// them, as 64 characters of base64url.
    fn mint_under(entropy: &dyn Entropy, grant: GrantId) -> Result<Self, EntropyError> {
        let mut random = Zeroizing::new([0u8; 32]);
        entropy.fill(random.as_mut())?;
        let name = mask(*grant.as_bytes(), random.as_ref());
        let bytes = Zeroizing::new([random.as_ref(), &name].concat());
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(&*bytes))))
    }

    /// The grant that a presented secret names; `None` if it was not minted under one.
    fn grant(&self) -> Option<GrantId> {
        let mut bytes = Zeroizing::new([0u8; 48]);
        let length = URL_SAFE_NO_PAD.decode_slice(self.0.as_bytes(), bytes.as_mut()).ok()?;
        let (random, name) = bytes.split_first_chunk::<32>()?;
        let name = (length == bytes.len()).then(|| name.first_chunk().copied()).flatten()?;
        Some(GrantId::from_bytes(mask(name, random)))
    }

    /// The text itself, for sending it to its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Its own inverse.
fn mask(mut name: [u8; 16], random: &[u8]) -> [u8; 16] {
    for (byte, random) in name.iter_mut().zip(random) {
        *byte ^= random;
    }
    name
}

/// Declares a kind of secret and the digest that stands for it in stores. Two kinds never mix: a session's
/// secret is no browser's, whatever its characters.
macro_rules! secret_kind {
    ($(#[$doc:meta])* $name:ident, $(#[$digest_doc:meta])* $digest:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(Secret);

        impl $name {
            /// The value that somebody presented; nothing is known of it yet.
            pub fn presented(text: &str) -> Self {
                Self(Secret::presented(text))
            }

            /// A fresh value of 256 random bits.
            pub fn mint(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
                Secret::mint(entropy).map(Self)
            }

            /// The text itself, for sending it to its owner.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }

            /// The form that stores keep and find it by.
            pub fn digest(&self) -> $digest {
                $digest(self.0.sha256())
            }
        }

        $(#[$digest_doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $digest([u8; 32]);

        impl $digest {
            /// A digest that a store kept.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes of SHA-256.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Equality in constant time.
            pub fn matches(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl fmt::Debug for $digest {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let start: String = hex(&self.0).chars().take(8).collect();
                write!(f, concat!(stringify!($digest), "({}..)"), start)
            }
        }
    };
}

/// Declares a kind of secret under a grant.
macro_rules! secret_under_a_grant {
    ($(#[$doc:meta])* $name:ident, $digest:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(Secret);

        impl $name {
            /// The value that somebody presented; nothing is known of it yet.
            pub fn presented(text: &str) -> Self {
                Self(Secret::presented(text))
            }

            /// A fresh value under this grant, and its stored form.
            pub fn mint(
                entropy: &dyn Entropy,
                grant: GrantId,
            ) -> Result<(Self, $digest), EntropyError> {
                let secret = Secret::mint_under(entropy, grant)?;
                let digest = $digest::new(grant, secret.sha256());
                Ok((Self(secret), digest))
            }

            /// The text itself, for sending it to its owner.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }

            /// What stores keep and find it by; `None` if this server mints no such text, so that no
            /// store needs to be asked.
            pub fn digest(&self) -> Option<$digest> {
                Some($digest::new(self.0.grant()?, self.0.sha256()))
            }
        }
    };
}

/// Declares the stored form of secrets under a grant.
macro_rules! digest_under_a_grant {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            grant: GrantId,
            sha256: [u8; 32],
        }

        impl $name {
            /// A digest that a store kept.
            pub const fn new(grant: GrantId, sha256: [u8; 32]) -> Self {
                Self { grant, sha256 }
            }

            /// The grant that it is under.
            pub const fn grant(&self) -> GrantId {
                self.grant
            }

            /// The 32 bytes of SHA-256.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.sha256
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let start: String = hex(&self.sha256).chars().take(8).collect();
                write!(f, concat!(stringify!($name), "({}, {}..)"), self.grant, start)
            }
        }
    };
}

secret_under_a_grant!(
    /// An authorization code (OAuth 2.1 §4.1.2).
    AuthorizationCode,
    CodeDigest
);
digest_under_a_grant!(
    /// The stored form of an [`AuthorizationCode`].
    CodeDigest
);
secret_under_a_grant!(
    /// An opaque access token (OAuth 2.1 §1.4).
    AccessToken,
    TokenDigest
);
secret_under_a_grant!(
    /// A refresh token (OAuth 2.1 §1.3.2).
    RefreshToken,
    TokenDigest
);
digest_under_a_grant!(
    /// The stored form of an [`AccessToken`] or a [`RefreshToken`]. Which of them it is, the store says.
    TokenDigest
);
secret_kind!(
    /// A client secret that this server minted (OAuth 2.1 §2.4.1).
    ClientSecret,
    /// The stored form of a [`ClientSecret`].
    ClientSecretDigest
);
secret_kind!(
    /// The value of a signed-in browser's session cookie.
    SessionSecret,
    /// The stored form of a [`SessionSecret`].
    SessionDigest
);
secret_kind!(
    /// The value of the cookie that ties interactions to one browser, signed in or not.
    BrowserSecret,
    /// The stored form of a [`BrowserSecret`].
    BrowserDigest
);
secret_kind!(
    /// The unguessable name of one interaction: a pending authorization in one browser (UI-08).
    InteractionId,
    /// The stored form of an [`InteractionId`].
    InteractionDigest
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::MockEntropy;
    use proptest::prelude::*;

    const GRANT: GrantId = GrantId::from_bytes([0x5a; 16]);

    fn filling(value: u8) -> MockEntropy {
        let mut entropy = MockEntropy::new();
        entropy.expect_fill().times(1).returning(move |bytes| {
            assert_eq!(bytes.len(), 32);
            bytes.fill(value);
            Ok(())
        });
        entropy
    }

    /// XC-01, CODE-03: 256 random bits in a token too, and its grant is found again, but not to be seen.
    #[test]
    fn a_minted_token_carries_256_bits_and_its_grant() {
        let (token, minted) = AccessToken::mint(&filling(0xff), GRANT).unwrap();
        let masked = URL_SAFE_NO_PAD.encode([[0xff; 16], [0xff; 16], [0xa5; 16]].concat());
        assert_eq!(token.expose(), masked);
        let digest = token.digest().unwrap();
        assert_eq!(digest, minted);
        assert_eq!(digest.grant(), GRANT);
        let sha256: [u8; 32] = Sha256::digest(masked.as_bytes()).into();
        assert_eq!(digest.as_bytes(), &sha256, "of the text, the masked name included");
    }

    /// INTRO-08: a text that is cut, longer, padded or of another alphabet was never minted.
    #[test]
    fn what_is_no_token_has_no_digest() {
        let (minted, _) = RefreshToken::mint(&filling(7), GRANT).unwrap();
        let text = minted.expose();
        let mut others: Vec<_> = (0..text.len()).map(|length| text[..length].to_owned()).collect();
        others.extend(["A", "=", "AAAA", " ", "\n"].map(|end| format!("{text}{end}")));
        others.extend([format!(" {text}"), text.replace('B', "+"), "x".repeat(1_000_000)]);
        for other in others.iter().filter(|it| *it != text) {
            assert!(RefreshToken::presented(other).digest().is_none(), "{other:.80}");
        }
        assert!(RefreshToken::presented(text).digest().is_some());
    }

    proptest! {
        #[test]
        fn every_token_names_the_grant_that_it_was_minted_under(id in any::<[u8; 16]>(), random in any::<u8>()) {
            let id = GrantId::from_bytes(id);
            let (code, _) = AuthorizationCode::mint(&filling(random), id).unwrap();
            prop_assert_eq!(code.digest().unwrap().grant(), id);
        }

        #[test]
        fn any_text_can_be_presented(text in ".{0,80}") {
            if let Some(digest) = AccessToken::presented(&text).digest() {
                prop_assert_eq!(text.len(), 64);
                prop_assert_eq!(AccessToken::presented(&text).digest(), Some(digest));
            }
        }
    }

    /// XC-01, CODE-03: 32 bytes are asked for, and all of them reach the text.
    #[test]
    fn a_minted_secret_carries_256_bits() {
        let mut entropy = MockEntropy::new();
        entropy.expect_fill().times(1).returning(|bytes| {
            assert_eq!(bytes.len(), 32);
            bytes.fill(0xff);
            Ok(())
        });
        let secret = Secret::mint(&entropy).unwrap();
        assert_eq!(secret.expose(), format!("{}8", "_".repeat(42)));
    }

    #[test]
    fn without_entropy_nothing_is_minted() {
        let mut entropy = MockEntropy::new();
        entropy.expect_fill().returning(|_| Err(EntropyError("dry".into())));
        assert!(ClientSecret::mint(&entropy).is_err());
        assert!(AuthorizationCode::mint(&entropy, GRANT).is_err());
    }

    /// CODE-13, CAUTH-13: the stored form is SHA-256 (the vector is FIPS 180's "abc").
    #[test]
    fn the_stored_form_is_the_sha_256_of_the_text() {
        let digest = ClientSecret::presented("abc").digest();
        assert_eq!(
            hex(digest.as_bytes()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    /// CODE-14: debug output names the kind and nothing of the value.
    #[test]
    fn secrets_never_print_themselves() {
        assert_eq!(format!("{:?}", Secret::presented("hidden")), "Secret(..)");
        let code = AuthorizationCode::presented("hidden");
        assert_eq!(format!("{code:?}"), "AuthorizationCode(Secret(..))");
    }

    #[test]
    fn digests_compare_by_value() {
        let digest = |text| ClientSecret::presented(text).digest();
        assert!(digest("a").matches(&digest("a")));
        assert!(!digest("a").matches(&digest("b")));
    }
}

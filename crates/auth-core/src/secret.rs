//! Secrets as they are presented, and the digests that are stored in their place.
//!
//! Every secret that the server mints carries 256 random bits (XC-01, CODE-03), so one SHA-256 is a
//! safe stored form (CODE-13, CAUTH-13): a dump of the database cannot be presented to the server.

use crate::entropy::{Entropy, EntropyError, hex};
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

/// Declares a kind of secret and the digest that stands for it in stores. Two kinds never mix: a
/// refresh token is no access token, whatever its characters.
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

secret_kind!(
    /// An authorization code (OAuth 2.1 §4.1.2).
    AuthorizationCode,
    /// The stored form of an [`AuthorizationCode`].
    CodeDigest
);
secret_kind!(
    /// An opaque access token (OAuth 2.1 §1.4).
    AccessToken,
    /// The stored form of an [`AccessToken`].
    AccessTokenDigest
);
secret_kind!(
    /// A refresh token (OAuth 2.1 §1.3.2).
    RefreshToken,
    /// The stored form of a [`RefreshToken`].
    RefreshTokenDigest
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
        assert!(AuthorizationCode::mint(&entropy).is_err());
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
        let digest = |text| RefreshToken::presented(text).digest();
        assert!(digest("a").matches(&digest("a")));
        assert!(!digest("a").matches(&digest("b")));
    }
}

//! Resource owners' passwords, and the port that hashes them.

use std::fmt;
use zeroize::Zeroizing;

/// A password as a person typed it. Zeroized on drop, never printed, never stored.
pub struct Password(Zeroizing<String>);

impl Password {
    /// The fewest characters of a new password.
    pub const MIN_CHARS: usize = 8;
    /// The most bytes that are ever hashed; a longer password matches nothing.
    pub const MAX_BYTES: usize = 1024;

    /// Takes what was typed, whatever it is; [`Password::is_acceptable`] judges a new one.
    pub fn presented(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Whether this may become somebody's new password: at least [`Password::MIN_CHARS`] characters,
    /// at most [`Password::MAX_BYTES`] bytes.
    pub fn is_acceptable(&self) -> bool {
        self.0.chars().count() >= Self::MIN_CHARS && self.0.len() <= Self::MAX_BYTES
    }

    /// The bytes to hash.
    pub fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A stored password hash in the PHC string format, opaque to the core.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a PHC string made by a [`PasswordHasher`].
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCheck {
    /// The password is right.
    Match {
        /// The stored hash is weaker than today's parameters: store a new one.
        rehash: bool,
    },
    /// The password is wrong.
    Mismatch,
}

/// The hasher itself failed: a malformed stored hash, or no entropy for a salt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHasherError(
    /// What failed, without the password or the hash.
    pub String,
);

impl fmt::Display for PasswordHasherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "password hasher: {}", self.0)
    }
}

impl std::error::Error for PasswordHasherError {}

/// Hashes passwords, slowly by design. Callers run it where slowness harms nobody else.
#[cfg_attr(test, mockall::automock)]
pub trait PasswordHasher: Send + Sync {
    /// A salted hash of a new password.
    fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordHasherError>;

    /// Compares a typed password with a stored hash.
    fn verify(
        &self,
        password: &Password,
        hash: &PasswordHash,
    ) -> Result<PasswordCheck, PasswordHasherError>;

    /// Spends the time of one verification and discards the result, so that an unknown user name
    /// takes as long as a wrong password.
    fn verify_nothing(&self, password: &Password);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_prints_itself() {
        let shown = format!("{:?}", Password::presented("correct horse".into()));
        assert_eq!(shown, "Password(..)");
        assert_eq!(format!("{:?}", PasswordHash::new("$argon2id$".into())), "PasswordHash(..)");
    }

    #[test]
    fn a_new_password_has_eight_characters_to_a_thousand_bytes() {
        for (text, acceptable) in [
            (String::new(), false),
            ("1234567".into(), false),
            ("12345678".into(), true),
            ("\u{6f22}".repeat(8), true),
            ("x".repeat(1024), true),
            ("x".repeat(1025), false),
        ] {
            assert_eq!(Password::presented(text).is_acceptable(), acceptable);
        }
    }
}

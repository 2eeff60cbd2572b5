//! The port that gives randomness.

use std::fmt;

/// The source of randomness failed. Nothing may be minted; the request fails as a transient fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntropyError(
    /// What the source said.
    pub String,
);

impl fmt::Display for EntropyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entropy: {}", self.0)
    }
}

impl std::error::Error for EntropyError {}

/// A cryptographically secure source of random bytes.
#[cfg_attr(test, mockall::automock)]
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bytes, or fails and leaves them unspecified.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A fresh public identifier: 128 random bits as 32 lower-case hexadecimal digits. Safe in URLs, on
/// command lines and in Basic credentials without any encoding.
///
/// # Errors
/// The source of randomness failed.
pub fn mint_id(entropy: &dyn Entropy) -> Result<String, EntropyError> {
    let mut bytes = [0u8; 16];
    entropy.fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).map_or('0', |byte| char::from(*byte));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

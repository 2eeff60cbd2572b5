//! Public names of stored things: no secrets.

use crate::entropy::{Entropy, EntropyError, hex};
use std::fmt;

/// The public name of a grant: the millisecond in which it was made (48 bits) and 80 random bits.
///
/// Names grow with time, and everything under a grant is stored by its grant's name. So what is new
/// lies together, and so does what a client uses together, however much is stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId([u8; 16]);

impl GrantId {
    /// A fresh name for a grant that is made at this time, in milliseconds since 1970.
    pub fn mint(entropy: &dyn Entropy, unix_millis: u64) -> Result<Self, EntropyError> {
        let mut random = [0u8; 10];
        entropy.fill(&mut random)?;
        let bytes = (u128::from(unix_millis) << 80).to_be_bytes();
        let mut id = Self(bytes);
        for (byte, random) in id.0.iter_mut().skip(6).zip(random) {
            *byte = random;
        }
        Ok(id)
    }

    /// A name that a store kept.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A name that a person typed: 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits =
            text.len() == 32 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        let number = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten()?;
        Some(Self(number.to_be_bytes()))
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// 32 lower-case hexadecimal digits, safe in URLs and on command lines.
impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GrantId({self})")
    }
}

/// Declares a public name: 128 random bits as 32 lower-case hexadecimal digits, safe in URLs and on
/// command lines.
macro_rules! public_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// A fresh name.
            pub fn mint(
                entropy: &dyn $crate::entropy::Entropy,
            ) -> Result<Self, $crate::entropy::EntropyError> {
                $crate::entropy::mint_id(entropy).map(Self)
            }

            /// A name that a store kept or a person typed.
            pub fn new(text: String) -> Self {
                Self(text)
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(crate) use public_id;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::MockEntropy;

    fn minted(unix_millis: u64, random: u8) -> GrantId {
        let mut entropy = MockEntropy::new();
        entropy.expect_fill().returning(move |bytes| {
            bytes.fill(random);
            Ok(())
        });
        GrantId::mint(&entropy, unix_millis).unwrap()
    }

    #[test]
    fn names_of_grants_grow_with_time_and_differ_within_a_millisecond() {
        let times = [1, 255, 256, 1_795_600_000_000, (1 << 48) - 1];
        for pair in times.windows(2) {
            assert!(minted(pair[0], 0xff) < minted(pair[1], 0));
        }
        assert_ne!(minted(5, 1), minted(5, 2));
        assert_eq!(minted(0x0123_4567_89ab, 0xcd).to_string(), "0123456789abcdcdcdcdcdcdcdcdcdcd");
    }

    #[test]
    fn a_name_survives_being_printed_and_typed() {
        let id = minted(1_795_600_000_000, 7);
        assert_eq!(GrantId::parse(&id.to_string()), Some(id));
        for bad in ["", "g1", &"0".repeat(31), &"0".repeat(33), &"A".repeat(32), &"+".repeat(32)] {
            assert_eq!(GrantId::parse(bad), None, "{bad}");
        }
    }
}

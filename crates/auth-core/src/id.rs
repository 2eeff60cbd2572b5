//! Public names of stored things: no secrets, and nothing can be guessed from one about another.

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

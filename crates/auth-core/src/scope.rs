//! Scopes: RFC 6749 §3.3, OAuth 2.1 §1.4.1.

use std::collections::BTreeSet;
use std::fmt;

/// One scope token: one or more printable ASCII characters except space, `"` and `\`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeToken(String);

impl ScopeToken {
    /// The most bytes of one scope token.
    pub const MAX_LEN: usize = 128;

    /// Reads one scope token; `None` if it breaks the grammar or is longer than
    /// [`ScopeToken::MAX_LEN`].
    pub fn parse(text: &str) -> Option<Self> {
        let valid = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let fits = !text.is_empty() && text.len() <= Self::MAX_LEN && text.bytes().all(valid);
        fits.then(|| Self(text.to_owned()))
    }

    /// The token as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A set of scope tokens. It only narrows: there is no way to add a token to one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope(BTreeSet<ScopeToken>);

impl Scope {
    /// Reads a `scope` parameter: tokens with one space between them, repetition allowed. `None` if
    /// it breaks the grammar (RFC 6749 §3.3), also for the empty text.
    pub fn parse(text: &str) -> Option<Self> {
        text.split(' ').map(ScopeToken::parse).collect::<Option<_>>().map(Self)
    }

    /// Whether no token is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this token is in it.
    pub fn contains(&self, token: &ScopeToken) -> bool {
        self.0.contains(token)
    }

    /// Whether every token of `self` is in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The tokens that are in both.
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// The tokens that are in either; for remembering consents, never for issuing.
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// The tokens in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.iter()
    }
}

impl FromIterator<ScopeToken> for Scope {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(tokens: I) -> Self {
        Self(tokens.into_iter().collect())
    }
}

/// The `scope` parameter: alphabetical, one space between tokens.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, token) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token.as_str())?;
        }
        Ok(())
    }
}

/// One scope that this server knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeDefinition {
    /// Its name on the wire.
    pub token: ScopeToken,
    /// What it allows, in words for the person who consents.
    pub description: String,
    /// Whether a request that names no scope asks for it.
    pub default: bool,
}

/// Every scope that this server knows, in the operator's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeCatalog(Vec<ScopeDefinition>);

impl ScopeCatalog {
    /// A catalog of these definitions.
    pub fn new(definitions: Vec<ScopeDefinition>) -> Self {
        Self(definitions)
    }

    /// The definitions in the operator's order.
    pub fn iter(&self) -> impl Iterator<Item = &ScopeDefinition> {
        self.0.iter()
    }

    /// Every scope of the catalog.
    pub fn all(&self) -> Scope {
        self.0.iter().map(|definition| definition.token.clone()).collect()
    }

    /// What a request that names no scope asks for.
    pub fn defaults(&self) -> Scope {
        let defaults = self.0.iter().filter(|definition| definition.default);
        defaults.map(|definition| definition.token.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_grammar_of_rfc_6749_3_3_holds() {
        for good in ["a", "projects:read", "a b", "a b a", "!#[]~"] {
            assert!(Scope::parse(good).is_some(), "{good}");
        }
        for bad in
            ["", " ", " a", "a ", "a  b", "a\tb", "a\nb", "\"", "\\", "é", "a\u{0}", "\u{7f}"]
        {
            assert!(Scope::parse(bad).is_none(), "{bad:?}");
        }
        assert!(Scope::parse(&"x".repeat(129)).is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_survives_the_wire(text in ".{0,40}") {
            if let Some(scope) = Scope::parse(&text) {
                prop_assert_eq!(Scope::parse(&scope.to_string()), Some(scope));
            }
        }

        #[test]
        fn narrowing_never_widens(a in "[a-d]( [a-d]){0,3}", b in "[a-d]( [a-d]){0,3}") {
            let (a, b) = (Scope::parse(&a).unwrap(), Scope::parse(&b).unwrap());
            let narrowed = a.intersection(&b);
            prop_assert!(narrowed.is_within(&a) && narrowed.is_within(&b));
            prop_assert!(a.is_within(&a.union(&b)));
        }
    }
}

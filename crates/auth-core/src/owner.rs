//! Resource owners: the people who sign in and approve (OAuth 2.1 §1.1).

use crate::client::{Changed, Inserted};
use crate::error::StoreError;
use crate::id::public_id;
use crate::password::PasswordHash;
use crate::secret::SessionDigest;
use crate::timestamp::Timestamp;
use std::fmt;

public_id!(
    /// An owner's stable identifier, the `sub` of what is issued for them. Never reused.
    SubjectId
);

/// What a person signs in with: 1 to 128 bytes without control characters and without white space at
/// the ends. Two names that differ only in letter case are the same name.
#[derive(Debug, Clone)]
pub struct Username(String);

impl Username {
    /// The most bytes of a user name.
    pub const MAX_LEN: usize = 128;

    /// Reads a user name, with white space at the ends taken off; `None` if nobody can have it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let fits = (1..=Self::MAX_LEN).contains(&text.len()) && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    /// The name as its owner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is compared and that must be unique.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Username {}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an owner may do on this server itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Administer it.
    Admin,
    /// Register clients of their own.
    Developer,
    /// Sign in and approve.
    User,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Developer, Self::User];

    /// The role's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::User => "user",
        }
    }

    /// Reads a role's name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// A resource owner with a local account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The stable identifier.
    pub subject: SubjectId,
    /// What they sign in with.
    pub username: Username,
    /// Their name in words.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// What they may do here.
    pub role: Role,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Since when they may not sign in.
    pub disabled_at: Option<Timestamp>,
}

impl Owner {
    /// Whether they may sign in, and what was issued for them can be valid.
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }
}

/// Owners, as signing in reads them.
#[cfg_attr(test, mockall::automock)]
pub trait OwnerStore: Send + Sync {
    /// The owner with this user name and their password hash, disabled or not.
    fn find_by_username(
        &self,
        username: &Username,
    ) -> Result<Option<(Owner, PasswordHash)>, StoreError>;

    /// The owner with this identifier, disabled or not.
    fn find(&self, subject: &SubjectId) -> Result<Option<Owner>, StoreError>;

    /// Stores the same password under stronger parameters, if `before` is still its hash: a password that
    /// was changed meanwhile stays changed. Sessions and codes stay.
    fn rehash(
        &self,
        subject: &SubjectId,
        before: &PasswordHash,
        hash: &PasswordHash,
    ) -> Result<(), StoreError>;
}

/// Owners, as their administration changes them.
#[cfg_attr(test, mockall::automock)]
pub trait OwnerRegistry: Send + Sync {
    /// Every owner, ordered by user name.
    fn list(&self) -> Result<Vec<Owner>, StoreError>;

    /// Adds an owner.
    fn insert(&self, owner: &Owner, hash: &PasswordHash) -> Result<Inserted, StoreError>;

    /// Stores a new password and, in the same transition, ends the owner's sessions (but `keep`) and
    /// the grants whose code is not redeemed yet (CODE-12).
    fn set_password<'a>(
        &self,
        subject: &SubjectId,
        hash: &PasswordHash,
        keep: Option<&'a SessionDigest>,
        at: Timestamp,
    ) -> Result<Changed, StoreError>;

    /// Disables the owner and, in the same transition, ends their sessions and grants; `None` enables
    /// them again, which brings neither back.
    fn set_disabled(
        &self,
        subject: &SubjectId,
        at: Option<Timestamp>,
    ) -> Result<Changed, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_names_compare_without_letter_case_and_outer_space() {
        assert_eq!(Username::parse(" Alice "), Username::parse("alice"));
        assert_eq!(Username::parse(" Alice ").unwrap().as_str(), "Alice");
        for bad in ["", "  ", "a\0b", "a\nb", &"x".repeat(129)] {
            assert!(Username::parse(bad).is_none(), "{bad:?}");
        }
    }
}

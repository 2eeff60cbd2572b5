//! Grants: what an owner approved for a client, once, or what a client got for itself. Codes and tokens
//! hang on one.
//!
//! Revocation is one row: a code or token is valid iff it has not expired and its grant has no
//! `revoked_at`. No token is ever rewritten to take it back.

use crate::client::ClientId;
use crate::code::CodeRecord;
use crate::consent::Consent;
use crate::error::StoreError;
pub use crate::id::GrantId;
use crate::owner::SubjectId;
use crate::resource::Audience;
use crate::scope::Scope;
use crate::secret::{CodeDigest, InteractionDigest};
use crate::timestamp::Timestamp;

/// What an owner approved for a client, or what a client may do on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its name.
    pub id: GrantId,
    /// Who approved it; `None` if the client acts for itself (OAuth 2.1 §4.2).
    pub subject: Option<SubjectId>,
    /// Which client has it.
    pub client_id: ClientId,
    /// The most that its tokens may carry.
    pub scope: Scope,
    /// The most resource servers that its tokens may be for (RFC 8707 §2.2).
    pub audience: Audience,
    /// When it was approved.
    pub created_at: Timestamp,
    /// When everything under it ends at the latest; `None` for no cap.
    pub expires_at: Option<Timestamp>,
    /// Since when nothing under it is valid.
    pub revoked_at: Option<Timestamp>,
}

impl Grant {
    /// Whether codes and tokens under it can be valid at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && !self.expires_at.is_some_and(|end| end.is_expired(now))
    }

    /// The end of something that would last until `end` on its own: never after the grant's own.
    pub fn cap(&self, end: Timestamp) -> Timestamp {
        self.expires_at.map_or(end, |cap| cap.min(end))
    }
}

/// An approval to record: a grant and the code that will buy its tokens.
#[derive(Debug)]
pub struct Approval<'a> {
    /// The interaction that it answers; `None` when remembered consent made a page needless.
    pub interaction: Option<&'a InteractionDigest>,
    /// The grant.
    pub grant: &'a Grant,
    /// The stored form of the code.
    pub code: &'a CodeDigest,
    /// What the code stands for.
    pub record: &'a CodeRecord,
    /// The consent to remember, if the owner gave one just now.
    pub remember: Option<&'a Consent>,
}

/// What recording a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// This was the interaction's one decision.
    First,
    /// The interaction is decided already, or gone. Nothing was recorded.
    Already,
    /// The client was disabled or deleted meanwhile. The interaction is decided, and nothing else was
    /// recorded.
    ClientDisabled,
}

/// Which grants are meant.
#[derive(Debug, Clone, Default)]
pub struct GrantFilter {
    /// Only this owner's.
    pub subject: Option<SubjectId>,
    /// Only this client's.
    pub client_id: Option<ClientId>,
    /// Also those that are revoked, expired, or have nothing left under them.
    pub ended: bool,
}

/// Grants and the decisions that make and end them.
#[cfg_attr(test, mockall::automock)]
pub trait GrantStore: Send + Sync {
    /// Records an approval, atomically: the interaction is decided, the grant and the code are there,
    /// the consent is remembered. Exactly one decision per interaction answers [`Decided::First`].
    /// Disabling the client ends every grant, also one that is recorded at the same moment.
    fn approve<'a>(&self, approval: &Approval<'a>) -> Result<Decided, StoreError>;

    /// Records that the owner said no.
    fn deny(&self, interaction: &InteractionDigest, at: Timestamp) -> Result<Decided, StoreError>;

    /// Ends a grant; what hangs on it is invalid from the next look-up on, on every server. Ending it
    /// again changes nothing. Answers whether there is such a grant.
    fn revoke(&self, id: &GrantId, at: Timestamp) -> Result<bool, StoreError>;

    /// Ends every live grant of this owner (and, if named, this client) and forgets the remembered
    /// consents with them. Answers how many grants it ended.
    fn withdraw<'a>(
        &self,
        subject: &SubjectId,
        client_id: Option<&'a ClientId>,
        at: Timestamp,
    ) -> Result<usize, StoreError>;

    /// The grants of owners that the filter means, the newest first. A grant with neither a live code nor a
    /// live token counts as ended.
    fn list(&self, filter: &GrantFilter, now: Timestamp) -> Result<Vec<Grant>, StoreError>;
}

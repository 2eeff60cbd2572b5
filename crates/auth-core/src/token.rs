//! Access and refresh tokens: OAuth 2.1 §1.3.2, §1.4, §4.3.
//!
//! # The life of a refresh token
//!
//! A refresh token may be presented until one of its successors has been: only that proves that the
//! client received the answer. Until then, presenting it again (a lost response, two tabs) mints
//! another sibling (REFRESH-05). The first sibling to be presented wins; from then on the parent and
//! every other sibling are spent, and presenting one of those is a replay, which ends the grant
//! (REFRESH-04). No time window is involved.

use crate::error::StoreError;
use crate::grant::Grant;
use crate::resource::Audience;
use crate::scope::Scope;
use crate::secret::TokenDigest;
use crate::timestamp::Timestamp;

/// An access token to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccessToken {
    /// Its stored form. It names the grant that the token is under.
    pub digest: TokenDigest,
    /// What it may do; within its grant's scope.
    pub scope: Scope,
    /// Which resource servers it is for; within its grant's audience.
    pub audience: Audience,
    /// When it was issued.
    pub created_at: Timestamp,
    /// From when on it is invalid; never after its grant's end.
    pub expires_at: Timestamp,
}

/// A refresh token to store. Its scope is its grant's (REFRESH-06, -07).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefreshToken {
    /// Its stored form. It names the grant that the token is under.
    pub digest: TokenDigest,
    /// When it was issued.
    pub created_at: Timestamp,
    /// From when on it is invalid; never after its grant's end.
    pub expires_at: Timestamp,
}

/// An access token as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessTokenRecord {
    /// What it may do.
    pub scope: Scope,
    /// Which resource servers it is for.
    pub audience: Audience,
    /// When it was issued.
    pub created_at: Timestamp,
    /// From when on it is invalid.
    pub expires_at: Timestamp,
}

/// A refresh token as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshTokenRecord {
    /// When it was issued.
    pub created_at: Timestamp,
    /// From when on it is invalid.
    pub expires_at: Timestamp,
    /// Whether presenting it was a replay when this was read. To be told, not to be decided by: only
    /// [`TokenStore::rotate`] decides.
    pub is_spent: bool,
}

/// A token as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRecord {
    /// It opens resources.
    Access(AccessTokenRecord),
    /// It buys access tokens.
    Refresh(RefreshTokenRecord),
}

/// When a refresh token is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshReuse {
    /// When one of its successors is first presented: no honest client is ever signed out by a lost
    /// response.
    UntilSuccessorUsed,
    /// When it is first presented. Without successors, for a client whose refresh tokens do not
    /// rotate, a token is never spent.
    Strict,
}

/// The most unused successors of one refresh token; when another is minted the oldest is forgotten,
/// and counts as unknown from then on.
pub const MAX_SIBLINGS: usize = 16;

/// A refresh to record.
#[derive(Debug)]
pub struct Rotation<'a> {
    /// The refresh token that was presented. It names the grant that it is under.
    pub presented: &'a TokenDigest,
    /// When.
    pub at: Timestamp,
    /// When a token is spent.
    pub reuse: RefreshReuse,
    /// The access token to issue.
    pub access: &'a NewAccessToken,
    /// The successor to issue; `None` for a client whose refresh tokens do not rotate.
    pub successor: Option<&'a NewRefreshToken>,
}

/// What a refresh came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotated {
    /// The new tokens are stored, and the presented token is marked as used.
    Done,
    /// The presented token was spent. Its grant is now revoked; nothing else was stored. Where the
    /// grant had ended anyway, [`Rotated::GrantEnded`] is as good an answer.
    Replayed,
    /// The grant ended, or the token is gone. Nothing was stored.
    GrantEnded,
}

/// Access and refresh tokens.
#[cfg_attr(test, mockall::automock)]
pub trait TokenStore: Send + Sync {
    /// The token with this digest and its grant, whatever their state.
    fn find(&self, token: &TokenDigest) -> Result<Option<(TokenRecord, Grant)>, StoreError>;

    /// Records a grant of a client that acts for itself and the one access token under it, atomically.
    /// Stores nothing and answers `false` if the client is gone or disabled: disabling it ends every
    /// grant, also one that is recorded at the same moment.
    fn issue(&self, grant: &Grant, access: &NewAccessToken) -> Result<bool, StoreError>;

    /// Takes one access token back: from the next look-up on, no server finds it. Its grant and what else
    /// is under it stay as they are. A refresh token is not touched, an unknown one is no error.
    fn revoke_access(&self, token: &TokenDigest) -> Result<(), StoreError>;

    /// Uses a refresh token, atomically, by the rules of this module.
    ///
    /// Of two tokens with the same parent at most one is ever used: whichever transition comes first
    /// wins, in whatever process, and the other answers [`Rotated::Replayed`] and revokes the grant
    /// (REFRESH-12). At most [`MAX_SIBLINGS`] unused successors of one token are kept.
    fn rotate<'a>(&self, rotation: &Rotation<'a>) -> Result<Rotated, StoreError>;
}

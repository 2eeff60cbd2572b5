//! Removing what can never matter again.

use crate::error::StoreError;
use crate::session::SessionLifetimes;
use crate::timestamp::Timestamp;

/// Removes expired rows, a few at a time.
#[cfg_attr(test, mockall::automock)]
pub trait Housekeeping: Send + Sync {
    /// Removes up to `limit` rows of each kind that have expired at `now`, and answers how many it
    /// removed in all. Spent codes and used refresh tokens stay until they expire, or a replay would
    /// look merely unknown; a grant stays as long as a code or token hangs on it.
    fn purge(
        &self,
        now: Timestamp,
        sessions: SessionLifetimes,
        limit: usize,
    ) -> Result<usize, StoreError>;
}

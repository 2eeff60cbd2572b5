//! A store in memory that keeps the ports' promises in the plainest way: one lock, plain maps, and
//! every port method one critical section.

mod flow;
mod people;
mod tokens;

use auth_core::client::{Client, ClientId};
use auth_core::code::CodeRecord;
use auth_core::consent::{Consent, PendingAuthorization};
use auth_core::grant::{Grant, GrantId};
use auth_core::owner::{Owner, SubjectId};
use auth_core::password::PasswordHash;
use auth_core::resource::Audience;
use auth_core::secret::{CodeDigest, SessionDigest, TokenDigest};
use auth_core::session::Session;
use auth_core::timestamp::Timestamp;
use auth_core::token::{AccessTokenRecord, RefreshTokenRecord};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Implements every store port of [`auth_core`], for tests and for trying things out: it forgets
/// everything when it is dropped, and it is slow with many rows.
///
/// Share it in an `Arc`; every clone of that `Arc` is one more handle on the same data.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Data>);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the rows, or changes them behind the ports' back, for tests of what must not be there
    /// and of what happens when something is.
    pub fn edit<T>(&self, with: impl FnOnce(&mut Data) -> T) -> T {
        with(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Data> {
        // A test that panicked elsewhere left the maps whole: every transition is all maps, no `?`.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rows of a [`MemoryStore`].
#[derive(Debug, Clone, Default)]
pub struct Data {
    /// Clients with their secrets, the newest secret first.
    pub clients: BTreeMap<ClientId, Client>,
    /// Owners and their password hashes.
    pub owners: BTreeMap<SubjectId, (Owner, PasswordHash)>,
    /// Sessions.
    pub sessions: BTreeMap<SessionDigest, Session>,
    /// Requests that wait for their owner, in the order of arrival.
    pub pending: Vec<PendingRow>,
    /// Remembered consents.
    pub consents: BTreeMap<(SubjectId, ClientId, Audience), Consent>,
    /// Grants.
    pub grants: BTreeMap<GrantId, Grant>,
    /// Authorization codes.
    pub codes: BTreeMap<CodeDigest, CodeRow>,
    /// Access tokens.
    pub access: BTreeMap<TokenDigest, AccessTokenRecord>,
    /// Refresh tokens.
    pub refresh: BTreeMap<TokenDigest, RefreshRow>,
}

/// A request that waits, and where it came from.
#[derive(Debug, Clone)]
pub struct PendingRow {
    /// The network address.
    pub origin: String,
    /// The request.
    pub pending: PendingAuthorization,
}

/// A code and what became of it.
#[derive(Debug, Clone)]
pub struct CodeRow {
    /// What it was issued for.
    pub record: CodeRecord,
    /// When it was redeemed.
    pub spent_at: Option<Timestamp>,
}

/// A refresh token and what became of it.
#[derive(Debug, Clone)]
pub struct RefreshRow {
    /// The token.
    pub record: RefreshTokenRecord,
    /// The token that it succeeds; `None` for the one that a code bought.
    pub parent: Option<TokenDigest>,
    /// The how-manieth successor of its parent it is.
    pub serial: usize,
    /// When it was first presented, which proves that its client received it.
    pub used_at: Option<Timestamp>,
    /// Since when presenting it is a replay.
    pub spent_at: Option<Timestamp>,
}

impl Data {
    /// Ends the grants that `which` picks; those that have ended stay as they are.
    fn end_grants(&mut self, at: Timestamp, which: impl Fn(&Grant) -> bool) {
        for grant in self.grants.values_mut().filter(|grant| which(grant)) {
            grant.revoked_at.get_or_insert(at);
        }
    }

    fn is_live(&self, grant: &GrantId, at: Timestamp) -> bool {
        self.grants.get(grant).is_some_and(|it| it.is_live(at))
    }

    fn with_grant<T>(&self, record: T, grant: &GrantId) -> Option<(T, Grant)> {
        Some((record, self.grants.get(grant)?.clone()))
    }
}

//! Sign-in sessions of browsers.

use crate::error::StoreError;
use crate::id::public_id;
use crate::owner::{Owner, SubjectId};
use crate::secret::SessionDigest;
use crate::timestamp::Timestamp;
use time::Duration;

public_id!(
    /// The public name of a session, for listing and ending it; it signs nobody in.
    SessionId
);

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its public name.
    pub id: SessionId,
    /// The stored form of its cookie.
    pub digest: SessionDigest,
    /// Who is signed in.
    pub subject: SubjectId,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When it was last used, to the minute or so.
    pub last_seen_at: Timestamp,
}

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLifetimes {
    /// The longest pause between two uses.
    pub idle: Duration,
    /// The longest time from signing in.
    pub absolute: Duration,
}

impl Session {
    /// Whether a use at `now` is worth recording: so that not every one costs a write, only the first
    /// in a minute is, or in a tenth of the idle lifetime if that is shorter.
    pub fn wants_touch(&self, lifetimes: SessionLifetimes, now: Timestamp) -> bool {
        let step = Duration::MINUTE.min(lifetimes.idle / 10);
        self.last_seen_at.after(step).is_expired(now)
    }

    /// Whether it still signs its browser in at `now`.
    pub fn is_live(&self, lifetimes: SessionLifetimes, now: Timestamp) -> bool {
        !self.last_seen_at.after(lifetimes.idle).is_expired(now)
            && !self.created_at.after(lifetimes.absolute).is_expired(now)
    }
}

/// Proof that a browser is signed in as this owner. Only
/// [`usecase::sign_in`](crate::usecase::sign_in) makes one.
///
/// ```compile_fail
/// fn forge(owner: auth_core::owner::Owner) -> auth_core::session::AuthenticatedOwner {
///     auth_core::session::AuthenticatedOwner { owner, session: todo!(), signed_in_at: todo!() }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AuthenticatedOwner {
    pub(crate) owner: Owner,
    pub(crate) session: SessionDigest,
    pub(crate) signed_in_at: Timestamp,
}

impl AuthenticatedOwner {
    /// Who is signed in.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// When they signed in.
    pub fn signed_in_at(&self) -> Timestamp {
        self.signed_in_at
    }

    /// The session that proves it.
    pub fn session(&self) -> &SessionDigest {
        &self.session
    }
}

/// Sessions of signed-in browsers. A session that ended is gone.
#[cfg_attr(test, mockall::automock)]
pub trait SessionStore: Send + Sync {
    /// The session with this digest and its owner, however old it is.
    fn find(&self, digest: &SessionDigest) -> Result<Option<(Session, Owner)>, StoreError>;

    /// Starts a session and ends the one it replaces, atomically (UI-15).
    fn insert<'a>(
        &self,
        session: &Session,
        replaces: Option<&'a SessionDigest>,
    ) -> Result<(), StoreError>;

    /// Records a use. `last_seen_at` never goes back.
    fn touch(&self, digest: &SessionDigest, at: Timestamp) -> Result<(), StoreError>;

    /// Ends the session. Ending it again changes nothing.
    fn end(&self, digest: &SessionDigest) -> Result<(), StoreError>;
}

/// Sessions, as their administration sees them.
#[cfg_attr(test, mockall::automock)]
pub trait SessionRegistry: Send + Sync {
    /// The sessions of this owner, or of everybody, the newest first. Some may have outlived their
    /// lifetimes and wait to be purged: [`Session::is_live`] tells.
    fn list<'a>(&self, subject: Option<&'a SubjectId>)
    -> Result<Vec<(Session, Owner)>, StoreError>;

    /// Ends the session with this name; answers whether there was one.
    fn end_by_id(&self, id: &SessionId) -> Result<bool, StoreError>;

    /// Ends every session of this owner; answers how many.
    fn end_by_subject(&self, subject: &SubjectId) -> Result<usize, StoreError>;
}

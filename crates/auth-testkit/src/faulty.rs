use crate::memory::{Data, MemoryStore};
use auth_core::client::{
    Changed, Client, ClientId, ClientRegistry, ClientSecretRecord, ClientStore, Inserted, Retired,
};
use auth_core::code::{CodeRecord, CodeStore, Redeemed, Redemption};
use auth_core::consent::{Consent, ConsentStore, PendingAuthorization, PendingAuthorizationStore};
use auth_core::error::StoreError;
use auth_core::grant::{Approval, Decided, Grant, GrantFilter, GrantId, GrantStore};
use auth_core::housekeeping::Housekeeping;
use auth_core::owner::{Owner, OwnerRegistry, OwnerStore, SubjectId, Username};
use auth_core::password::PasswordHash;
use auth_core::secret::{CodeDigest, InteractionDigest, SessionDigest, TokenDigest};
use auth_core::session::{Session, SessionId, SessionLifetimes, SessionRegistry, SessionStore};
use auth_core::timestamp::Timestamp;
use auth_core::token::{NewAccessToken, Rotated, Rotation, TokenRecord, TokenStore};
use std::any::Any;
use std::sync::Arc;

type Before = dyn Fn(&str, &MemoryStore) -> Result<(), StoreError> + Send + Sync;
type After = dyn Fn(&mut Broken<'_>) + Send + Sync;

/// A [`MemoryStore`] that fails or breaks its word where a test says so.
///
/// Calls are named `Port::method`, such as `CodeStore::redeem`.
///
/// ```
/// use auth_testkit::{FaultyStore, TestServer};
/// use std::sync::Arc;
///
/// let sound = TestServer::new();
/// let store = FaultyStore::failing(sound.store.clone(), |call| call == "CodeStore::redeem");
/// let server = sound.over(Arc::new(store));
/// ```
pub struct FaultyStore {
    inner: Arc<MemoryStore>,
    before: Option<Box<Before>>,
    after: Option<Box<After>>,
}

/// One call that was just answered, open to tampering.
pub struct Broken<'a> {
    /// Which call.
    pub call: &'a str,
    /// The rows before it.
    pub before: Data,
    /// The store after it.
    pub store: &'a MemoryStore,
    answer: &'a mut dyn Any,
}

impl Broken<'_> {
    /// The answer that the caller will get.
    ///
    /// # Panics
    /// Where the call does not answer with this type.
    pub fn answer<T: Any>(&mut self) -> &mut T {
        let call = self.call;
        let answer = self.answer.downcast_mut();
        answer.unwrap_or_else(|| panic!("{call} does not answer that"))
    }
}

impl FaultyStore {
    /// Without faults so far.
    pub fn new(inner: Arc<MemoryStore>) -> Self {
        Self { inner, before: None, after: None }
    }

    /// Fails every call that `fails` picks, with [`StoreError::Unavailable`], before it has any effect.
    pub fn failing(
        inner: Arc<MemoryStore>,
        fails: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::new(inner).before(move |call, _| match fails(call) {
            true => Err(StoreError::Unavailable(format!("{call} was told to fail"))),
            false => Ok(()),
        })
    }

    /// Runs this ahead of every call; where it fails, the call does not happen.
    pub fn before(
        self,
        before: impl Fn(&str, &MemoryStore) -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Self {
        let before: Option<Box<Before>> = Some(Box::new(before));
        Self { before, ..self }
    }

    /// Runs this behind every call, where it may undo what was done and change the answer. What it
    /// sees as the rows before the call was taken ahead of [`FaultyStore::before`].
    pub fn after(self, after: impl Fn(&mut Broken<'_>) + Send + Sync + 'static) -> Self {
        let after: Option<Box<After>> = Some(Box::new(after));
        Self { after, ..self }
    }

    fn call<T: Any>(
        &self,
        call: &str,
        run: impl FnOnce(&MemoryStore) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let rows = self.after.as_ref().map(|_| self.inner.edit(|data| data.clone()));
        if let Some(before) = &self.before {
            before(call, &self.inner)?;
        }
        let mut answer = run(&self.inner)?;
        if let (Some(after), Some(before)) = (&self.after, rows) {
            after(&mut Broken { call, before, store: &self.inner, answer: &mut answer });
        }
        Ok(answer)
    }
}

macro_rules! delegate {
    ($($port:ident { $(fn $method:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* })*) => {
        $(impl $port for FaultyStore {
            $(fn $method(&self, $($arg: $type),*) -> Result<$answer, StoreError> {
                let name = concat!(stringify!($port), "::", stringify!($method));
                self.call(name, |inner| $port::$method(inner, $($arg),*))
            })*
        })*
    };
}

delegate! {
    ClientStore {
        fn find(id: &ClientId) -> Option<Client>;
    }
    ClientRegistry {
        fn list() -> Vec<Client>;
        fn insert(client: &Client) -> Inserted;
        fn update(client: &Client) -> Changed;
        fn set_disabled(id: &ClientId, at: Option<Timestamp>) -> Changed;
        fn delete(id: &ClientId, at: Timestamp) -> Changed;
        fn add_secret(id: &ClientId, secret: &ClientSecretRecord, keep: usize) -> Changed;
        fn retire_secret(id: &ClientId, secret_id: &str) -> Retired;
    }
    OwnerStore {
        fn find_by_username(username: &Username) -> Option<(Owner, PasswordHash)>;
        fn find(subject: &SubjectId) -> Option<Owner>;
        fn rehash(subject: &SubjectId, before: &PasswordHash, hash: &PasswordHash) -> ();
    }
    OwnerRegistry {
        fn list() -> Vec<Owner>;
        fn insert(owner: &Owner, hash: &PasswordHash) -> Inserted;
        fn set_password(
            subject: &SubjectId,
            hash: &PasswordHash,
            keep: Option<&SessionDigest>,
            at: Timestamp
        ) -> Changed;
        fn set_disabled(subject: &SubjectId, at: Option<Timestamp>) -> Changed;
    }
    SessionStore {
        fn find(digest: &SessionDigest) -> Option<(Session, Owner)>;
        fn insert(session: &Session, replaces: Option<&SessionDigest>) -> ();
        fn touch(digest: &SessionDigest, at: Timestamp) -> ();
        fn end(digest: &SessionDigest) -> ();
    }
    SessionRegistry {
        fn list(subject: Option<&SubjectId>) -> Vec<(Session, Owner)>;
        fn end_by_id(id: &SessionId) -> bool;
        fn end_by_subject(subject: &SubjectId) -> usize;
    }
    PendingAuthorizationStore {
        fn insert(pending: &PendingAuthorization, origin: &str, limit: usize) -> ();
        fn find(interaction: &InteractionDigest) -> Option<PendingAuthorization>;
        fn signed_in(interaction: &InteractionDigest, session: &SessionDigest) -> ();
    }
    ConsentStore {
        fn find(subject: &SubjectId, client_id: &ClientId) -> Vec<Consent>;
    }
    GrantStore {
        fn approve(approval: &Approval<'_>) -> Decided;
        fn deny(interaction: &InteractionDigest, at: Timestamp) -> Decided;
        fn revoke(id: &GrantId, at: Timestamp) -> bool;
        fn withdraw(subject: &SubjectId, client_id: Option<&ClientId>, at: Timestamp) -> usize;
        fn list(filter: &GrantFilter, now: Timestamp) -> Vec<Grant>;
    }
    CodeStore {
        fn find(code: &CodeDigest) -> Option<(CodeRecord, Grant)>;
        fn redeem(redemption: &Redemption<'_>) -> Redeemed;
    }
    TokenStore {
        fn find(token: &TokenDigest) -> Option<(TokenRecord, Grant)>;
        fn issue(grant: &Grant, access: &NewAccessToken) -> bool;
        fn revoke_access(token: &TokenDigest) -> ();
        fn rotate(rotation: &Rotation<'_>) -> Rotated;
    }
    Housekeeping {
        fn purge(now: Timestamp, sessions: SessionLifetimes, limit: usize) -> usize;
    }
}

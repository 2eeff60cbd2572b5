//! What an adapter of somebody else's looks like, and how it is held to the ports' promises. Nothing
//! here is known but what `auth_core` and `auth_testkit` give to everybody.
//!
//! The adapter keeps nothing itself: it counts how often a store is asked, and passes on. Yours has SQL,
//! or whatever your database speaks, in the place of `self.inner`.

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
use auth_testkit::contract::{Handles, Promise, StoreUnderTest, promises};
use auth_testkit::{MemoryStore, TestServer};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

type Result<T> = std::result::Result<T, StoreError>;

struct Counted<S> {
    inner: Arc<S>,
    asked: AtomicUsize,
    redeem: fn(&S, &Redemption<'_>) -> Result<Redeemed>,
}

impl<S: StoreUnderTest> Counted<S> {
    fn new(inner: Arc<S>) -> Self {
        Self { inner, asked: AtomicUsize::new(0), redeem: S::redeem }
    }

    fn asked(&self) -> &S {
        self.asked.fetch_add(1, Ordering::Relaxed);
        &self.inner
    }
}

/// One port after the other: what it is given, and what it answers.
macro_rules! ports {
    ($($port:ident { $(fn $method:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* })*) => {
        $(impl<S: StoreUnderTest> $port for Counted<S> {
            $(fn $method(&self, $($arg: $type),*) -> Result<$answer> {
                $port::$method(self.asked(), $($arg),*)
            })*
        })*
    };
}

impl<S: StoreUnderTest> CodeStore for Counted<S> {
    fn find(&self, code: &CodeDigest) -> Result<Option<(CodeRecord, Grant)>> {
        CodeStore::find(self.asked(), code)
    }

    fn redeem(&self, redemption: &Redemption<'_>) -> Result<Redeemed> {
        (self.redeem)(self.asked(), redemption)
    }
}

ports! {
    TokenStore {
        fn find(token: &TokenDigest) -> Option<(TokenRecord, Grant)>;
        fn issue(grant: &Grant, access: &NewAccessToken) -> bool;
        fn revoke_access(token: &TokenDigest) -> ();
        fn rotate(rotation: &Rotation<'_>) -> Rotated;
    }
    GrantStore {
        fn approve(approval: &Approval<'_>) -> Decided;
        fn deny(interaction: &InteractionDigest, at: Timestamp) -> Decided;
        fn revoke(id: &GrantId, at: Timestamp) -> bool;
        fn withdraw(subject: &SubjectId, client_id: Option<&ClientId>, at: Timestamp) -> usize;
        fn list(filter: &GrantFilter, now: Timestamp) -> Vec<Grant>;
    }
    PendingAuthorizationStore {
        fn insert(pending: &PendingAuthorization, origin: &str, limit: usize) -> ();
        fn find(interaction: &InteractionDigest) -> Option<PendingAuthorization>;
        fn signed_in(interaction: &InteractionDigest, session: &SessionDigest) -> ();
    }
    ConsentStore {
        fn find(subject: &SubjectId, client_id: &ClientId) -> Vec<Consent>;
    }
    SessionStore {
        fn find(digest: &SessionDigest) -> Option<(Session, Owner)>;
        fn insert(session: &Session, replaces: Option<&SessionDigest>) -> ();
        fn touch(digest: &SessionDigest, at: Timestamp) -> ();
        fn end(digest: &SessionDigest) -> ();
    }
    OwnerStore {
        fn find_by_username(username: &Username) -> Option<(Owner, PasswordHash)>;
        fn find(subject: &SubjectId) -> Option<Owner>;
        fn rehash(subject: &SubjectId, before: &PasswordHash, hash: &PasswordHash) -> ();
    }
    ClientStore {
        fn find(id: &ClientId) -> Option<Client>;
    }
    SessionRegistry {
        fn list(subject: Option<&SubjectId>) -> Vec<(Session, Owner)>;
        fn end_by_id(id: &SessionId) -> bool;
        fn end_by_subject(subject: &SubjectId) -> usize;
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
    ClientRegistry {
        fn list() -> Vec<Client>;
        fn insert(client: &Client) -> Inserted;
        fn update(client: &Client) -> Changed;
        fn set_disabled(id: &ClientId, at: Option<Timestamp>) -> Changed;
        fn delete(id: &ClientId, at: Timestamp) -> Changed;
        fn add_secret(id: &ClientId, secret: &ClientSecretRecord, keep: usize) -> Changed;
        fn retire_secret(id: &ClientId, secret_id: &str) -> Retired;
    }
    Housekeeping {
        fn purge(now: Timestamp, sessions: SessionLifetimes, limit: usize) -> usize;
    }
}

/// Two handles on one empty store: a database would be opened twice.
fn fresh() -> Handles<Counted<MemoryStore>> {
    let store = Arc::new(MemoryStore::new());
    let open = || Arc::new(Counted::new(Arc::clone(&store)));
    Handles::new(open(), open())
}

/// One test for each promise.
mod contract {
    auth_testkit::contract_tests!(super::fresh);
}

/// A store that means well: a client whose answer was lost may redeem its code again.
fn forgiving() -> Handles<Counted<MemoryStore>> {
    let store = Arc::new(MemoryStore::new());
    let open = || {
        Arc::new(Counted {
            redeem: |store: &MemoryStore, redemption| match store.redeem(redemption)? {
                Redeemed::Replayed => Ok(Redeemed::First),
                other => Ok(other),
            },
            ..Counted::new(Arc::clone(&store))
        })
    };
    Handles::new(open(), open())
}

#[test]
fn a_store_that_means_well_is_told_what_it_broke() {
    let breaks = |promise: &Promise<_>| {
        catch_unwind(AssertUnwindSafe(|| (promise.check)(&forgiving))).is_err()
    };
    let broken: Vec<_> = promises().into_iter().filter(breaks).map(|it| it.name).collect();
    assert_eq!(
        broken,
        [
            "one_redemption_per_code_wins_and_the_others_store_nothing",
            "a_replayed_code_revokes_its_grant",
            "purging_keeps_what_a_replay_check_needs",
        ]
    );
}

/// How often a store is asked, for those who pay for each time.
#[test]
fn an_engine_runs_on_it_and_asks_a_few_times_for_each_request() {
    let server = TestServer::new();
    let store = Arc::new(Counted::new(server.store.clone()));
    let server = server.over(store.clone());
    let alice = server.sign_in("alice");
    let asked = || store.asked.swap(0, Ordering::Relaxed);
    asked();
    let code = server.code("web", &alice);
    assert!(asked() > 0);
    let tokens = server.redeem("web", &code).expect("tokens");
    assert_eq!(asked(), 4, "client, code, owner, redemption");
    let refresh_token = tokens.refresh_token.expect("a refresh token");
    server.refresh("web", refresh_token.expose()).expect("tokens");
    assert_eq!(asked(), 4, "client, refresh token, owner, rotation");
    server.engine.metadata();
    assert_eq!(asked(), 0);
}

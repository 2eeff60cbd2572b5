//! How many times a port method asks PostgreSQL and waits for the answer. Between two machines that is
//! what a token request costs, so the numbers stand in the documentation and must stay true.
#![cfg(feature = "postgres")]

mod common;

use auth_core::client::{ClientRegistry, ClientStore};
use auth_core::code::{CodeStore, Redeemed};
use auth_core::grant::{Grant, GrantStore};
use auth_core::owner::{OwnerRegistry, OwnerStore};
use auth_core::secret::SessionSecret;
use auth_core::session::{Session, SessionId, SessionStore};
use auth_core::token::{Rotated, TokenStore};
use auth_store_diesel::{DieselStore, StoreOptions};
use auth_testkit::sample;
use common::{access, approve, at, cluster, code, postgres_database, redeem, refresh, rotate};
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use std::sync::atomic::{AtomicUsize, Ordering};

static ROUND_TRIPS: AtomicUsize = AtomicUsize::new(0);

/// Counts what is sent. A statement is prepared at its first use; that goes by itself, once for each
/// connection.
struct Counter;

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { .. } = event {
            ROUND_TRIPS.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn round_trips<T>(work: impl FnOnce() -> T) -> usize {
    ROUND_TRIPS.store(0, Ordering::Relaxed);
    work();
    ROUND_TRIPS.load(Ordering::Relaxed)
}

/// One test: the counter counts for the whole program.
#[test]
fn round_trips_are_few() {
    if !cluster::is_available() {
        return;
    }
    set_default_instrumentation(|| Some(Box::new(Counter))).unwrap();
    let options = StoreOptions { readers: 1, ..StoreOptions::default() };
    let store = DieselStore::open(&postgres_database(), options).unwrap();
    assert!(store.is_ready(), "and the one connection is there");
    ClientRegistry::insert(&store, &sample::web()).unwrap();
    OwnerRegistry::insert(&store, &sample::alice(), &sample::password_hash_of("alice")).unwrap();
    let web = sample::client_id("web");

    let find_client = round_trips(|| ClientStore::find(&store, &web).unwrap().unwrap());
    assert_eq!(find_client, 1);
    let alice = sample::alice().subject;
    let find_owner = round_trips(|| OwnerStore::find(&store, &alice).unwrap().unwrap());
    assert_eq!(find_owner, 1);
    // What the core asks for each token request; auth-testkit counts that.
    let find_both = find_client + find_owner;

    let grant = approve(&store, "grant");
    let find_code = round_trips(|| CodeStore::find(&store, &code(&grant)));
    assert_eq!(find_code, 1);
    let redeem_code = round_trips(|| {
        assert_eq!(redeem(&store, &grant, at(20), "r1"), Redeemed::First);
    });
    assert_eq!(redeem_code, 4, "BEGIN, spend, both tokens, COMMIT");
    assert_eq!(find_both + find_code + redeem_code, 7, "a code for tokens");

    let find_refresh = round_trips(|| TokenStore::find(&store, &refresh(&grant, "r1").digest));
    assert_eq!(find_refresh, 1);
    let refreshes = |presented, names| {
        round_trips(|| assert_eq!(rotate(&store, &grant, presented, names), Rotated::Done))
    };
    let first = refreshes("r1", "r2");
    assert_eq!(first, 5, "BEGIN, lock, use, both tokens, COMMIT");
    assert_eq!(find_both + find_refresh + first, 8, "a refresh token for tokens");
    assert_eq!(refreshes("r2", "r3"), 5, "and no more where a parent makes way");
    assert_eq!(refreshes("r3", "lost"), 5);
    assert_eq!(refreshes("r3", "r4"), 5, "nor where an answer was lost");
    assert_eq!(refreshes("r4", "r5"), 6, "and one more where siblings make way");

    let introspect = || TokenStore::find(&store, &access(&grant, "r5").digest).unwrap().unwrap();
    assert_eq!(round_trips(introspect), 1);
    let taken_back = access(&grant, "r5").digest;
    assert_eq!(round_trips(|| store.revoke_access(&taken_back).unwrap()), 1);
    let own = Grant { subject: None, ..common::grant("own") };
    let issued = round_trips(|| store.issue(&own, &access(&own.id, "own")).unwrap());
    assert_eq!(issued, 5, "BEGIN, client, grant, token, COMMIT");
    assert_eq!(round_trips(|| GrantStore::revoke(&store, &grant, at(30)).unwrap()), 1);

    let clients = round_trips(|| ClientRegistry::insert(&store, &sample::web()).unwrap());
    let approved = round_trips(|| approve(&store, "other")) - clients;
    assert_eq!(approved, 5, "BEGIN, client, grant, code, COMMIT");
    let session = Session {
        id: SessionId::new("session".into()),
        digest: SessionSecret::presented("session").digest(),
        subject: sample::alice().subject,
        created_at: at(0),
        last_seen_at: at(0),
    };
    SessionStore::insert(&store, &session, None).unwrap();
    assert_eq!(round_trips(|| SessionStore::find(&store, &session.digest).unwrap()), 1);
    assert_eq!(round_trips(|| store.touch(&session.digest, at(60)).unwrap()), 1);
}

//! The database goes away and comes back: nothing is answered that is not so, and nobody lends a hand.

use crate::common::cluster::{self, Cluster, Disk, name_of};
use crate::common::{self, access, approve, at, code, grant_id, redeem, try_approve};
use auth_core::code::{CodeStore, Redeemed};
use auth_core::error::StoreError;
use auth_core::grant::{GrantId, GrantStore};
use auth_core::token::TokenStore;
use auth_store_diesel::{DieselStore, StoreOptions, migrate};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

/// A cluster that is this test's alone, with one database.
fn start(disk: Disk) -> (Cluster, String) {
    let cluster = Cluster::start(disk);
    let url = cluster.create_database("template1");
    migrate(&url).unwrap();
    (cluster, url)
}

fn open(url: &str) -> DieselStore {
    DieselStore::open(url, StoreOptions::default()).unwrap()
}

fn unavailable<T: std::fmt::Debug>(answer: &Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}

/// Whether it is what an outage may look like: the right answer, or none.
fn is_there_or_unavailable<T>(found: &Result<Option<T>, StoreError>) -> bool {
    matches!(found, Ok(Some(_)) | Err(StoreError::Unavailable(_)))
}

fn try_redeem(store: &DieselStore, grant: &GrantId, names: &str) -> Result<Redeemed, StoreError> {
    common::try_redeem(store, grant, at(20), names)
}

#[test]
fn without_its_database_a_store_is_unavailable_until_it_comes_back() {
    if !cluster::is_available() {
        return;
    }
    let (cluster, url) = start(Disk::Careless);
    let store = open(&url);
    let grant = approve(&store, "grant");
    cluster.stop_server();
    unavailable(&CodeStore::find(&store, &code(&grant)));
    unavailable(&try_redeem(&store, &grant, "tokens"));
    unavailable(&store.revoke(&grant, at(30)));
    assert!(!store.is_ready());
    cluster.start_server();
    while !store.is_ready() {
        sleep(Duration::from_millis(50));
    }
    assert_eq!(redeem(&store, &grant, at(20), "tokens"), Redeemed::First);
    assert_eq!(store.revoke(&grant, at(30)), Ok(true));
}

/// Each connection of the pool is dead, and whoever gets one notices before it matters.
#[test]
fn a_restart_between_two_requests_is_not_noticed() {
    if !cluster::is_available() {
        return;
    }
    let (cluster, url) = start(Disk::Careless);
    let store = open(&url);
    let grants: Vec<_> = (0..8).map(|it| approve(&store, &format!("grant-{it}"))).collect();
    let warm_up = || {
        scope(|scope| {
            for grant in &grants {
                scope.spawn(|| CodeStore::find(&store, &code(grant)).unwrap());
            }
        });
    };
    warm_up();
    cluster.stop_server();
    cluster.start_server();
    warm_up();
    cluster.stop_server();
    cluster.start_server();
    for grant in &grants {
        assert_eq!(redeem(&store, grant, at(20), "tokens"), Redeemed::First);
    }
}

#[test]
fn a_session_that_is_ended_from_outside_is_replaced() {
    if !cluster::is_available() {
        return;
    }
    let cluster = cluster::shared();
    let url = crate::common::postgres_database();
    // One connection, so that it is the one that ends.
    let options = StoreOptions { readers: 1, ..StoreOptions::default() };
    let store = DieselStore::open(&url, options).unwrap();
    let grant = approve(&store, "grant");
    let end_all = || {
        let database = name_of(&url);
        let sql = format!(
            "SELECT count(pg_terminate_backend(pid, 5000)) > 0 FROM pg_stat_activity
             WHERE datname = '{database}' AND pid <> pg_backend_pid()"
        );
        assert_eq!(cluster.run(database, &sql), "t");
    };
    end_all();
    let found = CodeStore::find(&store, &code(&grant));
    assert!(found.unwrap().is_some(), "a read is done again");
    end_all();
    assert_eq!(redeem(&store, &grant, at(20), "tokens"), Redeemed::First, "nothing had begun");
    end_all();
    // Of a single statement nobody knows whether it counted.
    unavailable(&store.revoke(&grant, at(30)));
    assert_eq!(store.revoke(&grant, at(30)), Ok(true));
}

/// After a failover the old primary takes no writes; with a new one all is well again.
#[test]
fn a_read_only_database_is_read_and_not_written() {
    if !cluster::is_available() {
        return;
    }
    let (cluster, url) = start(Disk::Careless);
    let store = open(&url);
    let grant = approve(&store, "grant");
    assert!(store.is_ready());
    cluster.configure("SET default_transaction_read_only = on");
    let written = || try_redeem(&store, &grant, "tokens");
    // Until the signal arrives, sessions write on: on a code that does not exist.
    let nothing = grant_id("nothing");
    while try_redeem(&store, &nothing, "none") == Ok(Redeemed::GrantEnded) {
        sleep(Duration::from_millis(10));
    }
    unavailable(&written());
    unavailable(&store.revoke(&grant, at(30)));
    assert!(CodeStore::find(&store, &code(&grant)).unwrap().is_some());
    assert!(!store.is_ready());
    cluster.configure("RESET default_transaction_read_only");
    while !store.is_ready() {
        sleep(Duration::from_millis(50));
    }
    assert_eq!(written(), Ok(Redeemed::First));
}

#[test]
fn what_waits_too_long_for_another_is_given_up() {
    if !cluster::is_available() {
        return;
    }
    let scratch = crate::common::postgres_database();
    let store = open(&scratch);
    let grant = approve(&store, "grant");
    let mut other: diesel::PgConnection = diesel::Connection::establish(&scratch).unwrap();
    let hold = "BEGIN; UPDATE codes SET redeemed_at = 15";
    diesel::connection::SimpleConnection::batch_execute(&mut other, hold).unwrap();
    assert!(CodeStore::find(&store, &code(&grant)).unwrap().is_some(), "readers go on");
    unavailable(&try_redeem(&store, &grant, "tokens"));
    drop(other);
    assert_eq!(redeem(&store, &grant, at(20), "tokens"), Redeemed::First);
}

/// CODE-05, CODE-11, XC-06: every answer that was given holds after a crash, and no code is redeemed twice.
#[test]
fn crashes_and_restarts_under_load_lose_and_double_nothing() {
    if !cluster::is_available() {
        return;
    }
    let (cluster, url) = start(Disk::Durable);
    let (stop, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
    let clients = |client: usize, store: &DieselStore| {
        let mut redeemed = Vec::new();
        for round in 0.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let (grant, approved) = try_approve(store, &format!("grant-{client}-{round}"));
            if approved.is_err() {
                unavailable(&approved);
                refused.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            // A client that got no answer asks again.
            for attempt in 0..100 {
                let names = format!("tokens-{attempt}");
                match try_redeem(store, &grant, &names) {
                    Ok(Redeemed::First) => {
                        redeemed.push((grant, names));
                        break;
                    }
                    // The answer to an earlier attempt was lost: its tokens were never seen.
                    Ok(Redeemed::Replayed | Redeemed::GrantEnded) if attempt > 0 => break,
                    Err(StoreError::Unavailable(_)) => {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                    wrong => panic!("{wrong:?} at attempt {attempt}"),
                }
                let found = CodeStore::find(store, &code(&grant));
                assert!(is_there_or_unavailable(&found), "{found:?}");
            }
        }
        redeemed
    };
    let stores = [open(&url), open(&url)];
    let redeemed: Vec<(GrantId, String)> = scope(|scope| {
        let client = |it: usize| {
            scope.spawn({
                let (clients, stores) = (&clients, &stores);
                move || clients(it, &stores[it % 2])
            })
        };
        let threads: Vec<_> = (0..8).map(client).collect();
        for round in 0..4 {
            sleep(Duration::from_millis(400));
            if round % 2 == 0 {
                cluster.crash();
            } else {
                cluster.stop_server();
            }
            cluster.start_server();
        }
        sleep(Duration::from_millis(400));
        stop.store(true, Ordering::Relaxed);
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(redeemed.len() > 50, "{} redeemed", redeemed.len());
    assert!(refused.load(Ordering::Relaxed) > 0, "nobody noticed");
    let store = open(&url);
    for (grant, names) in &redeemed {
        let found = TokenStore::find(&store, &access(grant, names).digest).unwrap();
        let (_, found) = found.expect("what was answered is there");
        assert_eq!((&found.id, found.revoked_at), (grant, None));
    }
    let doubled = "SELECT count(*) FROM (SELECT grant_id FROM tokens GROUP BY grant_id, kind
                   HAVING count(*) > 1) AS doubled";
    assert_eq!(cluster.run(name_of(&url), doubled), "0", "no code bought twice");
}

/// With several hosts in the URL, a primary that becomes a replica is left for the new one.
#[test]
fn a_new_primary_is_found_among_several_hosts() {
    if !cluster::is_available() {
        return;
    }
    let (old, url) = start(Disk::Careless);
    let (new, other) = start(Disk::Careless);
    let name = name_of(&url);
    assert_eq!(name, name_of(&other), "as on a replica");
    let hosts = format!("{},{}", old.directory().display(), new.directory().display());
    let primary = "user=postgres&target_session_attrs=read-write";
    let store = open(&format!("postgres:///{name}?host={hosts}&{primary}"));
    const GRANTS: &str = "SELECT encode(id, 'hex') FROM grants";
    let before = approve(&store, "before");
    assert_eq!(old.run(name, GRANTS), before.to_string());

    old.configure("SET default_transaction_read_only = on");
    let mut attempts = (0..).map(|it| format!("after-{it}"));
    let moved = attempts.find_map(|grant| {
        let (grant, approved) = try_approve(&store, &grant);
        let moved = approved.is_ok() && !old.run(name, GRANTS).contains(&grant.to_string());
        moved.then(|| grant.to_string())
    });
    let found = new.run(name, GRANTS);
    assert_eq!(Some(found), moved, "the first approval that the new one took");
    assert!(store.is_ready());
}

//! Ending a client while it asks for more, and when it has much.

mod common;

use auth_core::client::{Changed, ClientRegistry, ClientStore};
use auth_core::grant::{Grant, GrantStore};
use auth_core::token::TokenStore;
use auth_store_diesel::DieselStore;
use auth_testkit::sample;
use common::{Scratch, access, at, grant_id};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A client's own token; whether it got one.
fn issue(store: &DieselStore, name: &str) -> bool {
    let grant = Grant { subject: None, ..common::grant(name) };
    store.issue(&grant, &access(&grant.id, name)).expect("an answer")
}

/// CAUTH-14: whoever holds a client's secret cannot keep it from being changed, nor the client from being
/// disabled, by asking for tokens without a pause.
#[test]
fn a_client_that_never_rests_is_changed_and_disabled_all_the_same() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        ClientRegistry::insert(&store, &sample::web()).unwrap();
        // As many at once as two servers of eight workers have connections; a file has one writer anyway.
        let servers = if scratch.url().starts_with("sqlite") { 1 } else { 8 };
        let servers: Vec<_> = (0..servers).map(|_| scratch.open()).collect();
        let (stop, issued) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for thread in 0..64 {
                let (store, stop, issued) = (&servers[thread % servers.len()], &stop, &issued);
                scope.spawn(move || {
                    for round in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let got = issue(store, &format!("{thread}-{round}"));
                        issued.fetch_add(usize::from(got), Ordering::Relaxed);
                    }
                });
            }
            while issued.load(Ordering::Relaxed) < 200 {
                std::thread::yield_now();
            }
            let web = sample::client_id("web");
            let mut secret = sample::web().secrets.remove(0);
            secret.id = "new".into();
            let rotated = store.add_secret(&web, &secret, 0);
            let updated = store.update(&sample::web());
            let disabled = store.set_disabled(&web, Some(at(2)));
            stop.store(true, Ordering::Relaxed);
            let refused = !issue(&store, "too late");
            let done = Ok(Changed::Changed);
            assert_eq!([rotated, updated, disabled], [done.clone(), done.clone(), done]);
            assert!(refused, "disabled");
            let secrets = ClientStore::find(&store, &web).unwrap().unwrap().secrets;
            assert_eq!(secrets, [secret]);
        });
        let left = scratch.execute("UPDATE grants SET revoked_at = 3 WHERE revoked_at IS NULL");
        assert_eq!(left, 0, "grants outlive the client");
    }
}

/// However many grants a client has, disabling it ends all, and enabling it ends what an interrupted
/// disabling left.
#[test]
fn nine_thousand_grants_end_with_their_client() {
    let insert = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) \
         INSERT INTO grants (id, subject, client_id, scope, audience, created_at) \
         SELECT ";
    let live = "UPDATE grants SET created_at = created_at WHERE revoked_at IS NULL";
    for scratch in Scratch::each() {
        let store = scratch.open();
        ClientRegistry::insert(&store, &sample::web()).unwrap();
        let id = match scratch.url().starts_with("sqlite") {
            true => "CAST(printf('%016d', i) AS BLOB)",
            false => "convert_to(lpad(i::text, 16, '0'), 'UTF8')",
        };
        let web = sample::client_id("web");
        scratch.run(&format!("{insert}{id}, NULL, 'web', 'api.read', '', 1 FROM n"));
        assert_eq!(scratch.execute(live), 9000);
        store.set_disabled(&web, Some(at(2))).unwrap();
        assert_eq!(scratch.execute(live), 0);
        scratch.run("UPDATE grants SET revoked_at = NULL");
        store.set_disabled(&web, None).unwrap();
        assert_eq!(scratch.execute(live), 0);
        assert!(!store.revoke(&grant_id("unknown"), at(3)).unwrap());
    }
}

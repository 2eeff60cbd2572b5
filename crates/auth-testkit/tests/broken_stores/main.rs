//! The contract suite can fail: for every promise there is a store that breaks it, and the suite
//! notices.

mod flow;
mod people;
mod refresh;
mod tokens;
mod waiting;

use auth_core::client::{Client, Inserted, Retired};
use auth_core::code::{CodeRecord, Redeemed};
use auth_core::consent::{Consent, PendingAuthorization};
use auth_core::grant::{Decided, Grant};
use auth_core::owner::Owner;
use auth_core::scope::Scope;
use auth_core::timestamp::Timestamp;
use auth_core::token::{Rotated, TokenRecord};
use auth_testkit::contract::{Handles, promises};
use auth_testkit::memory::Data;
use auth_testkit::{Broken, FaultyStore, MemoryStore, sample};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

type Make = Box<dyn Fn(Arc<MemoryStore>) -> FaultyStore>;

/// Breaks its word after this call.
fn after(call: &'static str, breaks: fn(&mut Broken<'_>)) -> Make {
    Box::new(move |inner| {
        FaultyStore::new(inner).after(move |broken| {
            if broken.call == call {
                breaks(broken);
            }
        })
    })
}

/// The same where it shows only when calls overlap: it looks at the rows, dawdles, and acts on what it
/// saw, as a store does that reads in one statement and writes in another.
fn racing(call: &'static str, breaks: fn(&mut Broken<'_>)) -> Make {
    let broken = after(call, breaks);
    Box::new(move |inner| {
        broken(inner).before(move |now, _| {
            if now == call {
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok(())
        })
    })
}

/// Changes the rows after this call; given the rows before it, and as they are now.
fn rows_after(call: &'static str, breaks: fn(&Data, &mut Data)) -> Make {
    Box::new(move |inner| {
        FaultyStore::new(inner).after(move |broken| {
            if broken.call == call {
                broken.store.edit(|data| breaks(&broken.before, data));
            }
        })
    })
}

const LATER: Timestamp = Timestamp::from_unix(4_000_000_000);

/// A broken store for every promise.
fn broken_stores() -> Vec<(&'static str, Make)> {
    let parts =
        [flow::stores(), refresh::stores(), tokens::stores(), people::stores(), waiting::stores()];
    parts.into_iter().flatten().collect()
}

/// What [`auth_core::token::TokenStore::find`] answers.
fn found<'a>(broken: &'a mut Broken<'_>) -> &'a mut Option<(TokenRecord, Grant)> {
    broken.answer()
}

fn end_every_grant(data: &mut Data) {
    for grant in data.grants.values_mut() {
        grant.revoked_at.get_or_insert(LATER);
    }
}

fn handles(make: &dyn Fn(Arc<MemoryStore>) -> FaultyStore) -> Handles<FaultyStore> {
    let store = Arc::new(make(Arc::new(MemoryStore::new())));
    Handles::new(store.clone(), store)
}

#[test]
fn every_promise_has_a_store_that_breaks_it() {
    let promised: Vec<_> = promises::<FaultyStore>().iter().map(|it| it.name).collect();
    let broken: Vec<_> = broken_stores().iter().map(|(name, _)| *name).collect();
    assert_eq!(broken, promised);
}

#[test]
fn the_suite_catches_every_broken_store() {
    let stores = broken_stores();
    let missed: Vec<_> = promises()
        .into_iter()
        .zip(&stores)
        .filter(|(promise, (_, make))| {
            let check = || (promise.check)(&|| handles(make));
            catch_unwind(AssertUnwindSafe(check)).is_ok()
        })
        .map(|(promise, _)| promise.name)
        .collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

/// What breaks a promise is the fault and not the wrapper.
#[test]
fn the_wrapper_without_a_fault_keeps_every_promise() {
    auth_testkit::contract::run_all(&|| handles(&FaultyStore::new));
}

/// The list is complete: no promise was written and then forgotten.
#[test]
fn every_check_is_in_the_list() {
    let sources = [
        include_str!("../../src/contract/clients.rs"),
        include_str!("../../src/contract/codes.rs"),
        include_str!("../../src/contract/decisions.rs"),
        include_str!("../../src/contract/housekeeping.rs"),
        include_str!("../../src/contract/owners.rs"),
        include_str!("../../src/contract/pending.rs"),
        include_str!("../../src/contract/refresh.rs"),
        include_str!("../../src/contract/sessions.rs"),
        include_str!("../../src/contract/tokens.rs"),
    ];
    let written: BTreeSet<_> = sources
        .iter()
        .flat_map(|source| source.lines())
        .filter_map(|line| line.strip_prefix("pub fn ")?.split('<').next())
        .collect();
    let listed: BTreeSet<_> = promises::<MemoryStore>().iter().map(|it| it.name).collect();
    assert_eq!(listed, written);
}

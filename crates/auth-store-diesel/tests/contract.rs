//! Every promise of the ports, kept by two stores that are open on one file.
#![cfg(feature = "sqlite")]

use auth_store_diesel::{DieselStore, StoreOptions};
use auth_testkit::contract::Handles;
use std::sync::Arc;

fn fresh() -> Handles<DieselStore> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let url = format!("sqlite://{}/auth.db", directory.path().display());
    let open = || Arc::new(DieselStore::open(&url, StoreOptions::default()).expect("a store"));
    Handles::new(open(), open()).keeping(directory)
}

auth_testkit::contract_tests!(fresh);

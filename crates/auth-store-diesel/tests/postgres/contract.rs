//! Every promise of the ports, kept by two stores on one database: two servers, as far as it can tell.

use crate::common::{cluster, postgres_database};
use auth_store_diesel::{DieselStore, StoreOptions};
use auth_testkit::contract::Handles;
use std::sync::Arc;

fn fresh() -> Handles<DieselStore> {
    let url = postgres_database();
    let open = || Arc::new(DieselStore::open(&url, StoreOptions::default()).expect("a store"));
    Handles::new(open(), open())
}

auth_testkit::contract_tests!(fresh, if cluster::is_available);

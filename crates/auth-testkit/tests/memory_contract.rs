//! [`MemoryStore`] keeps every promise of the ports.

use auth_testkit::MemoryStore;
use auth_testkit::contract::Handles;
use std::sync::Arc;

fn fresh() -> Handles<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    Handles::new(store.clone(), store)
}

auth_testkit::contract_tests!(fresh);

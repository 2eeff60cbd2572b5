//! The store on PostgreSQL: a cluster of the tests' own, and a database for each test.
#![cfg(feature = "postgres")]

#[path = "../cluster/mod.rs"]
mod cluster;

mod contract;

use auth_store_diesel::migrate;
use std::sync::OnceLock;

/// The URL of a new database with all tables and no rows.
fn database() -> String {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let url = cluster::shared().create_database("template1");
        migrate(&url).expect("migrations");
        name_of(&url).to_owned()
    });
    cluster::shared().create_database(template)
}

/// The name of the database with this URL.
fn name_of(url: &str) -> &str {
    url.split(['/', '?']).nth(3).expect("a database in the URL")
}

//! Old and new side by side: this program on a database that the next release has migrated.

mod common;

use auth_store_diesel::{DieselStore, OpenError, StoreOptions, migrate, pending_migrations};
use auth_testkit::contract::Handles;
use common::Scratch;

fn options(migrate: bool) -> StoreOptions {
    StoreOptions { migrate, ..StoreOptions::default() }
}

/// What a next release may do to a database while this one runs on it.
const NEXT_RELEASE: [&str; 7] = [
    "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000001')",
    "CREATE TABLE devices (
        id TEXT NOT NULL PRIMARY KEY,
        subject TEXT NOT NULL REFERENCES owners (subject) ON DELETE CASCADE
    )",
    "ALTER TABLE clients ADD COLUMN logo TEXT",
    "ALTER TABLE grants ADD COLUMN resource TEXT",
    "ALTER TABLE codes ADD COLUMN uses BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE tokens ADD COLUMN device TEXT",
    "CREATE INDEX tokens_by_device ON tokens (device)",
];

fn migrated_by_the_next_release(scratch: &Scratch) {
    for statement in NEXT_RELEASE {
        scratch.execute(statement);
    }
}

fn promises_hold_beside_the_next_release(fresh: fn() -> Scratch) {
    auth_testkit::contract::run_all(&|| {
        let scratch = fresh();
        let one = scratch.open();
        migrated_by_the_next_release(&scratch);
        let other = DieselStore::open(&scratch.url(), options(false)).unwrap();
        assert!(one.is_ready() && other.is_ready());
        Handles::new(one.into(), other.into()).keeping(scratch)
    });
}

/// Every promise holds on a database that has more than this program knows.
#[cfg(feature = "sqlite")]
#[test]
fn a_file_that_only_gained_serves_this_program_too() {
    promises_hold_beside_the_next_release(|| Scratch::Sqlite(common::File::new()));
}

/// The same in PostgreSQL.
#[cfg(feature = "postgres")]
#[test]
fn a_database_that_only_gained_serves_this_program_too() {
    if common::cluster::is_available() {
        promises_hold_beside_the_next_release(|| Scratch::Postgres(common::postgres_database()));
    }
}

#[test]
fn a_schema_that_took_away_what_this_program_needs_is_refused() {
    for scratch in Scratch::each() {
        let running = scratch.open();
        migrated_by_the_next_release(&scratch);
        scratch.execute("INSERT INTO schema_floor VALUES ('29990101000001')");
        let refusals = [
            DieselStore::open(&scratch.url(), options(true)).unwrap_err(),
            DieselStore::open(&scratch.url(), options(false)).unwrap_err(),
            pending_migrations(&scratch.url()).unwrap_err(),
            migrate(&scratch.url()).unwrap_err(),
        ];
        for error in refusals {
            let names_it = |version: &str| version == "29990101000001";
            assert!(matches!(&error, OpenError::NewerSchema(version) if names_it(version)));
        }
        assert!(!running.is_ready(), "whoever balances the load sends it nothing more");
    }
}

#[test]
fn a_migration_is_not_run_on_top_of_one_that_is_not_known() {
    for scratch in Scratch::each() {
        drop(scratch.open());
        scratch.execute("UPDATE __diesel_schema_migrations SET version = '29990101000001'");
        let error = DieselStore::open(&scratch.url(), options(true)).unwrap_err();
        assert!(matches!(&error, OpenError::NewerSchema(version) if version == "29990101000001"));
    }
}

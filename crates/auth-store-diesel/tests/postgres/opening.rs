//! Opening and migrating databases.

use crate::common::{cluster, postgres_database};
use auth_core::owner::OwnerRegistry as _;
use auth_store_diesel::{DieselStore, OpenError, StoreOptions, migrate, pending_migrations};

fn options(migrate: bool) -> StoreOptions {
    StoreOptions { migrate, ..StoreOptions::default() }
}

fn empty_database() -> String {
    cluster::shared().create_database("template1")
}

fn run(url: &str, sql: &str) -> String {
    cluster::shared().run(cluster::name_of(url), sql)
}

#[test]
fn a_database_that_needs_migrations_is_migrated_or_refused_as_told() {
    if !cluster::is_available() {
        return;
    }
    let url = empty_database();
    let pending = pending_migrations(&url).unwrap();
    assert!(!pending.is_empty());
    let refused = DieselStore::open(&url, options(false)).unwrap_err();
    assert!(matches!(refused, OpenError::MigrationsPending(names) if names == pending));
    assert_eq!(run(&url, "SELECT relname FROM pg_stat_user_tables"), "", "asking creates nothing");

    drop(DieselStore::open(&url, options(true)).unwrap());
    assert_eq!(pending_migrations(&url).unwrap(), Vec::<String>::new());
    assert_eq!(migrate(&url).unwrap(), Vec::<String>::new());
    drop(DieselStore::open(&url, options(false)).unwrap());
}

#[test]
fn servers_that_start_at_once_agree_on_one_schema() {
    if !cluster::is_available() {
        return;
    }
    let url = empty_database();
    // Whoever waited for another must see what that one did, whatever the database is set to.
    let name = cluster::name_of(&url);
    let strict = "SET default_transaction_isolation = 'serializable'";
    run(&url, &format!("ALTER DATABASE \"{name}\" {strict}"));
    let start = std::sync::Barrier::new(8);
    let migrated: usize = std::thread::scope(|scope| {
        let migrate = || {
            start.wait();
            let migrated = migrate(&url).unwrap().len();
            let store = DieselStore::open(&url, options(false)).unwrap();
            assert_eq!(store.list().unwrap(), []);
            migrated
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(migrate)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let known = run(&url, "SELECT COUNT(*) FROM __diesel_schema_migrations");
    assert_eq!(migrated.to_string(), known, "each was run by one of them");
}

#[test]
fn a_store_is_ready_while_its_schema_is_current() {
    if !cluster::is_available() {
        return;
    }
    let url = postgres_database();
    let store = DieselStore::open(&url, StoreOptions::default()).unwrap();
    assert!(store.is_ready());
    run(&url, "DELETE FROM __diesel_schema_migrations");
    assert!(!store.is_ready());
    run(&url, "DROP TABLE __diesel_schema_migrations");
    assert!(!store.is_ready());
}

/// A text that a client may send must not be too much for the database.
#[test]
fn a_database_in_another_encoding_than_utf_8_is_refused() {
    if !cluster::is_available() {
        return;
    }
    let cluster = cluster::shared();
    cluster.run("postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'");
    let error = migrate(&cluster.url("latin")).unwrap_err();
    assert!(matches!(&error, OpenError::WrongEncoding(name) if name == "LATIN1"), "{error:?}");
}

#[test]
fn what_cannot_be_opened_is_refused_with_the_reason_and_without_the_password() {
    if !cluster::is_available() {
        return;
    }
    let there = cluster::shared().url("nowhere");
    let error = DieselStore::open(&there, StoreOptions::default()).unwrap_err().to_string();
    assert!(error.contains("database \"nowhere\" does not exist"), "{error}");
    for url in [
        "postgres://user:hunter2@/name?host=/nowhere",
        "postgres://user:hunter2@[::1/name",
        "postgres://user:hunter2@%zz/name",
        "postgres:///name?host=/nowhere&password=hunter2",
        "postgres:///name?passwort=hunter2",
        "postgres://user@:hunter2/name",
    ] {
        let error = DieselStore::open(url, StoreOptions::default()).unwrap_err();
        let error = format!("{error} {error:?}");
        assert!(error.contains("database"), "{error}");
        assert!(
            url.contains("passwort") || url.contains("@:") || !error.contains("hunter"),
            "{error}"
        );
    }
}

//! A copy that is made while servers work, with the tools that the documentation names, is a whole database:
//! what was answered before the copy began is in it, and it serves.

mod common;

use auth_core::code::Redeemed;
use auth_core::timestamp::Timestamp;
use auth_core::token::Rotated;
use auth_store_diesel::{DieselStore, StoreOptions, export};
use common::{approve, at, grant_id, knows_refresh, redeem, rotate};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How many threads work while the copy is made.
const THREADS: usize = 4;

/// What is done for one name: a code is redeemed, and its refresh token used.
fn serve_one(store: &DieselStore, name: &str) {
    let grant = approve(store, name);
    assert_eq!(redeem(store, &grant, at(20), &first(name)), Redeemed::First);
    assert_eq!(rotate(store, &grant, &first(name), &second(name)), Rotated::Done);
}

fn first(name: &str) -> String {
    format!("{name}-first")
}

fn second(name: &str) -> String {
    format!("{name}-second")
}

/// Makes a copy while threads are at work on the store, before and after it too. It may be over before one
/// of them has finished anything. Answers the names that were done before, and those that began afterwards.
fn copy_under_load(store: &DieselStore, copy: impl FnOnce()) -> (Vec<String>, Vec<String>) {
    let (stop, done) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let done_now = || -> Vec<String> { done.lock().unwrap().clone() };
    let work_for_a_while = || {
        let target = done_now().len() + 40;
        while done_now().len() < target {
            thread::sleep(Duration::from_millis(5));
        }
    };
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (stop, done) = (&stop, &done);
            scope.spawn(move || {
                for count in 0.. {
                    let name = format!("{number}-{count}");
                    serve_one(store, &name);
                    done.lock().unwrap().push(name);
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        work_for_a_while();
        let before = done_now();
        copy();
        let by_then = done_now();
        work_for_a_while();
        let mut after = done_now();
        stop.store(true, Ordering::Relaxed);
        // Each thread may have been at work on one name more while the copy ended.
        after.drain(..by_then.len() + THREADS);
        (before, after)
    })
}

/// CODE-05, REFRESH-13: the copy serves, and knows what was spent before it was made.
fn assert_serves(url: &str, before: &[String], after: &[String]) {
    let store = DieselStore::open(url, StoreOptions::default()).unwrap();
    let counts = export(url, Timestamp::from_unix(0), &mut Vec::new()).unwrap();
    assert!(counts.total() >= before.len() as u64 * 6);
    for name in after {
        assert!(!knows_refresh(&store, &grant_id(name), &second(name)), "{name}");
    }
    for (number, name) in before.iter().enumerate() {
        let grant = grant_id(name);
        let heir = format!("{name}-third");
        assert_eq!(rotate(&store, &grant, &second(name), &heir), Rotated::Done, "{name}");
        // A replay ends the grant, in the copy as everywhere.
        match number % 2 {
            0 => assert_eq!(redeem(&store, &grant, at(40), "thief"), Redeemed::Replayed),
            _ => assert_eq!(rotate(&store, &grant, &first(name), "thief"), Rotated::Replayed),
        }
        assert_eq!(rotate(&store, &grant, &heir, "fourth"), Rotated::GrantEnded, "{name}");
    }
    serve_one(&store, "new");
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::{assert_serves, copy_under_load};
    use crate::common::File;
    use diesel::connection::SimpleConnection as _;
    use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
    use std::path::Path;
    use std::process::Command;

    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = diesel::sql_types::Text)]
        integrity_check: String,
    }

    fn check(path: &Path) -> String {
        let mut conn: diesel::SqliteConnection =
            diesel::Connection::establish(&path.display().to_string()).unwrap();
        sql_query("PRAGMA integrity_check").get_result::<Answer>(&mut conn).unwrap().integrity_check
    }

    fn copied(copy: impl FnOnce(&File, &Path)) {
        let file = File::new();
        let copy_path = file.directory.path().join("copy.db");
        let store = file.open();
        let (before, after) = copy_under_load(&store, || copy(&file, &copy_path));
        assert_eq!(check(&copy_path), "ok");
        assert_serves(&format!("sqlite://{}", copy_path.display()), &before, &after);
    }

    #[test]
    fn a_vacuum_into_another_file_is_a_whole_database() {
        copied(|file, copy| {
            let sql = format!("PRAGMA busy_timeout = 10000; VACUUM INTO '{}'", copy.display());
            file.raw().batch_execute(&sql).unwrap();
        });
    }

    /// What `.backup` of the program `sqlite3` does.
    #[test]
    fn an_online_backup_is_a_whole_database() {
        const BACKUP: &str = "
import sqlite3, sys
sqlite3.connect(sys.argv[1]).backup(sqlite3.connect(sys.argv[2]))
";
        let python = || Command::new("python3");
        if !python().args(["-c", "import sqlite3"]).status().is_ok_and(|it| it.success()) {
            let required = std::env::var("AUTH_TEST_REQUIRE").is_ok_and(|value| value == "all");
            assert!(!required, "python3 is missing, and everything is required");
            eprintln!("skipped: python3 is missing, which is needed for an online backup");
            return;
        }
        copied(|file, copy| {
            let output = python().args(["-c", BACKUP]).arg(file.path()).arg(copy).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        });
    }
}

#[cfg(feature = "postgres")]
#[test]
fn a_dump_of_postgresql_restores_to_a_whole_database() {
    use common::cluster;
    if !cluster::is_available() {
        return;
    }
    let (cluster, url) = (cluster::shared(), common::postgres_database());
    let directory = tempfile::tempdir().unwrap();
    let dump = directory.path().join("auth.dump");
    let run = |mut command: std::process::Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let store = DieselStore::open(&url, StoreOptions::default()).unwrap();
    let (before, after) = copy_under_load(&store, || {
        let mut pg_dump = cluster.client("pg_dump", cluster::name_of(&url));
        pg_dump.arg("--format=custom").arg("--file").arg(&dump);
        run(pg_dump);
    });
    let restored = cluster.create_database("template0");
    let mut pg_restore = cluster.client("pg_restore", cluster::name_of(&restored));
    pg_restore.args(["--exit-on-error", "--single-transaction"]).arg(&dump);
    run(pg_restore);
    assert_serves(&restored, &before, &after);
}

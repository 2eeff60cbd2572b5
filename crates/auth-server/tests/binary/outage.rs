//! A database that cannot be written for a while.

use crate::support::http::Answer;
use crate::support::parameter;
use crate::support::person::{Person, authorization};
use crate::support::programs::require;
use crate::{REDIRECT_URI, site};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread;

/// Locks the database at its first argument until its standard input ends.
const LOCK: &str = "
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute('BEGIN EXCLUSIVE')
print('locked', flush=True)
sys.stdin.read()
connection.execute('ROLLBACK')
";

#[track_caller]
fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    let wait: u64 = answer.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    let text = answer.text().to_lowercase();
    for detail in ["sqlite", "locked", "database", "panick", ".rs"] {
        assert!(!text.contains(detail), "{detail} in {text}");
    }
}

/// AUTHZ-24: whatever needs the store says that it is out of reach, nothing is refused for good, and all
/// of it works as soon as the store does.
#[test]
fn a_locked_database_is_told_as_a_passing_fault_and_nothing_is_lost() {
    if !require(&["python3", "-c", "import sqlite3"], "locking the database") {
        return;
    }
    // The code must outlive the outage.
    let (site, client, process) = site(&[("AUTH__TOKENS__CODE_LIFETIME", "10m")]);
    let mut alice = Person::at(process.address);
    let code = alice.code(&client, REDIRECT_URI);
    let other = alice.code(&client, REDIRECT_URI);
    let refresh_token = process.redeem(&client, &other).member("refresh_token");
    let request = authorization(&client, REDIRECT_URI, "a state");
    let page = alice.get(&format!("{request}&prompt=consent"));
    assert!(page.text().contains("name=\"decision\""), "{page:?}");

    let mut lock = Command::new("python3");
    lock.args(["-c", LOCK]).arg(site.path("auth.db"));
    let mut lock = lock.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python");
    let mut line = String::new();
    BufReader::new(lock.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    assert_eq!(line, "locked\n");

    let (client, process) = (&client, &process);
    thread::scope(|scope| {
        let redeemed = scope.spawn(|| process.redeem(client, &code));
        let refreshed = scope.spawn(|| process.refresh(client, &refresh_token));
        let started = scope.spawn(|| process.get(&request).expect("an answer"));
        let approved = scope.spawn(|| alice.clone().fill(&page, &[("decision", "approve")]));
        for answer in [redeemed, refreshed] {
            let answer = answer.join().expect("no panic");
            is_unavailable(&answer);
            assert_eq!(answer.member("error"), "temporarily_unavailable");
        }
        for answer in [started, approved] {
            let answer = answer.join().expect("no panic");
            if answer.status == 303 {
                let error = parameter(answer.location(), "error");
                assert_eq!(error.as_deref(), Some("temporarily_unavailable"), "{answer:?}");
                assert_eq!(parameter(answer.location(), "state").as_deref(), Some("a state"));
            } else {
                is_unavailable(&answer);
            }
        }
    });

    drop(lock.stdin.take());
    assert!(lock.wait().expect("it ends").success());
    assert_eq!(process.redeem(client, &code).status, 200);
    assert_eq!(process.refresh(client, &refresh_token).status, 200);
    let approved = alice.fill(&page, &[("decision", "approve")]);
    let code = parameter(approved.location(), "code").expect("a code");
    assert_eq!(process.redeem(client, &code).status, 200);
    let mut bob = Person::at(process.address);
    bob.code(client, REDIRECT_URI);
}

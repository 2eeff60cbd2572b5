//! The real program, treated badly: killed at any moment, and without room on its disk.
//!
//! SIGKILL ends a process between any two of its instructions. What it had handed to the kernel stays,
//! so this proves that no answer runs ahead of its commit and that no commit is half there; that a
//! commit survives a loss of power is what `synchronous = FULL` is for, which the store's own tests check.

mod browser;
mod chance;
mod disk_full;
mod ledger;
mod server;
mod tally;
mod way;
mod wire;
mod worker;

use auth_store_diesel::{DieselStore, StoreOptions, integrity_problems};
use chance::Chance;
use ledger::Wrong;
use server::Installation;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tally::Tally;
use way::Service;
use wire::Answer;
use worker::{Worker, each};

/// Each with 32 flows under way.
const WORKERS: usize = 12;

/// A sweep that takes longer is not waited for.
const SWEEP: Duration = Duration::from_secs(30);

/// Where nobody kills the server, every request is answered within this time.
const PATIENCE: Duration = Duration::from_secs(40);

/// From a start of the server to its end.
struct Round<'a> {
    installation: &'a Installation,
    tally: &'a Tally,
    /// Set when nothing is left of the server.
    killed: AtomicBool,
    /// How many workers have tried everything they have.
    swept: AtomicUsize,
}

/// CODE-05, CODE-06, REFRESH-04, REFRESH-12, REFRESH-13, REVOKE-05, REVOKE-06, INTRO-02, CC-01, XC-06:
/// hundreds of flows at once, while the server is killed at random moments, at least `AUTH_TEST_KILLS` times
/// (5 if it is not set).
#[test]
fn what_was_answered_holds_however_often_the_server_is_killed() {
    let kills = std::env::var("AUTH_TEST_KILLS");
    let kills: usize = kills.map_or(5, |kills| kills.parse().expect("AUTH_TEST_KILLS is a number"));
    let mut chance = Chance::new(chance::seed());
    let directory = tempfile::tempdir().unwrap();
    let users: Vec<_> = (0..WORKERS).map(|number| format!("user{number}")).collect();
    let installation = Installation::new(directory.path(), "auth.db", &users, &mut chance);
    let mut workers: Vec<_> =
        users.into_iter().map(|user| Worker::new(user, chance.split())).collect();
    let (start, tally) = (Instant::now(), Tally::default());
    let mut killed = 0;
    let outcome = (|| {
        // More often if all of that was too short for the load.
        while killed < kills || killed < 4 * kills && !tally.is_worth_it() {
            run_and_kill(&installation, &tally, &mut workers, &mut chance)?;
            killed += 1;
        }
        run_to_the_end(&installation, &tally, &mut workers)
    })();
    println!("{killed} kills in {:.0} s; {tally}", start.elapsed().as_secs_f64());
    if let Err(Wrong(what)) = outcome {
        panic!("{what}\nThe server's log:\n{}", installation.log_text());
    }
    assert!(tally.is_worth_it(), "the load was too small to prove anything: {tally}");
}

/// One life of the server. A quarter of them are cut short while it starts or recovers.
fn run_and_kill(
    installation: &Installation,
    tally: &Tally,
    workers: &mut [Worker],
    chance: &mut Chance,
) -> Result<(), Wrong> {
    let mut server = installation.start();
    let early = chance.one_in(4);
    // Whoever opens the database first after a kill recovers it. Mostly that should be the server.
    let audit_dead = chance.one_in(3);
    if !early {
        installation.wait(&mut server);
        if !audit_dead {
            audit(installation, workers)?;
        }
    }
    let round = Round::new(installation, tally);
    let pause = Duration::from_millis(chance.below(if early { 300 } else { 1500 }));
    let count = workers.len();
    each(
        workers,
        &round,
        |worker, way| {
            if worker.sweep(way)? {
                round.swept.fetch_add(1, Ordering::Relaxed);
            }
            worker.go_on(way)
        },
        || {
            let start = Instant::now();
            while !early && round.swept.load(Ordering::Relaxed) < count && start.elapsed() < SWEEP {
                sleep(Duration::from_millis(1));
            }
            sleep(pause);
            server.kill();
            round.killed.store(true, Ordering::Release);
        },
    )?;
    if audit_dead { audit(installation, workers) } else { Ok(()) }
}

/// The last life: everything is tried once more, also what must be refused.
fn run_to_the_end(
    installation: &Installation,
    tally: &Tally,
    workers: &mut [Worker],
) -> Result<(), Wrong> {
    let mut server = installation.start();
    installation.wait(&mut server);
    each(workers, &Round::new(installation, tally), Worker::finish, || ())?;
    server.kill();
    audit(installation, workers)
}

impl<'a> Round<'a> {
    fn new(installation: &'a Installation, tally: &'a Tally) -> Self {
        let (killed, swept) = (AtomicBool::new(false), AtomicUsize::new(0));
        Self { installation, tally, killed, swept }
    }
}

impl Service for Round<'_> {
    fn address(&self) -> SocketAddr {
        self.installation.address
    }

    fn authorization(&self) -> &str {
        &self.installation.authorization
    }

    fn tally(&self) -> &Tally {
        self.tally
    }

    fn is_over(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// Without an answer, waits until the server is dead: what it may still do is part of its life.
    fn settle(&self, answer: io::Result<Answer>) -> Result<Option<Answer>, Wrong> {
        let error = match answer {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        let start = Instant::now();
        while !self.is_over() {
            if start.elapsed() > PATIENCE {
                return Err(Wrong(format!("no answer, though nobody killed the server: {error}")));
            }
            sleep(Duration::from_millis(1));
        }
        Ok(None)
    }
}

/// The database is whole, and holds every access token that somebody received.
fn audit(installation: &Installation, workers: &mut [Worker]) -> Result<(), Wrong> {
    let url = installation.database_url();
    let problems = integrity_problems(&url).map_err(|error| Wrong(error.to_string()))?;
    if !problems.is_empty() {
        return Err(Wrong(format!("the database is damaged: {problems:?}")));
    }
    let options = StoreOptions { migrate: false, ..StoreOptions::default() };
    let store = DieselStore::open(&url, options).map_err(|error| Wrong(error.to_string()))?;
    workers.iter_mut().try_for_each(|worker| worker.audit(&store))
}

//! Many clients with many grants, all the time, whatever happens to the servers meanwhile.

use crate::chance::Chance;
use crate::ledger::Wrong;
use crate::server::CLIENT;
use crate::tally::{Count, Tally};
use crate::way::Service;
use crate::wire::Answer;
use crate::worker::{Worker, each};
use auth_store_diesel::{DieselStore, StoreOptions};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Whoever found no server waits a moment before the next request.
const PAUSE: Duration = Duration::from_millis(20);

/// What is awaited comes within this time, or never.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the clients send their requests, and what has become of these so far.
pub struct Front {
    address: SocketAddr,
    authorization: String,
    tally: Tally,
    /// Requests that a server had no database for: 503 with `Retry-After`, or the same as a redirect.
    pub unavailable: Count,
    /// Requests that were lost with the connection to a server: 502 from nginx.
    pub cut_off: Count,
    /// Tells the workers to come to an end.
    over: AtomicBool,
}

pub struct Load {
    pub front: Front,
    workers: Vec<Worker>,
}

impl Load {
    /// A worker for each of these accounts, as the confidential client with this secret.
    pub fn new(address: SocketAddr, secret: &str, users: &[&str], chance: &mut Chance) -> Self {
        let worker = |user: &&str| Worker::new((*user).to_owned(), chance.split());
        let workers = users.iter().map(worker).collect();
        let front = Front {
            address,
            authorization: format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{secret}"))),
            tally: Tally::default(),
            unavailable: Count::default(),
            cut_off: Count::default(),
            over: AtomicBool::new(false),
        };
        Self { front, workers }
    }

    /// The workers do what comes to their minds while `meanwhile` lasts. What was given before is tried
    /// first.
    pub fn run(&mut self, meanwhile: impl FnOnce(&Front)) -> Result<(), Wrong> {
        let front = &self.front;
        front.over.store(false, Relaxed);
        each(
            &mut self.workers,
            front,
            |worker, way| {
                worker.sweep(way)?;
                worker.go_on(way)
            },
            || {
                meanwhile(front);
                front.over.store(true, Relaxed);
            },
        )
    }

    /// Tries a last time everything that was received, and what must be refused, too. All is well with
    /// the servers by now, so every request is answered.
    pub fn finish(&mut self) -> Result<(), Wrong> {
        let lost = self.front.lost();
        self.front.over.store(false, Relaxed);
        each(&mut self.workers, &self.front, Worker::finish, || ())?;
        match self.front.lost() - lost {
            0 => Ok(()),
            some => Err(Wrong(format!("{some} requests got no answer though nothing is amiss"))),
        }
    }

    /// Looks up in the database every access token that was received.
    pub fn audit(&mut self, database: &str) -> Result<(), Wrong> {
        let options = StoreOptions { migrate: false, readers: 1, ..StoreOptions::default() };
        let store = DieselStore::open(database, options).map_err(|it| Wrong(it.to_string()))?;
        self.workers.iter_mut().try_for_each(|worker| worker.audit(&store))
    }
}

impl Front {
    /// Requests without a proper answer.
    fn lost(&self) -> u64 {
        self.unavailable.get() + self.cut_off.get()
    }

    /// Waits until this many more token requests were granted.
    pub fn wait_for_grants(&self, more: u64) {
        let aim = self.tally.granted.get() + more;
        let start = Instant::now();
        while self.tally.granted.get() < aim {
            assert!(start.elapsed() < PATIENCE, "the flows do not go on: {self}");
            sleep(Duration::from_millis(5));
        }
    }
}

impl std::fmt::Display for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tally, unavailable, cut_off, .. } = self;
        write!(f, "{tally}; of all requests {unavailable} met no database, {cut_off} no server")
    }
}

impl Service for Front {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn authorization(&self) -> &str {
        &self.authorization
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }

    fn is_over(&self) -> bool {
        self.over.load(Relaxed)
    }

    /// No answer if there was none from a server, or one that says that it has no database. It must say
    /// when to come back, and then the client does not know what was done.
    fn settle(&self, answer: io::Result<Answer>) -> Result<Option<Answer>, Wrong> {
        let answer = answer.map_err(|error| Wrong(format!("nginx does not answer: {error}")))?;
        let count = match answer.status {
            502 => &self.cut_off,
            503 if says_when_to_come_back(&answer) => &self.unavailable,
            303 if answer.location_param("error").as_deref() == Some("temporarily_unavailable") => {
                &self.unavailable
            }
            503 => return Err(Wrong(format!("503 without Retry-After: {answer:?}"))),
            _ => return Ok(Some(answer)),
        };
        count.add(1);
        sleep(PAUSE);
        Ok(None)
    }
}

fn says_when_to_come_back(answer: &Answer) -> bool {
    let seconds = answer.header("retry-after").and_then(|it| it.parse().ok());
    seconds.is_some_and(|it: u64| (1..=60).contains(&it))
}

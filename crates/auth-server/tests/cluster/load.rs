//! Many clients with many grants, which keep a ledger of what they were answered and hold every answer
//! against it, whatever happens to the servers meanwhile.

use crate::browser::{Browser, VERIFIER};
use crate::chance::Chance;
use crate::ledger::{Grant, Known, Reply, Wrong};
use crate::server::{CLIENT, REDIRECT_URI};
use crate::wire::{Answer, Connection};
use auth_core::secret::AccessToken;
use auth_core::timestamp::Timestamp;
use auth_core::token::TokenStore as _;
use auth_store_diesel::{DieselStore, StoreOptions};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

/// How many flows one worker has under way.
const OPEN: usize = 16;

/// A grant that gave so much has served.
const LONG: usize = 24;

/// Whoever found no server waits a moment before the next request.
const PAUSE: Duration = Duration::from_millis(20);

/// What is awaited comes within this time, or never.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the clients send their requests, and what has become of these so far.
pub struct Front {
    address: SocketAddr,
    authorization: String,
    /// Codes that arrived.
    pub codes: AtomicU64,
    /// Token requests that were granted.
    pub granted: AtomicU64,
    /// Token requests that were refused, rightly.
    pub refused: AtomicU64,
    /// Requests that a server had no database for: 503 with `Retry-After`, or the same as a redirect.
    pub unavailable: AtomicU64,
    /// Requests that were lost with the connection to a server: 502 from nginx.
    pub cut_off: AtomicU64,
    /// Tells the workers to come to an end.
    over: AtomicBool,
}

pub struct Load {
    pub front: Front,
    workers: Vec<Worker>,
}

struct Worker {
    chance: Chance,
    browser: Browser,
    grants: Vec<Grant>,
    /// Codes and last refresh tokens of grants that have ended.
    ended: Vec<(String, Option<String>)>,
}

impl Load {
    /// A worker for each of these accounts, as the confidential client with this secret.
    pub fn new(address: SocketAddr, secret: &str, users: &[&str], chance: &mut Chance) -> Self {
        let worker = |user: &&str| Worker {
            chance: chance.split(),
            browser: Browser::new((*user).to_owned()),
            grants: Vec::new(),
            ended: Vec::new(),
        };
        let workers = users.iter().map(worker).collect();
        let authorization = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{secret}")));
        Self { front: Front::new(address, authorization), workers }
    }

    /// The workers do what comes to their minds while `meanwhile` lasts. What was given before is tried
    /// first.
    pub fn run(&mut self, meanwhile: impl FnOnce(&Front)) -> Result<(), Wrong> {
        self.each(Worker::go_on, meanwhile)
    }

    /// Tries a last time everything that was received, and what must be refused, too. All is well with
    /// the servers by now, so every request is answered.
    pub fn finish(&mut self) -> Result<(), Wrong> {
        let lost = self.front.lost();
        self.each(Worker::finish, |_| ())?;
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

    /// Lets every worker work, each on a thread of its own, and something else happen meanwhile.
    fn each(
        &mut self,
        work: impl Fn(&mut Worker, &mut Line<'_>) -> Result<(), Wrong> + Sync,
        meanwhile: impl FnOnce(&Front),
    ) -> Result<(), Wrong> {
        let (front, work) = (&self.front, &work);
        front.over.store(false, Relaxed);
        scope(|scope| {
            let run = |worker| scope.spawn(move || work(worker, &mut Line::new(front)));
            let threads: Vec<_> = self.workers.iter_mut().map(run).collect();
            meanwhile(front);
            front.over.store(true, Relaxed);
            threads.into_iter().try_for_each(|thread| match thread.join() {
                Ok(outcome) => outcome,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })
    }
}

impl Front {
    fn new(address: SocketAddr, authorization: String) -> Self {
        let zero = || AtomicU64::new(0);
        let (codes, granted, refused) = (zero(), zero(), zero());
        let (unavailable, cut_off, over) = (zero(), zero(), AtomicBool::new(false));
        Self { address, authorization, codes, granted, refused, unavailable, cut_off, over }
    }

    /// Requests without a proper answer.
    fn lost(&self) -> u64 {
        self.unavailable.load(Relaxed) + self.cut_off.load(Relaxed)
    }

    /// Waits until this many more token requests were granted.
    pub fn wait_for_grants(&self, more: u64) {
        let aim = self.granted.load(Relaxed) + more;
        let start = Instant::now();
        while self.granted.load(Relaxed) < aim {
            assert!(start.elapsed() < PATIENCE, "the flows do not go on: {self}");
            sleep(Duration::from_millis(5));
        }
    }
}

impl std::fmt::Display for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [codes, granted, refused, unavailable, cut_off] =
            [&self.codes, &self.granted, &self.refused, &self.unavailable, &self.cut_off]
                .map(|count| count.load(Relaxed));
        write!(
            f,
            "{codes} codes; {granted} token requests granted, {refused} refused; of all requests \
             {unavailable} met no database, {cut_off} were cut off"
        )
    }
}

impl Worker {
    fn go_on(&mut self, line: &mut Line<'_>) -> Result<(), Wrong> {
        for grant in self.grants.iter_mut().filter(|grant| grant.ended != Known::Yes) {
            if let Some(it) = &grant.line {
                let reply = line.refresh(&it.current)?;
                grant.refreshed(reply, true)?;
            }
        }
        while !line.front.over.load(Relaxed) {
            self.step(line)?;
        }
        Ok(())
    }

    fn step(&mut self, line: &mut Line<'_>) -> Result<(), Wrong> {
        if self.grants.len() < OPEN {
            let ask = &mut |method: &str, to: &str, headers: &[(&str, &str)], body: &str| {
                line.ask(method, to, headers, body)
            };
            let code = self.browser.authorize(&mut self.chance, ask)?;
            line.front.codes.fetch_add(code.is_some().into(), Relaxed);
            self.grants.extend(code.map(Grant::new));
        }
        if self.grants.is_empty() {
            return Ok(());
        }
        let index = self.chance.index(self.grants.len());
        let grant = &mut self.grants[index];
        if grant.ended == Known::Yes || grant.access.len() > LONG {
            // A replay of its code ends it, unless it has ended already.
            grant.redeemed(line.redeem(&grant.code, VERIFIER)?)?;
            if grant.ended == Known::Yes {
                let grant = self.grants.swap_remove(index);
                self.ended.push((grant.code, grant.line.map(|it| it.current)));
            }
            return Ok(());
        }
        if self.chance.one_in(20) {
            let wrong = line.redeem(&grant.code, &VERIFIER.replace('d', "e"))?;
            return grant.misused(&wrong);
        }
        match grant.line {
            None if self.chance.one_in(5) => grant.raced(line.redeem_twice(&grant.code)?),
            None => grant.redeemed(line.redeem(&grant.code, VERIFIER)?),
            Some(_) => refresh(grant, line, &mut self.chance),
        }
    }

    fn finish(&mut self, line: &mut Line<'_>) -> Result<(), Wrong> {
        for grant in &mut self.grants {
            if let Some(it) = &grant.line {
                let reply = line.refresh(&it.current)?;
                grant.refreshed(reply, true)?;
            }
            grant.redeemed(line.redeem(&grant.code, VERIFIER)?)?;
            grant.redeemed(line.redeem(&grant.code, VERIFIER)?)?;
            if let Some(it) = &grant.line {
                let reply = line.refresh(&it.current)?;
                grant.replayed(&reply)?;
            }
        }
        for (code, refresh) in &self.ended {
            let refreshed = refresh.as_ref().map(|it| line.refresh(it)).transpose()?;
            for reply in [Some(line.redeem(code, VERIFIER)?), refreshed].into_iter().flatten() {
                if !matches!(reply, Reply::Refused) {
                    return Err(Wrong(format!("an ended grant answers {reply:?}")));
                }
            }
        }
        Ok(())
    }

    fn audit(&mut self, store: &DieselStore) -> Result<(), Wrong> {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        let now = Timestamp::from_unix(since.try_into().unwrap_or(i64::MAX));
        for grant in &mut self.grants {
            let mut live = Vec::new();
            for token in &grant.access {
                let found = store.find_access(&AccessToken::presented(token).digest());
                let found = found.map_err(|error| Wrong(error.to_string()))?;
                live.push(found.is_some_and(|(record, grant)| {
                    grant.is_live(now) && !record.expires_at.is_expired(now)
                }));
            }
            grant.seen(&live)?;
        }
        Ok(())
    }
}

/// One of: an ordinary refresh, one whose answer is lost, one of two tabs, a replay.
fn refresh(grant: &mut Grant, line: &mut Line<'_>, chance: &mut Chance) -> Result<(), Wrong> {
    let Some(it) = &mut grant.line else { return Ok(()) };
    let choice = chance.below(40);
    if choice == 0 && !it.spent.is_empty() {
        let token = it.spent[chance.index(it.spent.len())].clone();
        let reply = line.refresh(&token)?;
        return grant.replayed(&reply);
    }
    if choice < 6
        && it.has_few_siblings()
        && let Some(parent) = it.parent.clone()
    {
        let reply = line.refresh(&parent)?;
        return grant.parent_refreshed(reply);
    }
    if choice < 10 {
        it.switch();
    }
    let reply = line.refresh(&it.current)?;
    let lost = choice >= 35;
    grant.refreshed(reply, !lost)
}

/// The way to the servers. Two connections to nginx, so that two requests can be under way at once.
struct Line<'a> {
    front: &'a Front,
    one: Connection,
    other: Connection,
}

impl<'a> Line<'a> {
    fn new(front: &'a Front) -> Self {
        let address = front.address;
        Self { front, one: Connection::new(address), other: Connection::new(address) }
    }

    fn ask(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Option<Answer>, Wrong> {
        let answer = self.one.send(method, target, headers, body);
        self.settle(answer)
    }

    fn redeem(&mut self, code: &str, verifier: &str) -> Result<Reply, Wrong> {
        self.token(&redemption(code, verifier))
    }

    fn refresh(&mut self, token: &str) -> Result<Reply, Wrong> {
        self.token(&format!("grant_type=refresh_token&refresh_token={token}"))
    }

    fn token(&mut self, body: &str) -> Result<Reply, Wrong> {
        let headers = [("Authorization", self.front.authorization.as_str())];
        let answer = self.one.send("POST", "/oauth/token", &headers, body);
        self.reply(answer)
    }

    /// Both are sent before either is answered.
    fn redeem_twice(&mut self, code: &str) -> Result<[Reply; 2], Wrong> {
        let body = redemption(code, VERIFIER);
        let headers = [("Authorization", self.front.authorization.as_str())];
        let sent = [&mut self.one, &mut self.other]
            .map(|it| it.write("POST", "/oauth/token", &headers, &body));
        let [one, other] = sent;
        let one = one.and_then(|()| self.one.read());
        let other = other.and_then(|()| self.other.read());
        Ok([self.reply(one)?, self.reply(other)?])
    }

    fn reply(&self, answer: io::Result<Answer>) -> Result<Reply, Wrong> {
        let Some(answer) = self.settle(answer)? else { return Ok(Reply::Unknown) };
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let tokens = (text("access_token"), text("refresh_token"));
        match (answer.status, tokens, text("error").as_deref()) {
            (200, (Some(access), Some(refresh)), None) => {
                self.front.granted.fetch_add(1, Relaxed);
                Ok(Reply::Tokens { access, refresh })
            }
            (400, (None, None), Some("invalid_grant")) => {
                self.front.refused.fetch_add(1, Relaxed);
                Ok(Reply::Refused)
            }
            _ => Err(Wrong(format!("no answer of a token endpoint: {answer:?}"))),
        }
    }

    /// No answer if there was none from a server, or one that says that it has no database. It must say
    /// when to come back, and then the client does not know what was done.
    fn settle(&self, answer: io::Result<Answer>) -> Result<Option<Answer>, Wrong> {
        let answer = answer.map_err(|error| Wrong(format!("nginx does not answer: {error}")))?;
        let count = match answer.status {
            502 => &self.front.cut_off,
            503 if says_when_to_come_back(&answer) => &self.front.unavailable,
            303 if answer.location_param("error").as_deref() == Some("temporarily_unavailable") => {
                &self.front.unavailable
            }
            503 => return Err(Wrong(format!("503 without Retry-After: {answer:?}"))),
            _ => return Ok(Some(answer)),
        };
        count.fetch_add(1, Relaxed);
        sleep(PAUSE);
        Ok(None)
    }
}

fn says_when_to_come_back(answer: &Answer) -> bool {
    let seconds = answer.header("retry-after").and_then(|it| it.parse().ok());
    seconds.is_some_and(|it: u64| (1..=60).contains(&it))
}

fn redemption(code: &str, verifier: &str) -> String {
    format!(
        "grant_type=authorization_code&redirect_uri={REDIRECT_URI}&code={code}\
         &code_verifier={verifier}"
    )
}

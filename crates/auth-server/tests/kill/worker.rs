//! A client that has many grants at once, and does with them whatever comes to its mind.

use crate::browser::{Browser, VERIFIER};
use crate::chance::Chance;
use crate::ledger::{Grant, Known, Reply, Wrong};
use crate::server::{Installation, REDIRECT_URI};
use crate::wire::{Answer, Connection};
use auth_core::secret::AccessToken;
use auth_core::timestamp::Timestamp;
use auth_core::token::TokenStore as _;
use auth_store_diesel::DieselStore;
use std::io::Result as IoResult;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many flows one worker has under way.
const OPEN: usize = 32;

/// A grant that gave so much has served.
const LONG: usize = 24;

/// Codes are good for ten minutes; these are given up before.
const STALE: Duration = Duration::from_secs(8 * 60);

/// From a start of the server to its end.
pub struct Round<'a> {
    pub installation: &'a Installation,
    /// Set when nothing is left of the server.
    pub killed: AtomicBool,
    /// How many workers have tried everything they have.
    pub swept: AtomicUsize,
}

#[derive(Default, Clone, Copy)]
pub struct Counts {
    pub codes: u64,
    pub tokens: u64,
    pub refused: u64,
    pub unknown: u64,
}

pub struct Worker {
    chance: Chance,
    browser: Browser,
    grants: Vec<Grant>,
    /// Codes and last refresh tokens of grants that have ended.
    ended: Vec<(String, Option<String>)>,
    pub counts: Counts,
}

impl Worker {
    pub fn new(user: String, chance: Chance) -> Self {
        Self {
            chance,
            browser: Browser::new(user),
            grants: Vec::new(),
            ended: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Tries everything that was received, then goes on at random until the server is killed.
    pub fn run(&mut self, round: &Round<'_>) -> Result<(), Wrong> {
        let mut line = Line::new(round);
        if self.sweep(&mut line)? {
            round.swept.fetch_add(1, Ordering::Relaxed);
        }
        while !line.is_dead() {
            self.step(&mut line)?;
        }
        Ok(())
    }

    /// Tries everything that was received a last time, and what must be refused, too.
    pub fn finish(&mut self, round: &Round<'_>) -> Result<(), Wrong> {
        let mut line = Line::new(round);
        self.sweep(&mut line)?;
        for grant in &mut self.grants {
            grant.redeemed(line.redeem(&grant.code, VERIFIER)?)?;
            if grant.redeemed == Known::Yes {
                grant.redeemed(line.redeem(&grant.code, VERIFIER)?)?;
            }
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

    /// Looks up in the database every access token that was received.
    pub fn audit(&mut self, store: &DieselStore) -> Result<(), Wrong> {
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

    /// False if the server was killed before the end.
    fn sweep(&mut self, line: &mut Line<'_>) -> Result<bool, Wrong> {
        let mut index = 0;
        while index < self.grants.len() {
            if line.is_dead() {
                return Ok(false);
            }
            let grant = &mut self.grants[index];
            match &grant.line {
                // Some codes are kept over several kills.
                None if grant.redeemed == Known::No && !self.chance.one_in(3) => {}
                None => grant.redeemed(line.redeem(&grant.code, VERIFIER)?)?,
                Some(it) => {
                    let reply = line.refresh(&it.current)?;
                    self.counts.add(&reply);
                    grant.refreshed(reply, true)?;
                    if self.chance.one_in(12) {
                        grant.redeemed(line.redeem(&grant.code, VERIFIER)?)?;
                    }
                }
            }
            index += 1;
        }
        Ok(!line.is_dead())
    }

    fn step(&mut self, line: &mut Line<'_>) -> Result<(), Wrong> {
        if self.grants.len() < OPEN {
            if self.chance.one_in(150) {
                self.browser.clear();
            }
            let code =
                self.browser.authorize(&mut self.chance, &mut |method, to, headers, body| {
                    line.ask(method, to, headers, body)
                })?;
            self.counts.codes += u64::from(code.is_some());
            self.grants.extend(code.map(Grant::new));
        }
        if self.grants.is_empty() {
            return Ok(());
        }
        let index = self.chance.index(self.grants.len());
        let grant = &mut self.grants[index];
        if grant.ended == Known::Yes || grant.access.len() > LONG {
            grant.redeemed(line.redeem(&grant.code, VERIFIER)?)?;
            if grant.ended == Known::Yes {
                let grant = self.grants.swap_remove(index);
                self.ended.push((grant.code, grant.line.map(|it| it.current)));
            }
            return Ok(());
        }
        if grant.line.is_none() && grant.born.elapsed() > STALE {
            self.grants.swap_remove(index);
            return Ok(());
        }
        if self.chance.one_in(20) {
            let wrong = line.redeem(&grant.code, &VERIFIER.replace('d', "e"))?;
            return grant.misused(&wrong);
        }
        match &mut grant.line {
            None => redeem(grant, line, &mut self.chance, &mut self.counts),
            Some(_) => refresh(grant, line, &mut self.chance, &mut self.counts),
        }
    }
}

fn redeem(
    grant: &mut Grant,
    line: &mut Line<'_>,
    chance: &mut Chance,
    counts: &mut Counts,
) -> Result<(), Wrong> {
    if chance.one_in(5) {
        let replies = line.redeem_twice(&grant.code)?;
        replies.iter().for_each(|reply| counts.add(reply));
        return grant.raced(replies);
    }
    let reply = line.redeem(&grant.code, VERIFIER)?;
    counts.add(&reply);
    grant.redeemed(reply)
}

/// One of: an ordinary refresh, one whose answer is lost, one of two tabs, a replay.
fn refresh(
    grant: &mut Grant,
    line: &mut Line<'_>,
    chance: &mut Chance,
    counts: &mut Counts,
) -> Result<(), Wrong> {
    let Some(it) = &mut grant.line else { return Ok(()) };
    let choice = chance.below(40);
    if choice == 0 && !it.spent.is_empty() {
        let token = it.spent[chance.index(it.spent.len())].clone();
        let reply = line.refresh(&token)?;
        counts.add(&reply);
        return grant.replayed(&reply);
    }
    if choice < 6
        && it.has_few_siblings()
        && let Some(parent) = it.parent.clone()
    {
        let reply = line.refresh(&parent)?;
        counts.add(&reply);
        return grant.parent_refreshed(reply);
    }
    if choice < 10 {
        it.switch();
    }
    let reply = line.refresh(&it.current)?;
    counts.add(&reply);
    let lost = choice >= 35;
    grant.refreshed(reply, !lost)
}

impl Counts {
    fn add(&mut self, reply: &Reply) {
        match reply {
            Reply::Tokens { .. } => self.tokens += 1,
            Reply::Refused => self.refused += 1,
            Reply::Unknown => self.unknown += 1,
        }
    }

    /// Whether everything happened that was to be tried.
    pub fn is_worth_it(&self) -> bool {
        self.codes > 100 && self.tokens > 1000 && self.refused > 10 && self.unknown > 0
    }
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            codes: self.codes + other.codes,
            tokens: self.tokens + other.tokens,
            refused: self.refused + other.refused,
            unknown: self.unknown + other.unknown,
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { codes, tokens, refused, unknown } = self;
        write!(
            f,
            "{codes} codes; token requests: {tokens} granted, {refused} refused, {unknown} cut off"
        )
    }
}

/// The way to the server in one round.
struct Line<'a> {
    round: &'a Round<'a>,
    one: Connection,
    other: Connection,
}

impl<'a> Line<'a> {
    fn new(round: &'a Round<'a>) -> Self {
        let address = round.installation.address;
        Self { round, one: Connection::new(address), other: Connection::new(address) }
    }

    fn is_dead(&self) -> bool {
        self.round.killed.load(Ordering::Acquire)
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
        let authorization = &self.round.installation.authorization;
        let headers = [("Authorization", authorization.as_str())];
        let answer = self.one.send("POST", "/oauth/token", &headers, body);
        reply(self.settle(answer)?)
    }

    /// Both are sent before either is answered.
    fn redeem_twice(&mut self, code: &str) -> Result<[Reply; 2], Wrong> {
        let body = redemption(code, VERIFIER);
        let authorization = &self.round.installation.authorization;
        let headers = [("Authorization", authorization.as_str())];
        let sent = [&mut self.one, &mut self.other]
            .map(|it| it.write("POST", "/oauth/token", &headers, &body));
        let [one, other] = sent;
        let one = one.and_then(|()| self.one.read());
        let other = other.and_then(|()| self.other.read());
        Ok([reply(self.settle(one)?)?, reply(self.settle(other)?)?])
    }

    /// Without an answer, waits until the server is dead: what it may still do is part of its life.
    fn settle(&self, answer: IoResult<Answer>) -> Result<Option<Answer>, Wrong> {
        let error = match answer {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        let start = Instant::now();
        while !self.is_dead() {
            if start.elapsed() > Duration::from_secs(40) {
                return Err(Wrong(format!("no answer, though nobody killed the server: {error}")));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(None)
    }
}

fn redemption(code: &str, verifier: &str) -> String {
    format!(
        "grant_type=authorization_code&redirect_uri={REDIRECT_URI}&code={code}\
         &code_verifier={verifier}"
    )
}

fn reply(answer: Option<Answer>) -> Result<Reply, Wrong> {
    let Some(answer) = answer else { return Ok(Reply::Unknown) };
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    match (answer.status, text("access_token"), text("refresh_token"), text("error").as_deref()) {
        (200, Some(access), Some(refresh), None) => Ok(Reply::Tokens { access, refresh }),
        (400, None, None, Some("invalid_grant")) => Ok(Reply::Refused),
        _ => Err(Wrong(format!("no answer of a token endpoint: {answer:?}"))),
    }
}

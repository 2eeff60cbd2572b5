//! A client that has many grants at once, and does with them whatever comes to its mind. It keeps a ledger
//! of what it was answered, and holds every answer against that, whatever happens to the server meanwhile.

use crate::browser::{Browser, VERIFIER};
use crate::chance::Chance;
use crate::ledger::{Access, Grant, Known, Reply, Wrong};
use crate::way::{Service, Way};
use auth_core::secret::AccessToken;
use auth_core::timestamp::Timestamp;
use auth_core::token::{TokenRecord, TokenStore as _};
use auth_store_diesel::DieselStore;
use std::time::Duration;

/// How many flows one worker has under way.
const OPEN: usize = 32;

/// How many tokens of its own.
const OWN: usize = 32;

/// A grant that gave so much has served.
const LONG: usize = 24;

/// Codes are good for ten minutes; these are given up before.
const STALE: Duration = Duration::from_secs(8 * 60);

pub struct Worker {
    chance: Chance,
    browser: Browser,
    grants: Vec<Grant>,
    ended: Vec<Grant>,
    /// How many of those that have ended were looked up in the database since.
    audited: usize,
    /// What it got as itself (CC-01). Only taking it back ends it.
    own: Vec<Access>,
}

/// Lets every worker work, each on a thread of its own, and something else happen meanwhile.
pub fn each(
    workers: &mut [Worker],
    service: &dyn Service,
    work: impl Fn(&mut Worker, &mut Way<'_>) -> Result<(), Wrong> + Sync,
    meanwhile: impl FnOnce(),
) -> Result<(), Wrong> {
    std::thread::scope(|scope| {
        let work = &work;
        let run = |worker| scope.spawn(move || work(worker, &mut Way::new(service)));
        let threads: Vec<_> = workers.iter_mut().map(run).collect();
        meanwhile();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

impl Worker {
    pub fn new(user: String, chance: Chance) -> Self {
        Self {
            chance,
            browser: Browser::new(user),
            grants: Vec::new(),
            ended: Vec::new(),
            audited: 0,
            own: Vec::new(),
        }
    }

    /// Tries everything that was received. False if there was no time for all of it.
    pub fn sweep(&mut self, way: &mut Way<'_>) -> Result<bool, Wrong> {
        for access in &mut self.own {
            look_at_own(access, way)?;
        }
        for grant in &mut self.grants {
            if way.service.is_over() {
                return Ok(false);
            }
            match &grant.line {
                // Some codes are kept over several kills.
                None if grant.redeemed == Known::No && !self.chance.one_in(3) => {}
                None => grant.redeemed(way.redeem(&grant.code, VERIFIER)?)?,
                Some(it) => {
                    let reply = way.refresh(&it.current)?;
                    grant.refreshed(reply, true)?;
                    if self.chance.one_in(12) {
                        grant.redeemed(way.redeem(&grant.code, VERIFIER)?)?;
                    }
                }
            }
        }
        Ok(!way.service.is_over())
    }

    /// Goes on at random until it is over.
    pub fn go_on(&mut self, way: &mut Way<'_>) -> Result<(), Wrong> {
        while !way.service.is_over() {
            self.step(way)?;
        }
        Ok(())
    }

    /// Tries everything that was received a last time, and what must be refused, too.
    pub fn finish(&mut self, way: &mut Way<'_>) -> Result<(), Wrong> {
        self.sweep(way)?;
        for grant in &mut self.grants {
            look_at_all(grant, way)?;
            grant.redeemed(way.redeem(&grant.code, VERIFIER)?)?;
            if grant.redeemed == Known::Yes {
                grant.redeemed(way.redeem(&grant.code, VERIFIER)?)?;
            }
            if let Some(it) = &grant.line {
                let reply = way.refresh(&it.current)?;
                grant.replayed(&reply)?;
            }
            look_at_all(grant, way)?;
        }
        for grant in &mut self.ended {
            grant.redeemed(way.redeem(&grant.code, VERIFIER)?)?;
            if let Some(it) = &grant.line {
                let reply = way.refresh(&it.current)?;
                grant.refreshed(reply, true)?;
                look_at_one(grant, way, &mut self.chance)?;
            }
        }
        for access in &mut self.own {
            take_back_own(access, way)?;
        }
        Ok(())
    }

    /// Looks up in the database every access token that was received.
    pub fn audit(&mut self, store: &DieselStore) -> Result<(), Wrong> {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        let now = Timestamp::from_unix(since.try_into().unwrap_or(i64::MAX));
        let is_active = |token: &str| {
            let Some(digest) = AccessToken::presented(token).digest() else { return Ok(false) };
            let found = store.find(&digest).map_err(|error| Wrong(error.to_string()))?;
            Ok(found.is_some_and(|(record, grant)| match record {
                TokenRecord::Access(it) => grant.is_live(now) && !it.expires_at.is_expired(now),
                TokenRecord::Refresh(_) => false,
            }))
        };
        for grant in self.grants.iter_mut().chain(self.ended.iter_mut().skip(self.audited)) {
            for index in 0..grant.access.len() {
                let active = is_active(&grant.access[index].token)?;
                grant.saw_access(index, active)?;
            }
        }
        self.audited = self.ended.len();
        for access in &mut self.own {
            let active = is_active(&access.token)?;
            saw_own(access, active)?;
        }
        Ok(())
    }

    fn step(&mut self, way: &mut Way<'_>) -> Result<(), Wrong> {
        if self.grants.len() < OPEN {
            if self.chance.one_in(150) {
                self.browser.clear();
            }
            let ask = &mut |method: &str, to: &str, headers: &[(&str, &str)], body: &str| {
                way.ask(method, to, headers, body)
            };
            let code = self.browser.authorize(&mut self.chance, ask)?;
            way.service.tally().codes.add(code.is_some().into());
            self.grants.extend(code.map(Grant::new));
        }
        if self.chance.one_in(20) {
            return self.act_for_itself(way);
        }
        if self.grants.is_empty() {
            return Ok(());
        }
        let index = self.chance.index(self.grants.len());
        let grant = &mut self.grants[index];
        if grant.ended == Known::Yes || grant.access.len() > LONG {
            // A replay of its code ends it, unless it has ended already.
            grant.redeemed(way.redeem(&grant.code, VERIFIER)?)?;
            if grant.ended == Known::Yes {
                self.ended.push(self.grants.swap_remove(index));
            }
            return Ok(());
        }
        if grant.line.is_none() && grant.born.elapsed() > STALE {
            self.grants.swap_remove(index);
            return Ok(());
        }
        if self.chance.one_in(20) {
            let wrong = way.redeem(&grant.code, &VERIFIER.replace('d', "e"))?;
            return grant.misused(&wrong);
        }
        match grant.line {
            None if self.chance.one_in(5) => grant.raced(way.redeem_twice(&grant.code)?),
            None => grant.redeemed(way.redeem(&grant.code, VERIFIER)?),
            Some(_) => use_grant(grant, way, &mut self.chance),
        }
    }

    /// Gets a token for itself, or looks at one, or takes one back.
    fn act_for_itself(&mut self, way: &mut Way<'_>) -> Result<(), Wrong> {
        if self.own.is_empty() || self.own.len() < OWN && self.chance.one_in(2) {
            self.own.extend(way.own_token()?.map(Access::new));
            return Ok(());
        }
        let index = self.chance.index(self.own.len());
        let access = &mut self.own[index];
        if !self.chance.one_in(3) {
            return look_at_own(access, way);
        }
        let known = access.revoked;
        take_back_own(access, way)?;
        // What was taken back is kept for a while: until it is chosen again.
        if known == Known::Yes {
            self.own.swap_remove(index);
        }
        Ok(())
    }
}

/// One of: an ordinary refresh, one whose answer is lost, one of two tabs, a replay, a look, a revocation.
fn use_grant(grant: &mut Grant, way: &mut Way<'_>, chance: &mut Chance) -> Result<(), Wrong> {
    let Some(it) = &mut grant.line else { return Ok(()) };
    let choice = chance.below(60);
    match choice {
        0 if !it.spent.is_empty() => {
            let token = it.spent[chance.index(it.spent.len())].clone();
            let reply = way.refresh(&token)?;
            return grant.replayed(&reply);
        }
        1 => return end(grant, way, chance),
        2 => return end_while_refreshing(grant, way, chance),
        3..7 => return take_back_one(grant, way, chance),
        7..15 => return look_at_one(grant, way, chance),
        15..20 if it.has_few_siblings() => {
            if let Some(parent) = it.parent.clone() {
                let reply = way.refresh(&parent)?;
                return grant.parent_refreshed(reply);
            }
        }
        20..25 => it.switch(),
        _ => {}
    }
    let reply = way.refresh(&it.current)?;
    let lost = choice >= 55;
    grant.refreshed(reply, !lost)
}

/// REVOKE-05, REVOKE-06: any of its refresh tokens ends the grant, be it spent, and all of its tokens.
fn end(grant: &mut Grant, way: &mut Way<'_>, chance: &mut Chance) -> Result<(), Wrong> {
    let Some(it) = &grant.line else { return Ok(()) };
    let tokens = it.received();
    let token = tokens[chance.index(tokens.len())];
    let answered = way.revoke(token)?;
    grant.revoked(answered);
    look_at_all(grant, way)?;
    try_to_refresh(grant, way)
}

/// REVOKE-05: a refresh that was under way leaves nothing active behind, on whichever side of the
/// revocation it came out.
fn end_while_refreshing(
    grant: &mut Grant,
    way: &mut Way<'_>,
    chance: &mut Chance,
) -> Result<(), Wrong> {
    let Some(it) = &grant.line else { return Ok(()) };
    let (answered, reply) = way.revoke_and_refresh(&it.current, chance.one_in(2))?;
    if answered && grant.ended == Known::No {
        let tally = way.service.tally();
        match reply {
            Reply::Tokens { .. } => tally.races_granted.add(1),
            Reply::Refused => tally.races_refused.add(1),
            Reply::Unknown => {}
        }
    }
    grant.revoked_while_refreshed(answered, reply)?;
    look_at_all(grant, way)?;
    try_to_refresh(grant, way)
}

fn try_to_refresh(grant: &mut Grant, way: &mut Way<'_>) -> Result<(), Wrong> {
    let Some(it) = &grant.line else { return Ok(()) };
    let reply = way.refresh(&it.current)?;
    grant.refreshed(reply, true)
}

/// REVOKE-06: an access token ends alone.
fn take_back_one(grant: &mut Grant, way: &mut Way<'_>, chance: &mut Chance) -> Result<(), Wrong> {
    let index = chance.index(grant.access.len());
    let answered = way.revoke(&grant.access[index].token)?;
    grant.access[index].revoked(answered);
    look_at_access(grant, index, way)?;
    look_at_one(grant, way, chance)
}

/// INTRO-02: at any one of its tokens.
fn look_at_one(grant: &mut Grant, way: &mut Way<'_>, chance: &mut Chance) -> Result<(), Wrong> {
    let refresh = grant.line.as_ref().map(|it| it.received()).unwrap_or_default();
    let index = chance.index(grant.access.len() + refresh.len());
    match index.checked_sub(grant.access.len()) {
        None => look_at_access(grant, index, way),
        Some(index) => {
            let token = refresh[index].to_owned();
            look_at_refresh(grant, &token, way)
        }
    }
}

/// INTRO-02: at each of its tokens.
fn look_at_all(grant: &mut Grant, way: &mut Way<'_>) -> Result<(), Wrong> {
    for index in 0..grant.access.len() {
        look_at_access(grant, index, way)?;
    }
    let refresh = grant.line.as_ref().map(|it| it.received()).unwrap_or_default();
    let refresh: Vec<_> = refresh.into_iter().map(str::to_owned).collect();
    refresh.iter().try_for_each(|token| look_at_refresh(grant, token, way))
}

fn look_at_access(grant: &mut Grant, index: usize, way: &mut Way<'_>) -> Result<(), Wrong> {
    match way.introspect(&grant.access[index].token)? {
        Some(active) => grant.saw_access(index, active),
        None => Ok(()),
    }
}

fn look_at_refresh(grant: &mut Grant, token: &str, way: &mut Way<'_>) -> Result<(), Wrong> {
    match way.introspect(token)? {
        Some(active) => grant.saw_refresh(token, active),
        None => Ok(()),
    }
}

fn look_at_own(access: &mut Access, way: &mut Way<'_>) -> Result<(), Wrong> {
    match way.introspect(&access.token)? {
        Some(active) => saw_own(access, active),
        None => Ok(()),
    }
}

fn take_back_own(access: &mut Access, way: &mut Way<'_>) -> Result<(), Wrong> {
    let answered = way.revoke(&access.token)?;
    access.revoked(answered);
    look_at_own(access, way)
}

fn saw_own(access: &mut Access, active: bool) -> Result<(), Wrong> {
    match access.seen(Known::No, active) {
        Ok(_) => Ok(()),
        Err(what) => Err(Wrong(format!("{what}, of a client's own: {access:?}"))),
    }
}

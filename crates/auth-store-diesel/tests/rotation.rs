//! The life of a refresh token while settings change between its uses: a client's tokens come to rotate or
//! no longer do, the server's `strict` is switched on and off, rows are purged. Whatever happens comes to the
//! same as in memory, where every rule looks at every row.

mod common;

use auth_core::client::ClientRegistry;
use auth_core::code::{CodeStore, Redeemed, Redemption};
use auth_core::grant::{Approval, Decided, Grant, GrantStore};
use auth_core::housekeeping::Housekeeping;
use auth_core::secret::TokenDigest;
use auth_core::timestamp::Timestamp;
use auth_core::token::{
    MAX_SIBLINGS, NewAccessToken, NewRefreshToken, RefreshReuse, Rotated, Rotation, TokenStore,
};
use auth_testkit::{MemoryStore, sample};
use common::{Scratch, access, at, code, record_of, refresh};

/// The port methods that these tests use.
trait Store: GrantStore + CodeStore + TokenStore + Housekeeping {}
impl<T: GrantStore + CodeStore + TokenStore + Housekeeping> Store for T {}

/// Numbers in no order, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// One use of a refresh token.
struct Use {
    presented: String,
    at: Timestamp,
    reuse: RefreshReuse,
    access: NewAccessToken,
    successor: Option<NewRefreshToken>,
}

fn begin(store: &dyn Store, grant: &Grant, end: Timestamp) {
    let approval = Approval {
        interaction: None,
        grant,
        code: &code(&grant.id),
        record: &record_of(grant),
        remember: None,
    };
    assert_eq!(store.approve(&approval), Ok(Decided::First));
    let redeemed = store.redeem(&Redemption {
        code: &code(&grant.id),
        at: at(20),
        access: &access(&grant.id, "0"),
        refresh: Some(&NewRefreshToken { expires_at: end, ..refresh(&grant.id, "0") }),
    });
    assert_eq!(redeemed, Ok(Redeemed::First));
}

fn present(store: &dyn Store, grant: &Grant, step: &Use) -> Rotated {
    let rotated = store.rotate(&Rotation {
        presented: &refresh(&grant.id, &step.presented).digest,
        at: step.at,
        reuse: step.reuse,
        access: &step.access,
        successor: step.successor.as_ref(),
    });
    rotated.unwrap()
}

fn purge(store: &dyn Store, now: Timestamp) {
    while store.purge(now, sample::policy().sessions, 100).unwrap() > 0 {}
}

/// What is known of each token: nothing, or whether it is spent, and of its grant.
fn assert_same(one: &dyn Store, other: &dyn Store, tokens: &[TokenDigest]) {
    for token in tokens {
        assert_eq!(TokenStore::find(one, token), TokenStore::find(other, token));
    }
}

/// How a history went: the uses that were answered, and whether it ended in a replay.
fn history(one: &dyn Store, other: &dyn Store, number: u64) -> (usize, bool) {
    let mut chance = Chance(number);
    let grant = common::grant(&format!("history {number}"));
    let mut end = 30 + 10_000;
    begin(one, &grant, at(end));
    begin(other, &grant, at(end));
    let mut now = 30;
    // How likely the same token is presented again, and not the newest.
    let persistence = [30, 80, 97][usize::try_from(number % 3).unwrap()];
    let strictness = [1, 25][usize::try_from(number % 2).unwrap()];
    let (mut names, mut presented) = (vec!["0".to_owned()], 0);
    let mut digests = vec![access(&grant.id, "0").digest, refresh(&grant.id, "0").digest];
    let mut done = 0;
    for step in 1..60 {
        now += i64::try_from(chance.below(30)).unwrap();
        if chance.percent(5) {
            // As late as the last presented token allows, or beyond it.
            now = now.max(end - 5 + i64::try_from(chance.below(10)).unwrap());
        }
        if chance.percent(20) {
            purge(one, at(now));
            purge(other, at(now));
        }
        if !chance.percent(persistence) {
            presented = match chance.below(10) {
                0 => usize::try_from(chance.below(names.len() as u64)).unwrap(),
                _ => names.len() - 1,
            };
        }
        let name = step.to_string();
        let lifetime = [200, 10_000][usize::from(chance.percent(60))];
        let created_at = at(now);
        let (access, successor) = (access(&grant.id, &name), refresh(&grant.id, &name));
        let access = NewAccessToken { created_at, expires_at: at(now + 100), ..access };
        let successor = NewRefreshToken { created_at, expires_at: at(now + lifetime), ..successor };
        digests.extend([access.digest, successor.digest]);
        let rotates = chance.percent(75);
        let once = Use {
            presented: names[presented].clone(),
            at: created_at,
            reuse: match chance.percent(strictness) {
                true => RefreshReuse::Strict,
                false => RefreshReuse::UntilSuccessorUsed,
            },
            access,
            successor: rotates.then_some(successor),
        };
        let outcomes = [present(one, &grant, &once), present(other, &grant, &once)];
        assert_eq!(outcomes[0], outcomes[1], "history {number}, use {name}");
        if step % 5 == 0 || outcomes[0] != Rotated::Done {
            assert_same(one, other, &digests);
        }
        match outcomes[0] {
            Rotated::Done => done += 1,
            Rotated::GrantEnded => {}
            Rotated::Replayed => return (done, true),
        }
        if outcomes[0] == Rotated::Done && rotates {
            names.push(name);
            end = now + lifetime;
        }
    }
    (done, false)
}

/// REFRESH-04, REFRESH-05, REFRESH-12
#[test]
fn every_history_goes_as_it_goes_in_memory() {
    for scratch in Scratch::each() {
        let (store, memory) = (scratch.open(), MemoryStore::default());
        ClientRegistry::insert(&store, &sample::web()).unwrap();
        ClientRegistry::insert(&memory, &sample::web()).unwrap();
        let histories = (0..100).map(|number| history(&store, &memory, number));
        let (mut done, mut replayed) = (0, 0);
        for (uses, ended) in histories {
            done += uses;
            replayed += usize::from(ended);
        }
        assert!(done > 1_000 && (30..95).contains(&replayed), "{done} uses, {replayed} replays");
    }
}

/// A token that was presented often without rotating, and then rotates, keeps all its few successors.
#[test]
fn uses_without_a_successor_push_no_successor_out() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        ClientRegistry::insert(&store, &sample::web()).unwrap();
        let grant = common::grant("grant");
        begin(&store, &grant, at(9_000));
        let present = |name: &str, rotates: bool| {
            let step = Use {
                presented: "0".into(),
                at: at(30),
                reuse: RefreshReuse::UntilSuccessorUsed,
                access: access(&grant.id, name),
                successor: rotates.then(|| refresh(&grant.id, name)),
            };
            assert_eq!(present(&store, &grant, &step), Rotated::Done);
        };
        let is_known = |name: &str| common::knows_refresh(&store, &grant.id, name);
        present("first", true);
        (0..2 * MAX_SIBLINGS).for_each(|it| present(&format!("unrotated-{it}"), false));
        present("second", true);
        assert!(is_known("first") && is_known("second"));
        for it in 0..MAX_SIBLINGS {
            present(&format!("more-{it}"), true);
        }
        assert!(!is_known("first") && !is_known("second"), "there are as many newer ones");
        assert!(is_known("more-0"));
    }
}

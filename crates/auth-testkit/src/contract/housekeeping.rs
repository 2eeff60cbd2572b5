//! Removing what can never matter again: [`Housekeeping`].

use super::world::{
    ACCESS_LIFETIME, ALICE, Approved, CODE_LIFETIME, REFRESH_LIFETIME, WEB, World, at,
};
use super::{Fresh, StoreUnderTest};
use crate::sample;
use auth_core::client::ClientStore;
use auth_core::code::{CodeStore, Redeemed, Redemption};
use auth_core::consent::PendingAuthorizationStore;
use auth_core::grant::{GrantFilter, GrantStore};
use auth_core::housekeeping::Housekeeping;
use auth_core::owner::OwnerStore;
use auth_core::session::SessionLifetimes;
use auth_core::timestamp::Timestamp;
use auth_core::token::{NewRefreshToken, RefreshReuse, Rotated};
use time::Duration;

const SESSIONS: SessionLifetimes =
    SessionLifetimes { idle: Duration::hours(8), absolute: Duration::days(7) };

/// A row goes from the very second on in which it expires, and not before (XC-12); what does not expire
/// stays.
pub fn purging_removes_what_has_expired_and_nothing_else<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let pending = world.pending(at(0));
    PendingAuthorizationStore::insert(world.one(), &pending, "192.0.2.1", 10).expect("insert");
    let unredeemed = world.approved(WEB, ALICE);
    let (_, tokens) = world.bought(WEB, ALICE);
    let idle = world.session(ALICE, at(0));
    let busy = world.session(ALICE, at(0));

    let knows_pending = || {
        let found = PendingAuthorizationStore::find(world.other(), &pending.interaction);
        found.expect("find").is_some()
    };
    let knows_code = || knows_code(&world, &unredeemed);
    let knows_access = || world.access(&tokens.access).is_some();
    let knows_refresh = || world.refresh(&tokens.refresh).is_some();
    let is_idle_there = || world.is_signed_in(&idle);
    let is_busy_there = || world.is_signed_in(&busy);
    // Used every few hours, so that only its age ends it.
    for hours in (7..=168).step_by(7) {
        let now = at(0).after(Duration::hours(hours));
        world.one().touch(&busy.digest, now).expect("touch");
    }
    let checks: [(&str, Timestamp, &dyn Fn() -> bool); 6] = [
        ("code", at(0).after(CODE_LIFETIME), &knows_code),
        ("access token", at(0).after(ACCESS_LIFETIME), &knows_access),
        ("pending request", pending.expires_at, &knows_pending),
        ("idle session", at(0).after(SESSIONS.idle), &is_idle_there),
        ("old session", at(0).after(SESSIONS.absolute), &is_busy_there),
        ("refresh token", at(0).after(REFRESH_LIFETIME), &knows_refresh),
    ];
    for (kind, end, there) in checks {
        purge_all(&world, Timestamp::from_unix(end.unix() - 1));
        assert!(there(), "the {kind} went a second too early");
        purge_all(&world, end);
        assert!(!there(), "the {kind} stayed a second too long");
    }
    assert!(world.consent(ALICE, WEB).is_some(), "consents do not expire");
    let client = ClientStore::find(world.other(), &sample::client_id(WEB));
    assert_eq!(client, Ok(Some(sample::web())));
    let owner = OwnerStore::find(world.other(), &sample::alice().subject);
    assert_eq!(owner, Ok(Some(sample::alice())));
}

/// At most `limit` rows of a kind go at once, the answer counts them, and repeating it gets through.
pub fn purging_goes_in_bounded_batches<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let approved: Vec<_> = (0..7).map(|_| world.approved(WEB, ALICE)).collect();
    let left = || approved.iter().filter(|it| knows_code(&world, it)).count();
    let now = at(0).after(CODE_LIFETIME);
    let mut removed = 0;
    for expected in [4, 1, 0] {
        removed += purge(&world, now, 3);
        assert_eq!(left(), expected, "codes left, three at a time");
    }
    while removed < 14 {
        let more = purge(&world, now, 3);
        assert!(more > 0, "seven codes and seven grants; stuck at {removed}");
        removed += more;
    }
    assert_eq!(removed, 14);
    assert_eq!(purge(&world, now, 3), 0, "there is nothing left");
}

/// A spent code and a used refresh token are known to be spent until they expire, whatever else is
/// purged meanwhile: the tokens that a code bought, the successor that spent a token, the token whose
/// successors are rivals.
pub fn purging_keeps_what_a_replay_check_needs<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let short = |approved: &Approved, created: i64, lifetime: i64| NewRefreshToken {
        digest: world.token_digest(approved.grant),
        created_at: at(created),
        expires_at: at(created + lifetime),
    };
    let rotate = |presented: &NewRefreshToken, second: i64, successor: &NewRefreshToken| {
        let reuse = RefreshReuse::UntilSuccessorUsed;
        let presented = &presented.digest;
        world.rotate_into(world.one(), presented, reuse, at(second), successor).0
    };
    let buy = |lifetime: i64| {
        let approved = world.approved(WEB, ALICE);
        let refresh = short(&approved, 0, lifetime);
        let mut access = world.access_token(approved.grant, at(0));
        access.expires_at = at(10);
        let redeemed = world.one().redeem(&Redemption {
            code: &approved.code,
            at: at(0),
            access: &access,
            refresh: Some(&refresh),
        });
        assert_eq!(redeemed, Ok(Redeemed::First));
        (approved, refresh)
    };

    // What the code bought expires before the code does.
    let (approved, r1) = buy(20);
    purge_all(&world, at(59));
    assert!(world.refresh(&r1.digest).is_none(), "expired");
    let (redeemed, _) = world.redeem(world.other(), &approved, at(59));
    assert_eq!(redeemed, Redeemed::Replayed, "the code was spent");

    // The successor that spent a token expires before it.
    let (approved, r1) = buy(10_000);
    let (r2, r3) = (short(&approved, 100, 50), short(&approved, 110, 9_000));
    assert_eq!(rotate(&r1, 100, &r2), Rotated::Done);
    assert_eq!(rotate(&r2, 110, &r3), Rotated::Done);
    purge_all(&world, at(200));
    assert!(world.refresh(&r2.digest).is_none(), "expired");
    assert!(world.refresh(&r1.digest).is_some(), "spent, but not expired");
    assert_eq!(rotate(&r1, 201, &short(&approved, 201, 1)), Rotated::Replayed);
    assert_eq!(rotate(&r3, 202, &short(&approved, 202, 1)), Rotated::GrantEnded);

    // The parent of two rivals expires before them.
    let (approved, r1) = buy(300);
    let (r2a, r2b) = (short(&approved, 250, 9_000), short(&approved, 250, 9_000));
    assert_eq!(rotate(&r1, 250, &r2a), Rotated::Done);
    assert_eq!(rotate(&r1, 251, &r2b), Rotated::Done);
    purge_all(&world, at(400));
    assert!(world.refresh(&r1.digest).is_none(), "expired");
    assert_eq!(rotate(&r2a, 401, &short(&approved, 401, 9_000)), Rotated::Done);
    assert_eq!(rotate(&r2b, 402, &short(&approved, 402, 1)), Rotated::Replayed);
}

/// A grant stays while a code or token hangs on it, revoked or not, and goes when none does.
pub fn a_grant_is_purged_when_nothing_hangs_on_it<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let listed = |approved: &Approved| {
        let all = GrantFilter { ended: true, ..GrantFilter::default() };
        let grants = GrantStore::list(world.other(), &all, at(0)).expect("list");
        grants.iter().any(|grant| grant.id == approved.grant)
    };
    let unredeemed = world.approved(WEB, ALICE);
    let (redeemed, tokens) = world.bought(WEB, ALICE);
    let revoked = world.approved(WEB, ALICE);
    world.one().revoke(&revoked.grant, at(1)).expect("revoke");
    purge_all(&world, Timestamp::from_unix(at(0).after(CODE_LIFETIME).unix() - 1));
    assert!(listed(&unredeemed) && listed(&redeemed) && listed(&revoked));
    purge_all(&world, at(0).after(CODE_LIFETIME));
    assert!(!listed(&unredeemed), "its code was all that it had");
    assert!(!listed(&revoked), "its code was all that it had");
    assert!(listed(&redeemed), "its tokens are still there");
    purge_all(&world, at(0).after(ACCESS_LIFETIME));
    assert!(listed(&redeemed), "its refresh token is still there");
    world.refreshed(&tokens.refresh);
    purge_all(&world, at(1).after(REFRESH_LIFETIME));
    assert!(!listed(&redeemed), "everything under it expired");
}

fn knows_code<S: StoreUnderTest>(world: &World<S>, approved: &Approved) -> bool {
    let found = CodeStore::find(world.other(), &approved.code);
    found.expect("find").is_some()
}

fn purge<S: StoreUnderTest>(world: &World<S>, now: Timestamp, limit: usize) -> usize {
    Housekeeping::purge(world.one(), now, SESSIONS, limit).expect("purge")
}

fn purge_all<S: StoreUnderTest>(world: &World<S>, now: Timestamp) {
    for _ in 0..100 {
        if purge(world, now, 100) == 0 {
            return;
        }
    }
    panic!("purging a handful of rows never ends");
}

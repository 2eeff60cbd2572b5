//! Refresh tokens: [`TokenStore::rotate`](auth_core::token::TokenStore::rotate), by the rules of [`auth_core::token`].

use super::world::{ALICE, BOB, EVIL, Tokens, WEB, World, at};
use super::{Fresh, StoreUnderTest, THREADS_PER_HANDLE};
use auth_core::secret::TokenDigest;
use auth_core::token::{MAX_SIBLINGS, RefreshReuse, Rotated, Rotation};

const LENIENT: RefreshReuse = RefreshReuse::UntilSuccessorUsed;

/// Both tokens of a refresh are found with their grant, instants to the second; the presented one is
/// still found.
pub fn a_successor_comes_back_as_it_was_stored<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let (approved, first) = world.bought(WEB, ALICE);
    let mut successor = world.refresh_token(approved.grant, at(11));
    successor.expires_at = at(123_457);
    let (rotated, tokens) =
        world.rotate_into(world.one(), &first.refresh, LENIENT, at(11), &successor);
    assert_eq!(rotated, Rotated::Done);
    let (stored, grant) = world.refresh(&successor.digest).expect("the successor");
    assert_eq!(grant, world.grant_of(&approved));
    assert_eq!(stored.created_at, at(11));
    assert_eq!(stored.expires_at, at(123_457));
    let (stored, grant) = world.access(&tokens.access).expect("the access token");
    assert_eq!(grant, world.grant_of(&approved));
    assert_eq!(stored.created_at, at(11));
    assert!(world.took(&first), "used, and still known");
}

/// REFRESH-05: R1 → R2a, R1 → R2b, R2b → R3, and then R2a is a replay.
pub fn a_lost_response_mints_a_sibling_and_the_first_one_used_wins<S: StoreUnderTest>(
    fresh: Fresh<'_, S>,
) {
    let world = World::new(fresh);
    let (approved, r1) = world.bought(WEB, ALICE);
    let r2a = world.refreshed(&r1.refresh);
    let r2b = world.refreshed(&r1.refresh);
    let r3 = world.refreshed(&r2b.refresh);
    // The winner may be presented again until its own successor was: that response may be lost too.
    let r3b = world.refreshed(&r2b.refresh);
    assert!(world.took(&r3) && world.took(&r3b));
    assert!(!world.is_revoked(&approved));
    let (rotated, lost) = world.rotate(world.other(), &r2a.refresh, at(5), LENIENT);
    assert_eq!(rotated, Rotated::Replayed);
    assert!(!world.took(&lost), "a replay stores nothing");
    assert_eq!(world.grant_of(&approved).revoked_at, Some(at(5)));
    let (rotated, _) = world.rotate(world.one(), &r3.refresh, at(6), LENIENT);
    assert_ne!(rotated, Rotated::Done, "a revoked grant never comes back");
}

/// REFRESH-04: R1 → R2 → R3, and then R1 is a replay.
pub fn a_token_is_spent_once_its_successor_was_used<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let (approved, r1) = world.bought(WEB, ALICE);
    let r2 = world.refreshed(&r1.refresh);
    let r3 = world.refreshed(&r2.refresh);
    let (rotated, lost) = world.rotate(world.other(), &r1.refresh, at(7), LENIENT);
    assert_eq!(rotated, Rotated::Replayed);
    assert!(!world.took(&lost));
    assert_eq!(world.grant_of(&approved).revoked_at, Some(at(7)));
    let is_spent = |tokens: &Tokens| world.refresh(&tokens.refresh).expect("known").0.is_spent;
    assert_eq!([&r1, &r2, &r3].map(is_spent), [true, false, false], "what a look-up tells");
    for dead in [r1, r2, r3] {
        let (rotated, lost) = world.rotate(world.one(), &dead.refresh, at(8), LENIENT);
        assert_ne!(rotated, Rotated::Done);
        assert!(!world.took(&lost));
    }
}

/// REFRESH-05, `strict`: the second presentation is a replay, whatever became of the successor.
pub fn a_strict_token_is_spent_at_its_first_use<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let (approved, r1) = world.bought(WEB, ALICE);
    let strict = RefreshReuse::Strict;
    let (rotated, r2) = world.rotate(world.one(), &r1.refresh, at(1), strict);
    assert_eq!(rotated, Rotated::Done);
    let (rotated, _) = world.rotate(world.other(), &r2.refresh, at(2), strict);
    assert_eq!(rotated, Rotated::Done, "the successor is good");
    assert!(!world.is_revoked(&approved));
    let (rotated, lost) = world.rotate(world.other(), &r2.refresh, at(3), strict);
    assert_eq!(rotated, Rotated::Replayed);
    assert!(!world.took(&lost));
    assert_eq!(world.grant_of(&approved).revoked_at, Some(at(3)));
}

/// A client whose tokens do not rotate presents the same one for ever, under both settings.
pub fn a_token_that_does_not_rotate_is_not_spent<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    for reuse in [LENIENT, RefreshReuse::Strict] {
        let (approved, tokens) = world.bought(WEB, ALICE);
        for second in 1..=3 {
            let access = world.access_token(approved.grant, at(second));
            let rotated = world.one().rotate(&Rotation {
                presented: &tokens.refresh,
                at: at(second),
                reuse,
                access: &access,
                successor: None,
            });
            assert_eq!(rotated, Ok(Rotated::Done), "{reuse:?}, use {second}");
            assert!(world.access(&access.digest).is_some());
        }
        assert!(!world.is_revoked(&approved));
    }
}

/// REFRESH-05: a client that never hears an answer stays signed in, and the answer that it hears at
/// last is good.
pub fn fifty_lost_responses_sign_nobody_out<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let (approved, first) = world.bought(WEB, ALICE);
    let mut heard = first;
    for _ in 0..2 {
        let answers: Vec<Tokens> = (0..50).map(|_| world.refreshed(&heard.refresh)).collect();
        heard = *answers.last().expect("fifty answers");
    }
    world.refreshed(&heard.refresh);
    assert!(!world.is_revoked(&approved));
}

/// The siblings of one token are at most [`MAX_SIBLINGS`]; the oldest is unknown from then on, which
/// harms the others in no way.
pub fn unused_siblings_are_bounded_and_the_oldest_is_unknown<S: StoreUnderTest>(
    fresh: Fresh<'_, S>,
) {
    let world = World::new(fresh);
    let (approved, r1) = world.bought(WEB, ALICE);
    let (_, bystander) = world.bought(WEB, ALICE);
    let siblings: Vec<Tokens> =
        (0..MAX_SIBLINGS + 3).map(|_| world.refreshed(&r1.refresh)).collect();
    let known = |tokens: &Tokens| world.refresh(&tokens.refresh).is_some();
    let (forgotten, kept) = siblings.split_at(3);
    assert!(!forgotten.iter().any(known), "more than the most are kept");
    assert!(kept.iter().all(known), "fewer than the most are kept");
    assert!(known(&r1) && known(&bystander), "only siblings are forgotten");
    let oldest = &forgotten[0].refresh;
    let (rotated, lost) = world.rotate(world.one(), oldest, at(9), LENIENT);
    assert_eq!(rotated, Rotated::GrantEnded, "a forgotten token is unknown");
    assert!(!world.took(&lost));
    assert!(!world.is_revoked(&approved), "and no replay");
    world.refreshed(&kept[0].refresh);
}

/// REFRESH-12: every success of racing uses of one token is a sibling, stored as a whole.
pub fn racing_uses_of_one_token_are_siblings<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    for _ in 0..5 {
        let (approved, r1) = world.bought(WEB, ALICE);
        let outcomes = world.race(|store, _| world.rotate(store, &r1.refresh, at(2), LENIENT));
        assert!(outcomes.len() <= MAX_SIBLINGS, "as many as may be kept");
        for (rotated, tokens) in &outcomes {
            assert_eq!(*rotated, Rotated::Done);
            assert!(world.took(tokens));
        }
        assert!(!world.is_revoked(&approved));
        let (_, one) = &outcomes[0];
        world.refreshed(&one.refresh);
        let (rotated, _) = world.rotate(world.other(), &outcomes[1].1.refresh, at(3), LENIENT);
        assert_eq!(rotated, Rotated::Replayed, "they are siblings");
    }
}

/// REFRESH-12 under `strict`: one of the racing uses is first.
pub fn racing_strict_uses_have_one_winner<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    for _ in 0..10 {
        let (approved, r1) = world.bought(WEB, ALICE);
        let strict = RefreshReuse::Strict;
        let outcomes = world.race(|store, _| world.rotate(store, &r1.refresh, at(2), strict));
        assert_one_winner(&world, &outcomes);
        assert!(world.is_revoked(&approved));
    }
}

/// REFRESH-12: of siblings that are presented at once, one is used; the others are replays.
pub fn racing_siblings_never_leave_two_lines_alive<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    for _ in 0..10 {
        let (approved, r1) = world.bought(WEB, ALICE);
        let siblings: Vec<TokenDigest> =
            (0..2 * THREADS_PER_HANDLE).map(|_| world.refreshed(&r1.refresh).refresh).collect();
        let outcomes =
            world.race(|store, number| world.rotate(store, &siblings[number], at(2), LENIENT));
        assert_one_winner(&world, &outcomes);
        assert!(world.is_revoked(&approved));
    }
}

fn assert_one_winner<S: StoreUnderTest>(world: &World<S>, outcomes: &[(Rotated, Tokens)]) {
    let mut winners = 0;
    for (rotated, tokens) in outcomes {
        let done = *rotated == Rotated::Done;
        winners += usize::from(done);
        assert_eq!(world.took(tokens), done, "only a winner stores");
    }
    assert_eq!(winners, 1, "uses that won: {outcomes:?}");
}

/// Under a grant that was revoked or has reached its end, nothing is issued. To the second.
pub fn a_refresh_under_an_ended_grant_stores_nothing<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let (revoked, first) = world.bought(WEB, ALICE);
    world.one().revoke(&revoked.grant, at(1)).expect("revoke");
    let mut capped = world.grant(WEB, ALICE, at(0));
    capped.expires_at = Some(at(100));
    let capped = world.approve(&capped);
    let (_, second) = world.redeem(world.one(), &capped, at(0));
    for (tokens, now) in [(first, at(2)), (second, at(100))] {
        let (rotated, lost) = world.rotate(world.other(), &tokens.refresh, now, LENIENT);
        assert_eq!(rotated, Rotated::GrantEnded);
        assert!(!world.took(&lost), "nothing is stored under an ended grant");
    }
    let (rotated, _) = world.rotate(world.one(), &second.refresh, at(99), LENIENT);
    assert_eq!(rotated, Rotated::Done, "a second before the end");
    let unknown = world.token_digest(capped.grant);
    let (rotated, lost) = world.rotate(world.one(), &unknown, at(2), LENIENT);
    assert_eq!(rotated, Rotated::GrantEnded, "an unknown token");
    assert!(!world.took(&lost));
}

/// A replay ends its own grant, and no other of the same owner or client.
pub fn a_replay_harms_no_other_grant<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let others = [(WEB, ALICE), (EVIL, ALICE), (WEB, BOB)]
        .map(|(client, owner)| world.bought(client, owner));
    let (_, r1) = world.bought(WEB, ALICE);
    let r2 = world.refreshed(&r1.refresh);
    world.refreshed(&r2.refresh);
    let (rotated, _) = world.rotate(world.one(), &r1.refresh, at(7), LENIENT);
    assert_eq!(rotated, Rotated::Replayed);
    for (other, tokens) in &others {
        assert!(!world.is_revoked(other));
        world.refreshed(&tokens.refresh);
    }
}

/// REVOKE-05: a revocation among racing refreshes stands: whatever they stored is under a grant that is
/// revoked, and the next refresh stores nothing.
pub fn a_revocation_among_racing_refreshes_leaves_nothing_alive<S: StoreUnderTest>(
    fresh: Fresh<'_, S>,
) {
    let world = World::new(fresh);
    for _ in 0..10 {
        let (approved, r1) = world.bought(WEB, ALICE);
        let outcomes = world.race(|store, number| match number {
            0 => {
                assert_eq!(store.revoke(&approved.grant, at(2)), Ok(true));
                None
            }
            _ => Some(world.rotate(store, &r1.refresh, at(2), LENIENT)),
        });
        for (rotated, tokens) in outcomes.iter().flatten() {
            assert_ne!(*rotated, Rotated::Replayed, "nobody used a successor");
            assert_eq!(world.took(tokens), *rotated == Rotated::Done);
            if let Some((_, grant)) = world.access(&tokens.access) {
                assert_eq!(grant.revoked_at, Some(at(2)), "an access token lives on");
            }
        }
        let (rotated, lost) = world.rotate(world.other(), &r1.refresh, at(3), LENIENT);
        assert_eq!(rotated, Rotated::GrantEnded);
        assert!(!world.took(&lost));
    }
}

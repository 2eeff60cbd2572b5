//! Decisions, consents and grants: [`GrantStore`] and
//! [`ConsentStore`](auth_core::consent::ConsentStore).

use super::world::{ALICE, Approved, BOB, CODE_LIFETIME, EVIL, WEB, World, at, id, subject};
use super::{Fresh, StoreUnderTest};
use crate::sample::{audience, scope};
use auth_core::client::ClientRegistry;
use auth_core::code::{CodeStore, Redeemed};
use auth_core::consent::{Consent, PendingAuthorizationStore};
use auth_core::grant::{Decided, Grant, GrantFilter, GrantId, GrantStore};
use auth_core::secret::{CodeDigest, InteractionDigest};
use auth_core::timestamp::Timestamp;

/// One approval per interaction is first; those that are not leave no grant, no code and no consent.
/// It does not matter how many run at once.
pub fn an_interaction_is_approved_once<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let interaction = world.interaction();
    let approve = |store, client| {
        let grant = world.grant(client, ALICE, at(2));
        world.decide(store, Some(&interaction), &grant, Some(&grant.scope))
    };
    let (decided, approved) = approve(world.one(), WEB);
    assert_eq!(decided, Decided::First);
    assert!(knows_code(&world, &approved));
    assert!(world.consent(ALICE, WEB).is_some());
    let pending = PendingAuthorizationStore::find(world.other(), &interaction).expect("find");
    let decided_at = pending.and_then(|pending| pending.decided_at);
    assert_eq!(decided_at, Some(at(2)), "a decided interaction says so");
    let (decided, second) = approve(world.other(), EVIL);
    assert_eq!(decided, Decided::Already);
    assert!(!knows_code(&world, &second), "the loser left a code");
    assert!(!lists(&world, &second.grant), "the loser left a grant");
    assert_eq!(world.consent(ALICE, EVIL), None, "the loser left a consent");

    for _ in 0..10 {
        let interaction = world.interaction();
        let outcomes = world.race(|store, _| {
            let grant = world.grant(WEB, BOB, at(3));
            world.decide(store, Some(&interaction), &grant, None)
        });
        let mut winners = 0;
        for (decided, approved) in &outcomes {
            let first = *decided == Decided::First;
            winners += usize::from(first);
            assert_eq!(knows_code(&world, approved), first);
            assert_eq!(lists(&world, &approved.grant), first);
        }
        assert_eq!(winners, 1, "approvals that won");
    }

    let gone = InteractionDigest::from_bytes(world.bytes());
    let grant = world.grant(WEB, ALICE, at(2));
    let (decided, approved) = world.decide(world.one(), Some(&gone), &grant, None);
    assert_eq!(decided, Decided::Already, "an interaction that is gone");
    assert!(!knows_code(&world, &approved));
}

/// Denying is a decision like approving: the first one stands, whichever it is.
pub fn an_interaction_is_denied_once<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let denied = world.interaction();
    assert_eq!(world.one().deny(&denied, at(4)), Ok(Decided::First));
    assert_eq!(world.other().deny(&denied, at(5)), Ok(Decided::Already));
    let pending = PendingAuthorizationStore::find(world.other(), &denied).expect("find");
    let decided_at = pending.and_then(|pending| pending.decided_at);
    assert_eq!(decided_at, Some(at(4)));
    let grant = world.grant(WEB, ALICE, at(5));
    let (decided, approved) = world.decide(world.one(), Some(&denied), &grant, None);
    assert_eq!(decided, Decided::Already, "approved after it was denied");
    assert!(!knows_code(&world, &approved));

    let approved = world.interaction();
    let (decided, _) = world.decide(world.one(), Some(&approved), &grant, None);
    assert_eq!(decided, Decided::First);
    assert_eq!(world.other().deny(&approved, at(5)), Ok(Decided::Already));

    for _ in 0..10 {
        let interaction = world.interaction();
        let outcomes = world.race(|store, number| match number % 4 {
            0 => {
                let grant = world.grant(WEB, BOB, at(5));
                world.decide(store, Some(&interaction), &grant, None).0
            }
            _ => store.deny(&interaction, at(5)).expect("deny"),
        });
        let first = |decided: &&Decided| **decided == Decided::First;
        assert_eq!(outcomes.iter().filter(first).count(), 1, "decisions that won");
    }
    let gone = InteractionDigest::from_bytes(world.bytes());
    assert_eq!(world.one().deny(&gone, at(4)), Ok(Decided::Already));
}

/// Remembered consent needs no page, so there is no interaction to decide; a consent is remembered only
/// where the approval says so.
pub fn an_approval_without_an_interaction_is_recorded<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    for _ in 0..2 {
        let grant = world.grant(WEB, ALICE, at(0));
        let (decided, approved) = world.decide(world.one(), None, &grant, None);
        assert_eq!(decided, Decided::First);
        assert!(knows_code(&world, &approved));
        assert_eq!(world.consent(ALICE, WEB), None);
    }
}

/// A second approval for an audience adds to what is remembered, and takes nothing away. Another audience
/// is another consent: nothing that was approved at one resource server counts at another.
pub fn consents_add_up<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    for (second, narrower, at_one) in [
        (1, "api.read", "https://a.test/"),
        (2, "profile", "https://a.test/"),
        (3, "profile", "https://a.test/"),
        (4, "api.write", ""),
        (5, "api.write", "https://a.test/ https://b.test/api"),
    ] {
        let mut grant = world.grant(WEB, ALICE, at(second));
        grant.audience = audience(at_one);
        world.decide(world.one(), None, &grant, Some(&scope(narrower)));
    }
    let remembered = |scopes, at_these, second| Consent {
        subject: subject(ALICE),
        client_id: id(WEB),
        scope: scope(scopes),
        audience: audience(at_these),
        given_at: at(second),
    };
    let expected = [
        remembered("api.write", "", 4),
        remembered("api.read profile", "https://a.test/", 3),
        remembered("api.write", "https://a.test/ https://b.test/api", 5),
    ];
    assert_eq!(world.consents(ALICE, WEB), expected);
    assert_eq!(world.consents(ALICE, EVIL), [], "another client");
    assert_eq!(world.consents(BOB, WEB), [], "another owner");
    world.one().withdraw(&subject(ALICE), Some(&id(WEB)), at(6)).expect("withdraw");
    assert_eq!(world.consents(ALICE, WEB), [], "they are withdrawn together");
}

/// A revoked grant is revoked everywhere from the next look-up on, and keeps the first instant.
pub fn revoking_a_grant_is_final_and_changes_nothing_else<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let (approved, tokens) = world.bought(WEB, ALICE);
    let (bystander, _) = world.bought(WEB, ALICE);
    assert_eq!(world.one().revoke(&approved.grant, at(5)), Ok(true));
    assert_eq!(world.grant_of(&approved).revoked_at, Some(at(5)));
    let (_, grant) = world.access(&tokens.access).expect("the access token");
    assert_eq!(grant.revoked_at, Some(at(5)), "seen from the token");
    assert_eq!(world.other().revoke(&approved.grant, at(6)), Ok(true));
    assert_eq!(world.grant_of(&approved).revoked_at, Some(at(5)));
    assert!(!world.is_revoked(&bystander));
    assert!(world.consent(ALICE, WEB).is_some(), "consent outlives a grant");
    assert_eq!(world.one().revoke(&world.grant_id(), at(5)), Ok(false));
}

/// Withdrawing from one client ends that owner's live grants to it and forgets the consent; other
/// clients and owners keep theirs.
pub fn withdrawing_ends_and_forgets_what_one_owner_gave_one_client<S: StoreUnderTest>(
    fresh: Fresh<'_, S>,
) {
    let world = World::new(fresh);
    let (first, _) = world.bought(WEB, ALICE);
    let second = world.approved(WEB, ALICE);
    let (revoked, _) = world.bought(WEB, ALICE);
    world.one().revoke(&revoked.grant, at(1)).expect("revoke");
    let others = [(EVIL, ALICE), (WEB, BOB)].map(|(client, owner)| world.bought(client, owner).0);
    let web = id(WEB);
    let ended = world.one().withdraw(&subject(ALICE), Some(&web), at(2));
    assert_eq!(ended, Ok(2), "the two that were live");
    assert_eq!(world.grant_of(&first).revoked_at, Some(at(2)));
    assert_eq!(world.grant_of(&second).revoked_at, Some(at(2)));
    assert_eq!(world.grant_of(&revoked).revoked_at, Some(at(1)));
    assert!(!others.iter().any(|other| world.is_revoked(other)));
    assert_eq!(world.consent(ALICE, WEB), None);
    assert!(world.consent(ALICE, EVIL).is_some(), "another client");
    assert!(world.consent(BOB, WEB).is_some(), "another owner");
    let again = world.other().withdraw(&subject(ALICE), Some(&web), at(3));
    assert_eq!(again, Ok(0));
}

/// Without a client named, everything that this owner gave ends.
pub fn withdrawing_from_every_client_leaves_other_owners_alone<S: StoreUnderTest>(
    fresh: Fresh<'_, S>,
) {
    let world = World::new(fresh);
    let mine = [WEB, EVIL].map(|client| world.bought(client, ALICE).0);
    let (hers, _) = world.bought(WEB, BOB);
    let ended = world.one().withdraw(&subject(ALICE), None, at(2));
    assert_eq!(ended, Ok(2));
    assert!(mine.iter().all(|grant| world.is_revoked(grant)));
    assert!(!world.is_revoked(&hers));
    assert_eq!(world.consent(ALICE, WEB), None);
    assert_eq!(world.consent(ALICE, EVIL), None);
    assert!(world.consent(BOB, WEB).is_some());
}

/// The newest first; by owner, by client, by both; ended ones only on demand.
pub fn grants_are_listed_as_the_filter_says<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let mut made = Vec::new();
    for (second, client, owner) in
        [(1, WEB, ALICE), (2, EVIL, ALICE), (3, WEB, BOB), (4, WEB, ALICE)]
    {
        let grant = world.grant(client, owner, at(second));
        world.approve(&grant);
        made.push(grant);
    }
    let revoked = made[3].id;
    world.one().revoke(&revoked, at(5)).expect("revoke");
    made[3].revoked_at = Some(at(5));
    let pick = |numbers: &[usize]| -> Vec<Grant> {
        numbers.iter().map(|number| made[*number].clone()).collect()
    };
    let filter = |owner: Option<&str>, client: Option<&str>, ended| GrantFilter {
        subject: owner.map(subject),
        client_id: client.map(id),
        ended,
    };
    for (filter, expected) in [
        (filter(None, None, true), pick(&[3, 2, 1, 0])),
        (filter(None, None, false), pick(&[2, 1, 0])),
        (filter(Some(ALICE), None, false), pick(&[1, 0])),
        (filter(Some(ALICE), None, true), pick(&[3, 1, 0])),
        (filter(None, Some(WEB), false), pick(&[2, 0])),
        (filter(Some(ALICE), Some(WEB), true), pick(&[3, 0])),
        (filter(Some(BOB), Some(EVIL), true), pick(&[])),
    ] {
        let listed = GrantStore::list(world.other(), &filter, at(6)).expect("list");
        assert_eq!(listed, expected, "{filter:?}");
    }
}

/// What nobody can use any more is not listed among the live: an unredeemed code that expired, tokens
/// that expired, a grant that reached its end. To the second.
pub fn a_grant_with_nothing_left_under_it_counts_as_ended<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let unredeemed = world.approved(WEB, ALICE);
    let code_end = at(0).after(CODE_LIFETIME);
    assert_live_until(&world, &unredeemed, code_end);

    let (redeemed, _) = world.bought(WEB, ALICE);
    let refresh_end = at(0).after(super::world::REFRESH_LIFETIME);
    assert_live_until(&world, &redeemed, refresh_end);

    let mut capped = world.grant(WEB, ALICE, at(0));
    capped.expires_at = Some(at(1000));
    let capped = world.approve(&capped);
    let (outcome, _) = world.redeem(world.one(), &capped, at(0));
    assert_eq!(outcome, Redeemed::First);
    assert_live_until(&world, &capped, at(1000));
}

fn assert_live_until<S: StoreUnderTest>(world: &World<S>, approved: &Approved, end: Timestamp) {
    let listed = |now| {
        let live = GrantStore::list(world.other(), &GrantFilter::default(), now).expect("list");
        live.iter().any(|grant| grant.id == approved.grant)
    };
    assert!(listed(Timestamp::from_unix(end.unix() - 1)), "live before");
    assert!(!listed(end), "ended from {end} on");
}

fn knows_code<S: StoreUnderTest>(world: &World<S>, approved: &Approved) -> bool {
    let code: &CodeDigest = &approved.code;
    CodeStore::find(world.other(), code).expect("find").is_some()
}

fn lists<S: StoreUnderTest>(world: &World<S>, grant: &GrantId) -> bool {
    let all = GrantFilter { ended: true, ..GrantFilter::default() };
    let listed = GrantStore::list(world.other(), &all, at(10)).expect("list");
    listed.iter().any(|listed| listed.id == *grant)
}

/// CODE-12: nothing is approved for a client that is gone or disabled, also if that happens at the same
/// moment, and nothing is remembered for when it works again.
pub fn a_disabled_client_is_approved_nothing<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let web = id(WEB);
    let try_approve = |store: &S, client| {
        let grant = world.grant(client, ALICE, at(4));
        world.decide(store, None, &grant, Some(&grant.scope))
    };
    assert_eq!(try_approve(world.one(), "nobody").0, Decided::ClientDisabled);
    for _ in 0..10 {
        let outcomes = world.race(|store, number| match number {
            0 => {
                ClientRegistry::set_disabled(store, &web, Some(at(5))).expect("disable");
                None
            }
            _ => Some(try_approve(store, WEB)),
        });
        for (decided, approved) in outcomes.into_iter().flatten() {
            match decided {
                Decided::First => assert!(world.is_revoked(&approved), "it outlives its client"),
                Decided::ClientDisabled => {
                    assert_eq!(CodeStore::find(world.other(), &approved.code), Ok(None));
                }
                Decided::Already => panic!("there was no interaction"),
            }
        }
        ClientRegistry::set_disabled(world.one(), &web, None).expect("enable");
        assert_eq!(world.consents(ALICE, WEB), [], "people are asked anew");
        assert_eq!(try_approve(world.one(), WEB).0, Decided::First);
    }
}

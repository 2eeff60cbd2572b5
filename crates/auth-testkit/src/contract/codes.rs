//! Authorization codes: [`CodeStore`].

use super::world::{ALICE, EVIL, WEB, World, at};
use super::{Fresh, StoreUnderTest};
use crate::sample;
use auth_core::code::{CodeStore, Redeemed, Redemption};
use auth_core::grant::{Approval, Decided};
use auth_core::secret::CodeDigest;

/// Every field of a code and its grant, instants to the second, is what was approved.
pub fn a_code_comes_back_as_it_was_stored<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let full = world.grant(WEB, ALICE, at(7));
    let mut bare = world.grant(EVIL, ALICE, at(8));
    bare.expires_at = Some(at(1_000_003));
    bare.audience = sample::audience("");
    let full_record = world.code_record(&full);
    let mut bare_record = world.code_record(&bare);
    bare_record.redirect_uri_sent = false;
    bare_record.code_challenge = None;
    bare_record.redirect_uri = "com.example.app:/cb?a=1%20b".into();
    bare_record.expires_at = at(41);
    for (grant, record) in [(&full, &full_record), (&bare, &bare_record)] {
        let code = CodeDigest::new(grant.id, world.bytes());
        let decided = world.one().approve(&Approval {
            interaction: None,
            grant,
            code: &code,
            record,
            remember: None,
        });
        assert_eq!(decided, Ok(Decided::First));
        let found = CodeStore::find(world.other(), &code).expect("find");
        assert_eq!(found, Some((record.clone(), grant.clone())));
    }
    let unknown = CodeDigest::new(full.id, world.bytes());
    let found = CodeStore::find(world.other(), &unknown);
    assert_eq!(found, Ok(None), "an unknown code");
    let misplaced = CodeDigest::new(world.grant_id(), [7; 32]);
    let found = CodeStore::find(world.other(), &misplaced);
    assert_eq!(found, Ok(None), "an unknown grant");
}

/// The tokens of a redemption are found with their grant, exactly; a spent code is still found.
pub fn what_a_code_bought_comes_back_as_it_was_stored<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let approved = world.approved(WEB, ALICE);
    let mut access = world.access_token(approved.grant, at(3));
    access.expires_at = at(604);
    let refresh = world.refresh_token(approved.grant, at(3));
    let redemption =
        |refresh| Redemption { code: &approved.code, at: at(3), access: &access, refresh };
    let redeemed = world.one().redeem(&redemption(Some(&refresh)));
    assert_eq!(redeemed, Ok(Redeemed::First));
    let grant = world.grant_of(&approved);
    let (stored, of) = world.access(&access.digest).expect("the access token");
    assert_eq!((&stored.scope, &of), (&access.scope, &grant));
    assert_eq!(stored.audience, access.audience);
    assert_eq!(stored.created_at, access.created_at);
    assert_eq!(stored.expires_at, access.expires_at);
    let (stored, of) = world.refresh(&refresh.digest).expect("the refresh token");
    assert_eq!(of, grant);
    assert_eq!(stored.created_at, refresh.created_at);
    assert_eq!(stored.expires_at, refresh.expires_at);
    assert!(!stored.is_spent);

    let without = world.approved(WEB, ALICE);
    let access = world.access_token(without.grant, at(3));
    let redeemed = world.one().redeem(&Redemption {
        code: &without.code,
        at: at(3),
        access: &access,
        refresh: None,
    });
    assert_eq!(redeemed, Ok(Redeemed::First), "no refresh token");
    assert!(world.access(&access.digest).is_some());
}

/// However many redemptions run at once, one of them is first, and only its tokens are stored.
pub fn one_redemption_per_code_wins_and_the_others_store_nothing<S: StoreUnderTest>(
    fresh: Fresh<'_, S>,
) {
    let world = World::new(fresh);
    for _ in 0..10 {
        let approved = world.approved(WEB, ALICE);
        let outcomes = world.race(|store, _| world.redeem(store, &approved, at(5)));
        let mut winners = 0;
        for (redeemed, tokens) in &outcomes {
            let first = *redeemed == Redeemed::First;
            winners += usize::from(first);
            let message = "the winner's tokens are stored, and nobody else's";
            assert_eq!(world.took(tokens), first, "{message}");
        }
        assert_eq!(winners, 1, "redemptions that won: {outcomes:?}");
        assert!(world.is_revoked(&approved), "a racing replay is a replay");
    }
}

/// A second redemption, through whichever handle, revokes the grant and stores nothing.
pub fn a_replayed_code_revokes_its_grant<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let (approved, first) = world.bought(WEB, ALICE);
    let (bystander, _) = world.bought(EVIL, ALICE);
    assert!(!world.is_revoked(&approved), "redeeming revokes nothing");
    let (redeemed, second) = world.redeem(world.other(), &approved, at(9));
    assert_eq!(redeemed, Redeemed::Replayed);
    assert!(!world.took(&second), "a replay stores nothing");
    assert_eq!(world.grant_of(&approved).revoked_at, Some(at(9)));
    assert!(world.took(&first), "revoking is a mark on the grant");
    let (again, third) = world.redeem(world.one(), &approved, at(10));
    assert_ne!(again, Redeemed::First, "a spent code stays spent");
    assert!(!world.took(&third));
    assert_eq!(world.grant_of(&approved).revoked_at, Some(at(9)));
    assert!(!world.is_revoked(&bystander), "another grant stays");
}

/// Under a grant that was revoked or has reached its end, a code buys nothing and stays as it is.
pub fn a_code_under_an_ended_grant_buys_nothing<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let revoked = world.approved(WEB, ALICE);
    assert_eq!(world.one().revoke(&revoked.grant, at(1)), Ok(true));
    let mut capped = world.grant(WEB, ALICE, at(0));
    capped.expires_at = Some(at(30));
    let capped = world.approve(&capped);
    for (approved, now) in [(&revoked, at(2)), (&capped, at(30)), (&capped, at(31))] {
        let (redeemed, tokens) = world.redeem(world.other(), approved, now);
        assert_eq!(redeemed, Redeemed::GrantEnded);
        assert!(!world.took(&tokens), "nothing is stored under an ended grant");
    }
    // It was not spent in the attempt: a second before the end it is good.
    let (redeemed, _) = world.redeem(world.one(), &capped, at(29));
    assert_eq!(redeemed, Redeemed::First);

    let mut unknown = world.approved(WEB, ALICE);
    unknown.code = CodeDigest::new(unknown.grant, world.bytes());
    let (redeemed, tokens) = world.redeem(world.one(), &unknown, at(2));
    assert_eq!(redeemed, Redeemed::GrantEnded, "an unknown code");
    assert!(!world.took(&tokens));
}

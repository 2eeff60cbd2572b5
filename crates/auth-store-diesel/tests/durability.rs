//! What was answered stays true: over closing and opening, over a clock that is set back, over purging.

mod common;

use auth_core::code::{CodeStore, Redeemed, Redemption};
use auth_core::grant::{GrantFilter, GrantStore};
use auth_core::housekeeping::Housekeeping as _;
use auth_core::pkce::CodeVerifier;
use auth_core::token::{NewRefreshToken, Rotated, TokenStore};
use auth_testkit::sample;
use common::{
    Scratch, access, approve, at, code, knows_access, knows_refresh, redeem, refresh, rotate,
    rotate_into,
};

/// CODE-05, CODE-06, XC-06
#[test]
fn a_redeemed_code_stays_redeemed_over_a_restart() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        let grant = approve(&store, "grant");
        assert_eq!(redeem(&store, &grant, at(20), "first"), Redeemed::First);
        drop(store);
        let store = scratch.open();
        assert_eq!(redeem(&store, &grant, at(21), "second"), Redeemed::Replayed);
        drop(store);
        let store = scratch.open();
        let first = TokenStore::find(&store, &access(&grant, "first").digest);
        let (_, ended) = first.unwrap().expect("the token is still there");
        assert_eq!(ended.revoked_at, Some(at(21)));
        assert!(!knows_access(&store, &grant, "second"));
    }
}

/// REFRESH-13
#[test]
fn a_spent_refresh_token_stays_spent_over_a_restart() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        let grant = approve(&store, "grant");
        assert_eq!(redeem(&store, &grant, at(20), "r1"), Redeemed::First);
        assert_eq!(rotate(&store, &grant, "r1", "r2"), Rotated::Done);
        drop(store);
        let store = scratch.open();
        assert_eq!(rotate(&store, &grant, "r2", "r3"), Rotated::Done);
        drop(store);
        let store = scratch.open();
        assert_eq!(rotate(&store, &grant, "r1", "r4"), Rotated::Replayed);
        drop(store);
        let store = scratch.open();
        assert_eq!(rotate(&store, &grant, "r3", "r5"), Rotated::GrantEnded);
    }
}

/// PKCE-08
#[test]
fn the_challenge_of_a_code_survives_a_restart() {
    for scratch in Scratch::each() {
        let grant = approve(&scratch.open(), "grant");
        let found = CodeStore::find(&scratch.open(), &code(&grant));
        let (record, _) = found.unwrap().expect("the code is there");
        let verifier = CodeVerifier::parse(sample::VERIFIER).expect("a verifier");
        assert!(record.code_challenge.expect("a challenge").is_met_by(&verifier));
    }
}

/// XC-06: no outcome depends on the time being later than before.
#[test]
fn a_clock_that_is_set_back_revives_nothing() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        let spent = approve(&store, "spent");
        assert_eq!(redeem(&store, &spent, at(4_000), "first"), Redeemed::First);
        let revoked = approve(&store, "revoked");
        assert_eq!(store.revoke(&revoked, at(4_000)), Ok(true));
        drop(store);
        let store = scratch.open();
        assert_eq!(redeem(&store, &spent, at(400), "again"), Redeemed::Replayed);
        assert_eq!(redeem(&store, &revoked, at(400), "late"), Redeemed::GrantEnded);
    }
}

/// REFRESH-04, REFRESH-12: siblings outlive their parent, and still at most one of them is ever used.
#[test]
fn siblings_exclude_each_other_after_their_parent_was_purged() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        let lifetimes = sample::policy().sessions;
        for winner_comes in ["before", "after"] {
            let grant = approve(&store, winner_comes);
            assert_eq!(redeem(&store, &grant, at(20), "parent"), Redeemed::First);
            for sibling in ["one", "two"] {
                let refresh = refresh(&grant, sibling);
                let outliving = NewRefreshToken { expires_at: at(20_000), ..refresh };
                let rotated = rotate_into(&store, "parent", &access(&grant, sibling), &outliving);
                assert_eq!(rotated, Rotated::Done);
            }
            let use_one = || rotate(&store, &grant, "one", "heir");
            if winner_comes == "before" {
                assert_eq!(use_one(), Rotated::Done);
            }
            while store.purge(at(9_000), lifetimes, 100).unwrap() > 0 {}
            assert!(!knows_refresh(&store, &grant, "parent"));
            if winner_comes == "after" {
                assert_eq!(use_one(), Rotated::Done);
            }
            let loser = rotate(&store, &grant, "two", "thief");
            assert_eq!(loser, Rotated::Replayed, "{winner_comes}");
        }
    }
}

/// A client that may not refresh has one access token and nothing else under its grant.
#[test]
fn a_grant_goes_with_its_last_token_and_not_before() {
    for scratch in Scratch::each() {
        let store = scratch.open();
        let lifetimes = sample::policy().sessions;
        let grant = approve(&store, "grant");
        let redeemed = store.redeem(&Redemption {
            code: &code(&grant),
            at: at(20),
            access: &access(&grant, "only"),
            refresh: None,
        });
        assert_eq!(redeemed, Ok(Redeemed::First));
        let everything = GrantFilter { ended: true, ..GrantFilter::default() };
        assert_eq!(store.purge(at(3_999), lifetimes, 10), Ok(1), "the code");
        assert_eq!(GrantStore::list(&store, &everything, at(3_999)).map(|it| it.len()), Ok(1));
        assert!(knows_access(&store, &grant, "only"));
        assert_eq!(store.purge(at(4_000), lifetimes, 10), Ok(2), "the token, the grant");
        assert_eq!(GrantStore::list(&store, &everything, at(4_000)), Ok(Vec::new()));
    }
}

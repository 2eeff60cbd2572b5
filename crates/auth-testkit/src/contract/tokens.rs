//! Tokens of either kind, and those of clients that act for themselves: the rest of
//! [`TokenStore`].

use super::world::{ACCESS_LIFETIME, ALICE, EVIL, WEB, World, at, id};
use super::{Fresh, StoreUnderTest};
use auth_core::client::ClientRegistry;
use auth_core::grant::{Grant, GrantFilter, GrantStore};
use auth_core::housekeeping::Housekeeping;
use auth_core::secret::TokenDigest;
use auth_core::session::SessionLifetimes;
use auth_core::timestamp::Timestamp;
use auth_core::token::{NewAccessToken, TokenStore};
use time::Duration;

/// A token is found as what it is, under the grant that it names and no other.
pub fn a_token_is_found_under_its_own_grant_only<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let (approved, tokens) = world.bought(WEB, ALICE);
    let (other, _) = world.bought(WEB, ALICE);
    assert!(world.took(&tokens));
    for token in [tokens.access, tokens.refresh] {
        for grant in [other.grant, world.grant_id()] {
            let misplaced = TokenDigest::new(grant, *token.as_bytes());
            assert_eq!(TokenStore::find(world.other(), &misplaced), Ok(None));
        }
    }
    let unknown = world.token_digest(approved.grant);
    assert_eq!(TokenStore::find(world.other(), &unknown), Ok(None));
}

/// CC-01: a client's own grant and token come back as they were stored. The grant is not among those
/// that owners approved, ends with its client, and is purged with its token.
pub fn a_client_gets_a_grant_of_its_own<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let (grant, access) = issued(&world, WEB);
    assert_eq!(found(&world, &access), Some(grant));
    let (record, _) = world.access(&access.digest).expect("the access token");
    assert_eq!((record.scope, record.created_at), (access.scope.clone(), at(4)));
    assert_eq!(record.expires_at, access.expires_at);
    for ended in [false, true] {
        let filter = GrantFilter { client_id: Some(id(WEB)), ended, ..GrantFilter::default() };
        assert_eq!(GrantStore::list(world.other(), &filter, at(5)), Ok(Vec::new()));
    }

    let (_, bystander) = issued(&world, EVIL);
    ClientRegistry::set_disabled(world.one(), &id(WEB), Some(at(6))).expect("disable");
    assert_eq!(found(&world, &access).expect("still there").revoked_at, Some(at(6)));
    assert_eq!(found(&world, &bystander).expect("there").revoked_at, None);
    assert_eq!(world.one().revoke(&bystander.digest.grant(), at(7)), Ok(true));
    assert_eq!(found(&world, &bystander).expect("there").revoked_at, Some(at(7)));

    let removed = purge(&world, at(4).after(ACCESS_LIFETIME));
    assert_eq!(removed, 4, "two tokens and their grants");
}

/// Nothing is stored for a client that is gone or disabled, also if that happens at the same moment.
pub fn a_disabled_client_gets_no_grant_of_its_own<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let try_issue = |store: &S, client| {
        let grant = Grant { subject: None, ..world.grant(client, ALICE, at(4)) };
        let access = world.access_token(grant.id, at(4));
        (store.issue(&grant, &access).expect("issue"), access)
    };
    let (issued, access) = try_issue(world.one(), "nobody");
    assert!(!issued && found(&world, &access).is_none(), "there is no such client");
    for _ in 0..10 {
        let outcomes = world.race(|store, number| match number {
            0 => {
                ClientRegistry::set_disabled(store, &id(WEB), Some(at(5))).expect("disable");
                None
            }
            _ => Some(try_issue(store, WEB)),
        });
        for (issued, access) in outcomes.into_iter().flatten() {
            let grant = found(&world, &access);
            assert_eq!(issued, grant.is_some());
            assert!(grant.is_none_or(|it| it.revoked_at.is_some()), "it outlives its client");
        }
        let (issued, access) = try_issue(world.other(), WEB);
        assert!(!issued && found(&world, &access).is_none(), "the client is disabled");
        ClientRegistry::set_disabled(world.one(), &id(WEB), None).expect("enable");
        assert!(try_issue(world.one(), WEB).0);
    }
}

/// REVOKE-05, REVOKE-06: an access token that was taken back is unknown everywhere; its grant, the
/// refresh token and other access tokens stay. A refresh token is not taken back this way, and an unknown
/// token is no error.
pub fn taking_back_an_access_token_takes_that_one_alone<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let (approved, first) = world.bought(WEB, ALICE);
    let second = world.refreshed(&first.refresh);
    let (_, bystander) = world.bought(WEB, ALICE);
    for _ in 0..2 {
        assert_eq!(world.one().revoke_access(&first.access), Ok(()));
        assert!(world.access(&first.access).is_none());
    }
    assert_eq!(world.one().revoke_access(&second.refresh), Ok(()));
    let misplaced = TokenDigest::new(world.grant_id(), *second.access.as_bytes());
    assert_eq!(world.one().revoke_access(&misplaced), Ok(()));
    assert!(world.took(&second) && world.took(&bystander));
    assert!(world.refresh(&first.refresh).is_some());
    assert!(!world.is_revoked(&approved));

    // A grant that lost its only token is still purged.
    let world = World::new(fresh);
    let (_, access) = issued(&world, WEB);
    assert_eq!(world.one().revoke_access(&access.digest), Ok(()));
    purge(&world, at(4).after(ACCESS_LIFETIME));
    assert_eq!(world.one().revoke(&access.digest.grant(), at(9)), Ok(false), "it is gone");
}

fn purge<S: StoreUnderTest>(world: &World<S>, now: Timestamp) -> usize {
    let sessions = SessionLifetimes { idle: Duration::hours(8), absolute: Duration::days(7) };
    Housekeeping::purge(world.one(), now, sessions, 100).expect("purge")
}

fn issued<S: StoreUnderTest>(world: &World<S>, client: &str) -> (Grant, NewAccessToken) {
    let grant = Grant { subject: None, ..world.grant(client, ALICE, at(4)) };
    let access = world.access_token(grant.id, at(4));
    assert_eq!(world.one().issue(&grant, &access), Ok(true));
    (grant, access)
}

fn found<S: StoreUnderTest>(world: &World<S>, access: &NewAccessToken) -> Option<Grant> {
    world.access(&access.digest).map(|(_, grant)| grant)
}

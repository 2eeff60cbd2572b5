//! Resource owners: [`OwnerStore`] and [`OwnerRegistry`].

use super::world::{ALICE, BOB, EVIL, WEB, World, at, subject};
use super::{Fresh, StoreUnderTest};
use crate::sample;
use auth_core::client::{Changed, Inserted};
use auth_core::code::Redeemed;
use auth_core::owner::{Owner, OwnerRegistry, OwnerStore, Role, SubjectId, Username};
use auth_core::password::PasswordHash;

/// Every field of an owner is what was added, by identifier and by user name; the list is ordered by
/// user name, whatever its letter case.
pub fn an_owner_comes_back_as_it_was_added<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::empty(fresh);
    let mut rich = sample::owner("Zo\u{eb} \u{6f22}");
    rich.subject = SubjectId::new("b".into());
    rich.name = Some("Zo\u{eb} <\"'&>".into());
    rich.role = Role::Admin;
    rich.created_at = at(3);
    let mut bare = sample::owner("bare");
    bare.email = None;
    bare.role = Role::Developer;
    let mut capital = sample::owner("Carol");
    capital.subject = SubjectId::new("a".into());
    for owner in [&rich, &capital, &bare] {
        let hash = PasswordHash::new(format!("hash of {}", owner.username));
        let inserted = OwnerRegistry::insert(world.one(), owner, &hash);
        assert_eq!(inserted, Ok(Inserted::Inserted));
        assert_same(found(&world, &owner.subject), owner);
        let (by_name, stored) = by_username(&world, owner.username.as_str()).expect("by name");
        assert_same(Some(by_name), owner);
        assert_eq!(stored.as_str(), hash.as_str());
    }
    let listed = OwnerRegistry::list(world.other()).expect("list");
    assert_eq!(listed, [bare, capital, rich], "ordered by user name");
    assert_eq!(found(&world, &SubjectId::new("nobody".into())), None);
    assert!(by_username(&world, "nobody").is_none());
}

/// Two names that differ in letter case only are one name, for signing in and for being taken.
pub fn a_user_name_is_taken_in_any_letter_case<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let mut imposter = sample::owner("ALICE");
    imposter.subject = SubjectId::new("imposter".into());
    let hash = PasswordHash::new("$plain$imposter".into());
    let inserted = OwnerRegistry::insert(world.other(), &imposter, &hash);
    assert_eq!(inserted, Ok(Inserted::NameTaken));
    assert_eq!(found(&world, &imposter.subject), None);
    let (alice, stored) = by_username(&world, "aLiCe").expect("in any letter case");
    assert_same(Some(alice), &sample::alice());
    assert_eq!(stored.as_str(), sample::password_hash_of(ALICE).as_str());

    let outcomes = world.race(|store, number| {
        let mut owner = sample::owner(if number % 3 == 0 { "Carol" } else { "carol" });
        owner.subject = SubjectId::new(format!("carol-{number}"));
        OwnerRegistry::insert(store, &owner, &hash).expect("insert")
    });
    let won = |outcome: &&Inserted| **outcome == Inserted::Inserted;
    assert_eq!(outcomes.iter().filter(won).count(), 1, "owners of one name");
}

/// CODE-12: a new password ends the owner's other sessions, and the grants whose code nobody has
/// redeemed; grants in use, and everything of other owners, stay.
pub fn a_new_password_ends_other_sessions_and_unredeemed_codes_only<S: StoreUnderTest>(
    fresh: Fresh<'_, S>,
) {
    let world = World::new(fresh);
    let (in_use, tokens) = world.bought(WEB, ALICE);
    let unredeemed = [WEB, EVIL].map(|client| world.approved(client, ALICE));
    let of_bob = world.approved(WEB, BOB);
    let [kept, ended] = [1, 2].map(|second| world.session(ALICE, at(second)));
    let session_of_bob = world.session(BOB, at(1));
    let hash = PasswordHash::new("$plain$another".into());
    let set = |subject: &SubjectId, keep| world.one().set_password(subject, &hash, keep, at(9));
    assert_eq!(set(&subject(ALICE), Some(&kept.digest)), Ok(Changed::Changed));
    let (_, stored) = by_username(&world, ALICE).expect("alice");
    assert_eq!(stored.as_str(), hash.as_str());
    assert!(world.is_signed_in(&kept), "the session that is to be kept");
    assert!(!world.is_signed_in(&ended), "another session");
    assert!(world.is_signed_in(&session_of_bob), "another owner's session");
    assert!(!world.is_revoked(&in_use), "a grant in use");
    world.refreshed(&tokens.refresh);
    for approved in &unredeemed {
        assert_eq!(world.grant_of(approved).revoked_at, Some(at(9)));
        let (redeemed, _) = world.redeem(world.other(), approved, at(10));
        assert_eq!(redeemed, Redeemed::GrantEnded);
    }
    assert!(!world.is_revoked(&of_bob), "another owner's code");
    let (_, stored) = by_username(&world, BOB).expect("bob");
    assert_eq!(stored.as_str(), sample::password_hash_of(BOB).as_str());

    assert_eq!(set(&subject(ALICE), None), Ok(Changed::Changed));
    assert!(!world.is_signed_in(&kept), "nothing is kept");
    let nobody = SubjectId::new("nobody".into());
    assert_eq!(set(&nobody, None), Ok(Changed::NotFound));
}

/// The same password under stronger parameters ends nothing.
pub fn rehashing_changes_the_hash_and_nothing_else<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let approved = world.approved(WEB, ALICE);
    let session = world.session(ALICE, at(1));
    let hash = PasswordHash::new("$plain$stronger".into());
    let before = sample::password_hash_of(ALICE);
    world.one().rehash(&subject(ALICE), &before, &hash).expect("rehash");
    // Whoever verified by the old hash comes too late.
    let late = PasswordHash::new("$plain$late".into());
    world.one().rehash(&subject(ALICE), &before, &late).expect("rehash");
    let (alice, stored) = by_username(&world, ALICE).expect("alice");
    assert_same(Some(alice), &sample::alice());
    assert_eq!(stored.as_str(), hash.as_str());
    let (_, stored) = by_username(&world, BOB).expect("bob");
    assert_eq!(stored.as_str(), sample::password_hash_of(BOB).as_str());
    assert!(world.is_signed_in(&session), "sessions stay");
    assert!(!world.is_revoked(&approved), "codes stay");
}

/// Disabling ends the owner's sessions and grants, and nobody else's; enabling brings none back.
pub fn disabling_an_owner_ends_sessions_and_grants_for_good<S: StoreUnderTest>(
    fresh: Fresh<'_, S>,
) {
    let world = World::new(fresh);
    let grants = [WEB, EVIL].map(|client| world.bought(client, ALICE).0);
    let session = world.session(ALICE, at(1));
    let (of_bob, _) = world.bought(WEB, BOB);
    let session_of_bob = world.session(BOB, at(1));
    let set = |at| OwnerRegistry::set_disabled(world.one(), &subject(ALICE), at);
    assert_eq!(set(Some(at(5))), Ok(Changed::Changed));
    let disabled_at = |world: &World<S>| found(world, &subject(ALICE)).expect("alice").disabled_at;
    assert_eq!(disabled_at(&world), Some(at(5)));
    assert!(!world.is_signed_in(&session));
    for grant in &grants {
        assert_eq!(world.grant_of(grant).revoked_at, Some(at(5)));
    }
    assert!(!world.is_revoked(&of_bob), "another owner's grant");
    assert!(world.is_signed_in(&session_of_bob), "another owner's session");
    assert_eq!(set(None), Ok(Changed::Changed));
    assert_eq!(disabled_at(&world), None);
    assert!(grants.iter().all(|grant| world.is_revoked(grant)));
    assert!(!world.is_signed_in(&session));
    let nobody = SubjectId::new("nobody".into());
    let unknown = OwnerRegistry::set_disabled(world.one(), &nobody, None);
    assert_eq!(unknown, Ok(Changed::NotFound));
}

fn found<S: StoreUnderTest>(world: &World<S>, subject: &SubjectId) -> Option<Owner> {
    OwnerStore::find(world.other(), subject).expect("find")
}

fn by_username<S: StoreUnderTest>(world: &World<S>, name: &str) -> Option<(Owner, PasswordHash)> {
    let username = Username::parse(name).expect("a user name");
    world.other().find_by_username(&username).expect("find")
}

/// Equality of owners compares user names without letter case; here the spelling counts too.
fn assert_same(found: Option<Owner>, expected: &Owner) {
    let found = found.expect("the owner");
    assert_eq!(found, *expected);
    assert_eq!(found.username.as_str(), expected.username.as_str());
}

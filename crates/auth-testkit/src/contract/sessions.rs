//! Sessions: [`SessionStore`] and [`SessionRegistry`].

use super::world::{ALICE, BOB, World, at, subject};
use super::{Fresh, StoreUnderTest};
use crate::sample;
use auth_core::secret::SessionDigest;
use auth_core::session::{Session, SessionId, SessionRegistry, SessionStore};

/// UI-15: a session comes back exactly, with its owner, and the one that it replaces is gone.
pub fn a_session_comes_back_and_replaces_another<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let old = world.session(ALICE, at(1));
    let elsewhere = world.session(ALICE, at(2));
    let mut new = world.new_session(BOB, at(3));
    new.last_seen_at = at(4);
    SessionStore::insert(world.one(), &new, Some(&old.digest)).expect("insert");
    let found = SessionStore::find(world.other(), &new.digest).expect("find");
    assert_eq!(found, Some((new, sample::bob())));
    assert!(!world.is_signed_in(&old), "the replaced session");
    assert!(world.is_signed_in(&elsewhere), "another browser's session");
    let unknown = SessionDigest::from_bytes(world.bytes());
    let newer = world.new_session(ALICE, at(5));
    SessionStore::insert(world.one(), &newer, Some(&unknown)).expect("insert");
    assert!(world.is_signed_in(&newer), "there was nothing to replace");
    assert_eq!(SessionStore::find(world.one(), &unknown), Ok(None));
}

/// A use that is recorded late, or by a server whose clock is behind, does not shorten a session.
pub fn the_last_use_of_a_session_never_goes_back<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let session = world.session(ALICE, at(10));
    let bystander = world.session(ALICE, at(10));
    for (touched, expected) in [(5, 10), (20, 20), (15, 20), (21, 21)] {
        world.one().touch(&session.digest, at(touched)).expect("touch");
        let last_seen_at = at(expected);
        let expected = Session { last_seen_at, ..session.clone() };
        assert_eq!(world.found_session(&session), Some(expected));
    }
    assert_eq!(world.found_session(&bystander), Some(bystander));
    let unknown = SessionDigest::from_bytes(world.bytes());
    assert_eq!(world.one().touch(&unknown, at(1)), Ok(()));
}

/// Ending a session twice is ending it once; using it does not bring it back.
pub fn an_ended_session_is_gone<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let session = world.session(ALICE, at(1));
    let other = world.session(ALICE, at(1));
    for _ in 0..2 {
        assert_eq!(world.one().end(&session.digest), Ok(()));
        assert!(!world.is_signed_in(&session));
        assert!(world.is_signed_in(&other), "another browser's session");
        world.one().touch(&session.digest, at(5)).expect("touch");
    }
}

/// The newest first; ended by public name, and all of one owner's at once.
pub fn sessions_are_listed_and_ended_by_name_and_by_owner<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let first = world.session(ALICE, at(1));
    let second = world.session(BOB, at(2));
    let third = world.session(ALICE, at(3));
    let with = |session: &Session| (session.clone(), owner_of(session));
    let list = |owner: Option<&str>| {
        let subject = owner.map(subject);
        SessionRegistry::list(world.other(), subject.as_ref()).expect("list")
    };
    assert_eq!(list(None), [with(&third), with(&second), with(&first)]);
    assert_eq!(list(Some(ALICE)), [with(&third), with(&first)]);
    assert_eq!(world.one().end_by_id(&first.id), Ok(true));
    assert_eq!(world.other().end_by_id(&first.id), Ok(false));
    let unknown = SessionId::new("nothing".into());
    assert_eq!(world.one().end_by_id(&unknown), Ok(false));
    assert_eq!(list(None), [with(&third), with(&second)]);
    world.session(ALICE, at(4));
    assert_eq!(world.one().end_by_subject(&subject(ALICE)), Ok(2));
    assert_eq!(list(None), [with(&second)]);
    assert_eq!(world.one().end_by_subject(&subject(ALICE)), Ok(0));
}

fn owner_of(session: &Session) -> auth_core::owner::Owner {
    [sample::alice(), sample::bob()]
        .into_iter()
        .find(|owner| owner.subject == session.subject)
        .expect("a sample owner")
}

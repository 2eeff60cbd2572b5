//! The small parts keep their own promises.

use auth_core::entropy::Entropy;
use auth_core::error::StoreError;
use auth_core::password::{Password, PasswordCheck, PasswordHash, PasswordHasher};
use auth_core::timestamp::Clock;
use auth_testkit::{CountingEntropy, FaultyStore, FixedClock, MemoryStore, PlainPasswords, sample};
use std::collections::BTreeSet;
use std::sync::Arc;
use time::Duration;

#[test]
fn entropy_is_the_same_on_every_run_and_never_the_same_twice() {
    let draw = |entropy: &CountingEntropy| {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes).unwrap();
        bytes
    };
    let (one, other) = (CountingEntropy::default(), CountingEntropy::starting_at(0));
    let drawn: Vec<_> = (0..10_000).map(|_| draw(&one)).collect();
    assert!(drawn.iter().all(|bytes| *bytes == draw(&other)));
    assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), 10_000);
    assert!(!drawn.contains(&draw(&CountingEntropy::starting_at(1 << 32))));
}

#[test]
fn the_clock_moves_when_it_is_told_to() {
    let clock = FixedClock::default();
    assert_eq!(clock.now(), FixedClock::START);
    clock.advance(Duration::hours(-1));
    assert_eq!(clock.now(), FixedClock::START.before(Duration::HOUR));
    clock.set(FixedClock::START);
    assert_eq!(clock.now().to_string(), "2026-01-01T00:00:00Z");
}

#[test]
fn plain_passwords_answer_as_a_hasher_does() {
    let typed = |text: &str| Password::presented(text.to_owned());
    let hash = PlainPasswords.hash(&typed("secret")).unwrap();
    let check = |text: &str| PlainPasswords.verify(&typed(text), &hash).unwrap();
    assert_eq!(check("secret"), PasswordCheck::Match { rehash: false });
    assert_eq!(check("Secret"), PasswordCheck::Mismatch);
    let old = PasswordHash::new("$plain-old$secret".into());
    let checked = PlainPasswords.verify(&typed("secret"), &old);
    assert_eq!(checked, Ok(PasswordCheck::Match { rehash: true }));
    let malformed = PasswordHash::new("secret".into());
    assert!(PlainPasswords.verify(&typed("secret"), &malformed).is_err());
    let long = "x".repeat(Password::MAX_BYTES + 1);
    let hash = PlainPasswords.hash(&typed(&long)).unwrap();
    let checked = PlainPasswords.verify(&typed(&long), &hash);
    assert_eq!(checked, Ok(PasswordCheck::Mismatch), "too long for anybody");
}

#[test]
fn a_faulty_store_fails_the_call_that_it_was_told_to() {
    use auth_core::client::{ClientRegistry, ClientStore};
    let sound = Arc::new(MemoryStore::new());
    let faulty = FaultyStore::failing(sound.clone(), |call| call == "ClientRegistry::insert");
    let web = sample::web();
    let failed = ClientRegistry::insert(&faulty, &web);
    assert!(matches!(failed, Err(StoreError::Unavailable(_))));
    assert_eq!(ClientStore::find(&faulty, &web.id), Ok(None), "without effect");
    ClientRegistry::insert(&*sound, &web).unwrap();
    assert_eq!(ClientStore::find(&faulty, &web.id), Ok(Some(web)));
}

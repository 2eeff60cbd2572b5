use super::*;
use crate::password::{PasswordHash, PasswordHasherError};
use crate::timestamp::Timestamp;
use crate::usecase::fixtures::{
    INTERACTION, NOW, World, alice, at, disabled_alice, minted_public_id, minted_secret, session,
    signed_in, store_fault, unavailable,
};
use rstest::rstest;
use time::Duration;

#[path = "sign_in_tests/meanwhile.rs"]
mod meanwhile;

const PASSWORD: &str = "correct horse";
const HASH: &str = "$argon2id$stored";

fn form<'a>(username: &'a str, password: &'a Password) -> SignIn<'a> {
    SignIn { username, password, replaces: None, interaction: None }
}

/// Signs in as `alice` with the right password.
fn try_alice(world: &World) -> Result<Option<SessionSecret>, Fault> {
    let password = Password::presented(PASSWORD.into());
    sign_in(&world.sign_in_ports(), &form("alice", &password))
}

/// The name is looked up once, and this account has it.
fn named(owner: Owner) -> World {
    let mut world = World::new();
    let find = world.owners.expect_find_by_username().once();
    find.withf(|name| name.as_str() == "alice")
        .returning(move |_| Ok(Some((owner.clone(), PasswordHash::new(HASH.into())))));
    world
}

/// The password is compared with the stored hash once, with this outcome.
fn verifying(mut world: World, check: PasswordCheck) -> World {
    let verify = world.passwords.expect_verify().once();
    verify
        .withf(|password, hash| password.expose() == PASSWORD.as_bytes() && hash.as_str() == HASH)
        .return_const(Ok(check));
    world
}

const RIGHT: PasswordCheck = PasswordCheck::Match { rehash: false };
const WEAK: PasswordCheck = PasswordCheck::Match { rehash: true };

/// One session is started, and replaces this one; then the account is looked at again, and has this hash.
fn starting_under(hash: &'static str, world: World, replaced: Option<SessionDigest>) -> World {
    let mut world = world.mints();
    let find = world.owners.expect_find_by_username().once();
    find.returning(|_| Ok(Some((alice(), PasswordHash::new(hash.into())))));
    let insert = world.sessions.expect_insert().once();
    insert.returning(move |session, replaces| {
        let started = Session {
            id: SessionId::new(minted_public_id(2)),
            digest: SessionSecret::presented(&minted_secret(1)).digest(),
            subject: alice().subject,
            created_at: NOW,
            last_seen_at: NOW,
        };
        assert_eq!(*session, started);
        assert_eq!(replaces.copied(), replaced);
        Ok(())
    });
    world
}

fn starting(world: World, replaced: Option<SessionDigest>) -> World {
    starting_under(HASH, world, replaced)
}

fn signed_in_event() -> Event {
    Event::SignedIn { subject: alice().subject }
}

fn refused_event(subject: Option<crate::owner::SubjectId>) -> Event {
    Event::SignInRefused { subject }
}

/// The browser gets a secret of which the store has only the digest.
#[test]
fn the_right_password_starts_a_session() {
    let world = starting(verifying(named(alice()), RIGHT), None).records(signed_in_event());
    let secret = try_alice(&world).unwrap().unwrap();
    assert_eq!(secret.expose(), minted_secret(1));
}

/// UI-18: an unknown name costs one verification, of nothing; what was typed is not kept.
#[test]
fn an_unknown_name_costs_one_verification() {
    let mut world = World::new().records(refused_event(None));
    let find = world.owners.expect_find_by_username().once();
    find.return_const(Ok(None));
    let verify = world.passwords.expect_verify_nothing().once();
    verify.return_const(());
    assert!(try_alice(&world).unwrap().is_none());
}

/// UI-18: so does a name that nobody can have, though no store is asked for it.
#[rstest]
#[case("")]
#[case("   ")]
#[case("a\0b")]
#[case(&"x".repeat(129))]
fn a_name_that_nobody_can_have_costs_the_same(#[case] username: &str) {
    let mut world = World::new().records(refused_event(None));
    let verify = world.passwords.expect_verify_nothing().once();
    verify.return_const(());
    let password = Password::presented(PASSWORD.into());
    let result = sign_in(&world.sign_in_ports(), &form(username, &password));
    assert!(result.unwrap().is_none());
}

/// UI-18: a wrong password, and a disabled account with the right one or a wrong one, look the same: one
/// verification, no session, the same answer. A disabled account's hash is not renewed either.
#[rstest]
#[case(alice(), PasswordCheck::Mismatch)]
#[case(disabled_alice(), PasswordCheck::Mismatch)]
#[case(disabled_alice(), RIGHT)]
#[case(disabled_alice(), WEAK)]
fn a_wrong_password_and_a_disabled_account_look_the_same(
    #[case] owner: Owner,
    #[case] check: PasswordCheck,
) {
    let world = verifying(named(owner), check).records(refused_event(Some(alice().subject)));
    assert!(try_alice(&world).unwrap().is_none());
}

/// Space around a name is a slip of the fingers.
#[test]
fn space_around_the_name_does_not_count() {
    let world = starting(verifying(named(alice()), RIGHT), None).records(signed_in_event());
    let password = Password::presented(PASSWORD.into());
    let result = sign_in(&world.sign_in_ports(), &form(" alice ", &password));
    assert!(result.unwrap().is_some());
}

/// A hash that is weaker than today's parameters is replaced while the password is at hand.
#[test]
fn a_weak_hash_is_renewed() {
    let world = verifying(named(alice()), WEAK);
    let mut world = starting_under("$argon2id$stronger", world, None).records(signed_in_event());
    let hash = world.passwords.expect_hash().once();
    hash.withf(|password| password.expose() == PASSWORD.as_bytes())
        .returning(|_| Ok(PasswordHash::new("$argon2id$stronger".into())));
    let rehash = world.owners.expect_rehash().once();
    rehash
        .withf(|who, before, hash| {
            let hashes = (before.as_str(), hash.as_str());
            *who == alice().subject && hashes == (HASH, "$argon2id$stronger")
        })
        .return_const(Ok(()));
    assert!(try_alice(&world).unwrap().is_some());
}

/// UI-15, UI-16: the browser's session so far ends with the new one's start, in one transition.
#[test]
fn the_old_session_of_the_browser_ends() {
    let old = SessionSecret::presented("old");
    let world = verifying(named(alice()), RIGHT);
    let world = starting(world, Some(old.digest())).records(signed_in_event());
    let password = Password::presented(PASSWORD.into());
    let form = SignIn { replaces: Some(&old), ..form("alice", &password) };
    let secret = sign_in(&world.sign_in_ports(), &form).unwrap().unwrap();
    assert_ne!(secret.expose(), old.expose());
}

/// AUTHZ-22: the interaction that asked for the sign-in learns which session was started for it. A
/// refused sign-in tells it nothing, and leaves the browser's session so far alone.
#[test]
fn the_session_is_bound_to_the_interaction() {
    let interaction = InteractionId::presented(INTERACTION);
    let old = SessionSecret::presented("old");
    let password = Password::presented(PASSWORD.into());
    let form = SignIn {
        interaction: Some(&interaction),
        replaces: Some(&old),
        ..form("alice", &password)
    };
    let world = starting(verifying(named(alice()), RIGHT), Some(old.digest()));
    let mut world = world.records(signed_in_event());
    let bind = world.pending.expect_signed_in().once();
    bind.withf(|interaction, started| {
        *interaction == InteractionId::presented(INTERACTION).digest()
            && *started == session(&minted_secret(1))
    })
    .return_const(Ok(()));
    assert!(sign_in(&world.sign_in_ports(), &form).unwrap().is_some());

    let world = verifying(named(alice()), PasswordCheck::Mismatch)
        .records(refused_event(Some(alice().subject)));
    assert!(sign_in(&world.sign_in_ports(), &form).unwrap().is_none());
}

/// Where the interaction cannot learn of the session, or the weak hash cannot be renewed, the sign-in did
/// not happen as far as its owner and the log can tell.
#[test]
fn a_sign_in_that_cannot_be_finished_is_a_fault() {
    let interaction = InteractionId::presented(INTERACTION);
    let password = Password::presented(PASSWORD.into());
    let mut world = starting(verifying(named(alice()), RIGHT), None);
    let bind = world.pending.expect_signed_in().once();
    bind.return_const(Err(unavailable()));
    let form = SignIn { interaction: Some(&interaction), ..form("alice", &password) };
    let result = sign_in(&world.sign_in_ports(), &form);
    assert_eq!(result.unwrap_err(), store_fault());

    let mut world = verifying(named(alice()), WEAK);
    let hash = world.passwords.expect_hash().once();
    hash.returning(|_| Ok(PasswordHash::new("$argon2id$stronger".into())));
    let rehash = world.owners.expect_rehash().once();
    rehash.return_const(Err(unavailable()));
    assert_eq!(try_alice(&world).unwrap_err(), store_fault());
}

/// A port that fails is no wrong password: nobody is told that theirs is, and no event says so.
#[test]
fn a_fault_is_no_refusal() {
    let mut world = World::new();
    let find = world.owners.expect_find_by_username().once();
    find.return_once(|_| Err(unavailable()));
    assert_eq!(try_alice(&world).unwrap_err(), store_fault());

    let broken = PasswordHasherError("malformed hash".into());
    let mut world = named(alice());
    let verify = world.passwords.expect_verify().once();
    verify.return_const(Err(broken.clone()));
    let fault = try_alice(&world).unwrap_err();
    assert_eq!(fault, Fault::PasswordHasher(broken));

    let world = verifying(named(alice()), RIGHT).dry();
    let dry = Fault::Entropy(crate::entropy::EntropyError("dry".into()));
    assert_eq!(try_alice(&world).unwrap_err(), dry);

    let mut world = verifying(named(alice()), RIGHT).mints();
    let insert = world.sessions.expect_insert().once();
    insert.returning(|_, _| Err(unavailable()));
    assert_eq!(try_alice(&world).unwrap_err(), store_fault());
}

// Recognizing and signing out.

/// The session `alice`, looked up once.
fn with_session(owner: Owner, created_at: Timestamp, last_seen_at: Timestamp) -> World {
    let found = Session {
        id: SessionId::new("s1".into()),
        digest: session("alice"),
        subject: owner.subject.clone(),
        created_at,
        last_seen_at,
    };
    let mut world = World::new();
    let find = world.sessions.expect_find().once();
    find.withf(|digest| *digest == session("alice")).return_const(Ok(Some((found, owner))));
    world
}

/// One use of the session is recorded, now.
fn touching(mut world: World) -> World {
    let touch = world.sessions.expect_touch().once();
    touch.withf(|digest, at| *digest == session("alice") && *at == NOW).return_const(Ok(()));
    world
}

fn recognize_alice(world: &World) -> Result<Option<AuthenticatedOwner>, Fault> {
    let secret = SessionSecret::presented("alice");
    recognize(&world.sessions, &world.clock, &world.policy, &secret)
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Both lifetimes end exactly: at the very second the session is over.
#[rstest]
#[case::fresh(0, 0, true)]
#[case::idle_for_a_second_less(8 * HOUR, 8 * HOUR - 1, true)]
#[case::idle_too_long(8 * HOUR, 8 * HOUR, false)]
#[case::old_by_a_second_less(7 * DAY - 1, 0, true)]
#[case::too_old(7 * DAY, 0, false)]
#[case::both(8 * DAY, 8 * DAY, false)]
fn a_session_lasts_until_it_is_idle_too_long_or_too_old(
    #[case] age: i64,
    #[case] idle: i64,
    #[case] live: bool,
) {
    let world = with_session(alice(), at(-age), at(-idle));
    let world = if live && idle > 0 { touching(world) } else { world };
    assert_eq!(recognize_alice(&world).unwrap().is_some(), live);
}

/// The lifetimes are the operator's.
#[test]
fn the_policy_sets_the_lifetimes() {
    let mut world = with_session(alice(), at(-100), at(-10));
    world.policy.sessions.idle = Duration::seconds(10);
    assert!(recognize_alice(&world).unwrap().is_none());
    let mut world = with_session(alice(), at(-100), at(-10));
    world.policy.sessions.absolute = Duration::seconds(100);
    assert!(recognize_alice(&world).unwrap().is_none());
}

/// A use is recorded once a minute, not at every request.
#[rstest]
#[case(0, false)]
#[case(59, false)]
#[case(60, true)]
#[case(3600, true)]
fn a_use_is_recorded_after_a_minute(#[case] idle: i64, #[case] recorded: bool) {
    let world = with_session(alice(), at(-2 * HOUR), at(-idle));
    let world = if recorded { touching(world) } else { world };
    let recognized = recognize_alice(&world).unwrap().unwrap();
    assert_eq!(*recognized.owner(), alice());
    assert_eq!(*recognized.session(), session("alice"));
}

/// A short idle lifetime is kept nearly to the second: an active session is not ended.
#[rstest]
#[case(90, 8, false)]
#[case(90, 9, true)]
#[case(5, 1, true)]
fn a_use_is_recorded_after_a_tenth_of_a_short_idle_lifetime(
    #[case] lifetime: i64,
    #[case] idle: i64,
    #[case] recorded: bool,
) {
    let mut world = with_session(alice(), at(-HOUR), at(-idle));
    world.policy.sessions.idle = Duration::seconds(lifetime);
    let world = if recorded { touching(world) } else { world };
    assert!(recognize_alice(&world).unwrap().is_some());
}

/// A disabled owner is signed in nowhere, from the next request on; the session is not used.
#[test]
fn a_disabled_owner_is_not_recognized() {
    let world = with_session(disabled_alice(), at(-HOUR), at(-HOUR));
    assert!(recognize_alice(&world).unwrap().is_none());
}

#[test]
fn an_unknown_session_is_nobodys() {
    let mut world = World::new();
    world.sessions.expect_find().once().return_const(Ok(None));
    assert!(recognize_alice(&world).unwrap().is_none());
}

/// A store that is down signs nobody out.
#[test]
fn a_fault_is_no_missing_session() {
    let mut world = World::new();
    let find = world.sessions.expect_find().once();
    find.return_const(Err(unavailable()));
    assert_eq!(recognize_alice(&world).unwrap_err(), store_fault());

    let mut world = with_session(alice(), at(-HOUR), at(-HOUR));
    let touch = world.sessions.expect_touch().once();
    touch.return_const(Err(unavailable()));
    assert_eq!(recognize_alice(&world).unwrap_err(), store_fault());
}

/// The session ends and what was granted stays: no other port is touched.
#[test]
fn signing_out_ends_the_session() {
    let mut world = World::new().records(Event::SignedOut { subject: alice().subject });
    let end = world.sessions.expect_end().once();
    end.withf(|digest| *digest == session("alice")).return_const(Ok(()));
    assert_eq!(sign_out(&world.sessions, &world.events, &signed_in()), Ok(()));
}

/// Who could not be signed out is not recorded as signed out.
#[test]
fn a_failed_sign_out_is_a_fault() {
    let mut world = World::new();
    let end = world.sessions.expect_end().once();
    end.return_const(Err(unavailable()));
    let result = sign_out(&world.sessions, &world.events, &signed_in());
    assert_eq!(result, Err(store_fault()));
}

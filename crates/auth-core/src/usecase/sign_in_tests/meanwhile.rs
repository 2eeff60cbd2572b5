//! What happens to an account while its password is checked, which takes a while.

use super::*;

/// UI-16: a password that was changed while it was checked, or an account that was disabled, starts
/// no session: it is ended, and nobody is told its secret. Another hash of the same password is as good.
#[rstest]
#[case::changed(alice(), Some(PasswordCheck::Mismatch), false)]
#[case::renewed_by_another_sign_in(alice(), Some(RIGHT), true)]
#[case::disabled(disabled_alice(), None, false)]
fn what_changes_meanwhile_decides(
    #[case] then: Owner,
    #[case] check: Option<PasswordCheck>,
    #[case] signed_in: bool,
) {
    let mut world = verifying(named(alice()), RIGHT).mints();
    world.sessions.expect_insert().once().return_const(Ok(()));
    let find = world.owners.expect_find_by_username().once();
    find.returning(move |_| Ok(Some((then.clone(), PasswordHash::new("$argon2id$new".into())))));
    if let Some(check) = check {
        let verify = world.passwords.expect_verify().once();
        verify.withf(|_, hash| hash.as_str() == "$argon2id$new").return_const(Ok(check));
    }
    let refused = refused_event(Some(alice().subject));
    let mut world = world.records(if signed_in { signed_in_event() } else { refused });
    if !signed_in {
        let digest = SessionSecret::presented(&minted_secret(1)).digest();
        let end = world.sessions.expect_end().once();
        end.withf(move |ended| *ended == digest).return_const(Ok(()));
    }
    assert_eq!(try_alice(&world).unwrap().is_some(), signed_in);
}

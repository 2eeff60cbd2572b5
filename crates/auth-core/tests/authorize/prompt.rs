//! What `prompt` asks for (OpenID Connect Core §3.1.2.1).

use super::*;

/// `prompt=none` never shows anything, and leaves nothing behind.
#[test]
fn none_answers_at_once() {
    let server = TestServer::new();
    let silent = request("web", &[("prompt", "none")]);
    let answer = server.authorize(&silent, None);
    assert_error(&answer, ErrorCode::LoginRequired);
    let alice = server.sign_in("alice");
    let answer = server.authorize(&silent, Some(&alice));
    assert_error(&answer, ErrorCode::ConsentRequired);
    assert_eq!(server.store.edit(|data| data.pending.len()), 0);
    server.code("web", &alice);
    let code = code_in(&server.authorize(&silent, Some(&alice)));
    assert!(server.redeem("web", &code).is_ok());
}

/// `prompt=login` asks for a sign-in that the old session does not replace, and for exactly one.
#[test]
fn login_is_neither_skipped_nor_a_loop() {
    let server = TestServer::new();
    let old = server.sign_in("alice");
    let answer = server.authorize(&request("web", &[("prompt", "login")]), Some(&old));
    assert!(matches!(answer, Authorize::NeedsSignIn(_)));
    let interaction = page_in(answer).interaction;

    let skipped = server.resume(&interaction, Some(&old));
    assert!(matches!(skipped, Authorize::NeedsSignIn(_)), "skipped");
    let answer = server.decide(&interaction, Some(&old), APPROVE);
    assert_refused(&answer, Refusal::SignInFirst);
    let elsewhere = server.sign_in("alice");
    let skipped = server.resume(&interaction, Some(&elsewhere));
    let message = "a fresh sign-in for something else does not count";
    assert!(matches!(skipped, Authorize::NeedsSignIn(_)), "{message}");

    let fresh = server.sign_in_for("alice", Some(&interaction));
    for _ in 0..2 {
        let resumed = server.resume(&interaction, Some(&fresh));
        assert!(matches!(resumed, Authorize::NeedsConsent(_)), "a loop");
    }
    code_in(&server.decide(&interaction, Some(&fresh), APPROVE));
}

/// With the consent remembered, the forced sign-in is all that there is to do.
#[test]
fn login_with_remembered_consent_ends_in_a_code() {
    let server = TestServer::new();
    let old = server.sign_in("alice");
    server.code("web", &old);
    let answer = server.authorize(&request("web", &[("prompt", "login")]), Some(&old));
    let interaction = page_in(answer).interaction;
    let fresh = server.sign_in_for("alice", Some(&interaction));
    code_in(&server.resume(&interaction, Some(&fresh)));
    let replayed = server.resume(&interaction, Some(&fresh));
    assert_refused(&replayed, Refusal::InteractionGone);
}

/// UI-16: somebody else may be the one who signs in; the grant is theirs.
#[test]
fn login_as_somebody_else_grants_for_them() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let hers = server.flow("web", "alice");
    let answer = server.authorize(&request("web", &[("prompt", "login")]), Some(&alice));
    let interaction = page_in(answer).interaction;
    let bob = server.sign_in_for("bob", Some(&interaction));
    let resumed = server.resume(&interaction, Some(&bob));
    assert!(matches!(resumed, Authorize::NeedsConsent(_)), "bob never approved");
    let code = code_in(&server.decide(&interaction, Some(&bob), APPROVE));
    server.redeem("web", &code).unwrap();
    let newest = server.store.edit(|data| {
        let codes = data.codes.keys().map(|code| code.grant());
        let of_bob = |id: &_| data.grants[id].subject == Some(sample::bob().subject);
        codes.filter(of_bob).count()
    });
    assert_eq!(newest, 1);
    assert!(server.accepts(&hers.access_token), "alice's grant is untouched");
}

/// `prompt=consent` asks again, whatever was approved before.
#[test]
fn consent_asks_again() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    server.code("web", &alice);
    let params = request("web", &[("prompt", "consent")]);
    for _ in 0..2 {
        let answer = server.authorize(&params, Some(&alice));
        assert!(matches!(answer, Authorize::NeedsConsent(_)));
        let interaction = page_in(answer).interaction;
        code_in(&server.decide(&interaction, Some(&alice), APPROVE));
    }
}

//! Sessions of signed-in browsers, over time.

use auth_core::owner::OwnerRegistry;
use auth_core::password::{Password, PasswordHash};
use auth_core::secret::SessionSecret;
use auth_core::timestamp::Clock;
use auth_core::usecase::sign_in::SignIn;
use auth_testkit::{TestServer, sample};
use time::Duration;

fn sign_in(server: &TestServer, username: &str, password: &str) -> Option<SessionSecret> {
    let form = SignIn {
        username,
        password: &Password::presented(password.into()),
        replaces: None,
        interaction: None,
    };
    server.engine.sign_in(&form).unwrap()
}

/// UI-18: an unknown name, a wrong password and a disabled account look the same.
#[test]
fn begins_with_the_right_password_only() {
    let server = TestServer::new();
    assert!(sign_in(&server, " ALICE ", "alice-password").is_some());
    assert!(sign_in(&server, "alice", "bob-password").is_none());
    assert!(sign_in(&server, "nobody", "alice-password").is_none());
    assert!(sign_in(&server, "", "").is_none());
    let bob = sample::bob().subject;
    let now = server.clock.now();
    OwnerRegistry::set_disabled(&*server.store, &bob, Some(now)).unwrap();
    assert!(sign_in(&server, "bob", "bob-password").is_none());
}

/// Idle too long, or too old: to the second. A clock that goes back shortens nothing.
#[test]
fn lasts_as_long_as_the_policy_says() {
    let server = TestServer::new();
    let secret = sign_in(&server, "alice", "alice-password").unwrap();
    let recognized = || server.engine.recognize(&secret).unwrap().is_some();
    for _ in 0..20 {
        server.clock.advance(Duration::hours(8) - Duration::SECOND);
        assert!(recognized());
    }
    server.clock.advance(Duration::hours(-2));
    assert!(recognized());
    server.clock.advance(Duration::hours(10));
    assert!(!recognized(), "idle for eight hours");

    let secret = sign_in(&server, "alice", "alice-password").unwrap();
    let recognized = || server.engine.recognize(&secret).unwrap().is_some();
    for _ in 0..23 {
        server.clock.advance(Duration::hours(7));
        assert!(recognized());
    }
    server.clock.advance(Duration::hours(7) - Duration::SECOND);
    assert!(recognized());
    server.clock.advance(Duration::SECOND);
    assert!(!recognized(), "seven days old");
}

/// UI-15: signing in ends the browser's old session, and signing out the one that it has.
#[test]
fn is_replaced_by_the_next_and_ended_by_signing_out() {
    let server = TestServer::new();
    let old = sign_in(&server, "alice", "alice-password").unwrap();
    let form = SignIn {
        username: "bob",
        password: &sample::password_of("bob"),
        replaces: Some(&old),
        interaction: None,
    };
    let new = server.engine.sign_in(&form).unwrap().unwrap();
    assert_ne!(old.expose(), new.expose());
    assert!(server.engine.recognize(&old).unwrap().is_none());
    let bob = server.engine.recognize(&new).unwrap().unwrap();
    assert_eq!(bob.owner().subject, sample::bob().subject);
    let tokens = server.flow("web", "bob");
    server.engine.sign_out(&bob).unwrap();
    assert!(server.engine.recognize(&new).unwrap().is_none());
    assert!(server.accepts(&tokens.access_token), "signing out leaves grants alone");
}

/// A hash of older parameters is replaced at the next sign-in, which ends nothing.
#[test]
fn that_begins_with_an_old_hash_renews_it() {
    let server = TestServer::new();
    let alice = sample::alice().subject;
    let first = sign_in(&server, "alice", "alice-password").unwrap();
    server.store.edit(|data| {
        let old = "$plain-old$alice-password".to_owned();
        data.owners.get_mut(&alice).unwrap().1 = PasswordHash::new(old);
    });
    assert!(sign_in(&server, "alice", "alice-password").is_some());
    let hash = server.store.edit(|data| data.owners[&alice].1.as_str().to_owned());
    assert_eq!(hash, "$plain$alice-password");
    assert!(server.engine.recognize(&first).unwrap().is_some());
}

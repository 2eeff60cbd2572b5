//! `user`.

use crate::world::{World, fields, is_instant, is_minted};
use auth_core::owner::{OwnerStore as _, Username};
use auth_core::password::{Password, PasswordCheck, PasswordHasher as _};
use auth_password_argon2::{Argon2Hasher, Cost};
use serde_json::{Value, json};

const ADD: [&str; 5] = ["user", "add", "--username", "alice", "--password-stdin"];
const PASSWD: [&str; 4] = ["user", "passwd", "alice", "--password-stdin"];

/// The stored hash, and what the server's hasher says of the password.
fn stored(world: &World, password: &str) -> (String, PasswordCheck) {
    let username = Username::parse("alice").unwrap();
    let (_, hash) = world.store().find_by_username(&username).unwrap().unwrap();
    let hasher = Argon2Hasher::new(Cost::default()).unwrap();
    let check = hasher.verify(&Password::presented(password.to_owned()), &hash).unwrap();
    (hash.as_str().to_owned(), check)
}

const MATCH: PasswordCheck = PasswordCheck::Match { rehash: false };

#[test]
fn an_account_has_what_it_was_given_and_a_hashed_password() {
    let world = World::new();
    let more =
        ["--email", "alice@example.com", "--name", "Alice Example", "--role", "admin", "--json"];
    let added = world.run_with(b"correct horse\n", &[&ADD[..], &more].concat()).json();
    assert_eq!(
        fields(&added),
        ["created_at", "disabled", "email", "name", "role", "user_id", "username"]
    );
    assert!(is_minted(&added["user_id"]) && is_instant(&added["created_at"]), "{added}");
    for (field, value) in [
        ("username", json!("alice")),
        ("email", json!("alice@example.com")),
        ("name", json!("Alice Example")),
        ("role", json!("admin")),
        ("disabled", json!(false)),
    ] {
        assert_eq!(added[field], value, "{field}");
    }
    assert_eq!(world.json(&["user", "list"]), json!([added]));
    let (hash, check) = stored(&world, "correct horse");
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    assert_eq!(check, MATCH);
}

#[test]
fn the_defaults_are_a_plain_user_without_name_and_address() {
    let world = World::new();
    let ran = world.run_with(b"correct horse\n", &ADD).succeeded();
    assert!(ran.stdout.contains("role        user\n"), "{ran:?}");
    assert!(!ran.stdout.contains("email") && !ran.stdout.contains("correct horse"), "{ran:?}");
    let listed = world.json(&["user", "list"]);
    assert_eq!((&listed[0]["email"], &listed[0]["name"]), (&Value::Null, &Value::Null));
    assert!(world.run(&["user", "list"]).succeeded().stdout.contains("  alice"));
}

#[test]
fn the_password_is_the_first_line_whatever_ends_it() {
    let world = World::new();
    world.add_user("alice");
    for (input, password) in [
        (&b"battery staple\nsecond line\n"[..], "battery staple"),
        (b"crlf password\r\n", "crlf password"),
        (b"no line end", "no line end"),
        (b"  spaces stay  \n", "  spaces stay  "),
        (
            "\u{6f22}\u{5b57}\u{6f22}\u{5b57}\u{6f22}\u{5b57}\u{6f22}\u{5b57}\n".as_bytes(),
            "漢字漢字漢字漢字",
        ),
    ] {
        world.run_with(input, &PASSWD).succeeded();
        assert_eq!(stored(&world, password).1, MATCH, "{password:?}");
    }
}

#[test]
fn a_password_that_is_short_long_or_no_text_is_refused() {
    let world = World::new();
    for input in [
        &b""[..],
        b"\n",
        b"1234567\n",
        b"1234567\r\n",
        &[b'x'; 1025],
        &[b'x'; 100_000],
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\n",
    ] {
        let reason = world.run_with(input, &ADD).refused();
        assert!(reason.contains("password"), "{reason}");
    }
    assert_eq!(world.json(&["user", "list"]), json!([]));
    world.add_user("alice");
    world.run_with(b"short\n", &PASSWD).refused();
    assert_eq!(stored(&world, "correct horse").1, MATCH);
}

#[test]
fn a_name_is_taken_in_any_letter_case() {
    let world = World::new();
    world.add_user("alice");
    let add = ["user", "add", "--username", "ALICE", "--password-stdin"];
    let reason = world.run_with(b"correct horse\n", &add).refused();
    assert!(reason.contains("already a user \"ALICE\""), "{reason}");
    assert_eq!(world.json(&["user", "disable", "Alice"])["username"], "alice");
}

#[test]
fn a_disabled_account_stays_listed_and_can_be_enabled_again() {
    let world = World::new();
    world.add_user("alice");
    assert_eq!(world.json(&["user", "disable", "alice"])["disabled"], true);
    assert_eq!(world.json(&["user", "list"])[0]["disabled"], true);
    assert!(world.run(&["user", "list"]).succeeded().stdout.contains(" disabled "));
    assert_eq!(world.json(&["user", "enable", "alice"])["disabled"], false);
}

#[test]
fn nonsense_is_refused_with_the_reason() {
    let world = World::new();
    for (arguments, reason) in [
        (["--username", ""], "no user name"),
        (["--username", "a\nb"], "no user name"),
        (["--username", "a\u{202e}b"], "no user name"),
        (["--email", "alice"], "no e-mail address"),
        (["--name", "a\u{7}b"], "control character"),
    ] {
        let mut all = vec!["user", "add", "--password-stdin"];
        all.extend(arguments);
        if arguments[0] != "--username" {
            all.extend(["--username", "alice"]);
        }
        let said = world.run_with(b"correct horse\n", &all).refused();
        assert!(said.contains(reason), "{arguments:?}: {said}");
    }
}

#[test]
fn an_unknown_user_is_refused_by_every_command_that_names_one() {
    let world = World::new();
    for arguments in [
        &["user", "passwd", "nobody", "--password-stdin"][..],
        &["user", "disable", "nobody"],
        &["user", "enable", "nobody"],
        &["grant", "list", "--user", "nobody"],
        &["grant", "revoke", "--user", "nobody"],
        &["session", "list", "--user", "nobody"],
        &["session", "revoke", "--user", "nobody"],
    ] {
        let reason = world.refused(arguments);
        assert!(reason.contains("there is no user \"nobody\""), "{arguments:?}: {reason}");
    }
}

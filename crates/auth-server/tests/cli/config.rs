//! `config` and `migrate`.

use crate::world::{World, fields};
use serde_json::json;

#[test]
fn config_init_writes_a_file_that_is_valid_and_never_overwrites_one() {
    let world = World::empty();
    let ran = world.run(&["config", "init"]).succeeded();
    assert_eq!(ran.stdout, "");
    let written = world.read("auth.toml");
    world.run(&["config", "check"]).succeeded();

    world.write("auth.toml", "mine");
    assert!(world.refused(&["config", "init"]).contains("auth.toml exists already"));
    assert_eq!(world.read("auth.toml"), "mine");

    world.run(&["config", "init", "other.toml"]).succeeded();
    world.run(&["config", "init", "--config", "third.toml"]).succeeded();
    assert_eq!([world.read("other.toml"), world.read("third.toml")], [written.clone(), written]);
    assert!(world.refused(&["config", "init", "no/such/auth.toml"]).contains("no/such/auth.toml"));
}

#[test]
fn config_check_prints_every_problem_with_its_place_and_the_fix() {
    let world = World::new();
    world.write("auth.toml", "issuer = \"http://example.com\"\nlisten = 1\nisuer = \"x\"\n");
    let ran = world.run_in(&[("AUTH__TOKENS__CODE_LIFETIME", "soon")], &["config", "check"]);
    assert_eq!(ran.code, Some(1));
    for place in
        ["auth.toml:1:10: ", "auth.toml:2:10: ", "auth.toml:3:1: ", "AUTH__TOKENS__CODE_LIFETIME: "]
    {
        assert!(ran.stdout.contains(place), "{place}: {ran:?}");
    }
    assert_eq!(ran.stdout.matches("    fix: ").count(), 5, "{ran:?}");
    assert!(ran.stderr.contains("5 problems"), "{ran:?}");

    let ran = world.run(&["config", "check", "--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["valid"], false);
    assert_eq!(report["problems"].as_array().unwrap().len(), 4, "{report}");
    assert_eq!(fields(&report["problems"][0]), ["fix", "place", "what"]);

    // Every other command says the same, as its refusal.
    let reason = world.refused(&["client", "list"]);
    assert_eq!(reason.matches("    fix: ").count(), 4, "{reason}");
}

#[test]
fn config_check_of_a_good_file_says_so() {
    let world = World::new();
    let ran = world.run(&["config", "check"]).succeeded();
    assert!(ran.stderr.contains("auth.toml: no problems"), "{ran:?}");
    assert_eq!(world.json(&["config", "check"]), json!({ "valid": true, "problems": [] }));
}

#[test]
fn a_missing_configuration_is_refused_with_the_way_to_get_one() {
    let world = World::empty();
    let reason = world.refused(&["client", "list", "--config", "nowhere.toml"]);
    assert!(reason.contains("nowhere.toml") && reason.contains("config init"), "{reason}");
}

#[test]
fn config_print_shows_what_applies_and_the_environment_wins() {
    let world = World::new();
    let environment = [("AUTH__TOKENS__CODE_LIFETIME", "30s")];
    let printed = world.run_in(&environment, &["config", "print"]).succeeded().stdout;
    assert!(
        printed.contains("code_lifetime = \"30s\" # AUTH__TOKENS__CODE_LIFETIME\n"),
        "{printed}"
    );
    assert!(printed.contains("name = \"read\" # auth.toml:3:1\n"), "{printed}");
    let json = world.run_in(&environment, &["config", "print", "--json"]).json();
    assert_eq!(json["tokens"]["code_lifetime"], "30s");
    assert_eq!(json["issuer"], "http://127.0.0.1:8080");
    assert_eq!(world.json(&["config", "print"])["tokens"]["code_lifetime"], "60s");
}

#[test]
fn no_command_repeats_a_secret_of_the_configuration() {
    let world = World::new();
    let configuration = world.read("auth.toml")
        + "[[login.upstream]]\nid = \"corp\"\nname = \"Corp\"\nissuer = \"https://idp.test\"\n\
           client_id = \"a\"\nclient_secret = \"hunter2\"\n";
    world.write("auth.toml", &configuration);
    let environment = [("AUTH__DATABASE__URL", "postgres://user:hunter2@host/name")];
    for arguments in [
        &["config", "check"][..],
        &["config", "check", "--json"],
        &["config", "print"],
        &["config", "print", "--json"],
        &["client", "list"],
        &["migrate"],
    ] {
        let ran = world.run_in(&environment, arguments);
        let said = ran.stdout.clone() + &ran.stderr;
        assert!(!said.is_empty() && !said.contains("hunter2"), "{ran:?}");
    }
}

#[test]
fn migrate_check_reports_what_migrate_then_does() {
    let world = World::new();
    let ran = world.run(&["migrate", "--check"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.starts_with("pending "), "{ran:?}");
    let ran = world.run(&["migrate", "--check", "--json"]);
    let before: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, before["applied"].as_array().map(Vec::len)), (Some(1), Some(0)));
    assert!(!world.path().join("auth.db").exists(), "checking creates nothing");

    let done = world.json(&["migrate"]);
    assert_eq!((&done["applied"], &done["pending"]), (&before["pending"], &json!([])));
    assert_eq!(world.json(&["migrate"]), json!({ "applied": [], "pending": [] }));
    let ran = world.run(&["migrate", "--check"]).succeeded();
    assert_eq!((ran.stdout.as_str(), ran.stderr.contains("up to date")), ("", true));
}

#[test]
fn administration_migrates_first_or_says_which_command_does() {
    let by_hand = [("AUTH__DATABASE__MIGRATE_ON_START", "false")];
    let world = World::new();
    let reason = world.run_in(&by_hand, &["client", "list"]).refused();
    assert!(reason.contains("auth-server migrate"), "{reason}");
    world.run_in(&by_hand, &["migrate"]).succeeded();
    world.run_in(&by_hand, &["client", "list"]).succeeded();

    let world = World::new();
    world.run(&["client", "list"]).succeeded();
    world.run(&["migrate", "--check"]).succeeded();
}

#[test]
fn a_database_that_cannot_be_opened_is_refused_with_the_reason() {
    let world = World::new();
    world.write("text.db", "This is no database, whatever its name says.");
    for (url, reason) in [
        ("sqlite://text.db", "not an SQLite database"),
        ("sqlite://no/such/auth.db", "does not exist"),
    ] {
        let environment = [("AUTH__DATABASE__URL", url)];
        for command in [&["client", "list"][..], &["migrate"], &["migrate", "--check"]] {
            let said = world.run_in(&environment, command).refused();
            assert!(said.contains(reason), "{said}");
        }
    }
}

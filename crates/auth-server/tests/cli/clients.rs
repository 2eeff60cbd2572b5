//! `client`.

use crate::world::{World, fields, is_instant, is_minted};
use serde_json::{Value, json};

const FIELDS: [&str; 11] = [
    "client_id",
    "created_at",
    "disabled",
    "grant_types",
    "name",
    "public",
    "redirect_uris",
    "require_pkce",
    "scope",
    "token_endpoint_auth_method",
    "client_secret",
];

fn sorted(names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

#[test]
fn a_confidential_client_gets_an_id_a_secret_and_the_defaults() {
    let world = World::new();
    let added =
        world.json(&["client", "add", "--name", "My app", "--redirect-uri", "https://rp.test/cb"]);
    assert_eq!(fields(&added), sorted(&FIELDS));
    assert!(is_minted(&added["client_id"]) && is_instant(&added["created_at"]), "{added}");
    for (field, value) in [
        ("name", json!("My app")),
        ("public", json!(false)),
        ("redirect_uris", json!(["https://rp.test/cb"])),
        ("scope", json!("read write")),
        ("grant_types", json!(["authorization_code", "refresh_token"])),
        ("require_pkce", json!(false)),
        ("token_endpoint_auth_method", Value::Null),
        ("disabled", json!(false)),
    ] {
        assert_eq!(added[field], value, "{field}");
    }
}

#[test]
fn a_public_client_gets_no_secret_and_always_uses_pkce() {
    let world = World::new();
    let arguments =
        ["client", "add", "--public", "--name", "Tool", "--redirect-uri", "http://127.0.0.1/cb"];
    let added = world.json(&arguments);
    assert_eq!(fields(&added), sorted(&FIELDS[..10]));
    assert_eq!(added["public"], true);
    assert_eq!(added["require_pkce"], true);
    assert_eq!(added["token_endpoint_auth_method"], "none");
    let ran = world.run(&arguments).succeeded();
    assert!(!ran.stdout.contains("secret") && ran.stderr.is_empty(), "{ran:?}");
}

#[test]
fn everything_that_can_be_said_of_a_client_is_kept() {
    let world = World::new();
    let added = world.json(&[
        "client",
        "add",
        "--id",
        "web app",
        "--name",
        "Web",
        "--scope",
        "write",
        "--grant",
        "authorization_code",
        "--redirect-uri",
        "https://rp.test/cb",
        "https://rp.test/2",
        "--redirect-uri",
        "https://rp.test/cb",
        "--require-pkce",
        "--auth-method",
        "client_secret_post",
        "--no-rotation",
    ]);
    for (field, value) in [
        ("client_id", json!("web app")),
        ("redirect_uris", json!(["https://rp.test/cb", "https://rp.test/2"])),
        ("scope", json!("write")),
        ("grant_types", json!(["authorization_code"])),
        ("require_pkce", json!(true)),
        ("token_endpoint_auth_method", json!("client_secret_post")),
    ] {
        assert_eq!(added[field], value, "{field}");
    }
    let card = world.run(&["client", "show", "web app"]).succeeded().stdout;
    assert!(card.contains("\nrotation       no\n"), "{card}");
    let mut shown = added;
    shown.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(world.json(&["client", "show", "web app"]), shown);
    assert_eq!(world.json(&["client", "list"]), json!([shown]));
}

/// The catalog is copied when the client is made: a scope that is added later is not the client's.
#[test]
fn the_default_scope_is_the_catalog_of_the_day() {
    let world = World::new();
    world.add_client("web");
    let more = world.read("auth.toml") + "[[scopes]]\nname = \"more\"\ndescription = \"More.\"\n";
    world.write("auth.toml", &more);
    assert_eq!(world.json(&["client", "show", "web"])["scope"], "read write");
    world.json(&["client", "update", "web", "--scope", "more read"]);
    assert_eq!(world.json(&["client", "show", "web"])["scope"], "more read");
}

#[test]
fn update_replaces_what_it_names_and_nothing_else() {
    let world = World::new();
    world.add_client("web");
    let mut expected = world.json(&["client", "show", "web"]);
    for (arguments, field, value) in [
        (&["--name", "Other"][..], "name", json!("Other")),
        (
            &["--redirect-uri", "https://rp.test/a", "https://rp.test/b"],
            "redirect_uris",
            json!(["https://rp.test/a", "https://rp.test/b"]),
        ),
        (&["--scope", "read"], "scope", json!("read")),
        (&["--grant", "authorization_code"], "grant_types", json!(["authorization_code"])),
        (&["--require-pkce"], "require_pkce", json!(true)),
        (&["--require-pkce=false"], "require_pkce", json!(false)),
        (
            &["--auth-method", "client_secret_basic"],
            "token_endpoint_auth_method",
            json!("client_secret_basic"),
        ),
        (&["--auth-method", "any"], "token_endpoint_auth_method", Value::Null),
    ] {
        expected[field] = value;
        let arguments = [&["client", "update", "web"], arguments].concat();
        assert_eq!(world.json(&arguments), expected);
        assert_eq!(world.json(&["client", "show", "web"]), expected);
    }
    for (arguments, rotation) in [("--no-rotation", "no"), ("--no-rotation=false", "yes")] {
        let card = world.run(&["client", "update", "web", arguments]).succeeded().stdout;
        assert!(card.contains(&format!("\nrotation       {rotation}\n")), "{card}");
    }
    // A refused change changes nothing.
    world.refused(&["client", "update", "web", "--name", "X", "--scope", "nonsense"]);
    assert_eq!(world.json(&["client", "show", "web"]), expected);
}

#[test]
fn a_disabled_client_stays_listed_and_can_be_enabled_again() {
    let world = World::new();
    world.add_client("web");
    assert_eq!(world.json(&["client", "disable", "web"])["disabled"], true);
    assert_eq!(world.json(&["client", "list"])[0]["disabled"], true);
    assert!(world.run(&["client", "list"]).succeeded().stdout.contains(" disabled "));
    world.json(&["client", "disable", "web"]);
    assert_eq!(world.json(&["client", "enable", "web"])["disabled"], false);
}

#[test]
fn a_deleted_client_is_gone_and_its_id_is_free() {
    let world = World::new();
    world.add_client("web");
    let deleted = world.json(&["client", "delete", "web"]);
    assert_eq!(deleted, json!({ "client_id": "web", "deleted": true }));
    assert_eq!(world.json(&["client", "list"]), json!([]));
    assert!(world.refused(&["client", "delete", "web"]).contains("no client \"web\""));
    world.add_client("web");
}

#[test]
fn an_unknown_client_is_refused_by_every_command_that_names_one() {
    let world = World::new();
    for arguments in [
        &["client", "show", "nobody"][..],
        &["client", "update", "nobody", "--name", "A"],
        &["client", "disable", "nobody"],
        &["client", "enable", "nobody"],
        &["client", "delete", "nobody"],
        &["client", "secret", "rotate", "nobody"],
        &["client", "secret", "list", "nobody"],
        &["client", "secret", "retire", "nobody", "a"],
        &["grant", "list", "--client", "nobody"],
    ] {
        let reason = world.refused(arguments);
        assert!(reason.contains("there is no client \"nobody\""), "{arguments:?}: {reason}");
    }
}

#[test]
fn nonsense_is_refused_with_the_reason() {
    let world = World::new();
    world.add_client("web");
    let uri = ["--redirect-uri", "https://rp.test/cb"];
    for (arguments, reason) in [
        (&["--id", "web"][..], "already a client \"web\""),
        (&["--id", ""], "no client id"),
        (&["--id", "a\nb"], "control characters"),
        (&["--id", "a\u{7f}"], "control characters"),
        (&["--id", &"x".repeat(256)], "no client id"),
        (&["--scope", "read admin"], "no scope \"admin\"; the catalog has: read write"),
        (&["--scope", ""], "the scope is empty"),
        (&["--scope", "READ"], "no scope \"READ\""),
        (&["--public", "--auth-method", "client_secret_basic"], "no secret to send"),
        (&["--public", "--require-pkce=false"], "always uses PKCE"),
    ] {
        let said =
            world.refused(&[&["client", "add", "--name", "A"], &uri[..], arguments].concat());
        assert!(said.contains(reason), "{arguments:?}: {said}");
    }
    let said = world.refused(&["client", "add", "--name", "A"]);
    assert!(said.contains("needs a redirect URI"), "{said}");
    assert_eq!(world.json(&["client", "list"]).as_array().unwrap().len(), 1);
}

/// A client that never visits the authorization endpoint needs no redirect URI; one that gets the
/// grant later does.
#[test]
fn the_redirect_uri_is_needed_as_soon_as_the_code_grant_is() {
    let world = World::new();
    world.json(&["client", "add", "--id", "a", "--name", "A", "--grant", "refresh_token"]);
    let both = ["--grant", "authorization_code", "refresh_token"];
    world.refused(&[&["client", "update", "a"], &both[..]].concat());
    let with_uri = [&["client", "update", "a", "--redirect-uri", "https://rp.test/cb"], &both[..]];
    assert_eq!(world.json(&with_uri.concat())["grant_types"].as_array().unwrap().len(), 2);
}

#[test]
fn a_client_that_acts_for_itself_needs_no_redirect_uri() {
    let world = World::new();
    let add = ["client", "add", "--id", "job", "--name", "Job", "--grant", "client_credentials"];
    let added = world.json(&add);
    assert_eq!(added["grant_types"], json!(["client_credentials"]));
    assert_eq!(added["redirect_uris"], json!([]));
    assert!(added["client_secret"].is_string(), "{added}");
    let reason = world.refused(&[
        "client",
        "update",
        "job",
        "--grant",
        "client_credentials",
        "authorization_code",
    ]);
    assert!(reason.contains("needs a redirect URI"), "{reason}");
}

/// CC-01: whoever has no secret cannot prove to be itself.
#[test]
fn cc_01_a_public_client_cannot_act_for_itself() {
    let world = World::new();
    let public =
        ["client", "add", "--public", "--id", "app", "--name", "A", "--redirect-uri", "a.b:/cb"];
    let own = ["--grant", "authorization_code", "client_credentials"];
    let reason = world.refused(&[&public[..], &own].concat());
    assert!(reason.contains("public client cannot act for itself"), "{reason}");
    world.json(&public);
    let reason = world.refused(&[&["client", "update", "app"][..], &own].concat());
    assert!(reason.contains("public client cannot act for itself"), "{reason}");
    let kept = &world.json(&["client", "show", "app"])["grant_types"];
    assert_eq!(*kept, json!(["authorization_code", "refresh_token"]));
}

/// CC-03: a client is never called what a person is called in `sub`.
#[test]
fn cc_03_the_id_of_a_client_is_not_the_user_id_of_a_person() {
    let world = World::new();
    world.add_user("alice");
    let alice = world.json(&["user", "list"])[0]["user_id"].as_str().unwrap().to_owned();
    let reason = world.refused(&[
        "client",
        "add",
        "--name",
        "A",
        "--id",
        &alice,
        "--grant",
        "client_credentials",
    ]);
    assert!(reason.contains("user_id of a user"), "{reason}");
    assert_eq!(world.json(&["client", "list"]), json!([]));
}

/// REFRESH-03: rotation cannot be turned off for a client that cannot keep a secret.
#[test]
fn refresh_03_a_public_client_always_rotates() {
    let world = World::new();
    let add = [
        "client",
        "add",
        "--public",
        "--id",
        "app",
        "--name",
        "A",
        "--redirect-uri",
        "com.example.app:/cb",
    ];
    let reason = world.refused(&[&add[..], &["--no-rotation"]].concat());
    assert!(reason.contains("public client are always rotated"), "{reason}");
    world.json(&[&add[..], &["--no-rotation=false"]].concat());
    world.refused(&["client", "update", "app", "--no-rotation"]);
    let card = world.run(&["client", "show", "app"]).succeeded().stdout;
    assert!(card.contains("\nrotation       yes\n"), "{card}");
}

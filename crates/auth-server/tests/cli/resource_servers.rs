//! `client add --resource-server`, and what becomes of it.

use crate::world::{World, fields, is_minted};
use auth_core::client::ClientAuthMethod;
use auth_core::client_auth::{ClientCredentials, authenticate_client};
use auth_core::secret::ClientSecret;
use serde_json::{Value, json};

const RESOURCES: &str = r#"
[[resources]]
uri = "https://Api.test/v1/"
name = "The API"
scopes = ["read"]

[[resources]]
uri = "urn:example:reports"
name = "Reports"
scopes = ["read", "write"]
"#;

/// With two resources.
fn world() -> World {
    let world = World::new();
    world.write("auth.toml", &(world.read("auth.toml") + RESOURCES));
    world
}

fn add(world: &World, more: &[&str]) -> Value {
    world.json(&[&["client", "add", "--id", "api", "--resource-server"], more].concat())
}

#[test]
fn a_resource_server_gets_an_id_a_secret_and_nothing_else() {
    let world = world();
    let added = world.json(&["client", "add", "--resource-server", "https://Api.test/v1/"]);
    assert!(is_minted(&added["client_id"]), "{added}");
    assert_eq!(added["client_secret"].as_str().unwrap().len(), 43);
    for (field, value) in [
        ("resource_server", json!("https://Api.test/v1/")),
        ("name", json!("The API")),
        ("public", json!(false)),
        ("redirect_uris", json!([])),
        ("scope", json!("")),
        ("grant_types", json!([])),
        ("token_endpoint_auth_method", Value::Null),
    ] {
        assert_eq!(added[field], value, "{field}");
    }
    let other = add(&world, &["urn:example:reports", "--name", "Nightly reports"]);
    assert_eq!((&other["client_id"], &other["name"]), (&json!("api"), &json!("Nightly reports")));
}

#[test]
fn lists_and_cards_tell_resource_servers_from_clients() {
    let world = world();
    add(&world, &["urn:example:reports"]);
    world.add_client("web");
    let listed = world.json(&["client", "list"]);
    assert_eq!(listed[0]["resource_server"], "urn:example:reports");
    assert!(!fields(&listed[1]).contains(&"resource_server"), "{listed}");
    assert_eq!(world.json(&["client", "show", "api"]), listed[0]);
    let list = world.run(&["client", "list"]).succeeded().stdout;
    let kinds: Vec<bool> = list.lines().map(|line| line.contains("resource server")).collect();
    assert_eq!(kinds, [false, true, false], "{list}");
    let card = world.run(&["client", "show", "api"]).succeeded().stdout;
    assert!(card.contains("\nkind             resource server\n"), "{card}");
    assert!(card.contains("\nresource_server  urn:example:reports\n"), "{card}");
    for absent in ["scope", "grant_types", "redirect_uris", "require_pkce", "rotation"] {
        assert!(!card.contains(&format!("\n{absent}")), "{card}");
    }
    let card = world.run(&["client", "show", "web"]).succeeded().stdout;
    assert!(!card.contains("resource_server"), "{card}");
}

/// RES-02: a slash or a letter's case more or less is the same API, and the operator's spelling is kept.
#[test]
fn res_02_the_uri_is_one_of_the_operators_in_the_operators_spelling() {
    let world = world();
    let added = add(&world, &["https://api.TEST/v1"]);
    assert_eq!(added["resource_server"], "https://Api.test/v1/");
    for unknown in ["https://api.test/v2/", "https://api.test/v1//", "read", "", "urn:example:x#y"]
    {
        let reason = world.refused(&["client", "add", "--resource-server", unknown]);
        assert!(reason.contains("there is no resource \""), "{reason}");
        let known = "https://Api.test/v1/ urn:example:reports";
        assert!(reason.contains(known), "{unknown}: {reason}");
    }
    let none = World::new();
    let reason = none.refused(&["client", "add", "--resource-server", "https://api.test/"]);
    assert!(reason.contains("no [[resources]]"), "{reason}");
    assert_eq!(world.json(&["client", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn what_only_clients_have_is_a_usage_error_for_a_resource_server() {
    let world = world();
    for contradicting in [
        &["--public"][..],
        &["--redirect-uri", "https://rp.test/cb"],
        &["--grant", "client_credentials"],
        &["--scope", "read"],
        &["--require-pkce"],
        &["--no-rotation"],
    ] {
        let add = ["client", "add", "--resource-server", "urn:example:reports"];
        let said = world.run(&[&add[..], contradicting].concat()).misused();
        assert!(said.contains(contradicting[0]), "{said}");
    }
    assert_eq!(world.json(&["client", "list"]), json!([]));
}

#[test]
fn update_turns_neither_kind_into_the_other() {
    let world = world();
    add(&world, &["urn:example:reports"]);
    world.add_client("web");
    let before = world.json(&["client", "list"]);
    for change in [
        &["--redirect-uri", "https://rp.test/cb"][..],
        &["--grant", "client_credentials"],
        &["--scope", "read"],
        &["--require-pkce"],
        &["--no-rotation"],
    ] {
        let reason = world.refused(&[&["client", "update", "api"], change].concat());
        assert!(reason.contains("resource server"), "{change:?}: {reason}");
    }
    for id in ["api", "web"] {
        let update = ["client", "update", id, "--resource-server", "urn:example:reports"];
        world.run(&update).misused();
    }
    assert_eq!(world.json(&["client", "list"]), before);
    let pin = ["client", "update", "api", "--name", "B", "--auth-method", "client_secret_post"];
    let changed = world.json(&pin);
    assert_eq!(changed["name"], "B");
    assert_eq!(changed["token_endpoint_auth_method"], "client_secret_post");
    assert_eq!(changed["resource_server"], "urn:example:reports");
}

/// CAUTH-14: an API changes its secret without a pause, too.
#[test]
fn cauth_14_two_secrets_of_a_resource_server_overlap() {
    let world = world();
    let first = add(&world, &["urn:example:reports"]);
    let second = world.json(&["client", "secret", "rotate", "api"]);
    let opens = |made: &Value| {
        let credentials = ClientCredentials::Secret {
            client_id: "api".to_owned(),
            secret: ClientSecret::presented(made["client_secret"].as_str().unwrap()),
            method: ClientAuthMethod::ClientSecretBasic,
        };
        authenticate_client(&world.store(), &credentials).is_ok()
    };
    assert!(opens(&first) && opens(&second));
    let listed = world.json(&["client", "secret", "list", "api"]);
    let old = listed[1]["secret_id"].as_str().unwrap();
    world.json(&["client", "secret", "retire", "api", old]);
    assert!(!opens(&first) && opens(&second));
    world.json(&["client", "disable", "api"]);
    assert!(!opens(&second));
}

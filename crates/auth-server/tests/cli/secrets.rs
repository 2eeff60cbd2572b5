//! The secrets of clients.

use crate::world::{World, fields, is_instant, is_minted};
use auth_core::client::ClientAuthMethod;
use auth_core::client_auth::{ClientCredentials, authenticate_client};
use auth_core::secret::ClientSecret;
use serde_json::{Value, json};

/// Whether the server would let the client `web` in with this secret.
fn opens(world: &World, secret: &str) -> bool {
    let credentials = ClientCredentials::Secret {
        client_id: "web".to_owned(),
        secret: ClientSecret::presented(secret),
        method: ClientAuthMethod::ClientSecretBasic,
    };
    authenticate_client(&world.store(), &credentials).is_ok()
}

fn rotate(world: &World, more: &[&str]) -> Value {
    world.json(&[&["client", "secret", "rotate", "web"], more].concat())
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap()
}

/// CAUTH-13: 256 random bits in base64url, kept as a hash, and shown once.
#[test]
fn cauth_13_a_secret_is_strong_shown_once_and_stored_as_a_hash() {
    let world = World::new();
    let first = world.add_client("web");
    let rotated = rotate(&world, &[]);
    let second = text(&rotated, "client_secret").to_owned();
    for secret in [&first, &second] {
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        assert!(secret.len() == 43 && secret.bytes().all(base64url), "{secret}");
        assert!(opens(&world, secret));
    }
    assert_ne!(first, second);

    for arguments in [
        &["client", "show", "web"][..],
        &["client", "list"],
        &["client", "secret", "list", "web"],
        &["client", "update", "web", "--name", "Web"],
        &["client", "disable", "web"],
        &["client", "enable", "web"],
    ] {
        for more in [&[][..], &["--json"]] {
            let said = world.run(&[arguments, more].concat()).succeeded().stdout;
            assert!(!said.contains(&first) && !said.contains(&second), "{said}");
            assert!(!said.contains("client_secret\""), "{said}");
        }
    }
    for entry in std::fs::read_dir(world.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in [&first, &second] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
}

#[test]
fn people_are_told_to_keep_a_secret_now() {
    let world = World::new();
    let add =
        ["client", "add", "--id", "web", "--name", "A", "--redirect-uri", "https://rp.test/cb"];
    for arguments in [&add[..], &["client", "secret", "rotate", "web"]] {
        let ran = world.run(arguments).succeeded();
        assert!(ran.stdout.contains("\nclient_secret  "), "{ran:?}");
        assert!(ran.stderr.contains("never shown again"), "{ran:?}");
        let secret = ran.stdout.lines().find_map(|line| line.strip_prefix("client_secret  "));
        assert!(opens(&world, secret.unwrap()));
    }
}

/// CAUTH-14: a new secret works beside the newest old one, until that is retired.
#[test]
fn cauth_14_two_secrets_overlap_while_one_replaces_the_other() {
    let world = World::new();
    let first = world.add_client("web");
    let second = rotate(&world, &[]);
    assert_eq!(fields(&second), ["client_id", "client_secret", "created_at", "secret_id"]);
    assert!(is_minted(&second["secret_id"]) && is_instant(&second["created_at"]), "{second}");
    assert!(opens(&world, &first) && opens(&world, text(&second, "client_secret")));

    let third = rotate(&world, &[]);
    assert!(!opens(&world, &first), "only the newest old one stays");
    let listed = world.json(&["client", "secret", "list", "web"]);
    let ids: Vec<&str> =
        listed.as_array().unwrap().iter().map(|secret| text(secret, "secret_id")).collect();
    assert_eq!(ids, [text(&third, "secret_id"), text(&second, "secret_id")]);
    assert_eq!(fields(&listed[0]), ["created_at", "secret_id"]);

    let retired = world.json(&["client", "secret", "retire", "web", ids[1]]);
    assert_eq!(retired, json!({ "client_id": "web", "secret_id": ids[1], "retired": true }));
    assert!(!opens(&world, text(&second, "client_secret")));
    assert!(opens(&world, text(&third, "client_secret")));
}

#[test]
fn a_leaked_secret_is_replaced_at_once() {
    let world = World::new();
    let first = world.add_client("web");
    let second = rotate(&world, &[]);
    let third = rotate(&world, &["--revoke-old"]);
    assert!(!opens(&world, &first) && !opens(&world, text(&second, "client_secret")));
    assert!(opens(&world, text(&third, "client_secret")));
    assert_eq!(world.json(&["client", "secret", "list", "web"]).as_array().unwrap().len(), 1);
}

#[test]
fn the_only_secret_cannot_be_retired_nor_one_that_is_not_there() {
    let world = World::new();
    let secret = world.add_client("web");
    let listed = world.json(&["client", "secret", "list", "web"]);
    let id = text(&listed[0], "secret_id");
    let reason = world.refused(&["client", "secret", "retire", "web", id]);
    assert!(reason.contains("only secret"), "{reason}");
    let reason = world.refused(&["client", "secret", "retire", "web", "nonsense"]);
    assert!(reason.contains("no secret \"nonsense\""), "{reason}");
    assert!(opens(&world, &secret));
}

#[test]
fn a_public_client_has_no_secret_to_rotate() {
    let world = World::new();
    world.json(&[
        "client",
        "add",
        "--public",
        "--id",
        "app",
        "--name",
        "A",
        "--redirect-uri",
        "http://[::1]/cb",
    ]);
    let reason = world.refused(&["client", "secret", "rotate", "app"]);
    assert!(reason.contains("public"), "{reason}");
    assert_eq!(world.json(&["client", "secret", "list", "app"]), json!([]));
}

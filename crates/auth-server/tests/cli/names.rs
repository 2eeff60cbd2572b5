//! Names that people see.

use crate::world::World;

fn add(name: &str) -> Vec<String> {
    let arguments = ["client", "add", "--redirect-uri", "https://rp.test/cb"];
    let name = format!("--name={name}");
    arguments.iter().map(|one| (*one).to_owned()).chain([name]).collect()
}

/// UI-11
#[test]
fn ui_11_a_name_that_cannot_be_read_or_imitates_this_server_is_refused() {
    let world = World::new();
    for (name, reason) in [
        ("", "empty"),
        (" \u{200b}\u{2800} ", "empty"),
        (&*"x".repeat(81), "longer than 80"),
        ("a\nb", "control character"),
        ("a\u{1b}[31mb", "control character"),
        ("auth-server", "this server itself"),
        ("The Auth Server", "this server itself"),
        ("\u{430}uth-server", "this server itself"),
        ("auth\u{200b}server", "this server itself"),
    ] {
        let arguments = add(name);
        let said = world.refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(said.contains(reason), "{name:?}: {said}");
        assert!(!said.trim_end().contains(char::is_control), "{said:?}");
    }
    world.add_client("web");
    world.refused(&["client", "update", "web", "--name", "auth server"]);
    assert_eq!(world.json(&["client", "show", "web"])["name"], "web");
}

/// UI-11
#[test]
fn ui_11_invisible_and_bidirectional_characters_are_taken_out_of_names() {
    let world = World::new();
    for (name, kept) in [
        ("pay\u{202e}lap", "paylap"),
        ("a\u{200b}b \u{a0} c\u{2066}", "ab c"),
        ("  Zoë 東京 Ёлка  ", "Zoë 東京 Ёлка"),
    ] {
        let mut arguments = add(name);
        arguments.push("--json".to_owned());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert_eq!(world.run(&arguments).json()["name"], kept);
    }
}

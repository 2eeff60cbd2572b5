//! `--help`, usage errors, and how the program speaks.

use crate::world::{PROGRAM, World};
use std::process::{Command, Stdio};

/// The paths of all commands, found by asking for help at every level.
fn commands(world: &World, path: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let help = world.run(&arguments).succeeded().stdout;
    let below: Vec<String> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .map(str::to_owned)
        .collect();
    found.push((path.to_vec(), help));
    for name in below {
        commands(world, &[path, &[name]].concat(), found);
    }
}

fn all(world: &World) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    commands(world, &[], &mut found);
    found
}

/// The example at the end of a help text: what stands after its heading, up to the end.
fn example(help: &str) -> Option<&str> {
    help.split_once("\nExample:\n").map(|(_, example)| example)
}

#[test]
fn every_command_of_the_administration_is_there() {
    let world = World::empty();
    let found: Vec<String> = all(&world).into_iter().map(|(path, _)| path.join(" ")).collect();
    for command in [
        "migrate",
        "config init",
        "config check",
        "config print",
        "client add",
        "client list",
        "client show",
        "client update",
        "client disable",
        "client enable",
        "client delete",
        "client secret rotate",
        "client secret list",
        "client secret retire",
        "user add",
        "user list",
        "user passwd",
        "user disable",
        "user enable",
        "grant list",
        "grant revoke",
        "session list",
        "session revoke",
        "export",
        "import",
    ] {
        assert!(found.iter().any(|path| path == command), "{command}: {found:?}");
    }
}

#[test]
fn the_help_of_every_command_ends_with_an_example_of_it() {
    let world = World::empty();
    for (path, help) in all(&world) {
        let example = example(&help).unwrap_or_else(|| panic!("no example: {help}"));
        let command = path.join(" ");
        assert!(example.contains(&format!("auth-server {command}")), "{help}");
        assert!(!example.contains("Options:"), "{help}");
    }
}

/// The examples of one help text, each as one line of shell.
fn example_lines(help: &str) -> Vec<String> {
    let example = example(help).unwrap().replace("\\\n", " ");
    let commands =
        |line: &&str| ["auth-server ", "echo ", "AUTH__"].iter().any(|it| line.starts_with(it));
    example.lines().map(str::trim).filter(commands).map(str::to_owned).collect()
}

#[cfg(unix)]
#[test]
fn every_example_of_the_administration_is_understood() {
    let world = World::new();
    world.write("password.txt", "correct horse\n");
    std::os::unix::fs::symlink(PROGRAM, world.path().join("auth-server")).unwrap();
    let path = format!("{}:{}", world.path().display(), std::env::var("PATH").unwrap());
    let mut tried = 0;
    for (command, help) in all(&world) {
        if command.is_empty() || command[0] == "serve" || command[0] == "demo" {
            continue;
        }
        for line in example_lines(&help) {
            let output = Command::new("sh")
                .args(["-c", &line])
                .current_dir(world.path())
                .env("PATH", &path)
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            // Refused is fine: there is no `my-app`. Misunderstood is not.
            assert!(matches!(output.status.code(), Some(0 | 1)), "{line}: {said}");
            tried += 1;
        }
    }
    assert!(tried >= 25, "{tried}");
}

#[test]
fn a_command_line_that_cannot_be_understood_exits_with_2() {
    let world = World::new();
    for arguments in [
        &["client"][..],
        &["clients"],
        &["client", "show"],
        &["client", "add"],
        &["client", "add", "--name", "A", "--nonsense"],
        &["client", "add", "--name", "A", "--grant", "password"],
        &["client", "add", "--name", "A", "--auth-method", "client_secret_jwt"],
        &["client", "update", "a"],
        &["client", "update", "a", "--public"],
        &["client", "secret", "retire", "a"],
        &["user", "add", "--username", "a"],
        &["user", "add", "--username", "a", "--password-stdin", "--role", "root"],
        &["user", "passwd", "a"],
        &["grant", "revoke"],
        &["grant", "revoke", "--client", "a"],
        &["grant", "revoke", "a", "--user", "b"],
        &["session", "revoke"],
        &["session", "revoke", "a", "--user", "b"],
        &["config", "init", "--json"],
        &["export", "--json"],
        &["export", "-", "--json"],
        &["import", "a", "b"],
    ] {
        let said = world.run(arguments).misused();
        assert!(!said.is_empty(), "{arguments:?}");
    }
}

#[test]
fn config_and_json_stand_before_or_after_the_command() {
    let world = World::empty();
    world.run(&["config", "init", "other.toml"]).succeeded();
    for arguments in [
        ["--config", "other.toml", "--json", "client", "list"],
        ["client", "list", "--json", "--config", "other.toml"],
        ["client", "--json", "--config", "other.toml", "list"],
    ] {
        assert_eq!(world.run(&arguments).json(), serde_json::json!([]));
    }
}

#[test]
fn lists_are_aligned_tables_and_single_things_are_cards() {
    let world = World::new();
    world.add_client("b");
    world.add_client("a-longer-id");
    let list = world.run(&["client", "list"]).succeeded().stdout;
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 3, "{list}");
    let column = lines[0].find("KIND").unwrap();
    assert!(lines[1].starts_with("a-longer-id ") && lines[2].starts_with("b "), "{list}");
    assert!(lines[1..].iter().all(|line| line[column..].starts_with("confidential ")), "{list}");
    let card = world.run(&["client", "show", "b"]).succeeded().stdout;
    assert!(card.starts_with("client_id      b\n"), "{card}");
    assert!(card.contains("\nredirect_uris  https://rp.test/cb\n"), "{card}");
}

#[test]
fn an_empty_list_is_no_data_and_a_word_of_advice() {
    let world = World::new();
    for kind in ["client", "user", "grant", "session"] {
        let ran = world.run(&[kind, "list"]).succeeded();
        assert_eq!(ran.stdout, "", "{ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
        assert_eq!(world.json(&[kind, "list"]), serde_json::json!([]));
    }
}

/// `| head` closes the pipe while the program still writes.
#[test]
fn a_reader_that_leaves_early_is_no_failure() {
    let world = World::new();
    world.add_user("alice");
    let mut command = world.command(&["user", "passwd", "alice", "--password-stdin"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The program waits for the password, and so writes after the reader has left.
    drop(child.stdout.take());
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"battery staple\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("panicked"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let world = World::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = world.command(&["config", "print"]);
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"));
}

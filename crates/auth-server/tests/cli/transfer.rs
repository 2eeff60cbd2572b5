//! `export` and `import`: everything to a file, and back into another database.

use crate::world::{Ran, World, fields};
use serde_json::{Value, json};
use std::process::Stdio;

/// A world with a client, alice, and an export of both.
fn exported() -> (World, String) {
    let world = World::new();
    world.add_client("web");
    world.add_user("alice");
    let file = world.run(&["export"]).succeeded().stdout;
    (world, file)
}

fn import(world: &World, file: &str) -> Ran {
    world.run_with(file.as_bytes(), &["import"])
}

/// A file without its first line, which tells the time.
fn rows(file: &str) -> &str {
    file.split_once('\n').unwrap().1
}

#[test]
fn everything_goes_through_standard_output_and_input_into_another_database() {
    let (world, file) = exported();
    let there = World::new();
    let imported = import(&there, &file).succeeded();
    assert!(imported.stderr.contains("Rows imported: 4."), "{imported:?}");
    assert!(imported.stdout.starts_with("TABLE                   ROWS\nclients"), "{imported:?}");
    for list in [&["client", "list"][..], &["user", "list"], &["client", "secret", "list", "web"]] {
        assert_eq!(world.json(list), there.json(list));
    }
    let back = there.run(&["export", "-"]).succeeded();
    assert_eq!(rows(&back.stdout), rows(&file));
    assert!(back.stderr.contains("Rows exported: 4."), "{back:?}");
}

/// The file holds password hashes: nobody else on the machine may read it, and none is overwritten.
#[test]
fn a_file_is_written_once_for_its_owner_only() {
    let (world, _) = exported();
    let counts = world.json(&["export", "all.jsonl"]);
    assert_eq!((&counts["clients"], &counts["owners"]), (&json!(1), &json!(1)));
    assert_eq!(fields(&counts).len(), 10, "{counts}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = std::fs::metadata(world.path().join("all.jsonl")).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
    let before = world.read("all.jsonl");
    assert!(world.refused(&["export", "all.jsonl"]).contains("all.jsonl exists already"));
    assert_eq!(world.read("all.jsonl"), before);
    assert!(world.refused(&["export", "nowhere/all.jsonl"]).contains("cannot write nowhere/all"));

    let other = World::new();
    other.write("all.jsonl", &before);
    let counts_there: Value = other.json(&["import", "all.jsonl"]);
    assert_eq!(counts_there, counts);
    assert!(other.refused(&["import", "none.jsonl"]).contains("cannot read none.jsonl"));
}

#[test]
fn an_import_is_refused_with_the_line_and_leaves_nothing_behind() {
    let (_, file) = exported();
    let there = World::new();
    let cut = file.len() * 2 / 3;
    for (broken, words) in [
        (String::new(), "line 1: the file is empty"),
        ("no export".to_owned(), "line 1: it is not JSON"),
        (file[..cut].to_owned(), "it is not JSON"),
        (file.lines().take(3).map(|line| format!("{line}\n")).collect(), "line 4: the file ends"),
        (file.replace("\"version\":1", "\"version\":9"), "line 1: version 9 of the format"),
        (file.replace("\"kind\"", "\"sort\""), "line 2: clients.kind is missing"),
    ] {
        let reason = import(&there, &broken).refused();
        assert!(reason.contains(words), "{words}: {reason}");
        assert!(reason.starts_with("nothing of standard input was imported: "), "{reason}");
        assert_eq!(there.json(&["client", "list"]), json!([]));
    }
    import(&there, &file).succeeded();
    let reason = import(&there, &file).refused();
    assert!(reason.contains("there are rows in clients: import into a new one"), "{reason}");
}

#[test]
fn a_database_that_may_not_be_migrated_is_not_touched() {
    let (_, file) = exported();
    let there = World::new();
    let never = [("AUTH__DATABASE__MIGRATE_ON_START", "false")];
    for arguments in [&["export"][..], &["import", "all.jsonl"]] {
        there.write("all.jsonl", &file);
        let reason = there.run_in(&never, arguments).refused();
        assert!(reason.contains("run `auth-server migrate` first"), "{reason}");
        assert!(!there.path().join("auth.db").exists());
    }
}

/// Whoever waits for an export must learn that it is not all there.
#[cfg(target_os = "linux")]
#[test]
fn an_export_that_cannot_be_written_is_a_failure() {
    let (world, _) = exported();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = world.command(&["export"]);
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the export cannot be written: No space left"), "{said}");
}

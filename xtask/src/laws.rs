//! The laws of the house, as tests, so that prose cannot drift from the code.
//!
//! Dependencies are read from `cargo metadata`, everything else from the files themselves.

mod dependencies;

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::tree;

/// What may stand at the top of the repository: the parts of the product, and what a tool insists on
/// finding there.
const TOP_LEVEL: [&str; 18] = [
    ".cargo",
    ".ci",
    ".config",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "crates",
    "deny.toml",
    "docs",
    "migrations",
    "rustfmt.toml",
    "templates",
];

/// A Rust file above this many lines needs a reason.
const LONG: usize = 400;

/// Files that are longer, and why they are better off in one piece.
const LONG_FILES: &[(&str, &str)] = &[(
    "crates/auth-core/tests/histories/model.rs",
    "one model: every step changes what the later steps and the invariants look at",
)];

/// Unfinished or switched-off work, which no crate may hold.
const UNFINISHED: [&str; 4] = ["todo!(", "unimplemented!(", "#[ignore]", "#[ignore ="];

/// The README quotes the marked lines of the example that the tests run.
#[test]
fn the_readme_embeds_what_the_tests_run() {
    let root = tree::root();
    let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
    let example = read("crates/auth-core/examples/embed.rs");
    let marked: Vec<&str> = example
        .lines()
        .skip_while(|line| line.trim() != "// ANCHOR: embed")
        .skip(1)
        .take_while(|line| line.trim() != "// ANCHOR_END: embed")
        .collect();
    let indent = marked.first().map_or(0, |line| line.len() - line.trim_start().len());
    let quoted: Vec<&str> = marked.iter().map(|line| line.get(indent..).unwrap_or("")).collect();
    assert!((5..=25).contains(&quoted.len()), "{} lines are marked", quoted.len());
    let quoted = format!("```rust\n{}\n```", quoted.join("\n"));
    assert!(read("README.md").contains(&quoted), "the README's block differs from:\n{quoted}");
}

#[test]
fn no_file_is_long_without_a_reason() {
    let mut long = BTreeSet::new();
    for directory in ["crates", "xtask"] {
        for file in tree::files(&tree::root(), directory, &["rs"]).unwrap() {
            if file.text.lines().count() > LONG {
                long.insert(file.path);
            }
        }
    }
    let excused: BTreeSet<String> = LONG_FILES.iter().map(|(path, _)| (*path).into()).collect();
    let unexcused: Vec<_> = long.difference(&excused).collect();
    assert!(unexcused.is_empty(), "above {LONG} lines; split, or give a reason: {unexcused:?}");
    let needless: Vec<_> = excused.difference(&long).collect();
    assert!(
        needless.is_empty(),
        "no longer above {LONG} lines, so no reason is needed: {needless:?}"
    );
    assert!(LONG_FILES.iter().all(|(_, reason)| !reason.is_empty()));
}

#[test]
fn nothing_is_left_unfinished_or_switched_off() {
    let found = lines_with("crates", &UNFINISHED);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn nothing_sleeps_where_the_clock_is_a_port() {
    let mut found = lines_with("crates/auth-core", &["thread::sleep"]);
    found.extend(lines_with("crates/auth-testkit/src", &["thread::sleep"]));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_core_is_synchronous() {
    let found = lines_with("crates/auth-core/src", &["async fn", "async move", ".await"]);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A development dependency on the testkit gives the core's own unit tests a second copy of the core, whose
/// types are not theirs.
#[test]
fn unit_tests_of_the_core_do_without_the_testkit() {
    let found = lines_with("crates/auth-core/src", &["auth_testkit"]);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The binary starts a server and waits for it; requests and answers are the HTTP adapter's.
#[test]
fn the_binary_names_actix_only_to_start_and_stop() {
    const ALLOWED: [&str; 6] = ["App", "HttpServer", "dev", "main", "rt", "test"];
    let mut found = Vec::new();
    for file in tree::files(&tree::root(), "crates/auth-server/src", &["rs"]).unwrap() {
        for name in names_below(&file.text, "actix_web::") {
            if !ALLOWED.contains(&name) {
                found.push(format!("{}: actix_web::{name}", file.path));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_names_below_a_crate_are_found_single_and_in_braces() {
    let text = "use actix_web::{App, web::{Data, Path}, rt};\nactix_web::dev::Server";
    assert_eq!(names_below(text, "actix_web::"), ["App", "web", "rt", "dev"]);
}

#[test]
fn the_top_level_holds_only_what_belongs_there() {
    let strange: Vec<_> = top_level()
        .into_iter()
        .filter(|name| name != "xtask" && !TOP_LEVEL.contains(&name.as_str()))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
}

/// The first thing that a newcomer does is to type them.
#[test]
fn the_commands_in_the_readme_exist() {
    let readme = fs::read_to_string(tree::root().join("README.md")).unwrap();
    let commands = shell_commands(&readme);
    assert!(commands.len() >= 2, "the README names no command to run and none to test");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            ["cargo", "xtask", ..] => {
                let wanted = words[2..].join(" ");
                assert!(crate::COMMANDS.iter().any(|(name, _)| *name == wanted), "{command}");
            }
            ["cargo", "run", ..] => {
                let after = |name: &str| {
                    let at = words.iter().position(|word| *word == name)?;
                    words.get(at + 1).copied()
                };
                let package = after("-p").or_else(|| after("--package"));
                let package = package.unwrap_or_else(|| panic!("which package? {command}"));
                assert!(dependencies::has_binary(package), "{command}: no binary in {package}");
                if let Some(subcommand) = after("--") {
                    assert!(has_subcommand(package, subcommand), "{command}: no {subcommand}");
                }
            }
            _ => {}
        }
    }
}

#[test]
fn commands_are_taken_from_code_blocks_only() {
    let page = "run `cargo x`\n\n```sh\n$ cargo xtask test   # all\ncd x\n```\ncargo y\n";
    assert_eq!(shell_commands(page), ["cargo xtask test"]);
}

/// The lines of code, not of comments, below `directory` that hold one of `words`.
fn lines_with(directory: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree::files(&tree::root(), directory, &["rs"]).unwrap() {
        for (index, line) in file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                found.push(format!("{}:{}: {}", file.path, index + 1, line.trim()));
            }
        }
    }
    found
}

/// The names that follow `prefix` directly: one, or those of the outermost braces.
fn names_below<'t>(text: &'t str, prefix: &str) -> Vec<&'t str> {
    let name = |text: &'t str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        &text[..end]
    };
    let mut names = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let rest = &text[at + prefix.len()..];
        let Some(inside) = rest.strip_prefix('{') else {
            names.push(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (at, c) in inside.char_indices() {
            match c {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    names.push(name(inside[start..at].trim_start()));
                    start = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The `cargo` lines in a page's code blocks, without prompt and comment.
fn shell_commands(page: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut is_code = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            let line = line.trim().trim_start_matches("$ ");
            let command = line.split(" #").next().unwrap_or(line).trim_end();
            if command.starts_with("cargo ") {
                commands.push(command);
            }
        }
    }
    commands
}

/// Whether a crate's command line has the subcommand, that is, clap derives it from a variant so named.
fn has_subcommand(package: &str, subcommand: &str) -> bool {
    let variant: String = subcommand.split('-').map(capitalised).collect();
    let files = tree::files(&tree::root(), &format!("crates/{package}/src"), &["rs"]).unwrap();
    files.iter().flat_map(|file| file.text.lines()).any(|line| {
        let rest = line.trim_start().strip_prefix(&variant);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([',', '(', ' ', '{']))
    })
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(word.len().min(1));
    first.to_uppercase() + rest
}

/// The names at the top that are, or would be, part of the repository.
fn top_level() -> BTreeSet<String> {
    let root = tree::root();
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(&root);
    if let Ok(output) = git.output()
        && output.status.success()
    {
        let text = String::from_utf8(output.stdout).unwrap();
        return text.lines().filter_map(|path| Some(path.split('/').next()?.into())).collect();
    }
    // An unpacked archive has no list; what a build and a first run leave behind is not part of it.
    let left_behind = |name: &String| {
        [".git", "target", "auth-demo"].contains(&name.as_str()) || name.starts_with("auth.db")
    };
    let entries = fs::read_dir(root).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| !left_behind(name)).collect()
}

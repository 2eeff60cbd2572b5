//! The workspace's own tool: `cargo xtask <command>`.
//!
//! It tests and measures the workspace, keeps the index of rules, and freezes released migrations. The
//! laws of the house (who may depend on whom, what may stand where) are ordinary tests of this crate.

mod migrations;
mod spec;
mod test;
mod tree;

#[cfg(test)]
mod laws;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// Every command, as the README and the help name it.
const COMMANDS: [(&str, &str); 7] = [
    ("test", "Check and test the whole workspace"),
    ("test --fast", "Only formatting, clippy and the unit tests"),
    ("spec", "Write docs/spec-index.md from docs/requirements.toml and the tests"),
    ("spec --check", "Fail if that index is stale or names a rule that does not exist"),
    ("migrations", "Fail if a released migration has changed"),
    ("migrations --freeze", "Record the checksums of the migrations being released"),
    ("bench store", "Measure the store against bare SQL on this machine"),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.join(" ")) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str) -> Result<ExitCode> {
    let root = tree::root();
    match command {
        "test" => return Ok(test::run(&root, test::Extent::Whole)),
        "test --fast" => return Ok(test::run(&root, test::Extent::Fast)),
        "spec" => spec::write(&root)?,
        "spec --check" => spec::check(&root)?,
        "migrations" => migrations::check(&root.join("migrations"))?,
        "migrations --freeze" => migrations::freeze(&root.join("migrations"))?,
        "bench store" => return test::bench(&root, "auth-store-diesel", "store"),
        "" | "help" | "--help" | "-h" => println!("{}", help()),
        unknown => bail!("there is no command `{unknown}`\n\n{}", help()),
    }
    Ok(ExitCode::SUCCESS)
}

fn help() -> String {
    let mut text = String::from("Usage: cargo xtask <command>\n");
    for (command, meaning) in COMMANDS {
        text.push_str(&format!("\n  {command:<20} {meaning}"));
    }
    text
}

//! `auth-server config`: the configuration file.

use super::load;
use super::output::Answer;
use crate::config::{Config, DEFAULT_PATHS, Problem, environment, template};
use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

pub(super) const EXAMPLE: &str = "\
Example:
  auth-server config init
  auth-server config check";

/// `config …`
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Write a commented configuration file; never overwrites one
    #[command(after_help = "\
Example:
  auth-server config init staging.toml")]
    Init(Init),
    /// Find everything that is wrong with the configuration, and how to mend it
    #[command(after_help = "\
Example:
  auth-server config check --config /etc/auth-server/auth.toml")]
    Check,
    /// Print the settings that apply, and where each comes from; secrets are masked
    #[command(after_help = "\
Example:
  AUTH__TOKENS__CODE_LIFETIME=30s auth-server config print")]
    Print,
}

/// `config init`
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// The file to write [default: what --config names, or auth.toml]
    path: Option<PathBuf>,
}

pub(super) fn run(command: Command, config_path: Option<&Path>) -> Result<Answer> {
    match command {
        Command::Init(Init { path }) => init(path.as_deref().or(config_path)),
        Command::Check => check(config_path),
        Command::Print => {
            let loaded = load(config_path)?;
            Answer::new(&loaded.to_json(), loaded.to_toml().trim_end().to_owned())
        }
    }
}

fn init(path: Option<&Path>) -> Result<Answer> {
    let path = path.unwrap_or_else(|| Path::new(DEFAULT_PATHS[0]));
    let shown = path.display();
    let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{shown} exists already, and is left as it is")
        }
        opened => opened.with_context(|| format!("cannot write {shown}"))?,
    };
    if let Err(error) = file.write_all(template().as_bytes()) {
        // Half a file would be found, and half believed.
        let _ = std::fs::remove_file(path);
        return Err(error).with_context(|| format!("cannot write {shown}"));
    }
    let note = format!("Wrote {shown}. Next: edit it, then `auth-server config check`.");
    Ok(Answer::new(&(), String::new())?.note(note))
}

#[derive(Serialize)]
struct Report {
    valid: bool,
    problems: Vec<View>,
}

#[derive(Serialize)]
struct View {
    place: String,
    what: String,
    fix: String,
}

impl From<&Problem> for View {
    fn from(problem: &Problem) -> Self {
        Self {
            place: problem.place.to_string(),
            what: problem.what.clone(),
            fix: problem.fix.clone(),
        }
    }
}

fn check(config_path: Option<&Path>) -> Result<Answer> {
    match Config::load(config_path, environment()) {
        Ok(loaded) => {
            let report = Report { valid: true, problems: Vec::new() };
            let note = format!("{}: no problems.", loaded.path.display());
            Ok(Answer::new(&report, String::new())?.note(note))
        }
        Err(problems) => {
            let found: Vec<View> = problems.iter().map(View::from).collect();
            let count = found.len();
            let report = Report { valid: false, problems: found };
            let many =
                if count == 1 { "1 problem".to_owned() } else { format!("{count} problems") };
            let note = format!("The configuration has {many}.");
            Ok(Answer::new(&report, problems.to_string())?.negative().note(note))
        }
    }
}

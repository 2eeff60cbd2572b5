//! `auth-server migrate`: the database's schema.

use super::load;
use super::output::Answer;
use anyhow::Result;
use serde::Serialize;
use std::path::Path;

pub(super) const EXAMPLE: &str = "\
Example:
  auth-server migrate --check || auth-server migrate";

/// `migrate`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only report; exit with 1 when something is pending
    #[arg(long)]
    check: bool,
}

#[derive(Default, Serialize)]
struct Report {
    applied: Vec<String>,
    pending: Vec<String>,
}

pub(super) fn run(args: &Args, config_path: Option<&Path>) -> Result<Answer> {
    let url = load(config_path)?.config.database.url.expose();
    let report = match args.check {
        true => {
            let pending = auth_store_diesel::pending_migrations(&url)?;
            Report { pending, ..Report::default() }
        }
        false => Report { applied: auth_store_diesel::migrate(&url)?, ..Report::default() },
    };
    let lines = |verb: &str, names: &[String]| -> Vec<String> {
        names.iter().map(|name| format!("{verb} {name}")).collect()
    };
    let text = [lines("applied", &report.applied), lines("pending", &report.pending)].concat();
    let answer = Answer::new(&report, text.join("\n"))?;
    Ok(match (text.is_empty(), report.pending.is_empty()) {
        (true, _) => answer.note("The database is up to date."),
        (false, true) => answer,
        (false, false) => {
            answer.negative().note("`auth-server migrate` brings the database up to date.")
        }
    })
}

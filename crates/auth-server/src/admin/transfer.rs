//! `auth-server export` and `import`: moving everything from one database to another.

use super::output::{Answer, table};
use super::{load, pending_advice};
use crate::system::SystemClock;
use anyhow::{Context as _, Result, bail};
use auth_core::timestamp::Clock as _;
use auth_store_diesel::Counts;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

pub(super) const EXPORT_EXAMPLE: &str = "\
Example:
  auth-server export everything.jsonl";

pub(super) const IMPORT_EXAMPLE: &str = "\
Example:
  auth-server import --config postgres.toml everything.jsonl";

/// `export`, `import`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; `-` or nothing is standard output or input
    file: Option<PathBuf>,
}

impl Args {
    /// The file, if it is not a standard stream.
    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_deref().filter(|path| *path != Path::new("-"))
    }
}

pub(super) fn export(args: &Args, config_path: Option<&Path>) -> Result<Answer> {
    let url = database(config_path)?;
    let Some(path) = args.path() else {
        let counts = write(&url, &mut std::io::stdout().lock())?;
        let note = format!("Rows exported: {}.", counts.total());
        return Ok(Answer::new(&counts, String::new())?.note(note));
    };
    let shown = path.display();
    let mut file = match create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{shown} exists already, and is left as it is")
        }
        opened => opened.with_context(|| format!("cannot write {shown}"))?,
    };
    let exported = write(&url, &mut file)
        .and_then(|counts| file.sync_all().context("cannot write the file").map(|()| counts));
    let counts = exported.inspect_err(|_| {
        // Half a file is of no use.
        let _ = std::fs::remove_file(path);
    })?;
    let note = format!("Rows exported to {shown}: {}.", counts.total());
    Ok(Answer::new(&counts, rows(&counts))?.note(note))
}

pub(super) fn import(args: &Args, config_path: Option<&Path>) -> Result<Answer> {
    let (shown, mut input) = match args.path() {
        None => ("standard input".to_owned(), None),
        Some(path) => {
            let shown = path.display().to_string();
            let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
            (shown, Some(BufReader::new(file)))
        }
    };
    let url = database(config_path)?;
    let imported = match &mut input {
        None => auth_store_diesel::import(&url, &mut std::io::stdin().lock()),
        Some(file) => auth_store_diesel::import(&url, file),
    };
    let counts = imported.with_context(|| format!("nothing of {shown} was imported"))?;
    let note = format!("Rows imported: {}.", counts.total());
    Ok(Answer::new(&counts, rows(&counts))?.note(note))
}

fn write(url: &str, out: &mut dyn std::io::Write) -> Result<Counts> {
    Ok(auth_store_diesel::export(url, SystemClock.now(), out)?)
}

/// The URL of the configured database, which is migrated first if the configuration says so.
fn database(config_path: Option<&Path>) -> Result<String> {
    let database = load(config_path)?.config.database;
    let url = database.url.expose();
    if database.migrate_on_start {
        auth_store_diesel::migrate(&url)?;
    } else if let pending = auth_store_diesel::pending_migrations(&url)?
        && !pending.is_empty()
    {
        return Err(pending_advice(pending));
    }
    Ok(url)
}

/// A new file, for its owner's eyes only: it holds password hashes.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn rows(counts: &Counts) -> String {
    let rows: Vec<_> =
        counts.iter().map(|(table, count)| [table.to_owned(), count.to_string()]).collect();
    table(["TABLE", "ROWS"], &rows)
}

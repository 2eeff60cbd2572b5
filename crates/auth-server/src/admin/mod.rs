//! The administration commands: everything on the command line but `serve` and `demo`.
//!
//! A command reads the configuration, opens the database, and returns an [`Answer`] or a refusal.
//! Data goes to standard output and talk to standard error; the exit code is 0, 1 for a refusal, or
//! 2 for a command line that cannot be understood.

mod client;
mod config;
mod grant;
mod migrate;
mod names;
mod output;
mod registration;
mod secret;
mod session;
mod transfer;
mod user;

use crate::config::{Config, Loaded, environment};
use crate::serve::policy;
use crate::system::SystemClock;
use anyhow::{Result, anyhow};
use auth_core::policy::Policy;
use auth_core::timestamp::{Clock as _, Timestamp};
use auth_store_diesel::{DieselStore, OpenError, StoreOptions};
use output::say;
pub(crate) use registration::mint_id;
use std::path::Path;
use std::process::ExitCode;

// No doc comment: a flattened enum's would replace that of the whole program.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Bring the database up to date
    #[command(after_help = migrate::EXAMPLE)]
    Migrate(migrate::Args),
    /// Write, check or print the configuration
    #[command(subcommand, after_help = config::EXAMPLE)]
    Config(config::Command),
    /// Register and administer clients
    #[command(subcommand, after_help = client::EXAMPLE)]
    Client(client::Command),
    /// Administer local accounts
    #[command(subcommand, after_help = user::EXAMPLE)]
    User(user::Command),
    /// List and revoke what people approved
    #[command(subcommand, after_help = grant::EXAMPLE)]
    Grant(grant::Command),
    /// List and end the sessions of signed-in browsers
    #[command(subcommand, after_help = session::EXAMPLE)]
    Session(session::Command),
    /// Write everything in the database to a file
    #[command(after_help = transfer::EXPORT_EXAMPLE)]
    Export(transfer::Args),
    /// Put everything in an exported file into an empty database
    #[command(after_help = transfer::IMPORT_EXAMPLE)]
    Import(transfer::Args),
}

/// Runs a command with the configuration at `config_path` (or at a default place), and prints its
/// answer for people, or as JSON.
pub(crate) fn run(command: Command, config_path: Option<&Path>, json: bool) -> ExitCode {
    if json && matches!(command, Command::Config(config::Command::Init(_))) {
        say("`config init` takes no --json: what it writes is TOML");
        return ExitCode::from(2);
    }
    if json && matches!(&command, Command::Export(args) if args.path().is_none()) {
        say("`export` to standard output takes no --json: what it writes there is the export");
        return ExitCode::from(2);
    }
    let answer = match command {
        Command::Config(command) => config::run(command, config_path),
        Command::Migrate(args) => migrate::run(&args, config_path),
        Command::Client(command) => {
            Admin::open(config_path).and_then(|admin| client::run(command, &admin))
        }
        Command::User(command) => {
            Admin::open(config_path).and_then(|admin| user::run(command, &admin))
        }
        Command::Grant(command) => {
            Admin::open(config_path).and_then(|admin| grant::run(command, &admin))
        }
        Command::Session(command) => {
            Admin::open(config_path).and_then(|admin| session::run(command, &admin))
        }
        Command::Export(args) => transfer::export(&args, config_path),
        Command::Import(args) => transfer::import(&args, config_path),
    };
    match answer {
        Ok(answer) => answer.print(json),
        Err(refusal) => {
            say(&format!("{refusal:#}"));
            ExitCode::FAILURE
        }
    }
}

/// What the commands on stored things work with.
struct Admin {
    policy: Policy,
    store: DieselStore,
}

impl Admin {
    /// Opens the configured database, and migrates it first if the configuration says so.
    fn open(config_path: Option<&Path>) -> Result<Self> {
        let Loaded { config, .. } = load(config_path)?;
        let migrate = config.database.migrate_on_start;
        let options = StoreOptions { migrate, readers: 1, ..StoreOptions::default() };
        match DieselStore::open(&config.database.url.expose(), options) {
            Ok(store) => Ok(Self { policy: policy(&config), store }),
            Err(OpenError::MigrationsPending(pending)) => Err(pending_advice(pending)),
            Err(error) => Err(error.into()),
        }
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }
}

fn pending_advice(pending: Vec<String>) -> anyhow::Error {
    anyhow!("{}; run `auth-server migrate` first", OpenError::MigrationsPending(pending))
}

fn load(config_path: Option<&Path>) -> Result<Loaded> {
    Ok(Config::load(config_path, environment())?)
}

//! An OAuth 2.1 authorization server: the parts put together behind one command line.

mod admin;
mod config;
mod demo;
mod events;
mod log;
mod serve;
mod system;

use anyhow::{Result, anyhow};
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};
use config::Config;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// An OAuth 2.1 authorization server: sign-in, consent and tokens.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLE, propagate_version = true)]
struct CommandLine {
    /// The configuration file [default: auth.toml, then /etc/auth-server/auth.toml]
    #[arg(long, global = true, value_name = "PATH", help_heading = "Everywhere")]
    config: Option<PathBuf>,
    /// Answer in JSON (administration commands only)
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLE: &str = "Example:
  auth-server demo                 try it, with nothing to configure
  auth-server config init          write a commented auth.toml
  auth-server serve                run the service";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    #[command(after_help = "Example:\n  auth-server serve --config /etc/auth-server/auth.toml")]
    Serve,
    /// Try it: a server with nothing to configure, accounts, clients and an application
    #[command(after_help = "Example:\n  auth-server demo --directory /tmp/auth-demo --port 9000")]
    Demo(demo::DemoArgs),
    #[command(flatten)]
    Admin(admin::Command),
}

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let result = match line.command {
        Command::Admin(command) => return admin::run(command, line.config.as_deref(), line.json),
        Command::Serve | Command::Demo(_) if line.json => {
            let no_answer = "serve and demo have no answer that could be JSON";
            CommandLine::command().error(ErrorKind::ArgumentConflict, no_answer).exit()
        }
        Command::Serve => serve(line.config.as_deref()),
        Command::Demo(args) => {
            if line.config.is_some() {
                eprintln!("demo has nothing to configure: --config is not read");
            }
            demo::run(&args)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(path: Option<&Path>) -> Result<()> {
    let loaded = Config::load(path, config::environment());
    let config = loaded.map_err(|problems| anyhow!("{problems}"))?.config;
    log::start(&config.log)?;
    serve::run(&config)
}

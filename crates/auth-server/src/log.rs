//! The log: to stderr, as text or JSON. No query, body, cookie or header is ever logged, so neither
//! are codes, tokens, secrets and passwords (CODE-14).

use crate::config::{Log, LogFormat};
use anyhow::{Result, anyhow};
use std::io::stderr;
use tracing_subscriber::EnvFilter;

/// What a stranger who speaks no HTTP would otherwise fill the log with, as errors. A filter that names
/// this module has it back.
const NOISE: &str = "actix_http::h1::dispatcher=off";

/// Starts logging as configured.
pub(crate) fn start(log: &Log) -> Result<()> {
    let filter = EnvFilter::try_new(format!("{NOISE},{}", log.filter))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let started = match log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow!("cannot start logging: {error}"))
}

//! The HTTP side of `auth-core`: endpoints and pages on actix-web.
//!
//! [`App`] is the server's configuration and engine; [`service`] mounts every endpoint, and [`serve`] runs
//! them on a listener. A request
//! flows one way: raw bytes become [`Params`](auth_core::params::Params) (`body`), cookies become
//! secrets (`cookies`), one call to the engine runs in the blocking pool (`App::engine`), and its
//! outcome is rendered (`endpoints`, `wire_error`, `redirect`, `error_page`). No rule of OAuth lives
//! here.

// A handler's other way out is a response, which is large.
#![allow(clippy::result_large_err)]

mod address;
mod app;
mod body;
mod browser_checks;
mod challenge_watch;
mod cookies;
mod csrf;
mod endpoints;
mod error_page;
mod lane;
mod line;
pub mod pages;
mod redirect;
mod security_headers;
mod server;
mod throttle;
mod wire_error;

pub use app::{App, Limits, StartError};
pub use endpoints::service;
pub use server::{BLOCKING_THREADS, serve};

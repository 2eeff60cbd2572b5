//! The transitions and look-ups behind the ports, one file per family of ports.
//!
//! Every function runs on one connection, inside a transaction that its caller began and will commit,
//! and does exactly what one port method promises. Reads that take one statement need no transaction.
//!
//! All of it is written for the crate's `Connection` and in SQL that SQLite and PostgreSQL share, so
//! that the same files can be compiled for another backend. A transition on what hangs on a grant
//! reads the grant first; that is the row to lock where writers run side by side.

#[macro_use]
mod statements;

pub(crate) mod clients;
pub(crate) mod codes;
pub(crate) mod consents;
pub(crate) mod grants;
pub(crate) mod housekeeping;
pub(crate) mod owners;
pub(crate) mod pending;
pub(crate) mod sessions;
pub(crate) mod tokens;

#[cfg(test)]
mod prepared_tests;

use super::Connection;
use auth_core::scope::Scope;
use auth_core::timestamp::Timestamp;

type Backend = <Connection as diesel::Connection>::Backend;

fn parse_scope(text: &str) -> Option<Scope> {
    match text {
        "" => Some(Scope::default()),
        text => Scope::parse(text),
    }
}

fn instant(stored: Option<i64>) -> Option<Timestamp> {
    stored.map(Timestamp::from_unix)
}

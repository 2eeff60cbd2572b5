//! The transitions and look-ups behind the ports, one file per family of ports.
//!
//! Every function runs on one connection, inside a transaction that its caller began and will commit,
//! and does exactly what one port method promises. Reads that take one statement need no transaction.
//!
//! These files are compiled once for each backend, for its `Connection`, in SQL that the backends share.
//! They differ in one thing: SQLite has one writer at a time, and elsewhere writers run side by side. So
//! every transition is written to be right at READ COMMITTED:
//!
//! - What happens once is one conditional `UPDATE … WHERE … IS NULL`, and the number of changed rows
//!   says who did it.
//! - What is read in order to decide is locked by reading it, with `[FOR_UPDATE]`.
//! - Rows are locked in one order, so that transitions wait for each other but never in a circle: the
//!   interaction, the client, the code, the owner, its sessions, grants (several of them by their id),
//!   tokens, the consent. Purging passes over what is locked instead of waiting for it.

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

use super::{Connection, FOR_KEY_SHARE, FOR_NO_KEY_UPDATE, FOR_UPDATE, FOR_UPDATE_SKIP_LOCKED};
use crate::text::parse_scope;
use auth_core::timestamp::Timestamp;

type Backend = <Connection as diesel::Connection>::Backend;

fn instant(stored: Option<i64>) -> Option<Timestamp> {
    stored.map(Timestamp::from_unix)
}

//! The domain of an OAuth 2.1 authorization server.
//!
//! Nouns of the protocol are types, one file each; verbs are use cases, one file each under
//! [`usecase`]. Everything that has an effect (time, randomness, storage, password hashing, the
//! security log) comes in through a port: a narrow, synchronous, object-safe trait that is declared
//! beside the noun it serves. The core performs no I/O, starts no thread, reads no clock, and never
//! panics on input.
//!
//! An embedder either calls the use cases with exactly the ports they name, or keeps an
//! [`AuthEngine`], which holds them all. `examples/embed.rs` shows a whole flow.

#![deny(missing_docs)]
// mockall wants the lifetime of a reference inside an Option spelled out.
#![allow(clippy::needless_lifetimes)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(test, allow(clippy::indexing_slicing))]

pub mod client;
pub mod client_auth;
pub mod code;
pub mod consent;
pub mod engine;
pub mod entropy;
pub mod error;
pub mod event;
pub mod grant;
pub mod housekeeping;
mod id;
pub mod owner;
pub mod params;
pub mod password;
pub mod pkce;
pub mod policy;
pub mod redirect_uri;
pub mod resource;
pub mod response;
pub mod scope;
pub mod secret;
pub mod session;
pub mod timestamp;
pub mod token;
mod uri;
pub mod usecase;

pub use engine::AuthEngine;

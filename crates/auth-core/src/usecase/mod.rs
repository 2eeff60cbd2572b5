//! The verbs of the protocol, one file each. In every file: the section it implements and its rules
//! in order, the ports it touches, its input, the function that reads as those rules, the pure rules
//! below it, its tests.

pub mod authorize;
mod client_credentials;
mod client_request;
pub mod decide_consent;
mod exchange_code;
pub mod introspect;
pub mod metadata;
mod refresh;
mod requested;
pub mod revoke;
pub mod sign_in;
pub mod token;

#[cfg(test)]
pub(crate) mod fixtures;

//! The administration commands, as a person or a script meets them: the real program, in a directory
//! of its own with an `auth.toml`.

mod clients;
mod config;
mod grants_and_sessions;
mod help;
mod names;
mod redirect_uris;
mod resource_servers;
mod secrets;
mod transfer;
mod users;
mod world;

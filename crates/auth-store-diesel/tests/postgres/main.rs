//! The store on PostgreSQL: a cluster of the tests' own, and a database for each test.
#![cfg(feature = "postgres")]

#[path = "../common/mod.rs"]
mod common;

mod contract;
mod opening;
mod outages;

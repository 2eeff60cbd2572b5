//! What is measured: a database that can be asked through the store, and without it.

use crate::rows::{Items, Kind};
use std::time::Duration;

pub trait Subject {
    /// What the store opens.
    fn url(&self) -> String;

    /// Writes what operations on fresh grants need.
    fn prepare(&self, kind: Kind, items: Items);

    /// How long the same statements take without the store, for so many callers.
    fn floor(&self, kind: Kind, items: Items, callers: usize) -> Duration;
}

//! The real program over real sockets: secrets, races, restarts, pressure, outages and hostility.

mod atomic;
#[path = "../../../auth-store-diesel/tests/cluster/mod.rs"]
mod cluster;
mod demo;
mod hostile;
mod moving;
mod outage;
mod pressure;
mod protected_api;
mod restart;
mod secrets;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test target uses its own part")]
mod support;

use support::at_once;
use support::server::{Client, Process, Site};

/// Where the tests' client is; nobody ever goes there.
const REDIRECT_URI: &str = "https://rp.test/cb";

/// A site with one confidential client, and a process that serves it.
fn site(env: &[(&str, &str)]) -> (Site, Client, Process) {
    let site = Site::new();
    let client = site.add_client("Client", &[REDIRECT_URI], &[]);
    let process = site.serve(env);
    (site, client, process)
}

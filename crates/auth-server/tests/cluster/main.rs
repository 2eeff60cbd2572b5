//! Two servers on one PostgreSQL, behind an nginx that gives each request to either: as in production where
//! one machine is not enough.

#[path = "../kill/browser.rs"]
#[allow(dead_code, reason = "shared with the tests that kill a server")]
mod browser;
#[path = "../kill/chance.rs"]
mod chance;
mod changes;
mod flow;
#[path = "../kill/ledger.rs"]
#[allow(dead_code, reason = "shared with the tests that kill a server")]
mod ledger;
mod load;
mod nginx;
mod outages;
#[path = "../../../auth-store-diesel/tests/cluster/mod.rs"]
mod postgres;
mod races;
mod server;
mod start;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test target uses its own part")]
mod support;
mod taking_back;
#[path = "../kill/tally.rs"]
#[allow(dead_code, reason = "shared with the tests that kill a server")]
mod tally;
#[path = "../kill/way.rs"]
mod way;
#[path = "../kill/wire.rs"]
mod wire;
#[path = "../kill/worker.rs"]
mod worker;

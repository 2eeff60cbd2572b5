//! Two servers on one PostgreSQL, behind nginx.

use crate::nginx::{self, Nginx};
use crate::postgres::{self, Cluster};
use crate::support::server::{Client, Process, Site, free_address};
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

pub use crate::support::server::PASSWORD;

pub const CLIENT: &str = "web";
/// https, so that what was approved is remembered.
pub const REDIRECT_URI: &str = "https://app.example/callback";

/// The proxy is believed, and what a test was given lives until it is over.
pub const SETTINGS: [(&str, &str); 3] = [
    ("AUTH__HTTP__TRUSTED_PROXIES", "127.0.0.1"),
    ("AUTH__TOKENS__CODE_LIFETIME", "10m"),
    ("AUTH__TOKENS__ACCESS_TOKEN_LIFETIME", "1d"),
];

pub struct Pair {
    pub site: Site,
    pub client: Client,
    pub servers: [Process; 2],
    pub nginx: Nginx,
    /// The URL of the database.
    pub database: String,
}

/// Whether everything that these tests start is there.
pub fn is_available() -> bool {
    postgres::is_available() && nginx::is_available()
}

impl Pair {
    /// On a new database, with one confidential client and the accounts of these names.
    pub fn start(cluster: &Cluster, users: &[&str]) -> Self {
        let database = cluster.create_database("template1");
        let site = Site::behind(free_address(), &database);
        let client = site.add_client("Web", &[REDIRECT_URI], &["--id", CLIENT]);
        users.iter().for_each(|user| site.add_user(user));
        let servers = [(); 2].map(|()| site.serve_at(free_address(), &SETTINGS));
        let nginx = Nginx::start(site.address, [servers[0].address, servers[1].address]);
        Self { site, client, servers, nginx, database }
    }

    /// How many requests nginx has given to each server.
    pub fn shares(&self) -> [usize; 2] {
        let passed = self.nginx.passed();
        let share = |address| passed.iter().filter(|it| it.servers.contains(&address)).count();
        [share(self.servers[0].address), share(self.servers[1].address)]
    }

    /// Waits until nginx has noted this many requests.
    pub fn wait_for_log(&self, length: usize) -> Vec<nginx::Passed> {
        loop {
            let passed = self.nginx.passed();
            if passed.len() >= length {
                return passed;
            }
            sleep(Duration::from_millis(5));
        }
    }

    /// Both servers' addresses.
    pub fn addresses(&self) -> [SocketAddr; 2] {
        [self.servers[0].address, self.servers[1].address]
    }

    /// What both servers and nginx have said.
    pub fn output(&self) -> String {
        let [one, other] = &self.servers;
        format!("{}\n{}\n{}", one.output(), other.output(), self.nginx.errors())
    }
}

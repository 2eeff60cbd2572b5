//! Two servers on one PostgreSQL, behind nginx.

use crate::nginx::{self, Nginx};
use crate::postgres::{self, Cluster};
use crate::support::form;
use crate::support::http::Answer;
use crate::support::person::Person;
use crate::support::server::{Client, Process, Site, free_address};
use serde_json::json;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

pub use crate::support::server::PASSWORD;

pub const CLIENT: &str = "web";
/// https, so that what was approved is remembered.
pub const REDIRECT_URI: &str = "https://app.example/callback";

/// The API that every token is for.
const API: &str = "https://api.example/";

/// The proxy is believed, and what a test was given lives until it is over.
pub const SETTINGS: [(&str, &str); 3] = [
    ("AUTH__HTTP__TRUSTED_PROXIES", "127.0.0.1"),
    ("AUTH__TOKENS__CODE_LIFETIME", "10m"),
    ("AUTH__TOKENS__ACCESS_TOKEN_LIFETIME", "1d"),
];

pub struct Pair {
    pub site: Site,
    pub client: Client,
    /// Introspects what it is shown.
    pub api: Client,
    pub servers: [Process; 2],
    pub nginx: Nginx,
    /// The URL of the database.
    pub database: String,
}

/// What a redemption gave.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Tokens {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        let [access, refresh] = ["access_token", "refresh_token"].map(|name| answer.member(name));
        Self { access, refresh }
    }
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
        let toml = site.path("auth.toml");
        let settings = std::fs::read_to_string(&toml).expect("a configuration");
        let resource = format!(
            "[[resources]]\nuri = \"{API}\"\nname = \"API\"\nscopes = [\"projects:read\"]\n"
        );
        std::fs::write(toml, settings + &resource).expect("a configuration");
        let grants = ["--grant", "authorization_code", "refresh_token", "client_credentials"];
        let more = [&["--id", CLIENT], &grants[..]].concat();
        let client = site.add_client("Web", &[REDIRECT_URI], &more);
        let made = site.command(&["client", "add", "--resource-server", API], "");
        let text = |member: &str| made[member].as_str().expect("text").to_owned();
        let api = Client { id: text("client_id"), secret: text("client_secret") };
        users.iter().for_each(|user| site.add_user(user));
        let servers = [(); 2].map(|()| site.serve_at(free_address(), &SETTINGS));
        let nginx = Nginx::start(site.address, [servers[0].address, servers[1].address]);
        Self { site, client, api, servers, nginx, database }
    }

    /// The tokens of a new grant of alice's.
    #[track_caller]
    pub fn grant(&self) -> Tokens {
        let code = Person::at(self.site.address).code(&self.client, REDIRECT_URI);
        Tokens::of(&self.servers[0].redeem(&self.client, &code))
    }

    /// Whether the API finds this access token active, at each server.
    #[track_caller]
    pub fn accepts(&self, token: &str) -> [bool; 2] {
        [0, 1].map(|index| is_active(&self.servers[index], &self.api, token))
    }

    /// Whether the client finds this token active, of whatever kind, at each server.
    #[track_caller]
    pub fn owns(&self, token: &str) -> [bool; 2] {
        [0, 1].map(|index| is_active(&self.servers[index], &self.client, token))
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

/// A request with this token of this client, which authenticates.
#[track_caller]
pub fn post(server: &Process, target: &str, client: &Client, token: &str) -> Answer {
    let own = [("client_id", client.id.as_str()), ("client_secret", &client.secret)];
    let body = form(&[&own[..], &[("token", token)]].concat());
    server.post(target, &body).expect("an answer")
}

#[track_caller]
pub fn revoke(server: &Process, client: &Client, token: &str) {
    let answer = post(server, "/oauth/revoke", client, token);
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// INTRO-02: whether the token is active for who asks, without a word about why not.
#[track_caller]
pub fn is_active(server: &Process, asker: &Client, token: &str) -> bool {
    let answer = post(server, "/oauth/introspect", asker, token);
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    let active = body["active"] == true;
    assert!(active || body == json!({ "active": false }), "{body}");
    active
}

//! The documentation's API, `examples/protected_api.rs`, as a process of its own.

use super::http::{self, Answer};
use super::server::{Client, PATIENCE, Site, free_address};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// An API of a site. Ends with its value.
pub struct Api {
    child: Child,
    address: SocketAddr,
}

/// Where an API will be, and what it is called in tokens.
#[derive(Debug, Clone)]
pub struct Place {
    pub address: SocketAddr,
    pub uri: String,
}

impl Place {
    /// A place that nobody has, added to the site's `[[resources]]` with these scopes.
    pub fn in_resources(site: &Site, name: &str, scopes: &[&str]) -> Self {
        let address = free_address();
        let uri = format!("http://{address}/api");
        let file = std::fs::OpenOptions::new().append(true).open(site.path("auth.toml"));
        let entry =
            format!("\n[[resources]]\nuri = \"{uri}\"\nname = \"{name}\"\nscopes = {scopes:?}\n");
        file.and_then(|mut file| file.write_all(entry.as_bytes())).expect("a configuration");
        Self { address, uri }
    }
}

impl Api {
    /// Runs the example there, with these credentials.
    #[track_caller]
    pub fn start(site: &Site, place: &Place, credentials: &Client) -> Self {
        let mut command = Command::new(program());
        let introspection = format!("{}/oauth/introspect", site.issuer);
        command.env("AUTH_INTROSPECTION", introspection).env("API_URI", &place.uri);
        command.env("API_CLIENT_ID", &credentials.id);
        command.env("API_CLIENT_SECRET", &credentials.secret);
        command.env("API_LISTEN", place.address.to_string());
        // What it says about a server that is out of reach is of no interest here.
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let api =
            Self { child: command.spawn().expect("the example starts"), address: place.address };
        let start = Instant::now();
        while http::connect(api.address).is_err() {
            assert!(start.elapsed() < PATIENCE, "the example does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        api
    }

    /// Calls it with this `Authorization`, if any.
    #[track_caller]
    pub fn call(&self, method: &str, authorization: Option<&str>) -> Answer {
        let headers: Vec<_> = authorization.map(|it| ("Authorization", it)).into_iter().collect();
        http::request(self.address, method, "/api/projects", &headers, b"").expect("an answer")
    }

    /// Lists the projects with this token.
    #[track_caller]
    pub fn list(&self, token: &str) -> Answer {
        self.call("GET", Some(&format!("Bearer {token}")))
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example, built. `cargo test --test …` builds none.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--locked", "--offline", "--example", "protected_api"]);
        cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
        let built = cargo.arg("--target-dir").arg(target).status().expect("cargo");
        assert!(built.success(), "the example does not build");
        target.join("debug/examples/protected_api")
    })
}

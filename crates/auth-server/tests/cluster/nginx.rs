//! nginx as the documentation sets it up, but for its paths and a log of who served what.

use crate::support::http;
use crate::support::programs;
use crate::support::server::PATIENCE;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Where Debian puts it, which is not on everybody's path.
const PROGRAM: &str = "/usr/sbin/nginx";

const SCALING: &str = include_str!("../../../../docs/src/scaling.md");

/// A running nginx, in a directory of its own. Ends with its value.
pub struct Nginx {
    child: Child,
    directory: TempDir,
    /// Where it listens.
    pub address: SocketAddr,
}

/// A request as nginx passed it on.
#[derive(Debug, Clone)]
pub struct Passed {
    /// The number of the connection that it came by. Requests are noted when nginx is done with them,
    /// which may be in another order.
    pub connection: u64,
    /// The servers that it was given to, in order: more than one if it was tried again.
    pub servers: Vec<SocketAddr>,
    pub method: String,
    pub path: String,
}

/// Whether nginx is there; see [`programs::require`].
pub fn is_available() -> bool {
    programs::require(&[program(), "-v"], "two servers behind nginx")
}

fn program() -> &'static str {
    if Path::new(PROGRAM).is_file() { PROGRAM } else { "nginx" }
}

impl Nginx {
    /// Starts to pass requests on to these servers at random, and waits until it listens.
    pub fn start(address: SocketAddr, servers: [SocketAddr; 2]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let here = directory.path();
        let configuration = configuration(here, address, servers);
        std::fs::write(here.join("nginx.conf"), configuration).expect("a configuration");
        let mut command = Command::new(program());
        command.arg("-p").arg(here).arg("-c").arg(here.join("nginx.conf"));
        command.arg("-e").arg(here.join("error.log"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut nginx = Self { child: command.spawn().expect("nginx starts"), directory, address };
        let start = Instant::now();
        while http::connect(address).is_err() {
            let ended = nginx.child.try_wait().expect("a child");
            assert!(ended.is_none(), "nginx ended: {ended:?}\n{}", nginx.errors());
            assert!(start.elapsed() < PATIENCE, "nginx does not listen:\n{}", nginx.errors());
            sleep(Duration::from_millis(10));
        }
        nginx
    }

    /// Everything that it has passed on so far.
    pub fn passed(&self) -> Vec<Passed> {
        let log = std::fs::read_to_string(self.directory.path().join("access.log"));
        log.unwrap_or_default().lines().filter_map(Passed::read).collect()
    }

    /// What it complains of.
    pub fn errors(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Passed {
    /// Reads a line of the log, if it is whole.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split('|');
        let connection = fields.next()?.parse().ok()?;
        let servers = fields.next()?.split(", ").filter_map(|it| it.parse().ok()).collect();
        let (method, path) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        fields.next().is_some().then_some(Self { connection, servers, method, path })
    }
}

/// The documentation's upstream and location, between what only a test needs. One process, so that whoever
/// ends it has ended all of it.
fn configuration(here: &Path, address: SocketAddr, servers: [SocketAddr; 2]) -> String {
    let (_, rest) = SCALING.split_once("```nginx\n").expect("a block for nginx");
    let (block, _) = rest.split_once("```").expect("its end");
    let block = block
        .replace("10.0.0.11:8080", &servers[0].to_string())
        .replace("10.0.0.12:8080", &servers[1].to_string());
    let start = block.find("location / {").expect("a location");
    let (upstream, location) = block.split_at(start);
    let here = here.display();
    format!(
        r#"
daemon off;
master_process off;
pid {here}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    log_format passed '$connection|$upstream_addr|$request_method|$uri|';
    access_log {here}/access.log passed;
    client_body_temp_path {here}/body;
    proxy_temp_path {here}/proxy;
    fastcgi_temp_path {here}/fastcgi;
    uwsgi_temp_path {here}/uwsgi;
    scgi_temp_path {here}/scgi;
    {upstream}
    server {{
        listen {address};
        keepalive_requests 1000000;
        {location}
    }}
}}
"#
    )
}

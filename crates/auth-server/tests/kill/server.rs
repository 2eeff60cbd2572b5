//! An installation of the real program in a directory of its own, started and killed like any other.

use crate::chance::Chance;
use crate::wire::{Answer, Connection};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fs::File;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const CLIENT: &str = "chaos";
pub const PASSWORD: &str = "correct horse battery staple";
/// https, so that what was approved is remembered.
pub const REDIRECT_URI: &str = "https://app.example/callback";

const PROGRAM: &str = env!("CARGO_BIN_EXE_auth-server");

/// How long the program may take to answer after its start.
const START: Duration = Duration::from_secs(30);

pub struct Installation {
    pub address: SocketAddr,
    /// `Authorization` of the one client.
    pub authorization: String,
    directory: PathBuf,
    database: &'static str,
}

impl Installation {
    /// Configuration, database (at this path below the directory), one confidential client, and
    /// accounts of these names.
    pub fn new(
        directory: &Path,
        database: &'static str,
        users: &[String],
        chance: &mut Chance,
    ) -> Self {
        let mut it = Self {
            address: free_address(chance),
            authorization: String::new(),
            directory: directory.to_owned(),
            database,
        };
        it.configure();
        let client = ["--name", "Chaos", "--id", CLIENT, "--redirect-uri", REDIRECT_URI];
        let grants = ["--grant", "authorization_code", "refresh_token", "client_credentials"];
        let add = [&["client", "add", "--json"], &client[..], &grants].concat();
        let answer = it.run(&add, "");
        let client: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let secret = client["client_secret"].as_str().unwrap();
        it.authorization = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{secret}")));
        for user in users {
            it.run(&["user", "add", "--username", user, "--password-stdin"], PASSWORD);
        }
        it
    }

    fn configure(&self) {
        let Self { address, directory, .. } = self;
        let text = format!(
            "issuer = \"http://{address}\"\nlisten = \"{address}\"\n\
             [log]\nfilter = \"warn\"\n\
             [database]\nurl = \"{url}\"\n\
             [tokens]\ncode_lifetime = \"10m\"\naccess_token_lifetime = \"1d\"\n\
             [[scopes]]\nname = \"read\"\ndescription = \"Read.\"\ndefault = true\n",
            url = self.database_url(),
        );
        std::fs::write(directory.join("auth.toml"), text).unwrap();
    }

    pub fn database_url(&self) -> String {
        format!("sqlite://{}/{}", self.directory.display(), self.database)
    }

    /// Runs an administration command to its end, and answers what it printed.
    fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the server, without waiting for it.
    pub fn start(&self) -> Server {
        let mut command = self.command();
        command.arg("serve");
        self.spawn(command)
    }

    /// The same by a command that gets the program as its last argument, and becomes it.
    pub fn start_by(&self, by: &[&str]) -> Server {
        let mut command = Command::new(by[0]);
        command.args(&by[1..]).arg(PROGRAM).current_dir(&self.directory);
        self.spawn(command)
    }

    fn spawn(&self, mut command: Command) -> Server {
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        Server { child: command.spawn().unwrap() }
    }

    /// Waits until the server answers that it is ready.
    pub fn wait(&self, server: &mut Server) {
        let start = Instant::now();
        while self.readiness().is_none_or(|answer| answer.status != 200) {
            let gone = server.child.try_wait().unwrap();
            assert!(gone.is_none(), "the server ended: {gone:?}\n{}", self.log_text());
            assert!(start.elapsed() < START, "the server does not answer\n{}", self.log_text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn readiness(&self) -> Option<Answer> {
        Connection::new(self.address).send("GET", "/readyz", &[], "").ok()
    }

    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.directory.join("server.log")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(&self.directory);
        command
    }
}

/// An address on loopback where nobody listens. Not one of the ports that outgoing connections get:
/// while the server is down, a connection to its port could otherwise meet itself.
fn free_address(chance: &mut Chance) -> SocketAddr {
    loop {
        let port = u16::try_from(10_000 + chance.below(20_000)).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// The running program. Dropping it kills it.
pub struct Server {
    child: Child,
}

impl Server {
    /// SIGKILL, and waits until nothing is left of it.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

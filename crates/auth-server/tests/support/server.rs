//! The real program, on a free port and in a directory of its own.

use super::http::{self, Answer};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_auth-server");

/// No start and no stop takes longer, however loaded the machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Alice's password.
pub const PASSWORD: &str = "correct horse battery staple";

const SCOPES: &str = r#"
[[scopes]]
name = "projects:read"
description = "View project details and membership."
default = true

[[scopes]]
name = "models:read"
description = "View and download models."
"#;

/// A database and a configuration, with one process or more to serve them.
pub struct Site {
    directory: TempDir,
    /// Where the first process listens.
    pub address: SocketAddr,
    /// `http://127.0.0.1:PORT`
    pub issuer: String,
}

/// A running `auth-server`. Ends with its value.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    output: Arc<Mutex<String>>,
    readers: Vec<thread::JoinHandle<()>>,
}

/// A client's identifier and its secret, empty if it has none.
#[derive(Debug, Clone)]
pub struct Client {
    pub id: String,
    pub secret: String,
}

impl Site {
    /// A new site with the account alice.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let database = format!("sqlite://{}", directory.path().join("auth.db").display());
        let site = Self::configured(directory, free_address(), &database);
        site.add_user("alice");
        site
    }

    /// A site with a database of somebody else's and without accounts. Browsers reach it at `address`,
    /// where a proxy listens: its processes are started by [`serve_at`](Self::serve_at).
    pub fn behind(address: SocketAddr, database: &str) -> Self {
        Self::configured(tempfile::tempdir().expect("a directory"), address, database)
    }

    fn configured(directory: TempDir, address: SocketAddr, database: &str) -> Self {
        let issuer = format!("http://{address}");
        let site = Self { directory, address, issuer };
        let text = format!(
            "issuer = \"{}\"\nlisten = \"{address}\"\n[database]\nurl = \"{database}\"\n{SCOPES}",
            site.issuer,
        );
        std::fs::write(site.path("auth.toml"), text).expect("a configuration");
        site
    }

    /// Adds an account with the password [`PASSWORD`].
    #[track_caller]
    pub fn add_user(&self, username: &str) {
        self.command(&["user", "add", "--username", username, "--password-stdin"], PASSWORD);
    }

    /// A file of this site.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs an administration command and answers what it prints.
    #[track_caller]
    pub fn command(&self, arguments: &[&str], stdin: &str) -> Value {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).arg("--json").arg("--config").arg(self.path("auth.toml"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let line = format!("{stdin}\n");
        // A command that reads nothing may have ended before this is written.
        let _ = child.stdin.take().expect("a pipe").write_all(line.as_bytes());
        let done = child.wait_with_output().expect("it ends");
        let talk = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{arguments:?}: {} {talk}", done.status);
        serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error}: {talk}"))
    }

    /// Registers a client; `more` are further arguments of `client add`.
    #[track_caller]
    pub fn add_client(&self, name: &str, redirect_uris: &[&str], more: &[&str]) -> Client {
        let uris = redirect_uris.iter().flat_map(|uri| ["--redirect-uri", uri]);
        let arguments: Vec<&str> = ["client", "add", "--name", name]
            .into_iter()
            .chain(uris)
            .chain(more.to_vec())
            .collect();
        let made = self.command(&arguments, "");
        let text = |member: &str| made[member].as_str().unwrap_or_default().to_owned();
        Client { id: text("client_id"), secret: text("client_secret") }
    }

    /// Serves, with these settings from the environment.
    #[track_caller]
    pub fn serve(&self, env: &[(&str, &str)]) -> Process {
        Process::start(self.serve_command(env), self.address)
    }

    /// Another process over the same database, on a port of its own.
    #[track_caller]
    pub fn serve_beside(&self, env: &[(&str, &str)]) -> Process {
        self.serve_at(free_address(), env)
    }

    /// A process over the same database, at this address.
    #[track_caller]
    pub fn serve_at(&self, address: SocketAddr, env: &[(&str, &str)]) -> Process {
        let mut command = self.serve_command(env);
        command.env("AUTH__LISTEN", address.to_string());
        Process::start(command, address)
    }

    fn serve_command(&self, env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("serve").arg("--config").arg(self.path("auth.toml"));
        command.envs(env.iter().copied());
        command
    }
}

/// A demonstration with its credentials and the address of its application.
pub struct Demo {
    pub process: Process,
    pub issuer: String,
    pub app: String,
    credentials: Value,
}

impl Demo {
    /// Starts `auth-server demo` in this directory, on free ports.
    #[track_caller]
    pub fn start(directory: &Path) -> Self {
        Self::start_on(directory, free_address(), free_address())
    }

    /// Starts it at these addresses.
    #[track_caller]
    pub fn start_on(directory: &Path, address: SocketAddr, app: SocketAddr) -> Self {
        let mut command = Command::new(PROGRAM);
        command.arg("demo").arg("--directory").arg(directory);
        command.args(["--port", &address.port().to_string()]);
        command.args(["--app-port", &app.port().to_string()]);
        let process = Process::start(command, address);
        let text = std::fs::read(directory.join("credentials.json")).expect("the credentials");
        let credentials = serde_json::from_slice(&text).expect("JSON");
        let app = format!("http://{app}");
        Self { process, issuer: format!("http://{address}"), app, credentials }
    }

    /// One of `alice_password`, `admin_password`, `demo_app_secret` and `demo_api_secret`.
    pub fn credential(&self, name: &str) -> &str {
        self.credentials[name].as_str().expect("a credential")
    }
}

impl Process {
    /// Starts a server and waits until it is ready.
    #[track_caller]
    pub fn start(mut command: Command, address: SocketAddr) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let output = Arc::new(Mutex::new(String::new()));
        let out: Box<dyn Read + Send> = Box::new(child.stdout.take().expect("a pipe"));
        let err: Box<dyn Read + Send> = Box::new(child.stderr.take().expect("a pipe"));
        let readers = [out, err].map(|stream| {
            let output = Arc::clone(&output);
            thread::spawn(move || {
                for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).into_owned();
                    *output.lock().expect("no panic") += &(line + "\n");
                }
            })
        });
        let mut process = Self { child, address, output, readers: readers.into() };
        let start = Instant::now();
        while !process.get("/readyz").is_ok_and(|answer| answer.status == 200) {
            let ended = process.child.try_wait().expect("a child");
            assert!(ended.is_none(), "it ended: {ended:?}\n{}", process.output());
            assert!(start.elapsed() < PATIENCE, "it does not get ready:\n{}", process.output());
            thread::sleep(Duration::from_millis(20));
        }
        process
    }

    /// What it has printed so far, on both streams.
    pub fn output(&self) -> String {
        self.output.lock().expect("no panic").clone()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// A GET without cookies.
    pub fn get(&self, target: &str) -> std::io::Result<Answer> {
        http::request(self.address, "GET", target, &[], b"")
    }

    /// A token request of this client.
    #[track_caller]
    pub fn token(&self, client: &Client, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        fields.push(("client_id", &client.id));
        if !client.secret.is_empty() {
            fields.push(("client_secret", &client.secret));
        }
        self.post("/oauth/token", &super::form(&fields)).expect("an answer")
    }

    /// Redeems a code with the verifier of RFC 7636.
    #[track_caller]
    pub fn redeem(&self, client: &Client, code: &str) -> Answer {
        let grant = ("grant_type", "authorization_code");
        self.token(client, &[grant, ("code", code), ("code_verifier", super::VERIFIER)])
    }

    /// Refreshes.
    #[track_caller]
    pub fn refresh(&self, client: &Client, token: &str) -> Answer {
        self.token(client, &[("grant_type", "refresh_token"), ("refresh_token", token)])
    }

    /// A form without cookies.
    pub fn post(&self, target: &str, body: &str) -> std::io::Result<Answer> {
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        http::request(self.address, "POST", target, &form, body.as_bytes())
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        // The shell's own `kill`: the program is not everywhere.
        let status =
            Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status();
        assert!(status.expect("sh").success());
    }

    /// Waits for its end, and answers with everything it ever printed.
    #[track_caller]
    pub fn wait(mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("a child") {
                Some(status) => break status,
                None => assert!(start.elapsed() < PATIENCE, "it does not stop"),
            }
            thread::sleep(Duration::from_millis(20));
        };
        for reader in self.readers.drain(..) {
            reader.join().expect("no panic");
        }
        (status, self.output())
    }

    /// Stops it in an orderly way.
    #[track_caller]
    pub fn stop(self) -> (ExitStatus, String) {
        self.terminate();
        self.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback address that nobody listens on. Its port is below those that the system gives to
/// connections, or one of them might take it before the program does.
pub fn free_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(97).wrapping_add(NEXT.fetch_add(1, Relaxed));
        let port = u16::try_from(20_000 + number % 12_000).expect("a port");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return (Ipv4Addr::LOCALHOST, port).into();
        }
    }
}

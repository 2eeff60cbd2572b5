//! A PostgreSQL of the tests' own: a cluster in a temporary directory, on a socket only, made from the
//! programs that are installed and gone when the test program is, however that ends.
#![allow(dead_code)] // each test program uses its part

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How safely a cluster writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// Not at all: quick, and enough where nothing crashes.
    Careless,
    /// As in production.
    Durable,
}

pub struct Cluster {
    programs: PathBuf,
    directory: PathBuf,
    settings: Vec<String>,
    server: Mutex<Option<Child>>,
    /// Ends the server and removes the directory when its standard input is closed.
    reaper: Child,
    databases: AtomicUsize,
}

/// Whether there is a PostgreSQL to test with. Without it a test is skipped, or fails if everything is
/// required.
pub fn is_available() -> bool {
    static FOUND: OnceLock<bool> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let found = programs().is_some();
        if !found {
            let required = std::env::var("AUTH_TEST_REQUIRE").is_ok_and(|value| value == "all");
            assert!(!required, "initdb is not installed, and everything is required");
            // Not by `eprintln!`, which shows nothing of a test that passes.
            let _ =
                writeln!(std::io::stderr(), "skipped: initdb is missing, which is PostgreSQL's");
        }
        found
    })
}

/// One cluster for all tests of this program.
pub fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start(Disk::Careless))
}

impl Cluster {
    pub fn start(disk: Disk) -> Self {
        let cluster = match disk {
            Disk::Careless => Self::create(&["fsync=off", "full_page_writes=off"]),
            Disk::Durable => Self::create(&[]),
        };
        cluster.start_server();
        cluster
    }

    /// Makes a cluster with these settings, and does not start it yet.
    pub fn create(settings: &[&str]) -> Self {
        let programs = programs().expect("initdb");
        let directory = directory();
        let cluster = Self {
            server: Mutex::new(None),
            reaper: reaper(&directory),
            databases: AtomicUsize::new(0),
            programs,
            directory,
            settings: settings.iter().map(|it| (*it).to_owned()).collect(),
        };
        let mut initdb = cluster.program("initdb");
        initdb.arg("--pgdata").arg(cluster.data()).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]);
        let output = initdb.output().expect("initdb runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        cluster
    }

    /// Starts the server again, and waits until it answers.
    pub fn start_server(&self) {
        let log =
            std::fs::File::options().append(true).create(true).open(self.directory.join("log"));
        let log = log.expect("a log");
        let mut postgres = self.program("postgres");
        postgres.arg("-D").arg(self.data()).arg("-k").arg(&self.directory);
        postgres.args(["-c", "listen_addresses=", "-c", "max_connections=200"]);
        for setting in &self.settings {
            postgres.args(["-c", setting]);
        }
        postgres.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        *self.server.lock().unwrap() = Some(postgres.spawn().expect("postgres runs"));
        let start = Instant::now();
        while !self.answers() {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "PostgreSQL starts:\n{}",
                self.log()
            );
            sleep(Duration::from_millis(50));
        }
    }

    /// Stops the server at once, as a crash would, and waits until it is gone.
    pub fn crash(&self) {
        self.stop("QUIT");
    }

    /// Stops the server: clients are cut off, nothing is lost.
    pub fn stop_server(&self) {
        self.stop("INT");
    }

    fn stop(&self, signal: &str) {
        let mut server = self.server.lock().unwrap().take().expect("a server");
        let pid = server.id().to_string();
        let killed = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(killed.is_ok_and(|status| status.success()), "kill {pid}");
        server.wait().expect("the server ends");
    }

    /// Makes a database and answers its URL. It is empty, or a copy of another one.
    pub fn create_database(&self, template: &str) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        self.url(&name)
    }

    /// The URL of the database of this name.
    pub fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=postgres", self.directory.display())
    }

    /// Runs SQL behind everybody's back, and answers the rows as text: `|` between columns.
    pub fn run(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database).args(["-c", sql]).output().expect("psql runs");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
    }

    /// Changes a setting of the whole cluster, for sessions that are open as well.
    pub fn configure(&self, setting: &str) {
        self.run("postgres", &format!("ALTER SYSTEM {setting}"));
        self.run("postgres", "SELECT pg_reload_conf()");
    }

    fn answers(&self) -> bool {
        let output = self.psql("postgres").args(["-c", "SELECT 1"]).output();
        output.is_ok_and(|output| output.status.success())
    }

    fn psql(&self, database: &str) -> Command {
        let mut psql = self.client("psql", database);
        psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1"]);
        psql
    }

    /// A client program of PostgreSQL, such as `pg_dump`, for this database.
    pub fn client(&self, name: &str, database: &str) -> Command {
        let mut client = Command::new(self.programs.join(name));
        client.args(["-U", "postgres", "-d", database, "-h"]).arg(&self.directory);
        // The socket is named after it.
        if let Some(port) = self.settings.iter().find_map(|it| it.strip_prefix("port=")) {
            client.args(["-p", port]);
        }
        client.stdin(Stdio::null());
        client
    }

    /// Where everything is: the socket, and the files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the database is.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Gives a file that the server reads to its owner, who alone may read it.
    pub fn give(&self, file: &Path) {
        use std::os::unix::fs::{PermissionsExt as _, chown};
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("a file");
        if let Some((user, group)) = owner() {
            chown(file, Some(user), Some(group)).expect("a file to give");
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// A program of PostgreSQL, as a user that it consents to: it refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = match owner() {
            None => Command::new(path),
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                let (user, group) = (format!("--reuid={user}"), format!("--regid={group}"));
                command.args([&user, &group, "--clear-groups"]).arg(path);
                command
            }
        };
        command.current_dir(&self.directory).env("LC_ALL", "C");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.reaper.stdin.take());
        if let Some(mut server) = self.server.lock().ok().and_then(|mut server| server.take()) {
            let _ = server.wait();
        }
        let _ = self.reaper.wait();
    }
}

/// The name of the database with this URL.
pub fn name_of(url: &str) -> &str {
    url.split(['/', '?']).nth(3).expect("a database in the URL")
}

/// The directory of PostgreSQL's programs: where `initdb` is.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|directory| directory.join("initdb"));
    // Debian keeps the programs of each version apart.
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let of_versions = versions.map(|version| version.path().join("bin/initdb"));
    let initdb = on_path.chain(of_versions).find(|initdb| initdb.is_file())?;
    // A link on the path leads to where the others are.
    let programs = initdb.canonicalize().ok()?.parent()?.to_owned();
    programs.join("postgres").is_file().then_some(programs)
}

/// A directory with a path so short that a socket fits into it.
fn directory() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = PathBuf::from(format!("/tmp/auth-pg-{}-{count}", std::process::id()));
    std::fs::create_dir(&directory).expect("a directory");
    if let Some((user, group)) = owner() {
        std::os::unix::fs::chown(&directory, Some(user), Some(group)).expect("a directory to give");
    }
    directory
}

/// Whose the cluster is, if it cannot be ours.
fn owner() -> Option<(u32, u32)> {
    static OWNER: OnceLock<Option<(u32, u32)>> = OnceLock::new();
    *OWNER.get_or_init(|| {
        let id = |arguments: &[&str]| -> Option<u32> {
            let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        if id(&["-u"]) != Some(0) {
            return None;
        }
        let find = |name: &str| Some((id(&["-u", name])?, id(&["-g", name])?));
        find("postgres").or_else(|| find("nobody"))
    })
}

fn reaper(directory: &Path) -> Child {
    const SCRIPT: &str = r#"
        read -r _
        pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null)
        if [ -n "$pid" ]; then
            kill -s QUIT "$pid" 2>/dev/null
            for _ in 1 2 3 4 5 6 7 8 9 10; do
                kill -s 0 "$pid" 2>/dev/null || break
                sleep 0.2
            done
        fi
        rm -rf "$0"
    "#;
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT]).arg(directory).stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sh runs")
}

//! A directory with a configuration, in which the program runs.

use auth_store_diesel::{DieselStore, StoreOptions};
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const CONFIGURATION: &str = r#"
[[scopes]]
name = "read"
description = "Read your things."
default = true

[[scopes]]
name = "write"
description = "Change your things."
"#;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_auth-server");

pub struct World {
    directory: TempDir,
}

impl World {
    /// With a configuration that has the scopes `read` and `write`.
    pub fn new() -> Self {
        let world = Self::empty();
        world.write("auth.toml", CONFIGURATION);
        world
    }

    /// Without a configuration.
    pub fn empty() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The program, not yet started; nothing of the surrounding environment reaches it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).current_dir(self.path()).env_clear().stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::new(arguments, self.command(arguments).output().unwrap())
    }

    pub fn run_in(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        Ran::new(arguments, command.envs(environment.iter().copied()).output().unwrap())
    }

    /// Runs the program with this standard input.
    pub fn run_with(&self, input: &[u8], arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Whoever refuses early does not read.
        let _ = child.stdin.take().unwrap().write_all(input);
        Ran::new(arguments, child.wait_with_output().unwrap())
    }

    /// The answer of a command that succeeds.
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    /// The reason of a command that is refused.
    pub fn refused(&self, arguments: &[&str]) -> String {
        self.run(arguments).refused()
    }

    /// The database, as the server would open it.
    pub fn store(&self) -> DieselStore {
        let url = format!("sqlite://{}", self.path().join("auth.db").display());
        DieselStore::open(&url, StoreOptions::default()).unwrap()
    }

    /// Registers a confidential client and answers its secret.
    pub fn add_client(&self, id: &str) -> String {
        let arguments =
            ["client", "add", "--id", id, "--name", id, "--redirect-uri", "https://rp.test/cb"];
        self.json(&arguments)["client_secret"].as_str().unwrap().to_owned()
    }

    pub fn add_user(&self, username: &str) {
        let arguments = ["user", "add", "--username", username, "--password-stdin"];
        self.run_with(b"correct horse\n", &arguments).succeeded();
    }
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ran {
    pub arguments: Vec<String>,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn new(arguments: &[&str], output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran = Self {
            arguments: arguments.iter().map(|one| (*one).to_owned()).collect(),
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
        ran
    }

    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{:?}: {}", self.arguments, self.stderr);
        self
    }

    pub fn json(self) -> Value {
        let ran = self.succeeded();
        assert_eq!(ran.stderr, "", "{ran:?}");
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    /// Exit code 1, no data, and the reason.
    pub fn refused(self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert!(!self.stderr.trim().is_empty(), "{self:?}");
        self.stderr
    }

    /// Exit code 2 and how the command is used.
    pub fn misused(self) -> String {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        self.stderr
    }
}

/// The names of an object's fields, in alphabetical order.
pub fn fields(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Whether a text is 32 lower-case hexadecimal digits.
pub fn is_minted(id: &Value) -> bool {
    let id = id.as_str().unwrap();
    id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a text is an instant such as `2026-11-25T08:30:00Z`.
pub fn is_instant(text: &Value) -> bool {
    let text = text.as_str().unwrap();
    text.len() == 20
        && text.ends_with('Z')
        && text.bytes().zip("0000-00-00T00:00:00Z".bytes()).all(|(byte, pattern)| match pattern {
            b'0' => byte.is_ascii_digit(),
            _ => byte == pattern,
        })
}

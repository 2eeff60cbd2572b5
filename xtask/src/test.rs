//! `cargo xtask test`: everything that must hold, in one command.
//!
//! Every step runs, also after one has failed, so that one run shows all that is wrong.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use crate::spec;

/// How much to test.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything.
    Whole,
    /// Formatting, clippy and the unit tests: what one runs between two edits.
    Fast,
}

enum Verdict {
    Ok,
    Skipped(String),
    Failed(String),
}

struct Step {
    name: &'static str,
    verdict: Verdict,
    took: Duration,
}

/// Programs that tests with real clients and a real browser start: the name, what tells that it is there
/// (the first that works), and what is skipped without it.
const PROGRAMS: [(&str, &[&[&str]], &str); 5] = [
    ("Node with npm", &[&["sh", "-c", "node --version && npm --version"]], "the clients from npm"),
    (
        "Python 3 with venv and sqlite3",
        &[&[
            "python3",
            "-c",
            "import ensurepip, sqlite3, sys, venv; print(sys.version.split()[0])",
        ]],
        "the clients from PyPI and the documentation's example",
    ),
    (
        "Chromium",
        &[
            &["chromium", "--version"],
            &["chromium-browser", "--version"],
            &["google-chrome", "--version"],
        ],
        "the pages in a real browser",
    ),
    ("OpenSSL", &[&["openssl", "version"]], "a client on https in a real browser"),
    (
        "PostgreSQL",
        &[
            &["initdb", "--version"],
            &["sh", "-c", "$(ls /usr/lib/postgresql/*/bin/initdb | tail -n 1) --version"],
        ],
        "the store on PostgreSQL",
    ),
];

/// Runs the steps, prints one line for each at the end, and fails if one of them did.
pub(crate) fn run(root: &Path, extent: Extent) -> ExitCode {
    let mut run = Run { root, required: is_everything_required(), steps: Vec::new() };
    if extent == Extent::Whole {
        run.step("programs", "what the tests with real clients find here", Run::programs);
    }
    run.component("format", "rustfmt", "fmt --all --check");
    run.component("clippy", "clippy", "clippy --workspace --all-targets -- -D warnings");
    if extent == Extent::Fast {
        run.cargo("tests", "test --workspace --lib --bins --no-fail-fast");
    } else {
        run.cargo("tests", "test --workspace --no-fail-fast");
        run.step("tls", "TLS to PostgreSQL, as it is released", Run::tls);
        run.step("index", "docs/spec-index.md agrees with the tests", Run::index);
        run.step("docs", "cargo doc --no-deps --package auth-core, no warnings", Run::docs);
        run.step("book", "mdbook build docs", Run::book);
        run.step("licences", "cargo deny check bans licenses sources", Run::deny);
    }

    say("\n== summary");
    for step in &run.steps {
        say(&format!("   {step}"));
    }
    if has_failed(&run.steps) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn has_failed(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step.verdict, Verdict::Failed(_)))
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, why) = match &self.verdict {
            Verdict::Ok => ("ok", ""),
            Verdict::Skipped(why) => ("skipped", why.as_str()),
            Verdict::Failed(why) => ("FAILED", why.as_str()),
        };
        write!(f, "{word:<8} {:<9} {:>7.1} s", self.name, self.took.as_secs_f64())?;
        if why.is_empty() { Ok(()) } else { write!(f, "  {why}") }
    }
}

struct Run<'a> {
    root: &'a Path,
    /// A missing program is a failure instead of a skipped step.
    required: bool,
    steps: Vec<Step>,
}

impl Run<'_> {
    fn step(&mut self, name: &'static str, what: &str, work: impl FnOnce(&Self) -> Verdict) {
        say(&format!("\n== {name}: {what}"));
        let start = Instant::now();
        let verdict = work(self);
        let step = Step { name, verdict, took: start.elapsed() };
        say(&format!("== {step}"));
        self.steps.push(step);
    }

    fn cargo(&mut self, name: &'static str, arguments: &str) {
        self.step(name, &format!("cargo {arguments}"), |run| finish(&mut run.command(arguments)));
    }

    /// A cargo command that a minimal toolchain lacks.
    fn component(&mut self, name: &'static str, component: &str, arguments: &str) {
        let subcommand = arguments.split(' ').next().unwrap_or_default();
        if is_there(&mut self.command(&format!("{subcommand} --version"))) {
            return self.cargo(name, arguments);
        }
        self.step(name, &format!("cargo {arguments}"), |run| {
            run.missing(format!("not installed; `rustup component add {component}`"))
        });
    }

    /// Cargo with its arguments, in the workspace and with its one target directory.
    fn command(&self, arguments: &str) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(arguments.split(' ')).current_dir(self.root);
        command
    }

    fn missing(&self, why: String) -> Verdict {
        if self.required { Verdict::Failed(why) } else { Verdict::Skipped(why) }
    }

    fn programs(&self) -> Verdict {
        let mut missing = Vec::new();
        for (name, probes, used_for) in PROGRAMS {
            if let Some(version) = probes.iter().find_map(|probe| answer(probe)) {
                say(&format!("   {name}: {version}"));
            } else {
                let fate = if self.required { "will fail" } else { "are skipped" };
                say(&format!("   {name}: not found; the tests of {used_for} {fate}"));
                missing.push(name);
            }
        }
        if missing.is_empty() {
            return Verdict::Ok;
        }
        self.missing(format!("not found: {}", missing.join(", ")))
    }

    /// The feature that only what is released needs: its OpenSSL takes more than a C compiler.
    fn tls(&self) -> Verdict {
        let system = std::env::var("OPENSSL_NO_VENDOR").is_ok_and(|value| value != "0");
        let tools = || answer(&["sh", "-c", "perl --version && make --version"]).is_some();
        if !system && !tools() {
            return self.missing("building OpenSSL takes perl and make".into());
        }
        finish(&mut self.command(
            "test --package auth-store-diesel --features postgres-tls --test postgres_tls",
        ))
    }

    fn index(&self) -> Verdict {
        match spec::check(self.root) {
            Ok(()) => Verdict::Ok,
            Err(error) => Verdict::Failed(format!("{error:#}")),
        }
    }

    fn docs(&self) -> Verdict {
        let mut command = self.command("doc --no-deps --package auth-core");
        finish(command.env("RUSTDOCFLAGS", "-D warnings"))
    }

    fn book(&self) -> Verdict {
        if !is_there(Command::new("mdbook").arg("--version")) {
            return Verdict::Skipped("mdbook is not installed".into());
        }
        let mut command = Command::new("mdbook");
        command.arg("build").arg(self.root.join("docs"));
        finish(command.arg("--dest-dir").arg(self.root.join("target/book")))
    }

    /// Without the advisories: those change without a change here, so they would fail yesterday's commit.
    fn deny(&self) -> Verdict {
        if !is_there(&mut self.command("deny --version")) {
            return Verdict::Skipped("cargo-deny is not installed".into());
        }
        finish(&mut self.command("deny check bans licenses sources"))
    }
}

/// Whether `AUTH_TEST_REQUIRE=all` turns a missing program into a failure.
fn is_everything_required() -> bool {
    std::env::var("AUTH_TEST_REQUIRE").is_ok_and(|value| value == "all")
}

fn finish(command: &mut Command) -> Verdict {
    match command.status() {
        Ok(status) if status.success() => Verdict::Ok,
        Ok(status) => Verdict::Failed(status.to_string()),
        Err(error) => Verdict::Failed(error.to_string()),
    }
}

fn is_there(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// What a program answers on one line, if it is there and content.
fn answer(probe: &[&str]) -> Option<String> {
    let (program, arguments) = probe.split_first()?;
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Prints at once: the steps' own output goes to the same place.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // A closed pipe is no reason to stop testing.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(verdict: Verdict) -> Step {
        Step { name: "book", verdict, took: Duration::from_millis(1250) }
    }

    #[test]
    fn a_step_is_one_line_with_its_duration_and_the_reason() {
        let skipped = step(Verdict::Skipped("mdbook is not installed".into()));
        assert_eq!(skipped.to_string(), "skipped  book          1.2 s  mdbook is not installed");
        assert_eq!(step(Verdict::Ok).to_string(), "ok       book          1.2 s");
    }

    #[test]
    fn one_failed_step_fails_the_run_and_a_skipped_one_does_not() {
        let good = [step(Verdict::Ok), step(Verdict::Skipped("why".into()))];
        assert!(!has_failed(&good));
        let bad = [step(Verdict::Failed("why".into())), step(Verdict::Ok)];
        assert!(has_failed(&bad));
    }

    #[test]
    fn a_missing_program_is_skipped_unless_everything_is_required() {
        let root = crate::tree::root();
        let lenient = Run { root: &root, required: false, steps: Vec::new() };
        assert!(matches!(lenient.missing("why".into()), Verdict::Skipped(_)));
        let strict = Run { root: &root, required: true, steps: Vec::new() };
        assert!(matches!(strict.missing("why".into()), Verdict::Failed(_)));
    }

    #[test]
    fn a_program_is_found_by_its_answer_only() {
        assert_eq!(answer(&["sh", "-c", "echo 1; echo 2"]).as_deref(), Some("1 2"));
        assert_eq!(answer(&["sh", "-c", "echo 1; exit 1"]), None);
        assert_eq!(answer(&["there-is-no-such-program"]), None);
    }
}

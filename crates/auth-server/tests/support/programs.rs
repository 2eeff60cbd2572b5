//! Programs that tests need and this repository does not bring.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

/// Whether `probe` (a program and its arguments) runs. If not, says on stderr what is skipped, or
/// fails when `AUTH_TEST_REQUIRE=all`.
pub fn require(probe: &[&str], used_for: &str) -> bool {
    let (program, arguments) = probe.split_first().expect("a program");
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if command.status().is_ok_and(|status| status.success()) {
        return true;
    }
    let everything = std::env::var("AUTH_TEST_REQUIRE").is_ok_and(|value| value == "all");
    assert!(!everything, "{program} is missing, which is needed for {used_for}");
    // Not by `eprintln!`, which shows nothing of a test that passes.
    let _ = writeln!(io::stderr(), "skipped: {program} is missing, which is needed for {used_for}");
    false
}

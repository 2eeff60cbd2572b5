//! The programs, with what their lock files pin, installed below the target directory.

use crate::support::programs::require;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What could be installed, or why not.
type Installation = OnceLock<Result<PathBuf, String>>;

/// A program of `rust/`, built. None where the registry cannot be reached.
pub(crate) fn rust(program: &str) -> Option<Command> {
    static RUST: Installation = OnceLock::new();
    let target = available(
        "the Rust clients",
        RUST.get_or_init(|| {
            installed("rust", "Cargo.lock", |_| run(&mut cargo(&["fetch", "--locked"]))).inspect(
                |target| {
                    let mut build = cargo(&["build", "--locked", "--offline", "--quiet"]);
                    run(build.env("CARGO_TARGET_DIR", target))
                        .unwrap_or_else(|error| panic!("{error}"));
                },
            )
        }),
    )?;
    Some(Command::new(target.join("debug").join(program)))
}

/// A script of `node/`, in Node. None without Node, npm or the registry.
pub(crate) fn node(script: &str) -> Option<Command> {
    static NODE: Installation = OnceLock::new();
    if !require(&["node", "--version"], "the clients from npm") {
        return None;
    }
    let directory = available(
        "the clients from npm",
        NODE.get_or_init(|| {
            let directory = installed("node", "package-lock.json", |directory| {
                let mut npm = Command::new("npm");
                npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
                copy("node", "json", directory).map_err(|error| error.to_string())?;
                run(npm.current_dir(directory))
            })?;
            // Node looks for packages beside the script, and the source tree is no place for them.
            copy("node", "mjs", &directory).map_err(|error| error.to_string())?;
            Ok(directory)
        }),
    )?;
    let mut command = Command::new("node");
    command.arg(directory.join(script));
    Some(command)
}

/// A script of `python/`, in Python. None without Python, venv or the registry.
pub(crate) fn python(script: &str) -> Option<Command> {
    static PYTHON: Installation = OnceLock::new();
    if !require(&["python3", "--version"], "the clients from PyPI") {
        return None;
    }
    let directory = available(
        "the clients from PyPI",
        PYTHON.get_or_init(|| {
            installed("python", "requirements.txt", |directory| {
                run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(directory))?;
                let mut pip = Command::new(directory.join("bin/python"));
                pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--requirement"]);
                run(pip.arg(sources("python").join("requirements.txt")))
            })
        }),
    )?;
    let mut command = Command::new(directory.join("bin/python"));
    // No bytecode in the source tree.
    command.arg("-B").arg(sources("python").join(script));
    Some(command)
}

/// Where it was installed. If it was not, says on stderr what is skipped, or fails when
/// `AUTH_TEST_REQUIRE=all`.
fn available<'a>(what: &str, installation: &'a Result<PathBuf, String>) -> Option<&'a Path> {
    match installation {
        Ok(directory) => Some(directory),
        Err(reason) => {
            let everything = std::env::var("AUTH_TEST_REQUIRE").is_ok_and(|value| value == "all");
            assert!(!everything, "{what} cannot be installed: {reason}");
            // Not by `eprintln!`, which shows nothing of a test that passes.
            let _ = writeln!(
                io::stderr(),
                "skipped: {what}, because they cannot be installed: {reason}"
            );
            None
        }
    }
}

/// Installs what the lock file of `name` pins, once for each of its versions.
fn installed(
    name: &str,
    lock_file: &str,
    install: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients");
    let directory = all.join(name);
    let told = |error: io::Error| format!("{}: {error}", directory.display());
    fs::create_dir_all(&all).map_err(told)?;
    // Held until it is dropped: two test runs share the directory.
    let turn = File::create(all.join(format!("{name}.lock"))).map_err(told)?;
    turn.lock().map_err(told)?;
    let wanted = fs::read(sources(name).join(lock_file)).map_err(told)?;
    let stamp = all.join(format!("{name}.installed"));
    if fs::read(&stamp).ok().as_ref() != Some(&wanted) {
        fs::create_dir_all(&directory).map_err(told)?;
        install(&directory)?;
        fs::write(&stamp, &wanted).map_err(told)?;
    }
    Ok(directory)
}

/// Copies the files of `name` that end in `extension`, where they differ.
fn copy(name: &str, extension: &str, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(sources(name))? {
        let path = entry?.path();
        if let Some(file) =
            path.file_name().filter(|_| path.extension() == Some(OsStr::new(extension)))
        {
            let (text, copy) = (fs::read(&path)?, to.join(file));
            if fs::read(&copy).ok().as_ref() != Some(&text) {
                fs::write(&copy, text)?;
            }
        }
    }
    Ok(())
}

/// The sources of one language's programs.
fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// Cargo in the workspace of `rust/`.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(sources("rust"));
    command
}

/// Runs a command; an error is the command and what it said.
fn run(command: &mut Command) -> Result<(), String> {
    let done = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    let said = [done.stdout, done.stderr].concat();
    Err(format!("{command:?}: {}\n{}", done.status, String::from_utf8_lossy(&said).trim_end()))
}

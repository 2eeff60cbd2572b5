//! The dependency law: who may depend on whom, and who may name which technology.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::tree;

/// The edges allowed between the workspace's crates: of the program, and of its tests.
/// Adapters never see each other, and nothing of the product sees the testkit.
const EDGES: [(&str, &[&str], &[&str]); 8] = [
    ("auth-core", &[], &["auth-testkit"]),
    ("auth-demo-app", &[], &[]),
    ("auth-http-actix", &["auth-core"], &["auth-testkit"]),
    ("auth-password-argon2", &["auth-core"], &["auth-testkit"]),
    (
        "auth-server",
        &[
            "auth-core",
            "auth-demo-app",
            "auth-http-actix",
            "auth-password-argon2",
            "auth-store-diesel",
        ],
        &[],
    ),
    ("auth-store-diesel", &["auth-core"], &["auth-testkit"]),
    ("auth-testkit", &["auth-core"], &[]),
    ("xtask", &[], &[]),
];

/// A technology is one adapter's secret: who may name it, in any kind of dependency.
const TECHNOLOGIES: [(&str, &[&str]); 11] = [
    ("actix-cors", &["auth-http-actix"]),
    ("actix-web", &["auth-demo-app", "auth-http-actix", "auth-server"]),
    ("argon2", &["auth-password-argon2"]),
    ("diesel", &["auth-store-diesel"]),
    ("diesel_migrations", &["auth-store-diesel"]),
    ("libsqlite3-sys", &["auth-store-diesel"]),
    ("openssl-sys", &["auth-store-diesel"]),
    ("pq-sys", &["auth-store-diesel"]),
    ("r2d2", &["auth-store-diesel"]),
    ("tera", &["auth-demo-app", "auth-http-actix"]),
    ("ureq", &["auth-demo-app"]),
];

/// Technologies that any crate's tests may use as well.
const FREE_IN_TESTS: [&str; 1] = ["ureq"];

/// Everything that the core is made of. No I/O, no runtime, no serialization among it.
/// The first line is what it asks for itself, the rest is what those are made of.
#[rustfmt::skip]
const CORE: [&str; 23] = [
    "base64", "sha2", "subtle", "time", "zeroize",
    // sha2; libc on other processors than x86
    "block-buffer", "cfg-if", "const-oid", "cpufeatures", "crypto-common", "digest",
    "hybrid-array", "libc", "typenum",
    // time
    "deranged", "num-conv", "powerfmt", "time-core",
    // zeroize's derive, at compile time only
    "proc-macro2", "quote", "syn", "unicode-ident", "zeroize_derive",
];

/// What never ends up in the program.
const TEST_ONLY: [&str; 7] =
    ["auth-testkit", "insta", "mockall", "proptest", "rstest", "scraper", "tempfile"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Absent: normal; else `dev` or `build`.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

/// The workspace's own packages.
static MEMBERS: LazyLock<Vec<Package>> = LazyLock::new(|| {
    let text = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    serde_json::from_str::<Metadata>(&text).unwrap().packages
});

/// What cargo answers, from what is already on this machine.
fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    let output = command.args(arguments).arg("--offline").current_dir(tree::root()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whether the workspace has a package of that name with a program in it.
pub(super) fn has_binary(package: &str) -> bool {
    let is_binary = |target: &Target| target.kind.iter().any(|kind| kind == "bin");
    MEMBERS.iter().any(|member| member.name == package && member.targets.iter().any(is_binary))
}

/// The names of everything that is compiled to build the package alone, and not to test it.
fn closure(package: &str) -> BTreeSet<String> {
    let tree =
        cargo(&["tree", "--package", package, "--edges", "normal,build", "--prefix", "none"]);
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != package).map(String::from).collect()
}

#[test]
fn crates_depend_only_along_the_allowed_edges() {
    let names: BTreeSet<&str> = MEMBERS.iter().map(|member| member.name.as_str()).collect();
    let known: BTreeSet<&str> = EDGES.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, known, "the crates of the workspace and those that the law knows");
    for member in &*MEMBERS {
        let (_, normal, dev) = EDGES.iter().find(|(name, ..)| *name == member.name).unwrap();
        for dependency in member.dependencies.iter().filter(|d| names.contains(d.name.as_str())) {
            let allowed: &[&str] = match dependency.kind.as_deref() {
                None => normal,
                Some("dev") => dev,
                Some(_) => &[],
            };
            let (from, to) = (&member.name, &dependency.name);
            let kind = dependency.kind.as_deref().unwrap_or("normal");
            assert!(allowed.contains(&to.as_str()), "{from} -> {to} ({kind}) is not allowed");
        }
    }
}

#[test]
fn only_the_right_crate_names_a_technology() {
    for member in &*MEMBERS {
        for dependency in &member.dependencies {
            let is_dev = dependency.kind.as_deref() == Some("dev");
            let entry = TECHNOLOGIES.iter().find(|(name, _)| *name == dependency.name);
            if let Some((technology, owners)) = entry {
                let is_free = is_dev && FREE_IN_TESTS.contains(technology);
                assert!(
                    is_free || owners.contains(&member.name.as_str()),
                    "{} names {technology}, which belongs to {owners:?}",
                    member.name
                );
            }
        }
    }
}

#[test]
fn the_core_is_made_of_what_is_listed_and_nothing_else() {
    let core = closure("auth-core");
    assert!(core.contains("sha2"), "the closure is not the core's");
    let strangers: Vec<_> = core.iter().filter(|name| !CORE.contains(&name.as_str())).collect();
    assert!(strangers.is_empty(), "in the core, but not in the list: {strangers:?}");
}

#[test]
fn nothing_for_tests_is_in_the_program() {
    let program = closure("auth-server");
    assert!(program.contains("auth-core"), "the closure is not the program's");
    let found: Vec<_> = TEST_ONLY.iter().filter(|name| program.contains(*name as &str)).collect();
    assert!(found.is_empty(), "{found:?}");
}

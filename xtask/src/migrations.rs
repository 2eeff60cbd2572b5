//! Released migrations never change: somebody's database was made by them.
//!
//! `migrations/checksums.toml` holds the SHA-256 of every file of every released migration. What is not in
//! it is unreleased and may still be edited.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::tree;

const CHECKSUMS: &str = "checksums.toml";
const HEADER: &str = "\
# SHA-256 of every file of every released migration: such a file never changes again.
# `cargo xtask migrations --freeze` adds the migrations that are about to be released.
";

/// Path below `migrations/` to lower-case hexadecimal SHA-256.
type Checksums = BTreeMap<String, String>;

/// Fails with every released file that is missing or changed, and with every unreleased migration that
/// would run before a released one.
pub(crate) fn check(directory: &Path) -> Result<()> {
    let problems = problems(&frozen(directory)?, &present(directory)?);
    if problems.is_empty() {
        return Ok(());
    }
    bail!("released migrations never change:\n  {}", problems.join("\n  "));
}

/// Adds every migration to the frozen ones; refuses if a frozen one has changed.
pub(crate) fn freeze(directory: &Path) -> Result<()> {
    check(directory)?;
    let mut text = String::from(HEADER);
    for (path, checksum) in present(directory)? {
        text.push_str(&format!("\"{path}\" = \"{checksum}\"\n"));
    }
    let path = directory.join(CHECKSUMS);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn problems(frozen: &Checksums, present: &Checksums) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, checksum) in frozen {
        match present.get(path) {
            None => problems.push(format!("{path} is gone")),
            Some(now) if now != checksum => problems.push(format!("{path} was edited")),
            Some(_) => {}
        }
    }
    for path in present.keys().filter(|path| !frozen.contains_key(*path)) {
        // `sqlite/0002_name/up.sql`: within one backend, migrations run in the order of their names.
        let backend = path.split('/').next().unwrap_or_default();
        let last = frozen.keys().rfind(|path| path.split('/').next() == Some(backend));
        if last.is_some_and(|last| path < last) {
            problems.push(format!("{path} is new, but would run before a released one"));
        }
    }
    problems
}

fn frozen(directory: &Path) -> Result<Checksums> {
    let path = directory.join(CHECKSUMS);
    if !path.exists() {
        return Ok(Checksums::new());
    }
    toml::from_str(&tree::read(&path)?).with_context(|| format!("cannot read {}", path.display()))
}

fn present(directory: &Path) -> Result<Checksums> {
    let files = tree::files(directory, "", &["sql"])?;
    Ok(files.into_iter().map(|file| (file.path, sha256(file.text.as_bytes()))).collect())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checksums(entries: &[(&str, &str)]) -> Checksums {
        entries.iter().map(|(path, text)| ((*path).into(), sha256(text.as_bytes()))).collect()
    }

    #[test]
    fn no_released_migration_has_changed() {
        if let Err(error) = check(&tree::root().join("migrations")) {
            panic!("{error:#}");
        }
    }

    #[test]
    fn every_backend_has_the_same_migrations() {
        let present = present(&tree::root().join("migrations")).unwrap();
        let of = |backend: &str| -> Vec<String> {
            present.keys().filter_map(|path| path.strip_prefix(backend).map(Into::into)).collect()
        };
        assert!(!of("sqlite/").is_empty());
        assert_eq!(of("sqlite/"), of("postgres/"));
    }

    #[test]
    fn an_edited_a_deleted_and_an_inserted_migration_are_found() {
        let frozen = checksums(&[("sqlite/0001_a/up.sql", "a"), ("sqlite/0003_c/up.sql", "c")]);
        let present = checksums(&[("sqlite/0002_b/up.sql", "b"), ("sqlite/0003_c/up.sql", "C")]);
        assert_eq!(
            problems(&frozen, &present),
            [
                "sqlite/0001_a/up.sql is gone",
                "sqlite/0003_c/up.sql was edited",
                "sqlite/0002_b/up.sql is new, but would run before a released one",
            ]
        );
    }

    #[test]
    fn a_new_migration_may_follow_the_released_ones() {
        let frozen = checksums(&[("postgres/0001_a/up.sql", "a"), ("sqlite/0001_a/up.sql", "a")]);
        let mut present = frozen.clone();
        present
            .extend(checksums(&[("postgres/0002_b/up.sql", "b"), ("sqlite/0002_b/up.sql", "b")]));
        assert_eq!(problems(&frozen, &present), [] as [&str; 0]);
    }

    #[test]
    fn a_checksum_is_the_sha_256_of_the_bytes() {
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}

//! Finds the names of rules in the workspace's files.
//!
//! It reads lines, not syntax: sources are formatted by rustfmt, so a comment, an attribute and the function
//! below them stand on lines of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use crate::tree::{self, File};

/// Where rules are named. Paths are below the workspace's root.
#[derive(Default)]
pub(super) struct Mentions {
    /// Rule to the files whose code enforces it.
    pub(super) enforced: BTreeMap<String, BTreeSet<String>>,
    /// Rule to file to the tests in it; a script is a test as a whole and has none.
    pub(super) proven: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// `file: rule` for every rule named that is not in the list.
    pub(super) unknown: BTreeSet<String>,
}

/// Scans every crate's sources, tests and scripts, the templates and the migrations.
pub(super) fn workspace(root: &Path, known: &BTreeSet<&str>) -> Result<Mentions> {
    let mut scan = Scan::new(known);
    for file in tree::files(root, "crates", &["rs"])? {
        scan.rust(&file);
    }
    for directory in ["crates/auth-server/tests/clients", "xtask"] {
        for file in tree::files(root, directory, &["py", "mjs"])? {
            scan.script(&file);
        }
    }
    for (directory, extensions) in [("templates", ["html", "css"]), ("migrations", ["sql", "sql"])]
    {
        for file in tree::files(root, directory, &extensions)? {
            let ids = scan.ids(&file.path, &file.text);
            scan.enforce(&file.path, ids);
        }
    }
    Ok(scan.mentions)
}

struct Scan<'a> {
    known: &'a BTreeSet<&'a str>,
    /// What stands before the hyphen in some rule: elsewhere `UTF-16` would be one.
    prefixes: BTreeSet<&'a str>,
    mentions: Mentions,
}

/// The comments and attributes directly above a line of code.
#[derive(Default)]
struct Above {
    ids: BTreeSet<String>,
    is_test: bool,
    is_test_module: bool,
    /// Brackets of an attribute that have been opened and not closed.
    open: usize,
}

impl<'a> Scan<'a> {
    fn new(known: &'a BTreeSet<&'a str>) -> Self {
        let prefixes = known.iter().filter_map(|id| id.split('-').next()).collect();
        Self { known, prefixes, mentions: Mentions::default() }
    }

    fn rust(&mut self, file: &File) {
        let path = file.path.as_str();
        let only_tests = path.contains("/tests/") || path.ends_with("tests.rs");
        // The port contract suite: plain functions that every adapter runs as its tests.
        let is_suite = path.starts_with("crates/auth-testkit/src/contract");
        let mut above = Above::default();
        // Inside a `#[cfg(test)] mod`: the line that ends it.
        let mut module_end: Option<String> = None;
        for line in file.text.lines() {
            let code = line.trim_start();
            let found = self.ids(path, line);
            if above.open > 0 || code.starts_with("#[") || code.starts_with("#![") {
                above.attribute(code);
                above.ids.extend(found);
                continue;
            }
            if code.starts_with("//") {
                above.ids.extend(found);
                continue;
            }
            let is_code = !(only_tests || module_end.is_some());
            let above = std::mem::take(&mut above);
            let function = function_name(code);
            if let Some(name) = function.filter(|_| above.is_test || (is_suite && is_code)) {
                let mut ids = above.ids;
                ids.extend(self.ids_in_name(path, name));
                self.prove(path, name, ids);
            } else if is_code {
                self.enforce(path, above.ids);
            }
            if is_code && let Some((_, comment)) = line.split_once("// ") {
                let ids = self.ids(path, comment);
                self.enforce(path, ids);
            }
            if above.is_test_module && code.starts_with("mod ") && code.ends_with('{') {
                let indentation = &line[..line.len() - code.len()];
                module_end = Some(format!("{indentation}}}"));
            } else if module_end.as_deref() == Some(line) {
                module_end = None;
            }
        }
        if !only_tests && module_end.is_none() {
            self.enforce(path, above.ids);
        }
    }

    fn script(&mut self, file: &File) {
        for id in self.ids(&file.path, &file.text) {
            self.mentions.proven.entry(id).or_default().entry(file.path.clone()).or_default();
        }
    }

    fn enforce(&mut self, path: &str, ids: BTreeSet<String>) {
        for id in ids {
            self.mentions.enforced.entry(id).or_default().insert(path.into());
        }
    }

    fn prove(&mut self, path: &str, test: &str, ids: BTreeSet<String>) {
        for id in ids {
            let files = self.mentions.proven.entry(id).or_default();
            files.entry(path.into()).or_default().insert(test.into());
        }
    }

    /// The rules named in a text as `CODE-05`. One that is not in the list is noted as unknown.
    fn ids(&mut self, path: &str, text: &str) -> BTreeSet<String> {
        let is_part_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let words = text.split(|c| !is_part_of_word(c));
        let ids = words.filter_map(|word| {
            let (prefix, number) = word.split_once('-')?;
            let number = number.get(..2).filter(|_| !continues(&number[2..]))?;
            Some((prefix, number))
        });
        self.listed(path, ids)
    }

    /// The rules named in a function's name as `code_05`.
    fn ids_in_name(&mut self, path: &str, name: &str) -> BTreeSet<String> {
        let words: Vec<String> = name.split('_').map(str::to_uppercase).collect();
        let ids = words.windows(2).map(|pair| (pair[0].as_str(), pair[1].as_str()));
        self.listed(path, ids)
    }

    fn listed<'t>(
        &mut self,
        path: &str,
        ids: impl Iterator<Item = (&'t str, &'t str)>,
    ) -> BTreeSet<String> {
        let mut listed = BTreeSet::new();
        for (prefix, number) in ids {
            let is_number = number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit());
            if !is_number || !self.prefixes.contains(prefix) {
                continue;
            }
            let id = format!("{prefix}-{number}");
            if self.known.contains(id.as_str()) {
                listed.insert(id);
            } else {
                self.mentions.unknown.insert(format!("{path}: {id}"));
            }
        }
        listed
    }
}

/// Whether what follows two digits makes them part of something longer: `XC-051`, `XC-05a`.
fn continues(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

impl Above {
    fn attribute(&mut self, line: &str) {
        self.open += line.matches('[').count();
        self.open = self.open.saturating_sub(line.matches(']').count());
        let name = line.trim_start_matches("#[").split([']', '(']).next().unwrap_or_default();
        self.is_test |= name == "test" || name.ends_with("::test") || name == "rstest";
        self.is_test_module |= line.starts_with("#[cfg(test)]");
    }
}

/// The name of the function that the line begins, if it begins one.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let qualifiers = ["pub", "async", "const", "unsafe", "extern", "\"C\""];
    let is_head = before.split_whitespace().all(|word| {
        let word = word.split('(').next().unwrap_or(word);
        qualifiers.contains(&word)
    });
    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
    (is_head && end > 0).then(|| &after[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["CODE-05", "CODE-06", "CODE-07", "UI-01"];

    fn scan(path: &str, text: &str) -> Mentions {
        let known = BTreeSet::from(KNOWN);
        let mut scan = Scan::new(&known);
        scan.rust(&File { path: path.into(), text: text.into() });
        scan.mentions
    }

    fn proven(mentions: &Mentions) -> Vec<String> {
        let mut all = Vec::new();
        for (id, files) in &mentions.proven {
            all.extend(files.values().flatten().map(|test| format!("{id} {test}")));
        }
        all
    }

    fn enforced(mentions: &Mentions) -> Vec<&str> {
        mentions.enforced.keys().map(String::as_str).collect()
    }

    #[test]
    fn a_test_names_its_rules_above_it_or_in_its_name() {
        let found = scan(
            "crates/a/tests/t.rs",
            "/// CODE-05, CODE-06: once.\n#[actix_web::test]\nasync fn redeemed_once() {}\n\n\
             // UI-01\n#[rstest]\n#[case(\n    \"x\",\n)]\npub(crate) fn pages(#[case] x: &str) {}\n\n\
             #[test]\nfn a_replay_code_07_revokes_nothing() {}\n\n\
             /// UI-01 is no test here.\nfn helps() {}\n",
        );
        assert_eq!(
            proven(&found),
            [
                "CODE-05 redeemed_once",
                "CODE-06 redeemed_once",
                "CODE-07 a_replay_code_07_revokes_nothing",
                "UI-01 pages"
            ]
        );
        assert_eq!(enforced(&found), [] as [&str; 0]);
    }

    #[test]
    fn code_enforces_what_its_comments_name_and_its_unit_tests_do_not_count() {
        let found = scan(
            "crates/a/src/x.rs",
            "//! CODE-05\n\nfn a() {\n    b(); // CODE-06\n}\n\n\
             #[cfg(test)]\nmod tests {\n    // UI-01: helps\n    fn c() {}\n\n    \
             /// CODE-07\n    #[test]\n    fn d() {}\n}\n",
        );
        assert_eq!(enforced(&found), ["CODE-05", "CODE-06"]);
        assert_eq!(proven(&found), ["CODE-07 d"]);
    }

    #[test]
    fn what_follows_the_unit_tests_is_code_again() {
        let found = scan(
            "crates/a/src/x.rs",
            "#[cfg(test)]\nmod tests {\n    fn a() {}\n}\n\n// CODE-05\nfn b() {}\n",
        );
        assert_eq!(enforced(&found), ["CODE-05"]);
    }

    #[test]
    fn the_contract_suite_proves_and_the_memory_store_enforces() {
        let text = "/// CODE-05\npub fn redeemed_once(store: &dyn CodeStore) {}\n";
        assert_eq!(
            proven(&scan("crates/auth-testkit/src/contract.rs", text)),
            ["CODE-05 redeemed_once"]
        );
        assert_eq!(enforced(&scan("crates/auth-testkit/src/memory.rs", text)), ["CODE-05"]);
    }

    #[test]
    fn only_whole_identifiers_of_known_prefixes_are_rules() {
        let found =
            scan("crates/a/src/x.rs", "// UTF-16 XCODE-05 CODE-051 CODE-0 CODE-é CODE-05a\n");
        assert_eq!(enforced(&found), [] as [&str; 0]);
        assert!(found.unknown.is_empty());
    }

    #[test]
    fn a_rule_that_does_not_exist_is_reported_with_its_file() {
        let found = scan("crates/a/src/x.rs", "// CODE-99\n#[test]\nfn ui_77() {}\n");
        let unknown: Vec<&str> = found.unknown.iter().map(String::as_str).collect();
        assert_eq!(unknown, ["crates/a/src/x.rs: CODE-99", "crates/a/src/x.rs: UI-77"]);
    }
}

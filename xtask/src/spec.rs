//! `cargo xtask spec`: which rule is enforced where, and which test proves it.
//!
//! `docs/requirements.toml` lists the rules. A test proves a rule by naming its identifier in its name
//! (`code_05_…`) or in the comment above it; code enforces it by naming it in a comment. From these names
//! `docs/spec-index.md` is written, and the tests here keep it true.

mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::tree;
use scan::Mentions;

const RULES: &str = "docs/requirements.toml";
const INDEX: &str = "docs/spec-index.md";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirements {
    chapter: Vec<Chapter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chapter {
    number: String,
    title: String,
    in_force: bool,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    level: String,
    source: String,
    rule: String,
    later: Option<String>,
}

/// How far a rule is.
enum Status<'a> {
    /// A test names it.
    Proven,
    /// It waits for a feature; the reason, where the whole chapter does not.
    Later(Option<&'a str>),
    /// It is in force and no test names it.
    NotYet,
}

/// Writes the index.
pub(crate) fn write(root: &Path) -> Result<()> {
    let (requirements, mentions) = load(root)?;
    let path = root.join(INDEX);
    fs::write(&path, render(&requirements, &mentions))
        .with_context(|| format!("cannot write {INDEX}"))?;
    refuse_unknown(&mentions)
}

/// Fails if the index is stale or a comment or test names a rule that does not exist.
pub(crate) fn check(root: &Path) -> Result<()> {
    let (requirements, mentions) = load(root)?;
    refuse_unknown(&mentions)?;
    let path = root.join(INDEX);
    if !path.exists() || tree::read(&path)? != render(&requirements, &mentions) {
        bail!("{INDEX} is stale; `cargo xtask spec` writes it anew");
    }
    Ok(())
}

fn load(root: &Path) -> Result<(Requirements, Mentions)> {
    let requirements: Requirements = toml::from_str(&tree::read(&root.join(RULES))?)
        .with_context(|| format!("cannot read {RULES}"))?;
    let mentions = scan::workspace(root, &requirements.ids())?;
    Ok((requirements, mentions))
}

fn refuse_unknown(mentions: &Mentions) -> Result<()> {
    if mentions.unknown.is_empty() {
        return Ok(());
    }
    let unknown: Vec<&str> = mentions.unknown.iter().map(String::as_str).collect();
    bail!("named, but not in {RULES}:\n  {}", unknown.join("\n  "));
}

impl Requirements {
    fn ids(&self) -> BTreeSet<&str> {
        self.rules().map(|(_, rule)| rule.id.as_str()).collect()
    }

    fn rules(&self) -> impl Iterator<Item = (&Chapter, &Rule)> {
        self.chapter
            .iter()
            .flat_map(|chapter| chapter.rules.iter().map(move |rule| (chapter, rule)))
    }
}

impl Rule {
    fn status(&self, chapter: &Chapter, mentions: &Mentions) -> Status<'_> {
        if mentions.proven.contains_key(&self.id) {
            Status::Proven
        } else if let Some(reason) = &self.later {
            Status::Later(Some(reason))
        } else if !chapter.in_force {
            Status::Later(None)
        } else {
            Status::NotYet
        }
    }
}

fn render(requirements: &Requirements, mentions: &Mentions) -> String {
    let mut page = String::from(
        "# Specification index\n\n\
         <!-- Written by `cargo xtask spec`; do not edit. -->\n\n\
         Every rule this server is built to, where the code enforces it, and the tests that prove it. \
         The rules and the short names of their sources are kept in \
         [`requirements.toml`](requirements.toml). A star marks our own policy, stricter than the source. \
         Paths are below `crates/` unless they begin elsewhere.\n\n\
         *Later* waits for a feature that does not exist yet; **not yet** is a rule in force without a test.\n\n\
         | | Chapter | Rules | Proven | Later | Not yet |\n|---|---|--:|--:|--:|--:|\n",
    );
    for chapter in &requirements.chapter {
        let (mut proven, mut later, mut not_yet) = (0, 0, 0);
        for rule in &chapter.rules {
            match rule.status(chapter, mentions) {
                Status::Proven => proven += 1,
                Status::Later(_) => later += 1,
                Status::NotYet => not_yet += 1,
            }
        }
        let (number, title, rules) = (&chapter.number, &chapter.title, chapter.rules.len());
        page.push_str(&format!(
            "| {number} | {title} | {rules} | {proven} | {later} | {not_yet} |\n"
        ));
    }
    for chapter in &requirements.chapter {
        page.push_str(&format!("\n## {}. {}\n\n", chapter.number, chapter.title));
        page.push_str(
            "| Rule | | What it says | Enforced in | Proven by |\n|---|---|---|---|---|\n",
        );
        for rule in &chapter.rules {
            page.push_str(&row(chapter, rule, mentions));
        }
    }
    page
}

fn row(chapter: &Chapter, rule: &Rule, mentions: &Mentions) -> String {
    let enforced = match mentions.enforced.get(&rule.id) {
        Some(files) => files.iter().map(|file| code(file)).collect::<Vec<_>>().join("<br>"),
        None => String::new(),
    };
    let proof = match rule.status(chapter, mentions) {
        Status::Proven => mentions.proven.get(&rule.id).map(proof).unwrap_or_default(),
        Status::Later(Some(reason)) => format!("*later: {reason}*"),
        Status::Later(None) => "*later*".into(),
        Status::NotYet => "**not yet**".into(),
    };
    // In a table a bar ends the cell, also inside a code span; a star would begin emphasis.
    let text = rule.rule.replace('|', "\\|");
    let level = rule.level.replace('*', "\\*");
    format!("| {} | {level} | {text} ({}) | {enforced} | {proof} |\n", rule.id, rule.source)
}

/// `auth-core/tests/flow.rs`: `one_test`, `another_test`
fn proof(files: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut lines = Vec::new();
    for (file, tests) in files {
        let tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
        let colon = if tests.is_empty() { "" } else { ": " };
        lines.push(format!("{}{colon}{}", code(file), tests.join(", ")));
    }
    lines.join("<br>")
}

fn code(path: &str) -> String {
    format!("`{}`", path.strip_prefix("crates/").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded() -> (Requirements, Mentions) {
        load(&tree::root()).unwrap()
    }

    #[test]
    fn the_index_is_current_and_every_rule_named_exists() {
        if let Err(error) = check(&tree::root()) {
            panic!("{error:#}");
        }
    }

    #[test]
    fn every_rule_in_force_is_proven_by_a_test() {
        let (requirements, mentions) = loaded();
        let not_yet: Vec<&str> = requirements
            .rules()
            .filter(|(chapter, rule)| matches!(rule.status(chapter, &mentions), Status::NotYet))
            .map(|(_, rule)| rule.id.as_str())
            .collect();
        assert!(not_yet.is_empty(), "in force, but no test names: {}", not_yet.join(" "));
    }

    #[test]
    fn the_list_of_rules_is_well_formed() {
        let (requirements, _) = loaded();
        let mut seen = BTreeSet::new();
        for (_, rule) in requirements.rules() {
            let id = &rule.id;
            assert!(seen.insert(id), "{id} stands twice");
            let (prefix, number) = id.split_once('-').unwrap_or_default();
            assert!(!prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_uppercase()), "{id}");
            assert!(number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit()), "{id}");
            assert!(["MUST", "MUST*", "SHOULD", "MAY"].contains(&rule.level.as_str()), "{id}");
            assert!(rule.rule.ends_with(['.', ')']) && !rule.rule.contains('\n'), "{id}");
            assert!(!rule.source.is_empty(), "{id}");
            assert!(rule.later.as_ref().is_none_or(|reason| !reason.is_empty()), "{id}");
        }
    }

    #[test]
    fn a_row_tells_where_a_rule_is_enforced_and_what_proves_it() {
        let requirements: Requirements = toml::from_str(
            r#"
            [[chapter]]
            number = "4"
            title = "Code"
            in_force = true
            rules = [
              { id = "CODE-05", level = "MUST*", source = "OA21", rule = "Once | only." },
              { id = "CODE-06", level = "MUST", source = "OA21", rule = "Revoked." },
              { id = "CODE-07", level = "MUST", source = "OA21", rule = "Not.", later = "why" },
            ]"#,
        )
        .unwrap();
        let mut mentions = Mentions::default();
        mentions.enforced.entry("CODE-05".into()).or_default().insert("crates/a/src/x.rs".into());
        let files = mentions.proven.entry("CODE-05".into()).or_default();
        files.entry("crates/a/tests/t.rs".into()).or_default().extend(["b".into(), "a".into()]);
        let page = render(&requirements, &mentions);
        let rows: Vec<&str> = page.lines().rev().take(3).collect();
        assert_eq!(
            rows,
            [
                "| CODE-07 | MUST | Not. (OA21) |  | *later: why* |",
                "| CODE-06 | MUST | Revoked. (OA21) |  | **not yet** |",
                "| CODE-05 | MUST\\* | Once \\| only. (OA21) | `a/src/x.rs` | `a/tests/t.rs`: `a`, `b` |",
            ]
        );
        assert!(page.contains("| 4 | Code | 3 | 1 | 1 | 1 |"));
    }
}

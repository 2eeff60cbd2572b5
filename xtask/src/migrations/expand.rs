//! The last release must be able to run beside the next one, on one database: servers are replaced one
//! after the other, and the first new one migrates. So a migration only adds what the last release does
//! not notice ("expand"). What nobody uses any more is removed by a migration of its own whose name ends
//! in `-contract`, in a later release; it says in `schema_floor` which programs it leaves behind.

use std::collections::BTreeSet;

/// What is wrong with a new migration of this name, given the versions of the released ones.
pub(super) fn problems(name: &str, sql: &str, released: &BTreeSet<String>) -> Vec<String> {
    let statements = statements(sql);
    if !name.ends_with("-contract") {
        let mut expansion = Expansion::default();
        return statements.iter().filter_map(|it| expansion.refuses(it)).collect();
    }
    let floors: Vec<_> = statements.iter().filter_map(|it| floor(it)).collect();
    match floors[..] {
        [floor] if released.contains(floor) => Vec::new(),
        [floor] => vec![format!("no released migration has the version {floor} of its floor")],
        _ => vec![
            "it must raise the floor once: INSERT INTO schema_floor VALUES ('…'), the version that the \
             oldest program which may still run knows"
                .into(),
        ],
    }
}

/// `2026-11-25-000001_initial` to `20261125000001`, as diesel records it.
pub(super) fn version(name: &str) -> String {
    name.split('_').next().unwrap_or_default().replace('-', "")
}

fn floor(statement: &[String]) -> Option<&str> {
    let words: Vec<&str> = statement.iter().map(String::as_str).collect();
    match words[..] {
        ["INSERT", "INTO", "SCHEMA_FLOOR", .., "VALUES", "(", version, ")"] => {
            Some(version.trim_matches('\''))
        }
        _ => None,
    }
}

/// What a migration has added so far: with that it may do as it likes.
#[derive(Default)]
struct Expansion {
    tables: BTreeSet<String>,
    columns: BTreeSet<(String, String)>,
}

impl Expansion {
    /// Why this statement may not stand in an expansion.
    fn refuses(&mut self, statement: &[String]) -> Option<String> {
        let words: Vec<&str> =
            statement.iter().map(String::as_str).filter(|word| !NOISE.contains(word)).collect();
        let has = |phrase: &[&str]| words.windows(phrase.len()).any(|it| it == phrase);
        let ours = |table: &str| self.tables.contains(table);
        let why = match words[..] {
            ["CREATE", "TABLE", table, ..] => {
                let safe =
                    has(&["ON", "DELETE", "CASCADE"]) || has(&["ON", "DELETE", "SET", "NULL"]);
                let holds_on = words
                    .windows(2)
                    .any(|it| it[0] == "REFERENCES" && it[1] != table && !ours(it[1]));
                self.tables.insert(table.into());
                (holds_on && !safe).then_some("it would keep the last release from deleting rows")
            }
            ["CREATE", "INDEX", ..] => None,
            ["CREATE", "UNIQUE", "INDEX", _, "ON", table, ..] => (!ours(table))
                .then_some("the last release may write rows that are not unique in this"),
            ["ALTER", "TABLE", table, "ADD", column, ..] => {
                let narrow = ["UNIQUE", "PRIMARY", "CHECK", "CONSTRAINT"];
                self.columns.insert((table.into(), column.into()));
                if has(&["NOT", "NULL"]) && !has(&["DEFAULT"]) {
                    Some("the last release inserts rows without it: give it a DEFAULT")
                } else if words.iter().any(|word| narrow.contains(word)) {
                    Some("the last release may write rows that do not meet this")
                } else {
                    words.contains(&",").then_some("one change for each ALTER TABLE")
                }
            }
            ["INSERT", "INTO", table, ..] => {
                (!ours(table)).then_some("the last release does not expect these rows")
            }
            ["UPDATE", table, "SET", column, "=", ref values @ ..] => {
                let added = self.columns.contains(&(table.into(), column.into()));
                let alone = !values.iter().take_while(|it| **it != "WHERE").any(|it| *it == ",");
                let may = ours(table) || (added && alone);
                (!may).then_some("it may only fill in a column that it added itself")
            }
            _ => Some("the last release may still need what this changes"),
        };
        why.map(|why| format!("{}: {why}", statement.join(" ")))
    }
}

/// Words that change nothing about what a statement means here.
const NOISE: [&str; 5] = ["IF", "EXISTS", "COLUMN", "CONCURRENTLY", "ONLY"];

/// The statements of a file, as upper-case words and marks; strings stay as they are, comments go.
fn statements(sql: &str) -> Vec<Vec<String>> {
    let mut statements = vec![Vec::new()];
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        let comment = token.starts_with("--") || token.starts_with("/*");
        match token {
            ";" => statements.push(Vec::new()),
            _ if comment || first.is_whitespace() => {}
            _ => {
                let text = match first {
                    '\'' => token.to_owned(),
                    _ => token.trim_matches('"').to_uppercase(),
                };
                statements.last_mut().into_iter().for_each(|it| it.push(text.clone()));
            }
        }
    }
    statements.retain(|it| !it.is_empty());
    statements
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(sql: &str) -> Vec<String> {
        problems("2027-01-02-000001_new", sql, &BTreeSet::new())
    }

    #[test]
    fn what_the_last_release_does_not_notice_is_an_expansion() {
        let sql = "
            -- DROP TABLE grants; /* a comment is no statement */
            CREATE TABLE devices (
                id TEXT NOT NULL PRIMARY KEY,
                grant_id BLOB NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
                parent TEXT REFERENCES devices (id)
            );
            CREATE UNIQUE INDEX devices_by_grant ON devices (grant_id);
            INSERT INTO devices VALUES ('; DROP TABLE grants', NULL, NULL);
            ALTER TABLE grants ADD COLUMN resource TEXT;
            ALTER TABLE grants ADD uses BIGINT NOT NULL DEFAULT 0;
            UPDATE grants SET resource = 'x' WHERE client_id = 'web' AND scope = '';
            CREATE INDEX IF NOT EXISTS grants_by_resource ON grants (resource);";
        assert_eq!(refused(sql), [] as [&str; 0]);
    }

    #[test]
    fn what_would_break_the_last_release_is_refused() {
        for sql in [
            "DROP TABLE codes",
            "DROP INDEX codes_by_expires_at",
            "ALTER TABLE codes DROP COLUMN redirect_uri",
            "alter table codes rename column redirect_uri to target",
            "ALTER TABLE codes RENAME TO old_codes",
            "ALTER TABLE codes ALTER COLUMN created_at TYPE TEXT",
            "ALTER TABLE codes ADD COLUMN kind TEXT NOT NULL",
            "ALTER TABLE codes ADD COLUMN kind TEXT UNIQUE",
            "ALTER TABLE codes ADD COLUMN kind TEXT CHECK (kind <> '')",
            "ALTER TABLE codes ADD CONSTRAINT few CHECK (created_at > 0)",
            "ALTER TABLE codes ADD a TEXT, DROP b",
            "CREATE UNIQUE INDEX one ON codes (grant_id)",
            "CREATE TABLE notes (code BLOB REFERENCES codes (code_digest))",
            "CREATE TRIGGER t BEFORE DELETE ON codes BEGIN SELECT 1; END",
            "INSERT INTO clients VALUES ('x')",
            "INSERT INTO schema_floor VALUES ('20261125000001')",
            "UPDATE codes SET redeemed_at = 0",
            "ALTER TABLE codes ADD a TEXT; UPDATE codes SET a = 'x', scope = 'y' WHERE a IS NULL",
            "DELETE FROM codes",
            "PRAGMA user_version = 2",
        ] {
            assert!(!refused(sql).is_empty(), "{sql}");
        }
    }

    #[test]
    fn a_refusal_names_the_statement_and_the_reason() {
        assert_eq!(
            refused("CREATE INDEX a ON codes (b);\nDROP TABLE codes;"),
            ["DROP TABLE CODES: the last release may still need what this changes"]
        );
    }

    #[test]
    fn a_contraction_says_which_programs_it_leaves_behind() {
        let released = BTreeSet::from([version("2026-11-25-000001_initial")]);
        let check = |sql: &str| problems("2027-01-02-000001_no_kind-contract", sql, &released);
        let drop = "ALTER TABLE codes DROP COLUMN kind;";
        let raise = |floor| format!("{drop} INSERT INTO schema_floor VALUES ('{floor}');");
        assert_eq!(check(&raise("20261125000001")), [] as [&str; 0]);
        assert_eq!(check(drop).len(), 1);
        assert_eq!(
            check(&raise("20270102000001")),
            ["no released migration has the version 20270102000001 of its floor"]
        );
    }
}

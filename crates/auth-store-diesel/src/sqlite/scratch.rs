//! A database for a unit test.

use super::control::{Begin, Commit, Release, Rollback, RollbackTo, Savepoint};
use super::{Connection, migrate, pool};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use std::collections::BTreeSet;
use std::time::Duration;

pub(crate) struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    /// A database with the tables.
    pub(crate) fn new() -> Self {
        let scratch = Self { directory: tempfile::tempdir().unwrap() };
        migrate(&scratch.path()).unwrap();
        scratch
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("auth.db")
    }

    pub(crate) fn connect(&self) -> Connection {
        pool::connect(&self.path(), Duration::from_secs(1)).unwrap()
    }
}

/// Runs transitions as the store does, with every way for them to end.
pub(crate) fn transact(conn: &mut Connection, round: u8, work: impl FnOnce(&mut Connection)) {
    Begin.execute(conn).unwrap();
    Savepoint.execute(conn).unwrap();
    work(conn);
    RollbackTo.execute(conn).unwrap();
    Release.execute(conn).unwrap();
    match round {
        0 => Commit.execute(conn).unwrap(),
        _ => Rollback.execute(conn).unwrap(),
    };
    if round == 2 {
        Begin.execute(conn).unwrap();
        Commit.execute(conn).unwrap();
    }
}

/// Statements that steer transactions and are prepared each time.
pub(crate) const UNPREPARED: [&str; 0] = [];

pub(crate) const fn is_available() -> bool {
    true
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

/// How a statement goes about it.
pub(crate) fn plan(conn: &mut Connection, sql: &str) -> Vec<String> {
    let steps = sql_query(format!("EXPLAIN QUERY PLAN {sql}"));
    steps.load::<Step>(conn).unwrap().into_iter().map(|step| step.detail).collect()
}

/// How much is stored is nothing to a plan.
pub(crate) const fn grow(_: &mut Connection) {}

/// Whether a step of a plan reads every row of a table.
pub(crate) fn reads_a_whole_table(step: &str) -> bool {
    step.starts_with("SCAN ") && !step.ends_with("VALUES CLAUSE")
}

/// How many columns of their key a step of a plan finds codes or tokens by.
pub(crate) fn key_columns(step: &str) -> Option<usize> {
    let of_ours = step.starts_with("SEARCH tokens ") || step.starts_with("SEARCH codes ");
    let (_, key) = step.split_once(" USING PRIMARY KEY ").filter(|_| of_ours)?;
    Some(key.matches("=?").count())
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

/// Everything that the catalogue knows, in the same words for every backend.
pub(crate) fn catalogue(conn: &mut Connection) -> BTreeSet<String> {
    const QUERIES: [&str; 4] = [
        "SELECT 'column ' || t.name || '.' || c.name || ' '
                || CASE c.type WHEN 'BLOB' THEN 'BYTES' ELSE c.type END
                || CASE c.\"notnull\" WHEN 1 THEN ' NOT NULL' ELSE '' END AS line
         FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'",
        "SELECT 'key of ' || name || ': ' || group_concat(column_name) AS line FROM
             (SELECT t.name, c.name AS column_name
              FROM sqlite_master AS t, pragma_table_info(t.name) AS c
              WHERE t.type = 'table' AND c.pk > 0 ORDER BY t.name, c.pk) GROUP BY name",
        "SELECT CASE origin WHEN 'c' THEN 'index ' || name ELSE 'constraint' END
                || CASE uniq WHEN 1 THEN ' unique' ELSE '' END
                || ' on ' || table_name || ': ' || group_concat(column_name) AS line FROM
             (SELECT t.name AS table_name, i.name, i.\"unique\" AS uniq, i.origin, c.name AS column_name
              FROM sqlite_master AS t, pragma_index_list(t.name) AS i, pragma_index_info(i.name) AS c
              WHERE t.type = 'table' AND i.origin <> 'pk' ORDER BY i.name, c.seqno)
         GROUP BY table_name, name",
        "SELECT 'reference ' || t.name || '.' || f.\"from\" || ' to ' || f.\"table\" || '.' || f.\"to\"
                || ' on delete ' || lower(f.on_delete) AS line
         FROM sqlite_master AS t, pragma_foreign_key_list(t.name) AS f WHERE t.type = 'table'",
    ];
    let lines = |query: &&str| -> Vec<Line> { sql_query(*query).load(conn).unwrap() };
    QUERIES.iter().flat_map(lines).map(|line| line.line).collect()
}

//! A database for a unit test.

use super::{Address, Connection, migrate, pool};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, sql_query};
use std::collections::BTreeSet;

#[path = "../../tests/cluster/mod.rs"]
mod cluster;

pub(crate) use cluster::is_available;

pub(crate) struct Scratch {
    address: Address,
}

impl Scratch {
    /// A database with the tables.
    pub(crate) fn new() -> Self {
        let url = cluster::shared().create_database("template1");
        let scratch = Self { address: Address::parse(&url).unwrap() };
        migrate(&scratch.address).unwrap();
        scratch
    }

    pub(crate) fn connect(&self) -> Connection {
        pool::connect(&self.address).unwrap()
    }
}

/// Runs transitions as the store does, with every way for them to end.
pub(crate) fn transact(conn: &mut Connection, round: u8, work: impl FnOnce(&mut Connection)) {
    let ended = conn.transaction(|conn| {
        work(conn);
        match round {
            0 => Ok(()),
            _ => Err(diesel::result::Error::RollbackTransaction),
        }
    });
    assert_eq!(ended.is_ok(), round == 0);
}

/// Statements that steer transactions: they have no parameters and are not worth preparing.
pub(crate) const UNPREPARED: [&str; 3] = ["BEGIN", "COMMIT", "ROLLBACK"];

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
    detail: String,
}

/// How a statement goes about it, if it can go about it without reading a whole table.
pub(crate) fn plan(conn: &mut Connection, sql: &str) -> Vec<String> {
    let parameters = (1..).take_while(|it| sql.contains(&format!("${it}"))).count();
    let values = vec!["NULL"; parameters].join(", ");
    let values = if parameters > 0 { format!("({values})") } else { values };
    conn.batch_execute(&format!(
        "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; PREPARE it AS {sql}"
    ))
    .unwrap();
    let steps = sql_query(format!("EXPLAIN (COSTS OFF) EXECUTE it{values}")).load::<Step>(conn);
    conn.batch_execute("DEALLOCATE it").unwrap();
    steps.unwrap().into_iter().map(|step| step.detail).collect()
}

/// Stores so many tokens that it matters how they are found.
pub(crate) fn grow(conn: &mut Connection) {
    conn.batch_execute(
        "INSERT INTO grants (id, client_id, scope, audience, created_at)
         SELECT decode(md5(it::text), 'hex'), 'web', '', '', 0 FROM generate_series(1, 1000) AS it;
         INSERT INTO tokens (grant_id, token_digest, kind, ordinal, uses, created_at, expires_at)
         SELECT id, sha256(id || it::text::bytea), 'refresh', 0, 0, 0, 0
         FROM grants, generate_series(1, 20) AS it;
         ANALYZE",
    )
    .unwrap();
}

/// Whether a step of a plan reads every row of a table.
pub(crate) fn reads_a_whole_table(step: &str) -> bool {
    step.contains("Seq Scan on")
}

/// How many columns of their key a step of a plan finds codes or tokens by.
pub(crate) fn key_columns(step: &str) -> Option<usize> {
    let (_, condition) = step.split_once("Index Cond: ")?;
    let digest = condition.contains("token_digest = ") || condition.contains("code_digest = ");
    condition.contains("grant_id = ").then_some(1 + usize::from(digest))
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

/// Everything that the catalogue knows, in the same words for every backend.
pub(crate) fn catalogue(conn: &mut Connection) -> BTreeSet<String> {
    const QUERIES: [&str; 4] = [
        "SELECT 'column ' || table_name || '.' || column_name || ' '
                || CASE data_type WHEN 'bytea' THEN 'BYTES' ELSE upper(data_type) END
                || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END AS line
         FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT 'key of ' || t.relname || ': ' || string_agg(a.attname, ',' ORDER BY k.position) AS line
         FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid,
              unnest(x.indkey) WITH ORDINALITY AS k (attnum, position),
              pg_attribute AS a
         WHERE x.indisprimary AND a.attrelid = t.oid AND a.attnum = k.attnum
           AND t.relnamespace = 'public'::regnamespace
         GROUP BY t.relname",
        "SELECT CASE WHEN u.oid IS NULL THEN 'index ' || i.relname ELSE 'constraint' END
                || CASE WHEN x.indisunique THEN ' unique' ELSE '' END
                || ' on ' || t.relname || ': ' || string_agg(a.attname, ',' ORDER BY k.position) AS line
         FROM pg_index AS x JOIN pg_class AS t ON t.oid = x.indrelid
              JOIN pg_class AS i ON i.oid = x.indexrelid
              LEFT JOIN pg_constraint AS u ON u.conindid = i.oid AND u.contype = 'u',
              unnest(x.indkey) WITH ORDINALITY AS k (attnum, position),
              pg_attribute AS a
         WHERE NOT x.indisprimary AND a.attrelid = t.oid AND a.attnum = k.attnum
           AND t.relnamespace = 'public'::regnamespace
         GROUP BY u.oid, i.relname, x.indisunique, t.relname",
        "SELECT 'reference ' || t.relname || '.' || a.attname || ' to ' || o.relname || '.' || b.attname
                || ' on delete ' || CASE f.confdeltype WHEN 'a' THEN 'no action' ELSE 'cascade' END
                AS line
         FROM pg_constraint AS f JOIN pg_class AS t ON t.oid = f.conrelid
              JOIN pg_class AS o ON o.oid = f.confrelid,
              pg_attribute AS a, pg_attribute AS b
         WHERE f.contype = 'f' AND a.attrelid = t.oid AND a.attnum = f.conkey[1]
           AND b.attrelid = o.oid AND b.attnum = f.confkey[1]
           AND t.relnamespace = 'public'::regnamespace",
    ];
    let lines = |query: &&str| -> Vec<Line> { sql_query(*query).load(conn).unwrap() };
    QUERIES.iter().flat_map(lines).map(|line| line.line).collect()
}

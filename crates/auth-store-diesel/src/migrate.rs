//! The schema: which migrations there are, which were run, and running the rest.

use crate::Connection;
use crate::open::{self, OpenError};
use crate::schema::__diesel_schema_migrations as applied;
use diesel::migration::{Migration, MigrationSource as _};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};
use std::collections::BTreeSet;

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// The names of the migrations that the database at `url` still needs, in the order in which they
/// will run. Changes nothing; of a database that does not exist yet, that is all of them.
///
/// # Errors
/// See [`OpenError`].
pub fn pending_migrations(url: &str) -> Result<Vec<String>, OpenError> {
    match open::existing(url)? {
        None => names(&[]),
        Some(mut conn) => pending(&mut conn),
    }
}

/// Creates the database at `url` if need be, runs the migrations that it still needs, and answers their
/// names. Several processes may do so at once: one runs them, the others find them done.
///
/// # Errors
/// See [`OpenError`].
pub fn migrate(url: &str) -> Result<Vec<String>, OpenError> {
    let mut conn = open::create(url)?;
    run(&mut conn)
}

pub(crate) fn run(conn: &mut Connection) -> Result<Vec<String>, OpenError> {
    if pending(conn)?.is_empty() {
        return Ok(Vec::new());
    }
    conn.immediate_transaction(|conn| {
        let pending = pending(conn)?;
        conn.run_pending_migrations(MIGRATIONS)
            .map_err(|error| OpenError::Migration(error.to_string()))?;
        Ok(pending)
    })
}

/// The migrations that were not run yet. A database that ran one that this program does not know was
/// made by a newer program.
pub(crate) fn pending(conn: &mut Connection) -> Result<Vec<String>, OpenError> {
    let applied = applied(conn).map_err(OpenError::from)?;
    let known: BTreeSet<_> = versions()?.into_iter().collect();
    if let Some(version) = applied.iter().find(|version| !known.contains(*version)) {
        return Err(OpenError::NewerSchema(version.clone()));
    }
    names(&applied)
}

/// The newest migration that this program knows.
pub(crate) fn newest() -> Result<String, OpenError> {
    let newest = versions()?.into_iter().max();
    newest.ok_or_else(|| OpenError::Migration("this program has no migrations".into()))
}

/// Whether this migration was run.
pub(crate) fn is_applied(conn: &mut Connection, version: &str) -> QueryResult<bool> {
    let found = applied::table.find(version).select(applied::version);
    Ok(found.get_result::<String>(conn).optional()?.is_some())
}

fn applied(conn: &mut Connection) -> QueryResult<Vec<String>> {
    // Asking a new database for its versions must not create the table that keeps them.
    let exists: i64 = diesel::sql_query(
        "SELECT COUNT(*) AS count FROM sqlite_master WHERE name = '__diesel_schema_migrations'",
    )
    .get_result::<Count>(conn)?
    .count;
    match exists {
        0 => Ok(Vec::new()),
        _ => applied::table.select(applied::version).load(conn),
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

fn versions() -> Result<Vec<String>, OpenError> {
    let migrations = migrations()?;
    let versions = migrations.iter().map(|it| it.name().version().to_string());
    Ok(versions.collect())
}

/// The names of all migrations but these versions.
fn names(without: &[String]) -> Result<Vec<String>, OpenError> {
    let mut names: Vec<_> = migrations()?
        .iter()
        .filter(|migration| !without.contains(&migration.name().version().to_string()))
        .map(|migration| migration.name().to_string())
        .collect();
    names.sort();
    Ok(names)
}

fn migrations() -> Result<Vec<Box<dyn Migration<Sqlite>>>, OpenError> {
    MIGRATIONS.migrations().map_err(|error| OpenError::Migration(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::sql_query;
    use diesel::sql_types::Text;

    #[derive(QueryableByName)]
    struct Object {
        #[diesel(sql_type = Text)]
        text: String,
    }

    fn catalogue(conn: &mut Connection) -> Vec<String> {
        let query = "SELECT COALESCE(sql, name) AS text FROM sqlite_master ORDER BY name";
        let objects: Vec<Object> = sql_query(query).load(conn).unwrap();
        objects.into_iter().map(|object| object.text).collect()
    }

    #[test]
    fn up_down_and_up_again_gives_the_same_catalogue() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/auth.db", directory.path().display());
        let mut conn = open::create(&url).unwrap();
        let migrations = run(&mut conn).unwrap();
        let up = catalogue(&mut conn);
        conn.revert_all_migrations(MIGRATIONS).unwrap();
        let down = catalogue(&mut conn);
        let of_diesel = |text: &String| text.contains("__diesel_schema_migrations");
        assert!(down.iter().all(of_diesel), "{down:?}");
        assert_eq!(run(&mut conn).unwrap(), migrations);
        assert_eq!(catalogue(&mut conn), up);
        assert!(up.len() > down.len() + 20, "{} objects", up.len());
    }
}

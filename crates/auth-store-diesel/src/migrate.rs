//! The schema: which migrations there are, which were run, and running the rest.
//!
//! A database may have run migrations that this program does not know: servers are replaced one after
//! the other, and the first new one migrates. Such migrations only add, unless they say otherwise in
//! `schema_floor`, whose greatest version is the one that a program must know to use the database.

use crate::Connection;
use crate::open::{self, OpenError};
use crate::schema::{__diesel_schema_migrations as applied, schema_floor};
use diesel::migration::{Migration, MigrationSource as _};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

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

/// The migrations that were not run yet, for a database that this program may use.
pub(crate) fn pending(conn: &mut Connection) -> Result<Vec<String>, OpenError> {
    let applied = applied(conn)?;
    if applied.is_empty() {
        return names(&[]);
    }
    let floor = floor(conn)?;
    if floor > newest()? {
        return Err(OpenError::NewerSchema(floor));
    }
    let pending = names(&applied)?;
    let known = versions()?;
    match applied.into_iter().filter(|version| !known.contains(version)).max() {
        // No release has led there, and what is missing may not fit on top of what is not known.
        Some(unknown) if !pending.is_empty() => Err(OpenError::NewerSchema(unknown)),
        _ => Ok(pending),
    }
}

/// The newest migration that this program knows.
pub(crate) fn newest() -> Result<String, OpenError> {
    let newest = versions()?.into_iter().max();
    newest.ok_or_else(|| OpenError::Migration("this program has no migrations".into()))
}

/// Whether a program that knows no newer migration than this has all that it needs.
pub(crate) fn is_usable(conn: &mut Connection, newest: &str) -> QueryResult<bool> {
    let found = applied::table.find(newest).select(applied::version);
    let is_applied = found.get_result::<String>(conn).optional()?.is_some();
    Ok(is_applied && floor(conn)?.as_str() <= newest)
}

fn floor(conn: &mut Connection) -> QueryResult<String> {
    let greatest = schema_floor::table.order(schema_floor::version.desc());
    greatest.select(schema_floor::version).first(conn)
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

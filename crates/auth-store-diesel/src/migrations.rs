//! The schema of one backend: which migrations there are, which were run, and running the rest.
//!
//! A database may have run migrations that this program does not know: servers are replaced one after
//! the other, and the first new one migrates. Such migrations only add, unless they say otherwise in
//! `schema_floor`, whose greatest version is the one that a program must know to use the database.

use super::{Connection, MIGRATIONS, has_versions};
use crate::open::OpenError;
use crate::schema::{__diesel_schema_migrations as applied, schema_floor};
use diesel::migration::{Migration, MigrationSource as _};
use diesel::prelude::*;
use diesel_migrations::MigrationHarness as _;

type Backend = <Connection as diesel::Connection>::Backend;

/// Runs what is pending in the transaction that the caller began, and answers the names. The caller
/// also sees to it that nobody else does the same meanwhile.
pub(super) fn run(conn: &mut Connection) -> Result<Vec<String>, OpenError> {
    let pending = pending(conn)?;
    conn.run_pending_migrations(MIGRATIONS)
        .map_err(|error| OpenError::Migration(error.to_string()))?;
    Ok(pending)
}

/// The migrations that were not run yet, for a database that this program may use.
pub(super) fn pending(conn: &mut Connection) -> Result<Vec<String>, OpenError> {
    // Asking a new database for its versions must not create the table that keeps them.
    let applied: Vec<String> = match has_versions(conn)? {
        false => Vec::new(),
        true => applied::table.select(applied::version).load(conn)?,
    };
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
pub(super) fn newest() -> Result<String, OpenError> {
    let newest = versions()?.into_iter().max();
    newest.ok_or_else(|| OpenError::Migration("this program has no migrations".into()))
}

/// Whether a program that knows no newer migration than this has all that it needs.
pub(super) fn is_usable(conn: &mut Connection, newest: &str) -> QueryResult<bool> {
    let found = applied::table.find(newest).select(applied::version);
    let is_applied = found.get_result::<String>(conn).optional()?.is_some();
    Ok(is_applied && floor(conn)?.as_str() <= newest)
}

fn floor(conn: &mut Connection) -> QueryResult<String> {
    let greatest = schema_floor::table.order(schema_floor::version.desc());
    greatest.select(schema_floor::version).first(conn)
}

fn versions() -> Result<Vec<String>, OpenError> {
    let migrations = migrations()?;
    let versions = migrations.iter().map(|it| it.name().version().to_string());
    Ok(versions.collect())
}

/// The names of all migrations but these versions.
pub(super) fn names(without: &[String]) -> Result<Vec<String>, OpenError> {
    let mut names: Vec<_> = migrations()?
        .iter()
        .filter(|migration| !without.contains(&migration.name().version().to_string()))
        .map(|migration| migration.name().to_string())
        .collect();
    names.sort();
    Ok(names)
}

fn migrations() -> Result<Vec<Box<dyn Migration<Backend>>>, OpenError> {
    MIGRATIONS.migrations().map_err(|error| OpenError::Migration(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::scratch::{Scratch, catalogue, is_available};
    use super::*;
    use crate::schema::*;
    use diesel::debug_query;
    use diesel::query_builder::QueryFragment;
    use std::collections::BTreeSet;

    #[test]
    fn up_down_and_up_again_gives_the_same_catalogue() {
        if !is_available() {
            return;
        }
        let scratch = Scratch::new();
        let mut conn = scratch.connect();
        let up = catalogue(&mut conn);
        conn.revert_all_migrations(MIGRATIONS).unwrap();
        let down = catalogue(&mut conn);
        let of_diesel = |line: &String| line.contains("__diesel_schema_migrations");
        assert!(down.iter().all(of_diesel), "{down:?}");
        assert_eq!(run(&mut conn).unwrap(), names(&[]).unwrap());
        assert_eq!(catalogue(&mut conn), up);
        assert!(up.len() > down.len() + 80, "{} lines", up.len());
    }

    #[test]
    fn the_declared_tables_are_those_of_the_migrations() {
        if !is_available() {
            return;
        }
        let declared = [
            declared::<__diesel_schema_migrations::table>(),
            declared::<client_redirect_uris::table>(),
            declared::<client_secrets::table>(),
            declared::<clients::table>(),
            declared::<codes::table>(),
            declared::<consents::table>(),
            declared::<grants::table>(),
            declared::<owners::table>(),
            declared::<pending_authorizations::table>(),
            declared::<schema_floor::table>(),
            declared::<sessions::table>(),
            declared::<tokens::table>(),
        ];
        let catalogue = catalogue(&mut Scratch::new().connect());
        let columns = catalogue.iter().filter_map(|line| line.strip_prefix("column "));
        let stored: BTreeSet<_> =
            columns.filter_map(|it| it.split(' ').next()).map(str::to_owned).collect();
        assert_eq!(declared.concat().into_iter().collect::<BTreeSet<_>>(), stored);
    }

    /// `table.column` of every column that diesel selects from a table.
    fn declared<T>() -> Vec<String>
    where
        T: Table + Default,
        T::Query: QueryFragment<Backend>,
    {
        let text = debug_query::<Backend, _>(&T::default().as_query()).to_string();
        let columns = text.trim_start_matches("SELECT ").split(" FROM ").next().unwrap_or_default();
        columns.replace(['`', '"'], "").split(", ").map(str::to_owned).collect()
    }
}

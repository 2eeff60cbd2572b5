//! What this crate believes of the tables is what the migrations made.

use crate::failure::TEXT_COLUMNS;
use crate::migrate::migrate;
use crate::schema::*;
use crate::url::sqlite_file;
use crate::{Connection, pool};
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sqlite::Sqlite;
use diesel::{debug_query, sql_query};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    table_name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    column_name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    column_type: String,
}

fn catalogue() -> Vec<Column> {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/auth.db", directory.path().display());
    migrate(&url).unwrap();
    let mut conn: Connection =
        pool::connect(&sqlite_file(&url).unwrap(), Duration::from_secs(1)).unwrap();
    sql_query(
        "SELECT tables.name AS table_name, columns.name AS column_name,
                columns.type AS column_type
         FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'
         ORDER BY tables.name, columns.cid",
    )
    .load(&mut conn)
    .unwrap()
}

/// `table.column` of every column that diesel selects from a table.
fn declared<T>() -> Vec<String>
where
    T: Table + Default,
    T::Query: QueryFragment<Sqlite>,
{
    let text = debug_query::<Sqlite, _>(&T::default().as_query()).to_string();
    let columns = text.trim_start_matches("SELECT ").split(" FROM ").next().unwrap_or_default();
    columns.replace('`', "").split(", ").map(str::to_owned).collect()
}

#[test]
fn the_declared_tables_are_those_of_the_migrations() {
    let declared = [
        declared::<__diesel_schema_migrations::table>(),
        declared::<access_tokens::table>(),
        declared::<client_redirect_uris::table>(),
        declared::<client_secrets::table>(),
        declared::<clients::table>(),
        declared::<codes::table>(),
        declared::<consents::table>(),
        declared::<grants::table>(),
        declared::<owners::table>(),
        declared::<pending_authorizations::table>(),
        declared::<refresh_tokens::table>(),
        declared::<schema_floor::table>(),
        declared::<sessions::table>(),
    ];
    let stored: Vec<_> = catalogue()
        .into_iter()
        .map(|column| format!("{}.{}", column.table_name, column.column_name))
        .collect();
    assert_eq!(declared.concat(), stored);
}

#[test]
fn our_tables_have_three_types() {
    let ours = |column: &Column| column.table_name != "__diesel_schema_migrations";
    let types: BTreeSet<_> =
        catalogue().into_iter().filter(ours).map(|column| column.column_type).collect();
    assert_eq!(Vec::from_iter(types), ["BIGINT", "BLOB", "TEXT"]);
}

#[test]
fn every_text_column_can_be_named_in_an_error() {
    let text: BTreeSet<_> = catalogue()
        .into_iter()
        .filter(|column| column.table_name != "__diesel_schema_migrations")
        .filter(|column| column.column_type == "TEXT")
        .map(|column| column.column_name)
        .collect();
    assert_eq!(Vec::from_iter(text), TEXT_COLUMNS);
}

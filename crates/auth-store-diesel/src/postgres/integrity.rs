//! Looking for damage.

use super::Connection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};

/// A column that refers to another table's key.
#[derive(QueryableByName)]
struct Reference {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = Text)]
    key: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A constraint keeps references whole, unless somebody switched it off or a disk lied.
pub(super) fn problems(conn: &mut Connection) -> QueryResult<Vec<String>> {
    let references: Vec<Reference> = sql_query(
        "SELECT child.relname::text AS table_name, a.attname::text AS column_name,
                parent.relname::text AS parent, b.attname::text AS key
         FROM pg_constraint AS c JOIN pg_class AS child ON child.oid = c.conrelid
              JOIN pg_class AS parent ON parent.oid = c.confrelid
              JOIN pg_attribute AS a ON a.attrelid = child.oid AND a.attnum = c.conkey[1]
              JOIN pg_attribute AS b ON b.attrelid = parent.oid AND b.attnum = c.confkey[1]
         WHERE c.contype = 'f' AND pg_table_is_visible(child.oid)
         ORDER BY child.relname, parent.relname",
    )
    .load(conn)?;
    let mut problems = Vec::new();
    for Reference { table_name, column_name, parent, key } in references {
        let dangling = sql_query(format!(
            "SELECT count(*) AS count FROM \"{table_name}\" AS child WHERE child.\"{column_name}\" IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM \"{parent}\" AS parent
                             WHERE parent.\"{key}\" = child.\"{column_name}\")"
        ));
        let count = dangling.get_result::<Count>(conn)?.count;
        let problem =
            format!("a row of {table_name} refers to a row of {parent} that is not there");
        problems.extend((0..count).map(|_| problem.clone()));
    }
    Ok(problems)
}

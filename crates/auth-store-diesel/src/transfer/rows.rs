//! Rows on their way out of one backend's database, and into it. Compiled once for each backend.

use super::{BYTE_ORDER, Connection, LoadingMode};
use crate::failure::hex;
use crate::transfer::file::{Reader, Row, Writer};
use crate::transfer::tables::{GRANT_IN_USE, Storage, TABLES, Table, Value};
use crate::transfer::{Counts, TransferError};
use auth_core::timestamp::Timestamp;
use diesel::Connection as _;
use diesel::deserialize::{self, QueryableByName};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::{DatabaseErrorKind, Error};
use diesel::row::{Field as _, NamedRow};
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use std::io::Write;

type Backend = <Connection as diesel::Connection>::Backend;

/// The most rows of one `INSERT`, and the bytes of the file after which it waits for no more.
const BATCH: usize = 128;
const BATCH_BYTES: usize = 1 << 20;

/// Writes every row, in a transaction that sees one moment. `schema` is the newest migration.
pub(crate) fn dump(
    conn: &mut Connection,
    schema: &str,
    at: Timestamp,
    out: &mut dyn Write,
) -> Result<Counts, TransferError> {
    let mut file = Writer::begin(out, schema, at)?;
    for (index, table) in TABLES.iter().enumerate() {
        let rows = sql_query(select(table)).load_iter::<Values, LoadingMode>(conn)?;
        for row in rows {
            file.row(index, &row?.0)?;
        }
    }
    file.finish()
}

/// Everything in a table, in the order of the bytes of its key. Each column is named for how it is kept.
fn select(table: &Table) -> String {
    let columns = table.columns.iter().map(|column| match column.kind.storage() {
        Storage::Text => format!("{} AS t", column.name),
        Storage::Bytes => format!("{} AS b", column.name),
        Storage::Integer => format!("{} AS i", column.name),
    });
    let key = table.columns[..table.key].iter().map(|column| match column.kind.storage() {
        Storage::Text => format!("{}.{}{BYTE_ORDER}", table.name, column.name),
        _ => format!("{}.{}", table.name, column.name),
    });
    let condition = match table.name {
        "grants" => format!(" WHERE {GRANT_IN_USE}"),
        _ => String::new(),
    };
    let (columns, key): (Vec<_>, Vec<_>) = (columns.collect(), key.collect());
    format!(
        "SELECT {} FROM {}{condition} ORDER BY {}",
        columns.join(", "),
        table.name,
        key.join(", ")
    )
}

/// The values of a row, whatever its table.
struct Values(Vec<Value>);

impl QueryableByName<Backend> for Values {
    fn build<'a>(row: &impl NamedRow<'a, Backend>) -> deserialize::Result<Self> {
        let value = |index: usize| {
            let field = diesel::row::Row::get(row, index);
            let kind = field.and_then(|field| field.field_name().map(str::to_owned));
            Ok(match kind.as_deref() {
                Some("t") => {
                    let text: Option<String> = row.get_value::<Nullable<Text>, _, _>(index)?;
                    text.map_or(Value::Null, Value::Text)
                }
                Some("b") => {
                    let bytes: Option<Vec<u8>> = row.get_value::<Nullable<Binary>, _, _>(index)?;
                    bytes.map_or(Value::Null, Value::Bytes)
                }
                _ => {
                    let number: Option<i64> = row.get_value::<Nullable<BigInt>, _, _>(index)?;
                    number.map_or(Value::Null, Value::Integer)
                }
            })
        };
        (0..row.field_count()).map(value).collect::<deserialize::Result<_>>().map(Self)
    }
}

/// Inserts every row, in a transaction that the caller began. The database must be empty.
pub(crate) fn load(conn: &mut Connection, file: &mut Reader<'_>) -> Result<Counts, TransferError> {
    for table in &TABLES {
        let first_row = format!(
            "SELECT COUNT(*) AS count FROM (SELECT 1 FROM {} LIMIT 1) AS first_row",
            table.name
        );
        if sql_query(first_row).get_result::<Count>(conn)?.count > 0 {
            return Err(TransferError::NotEmpty(table.name));
        }
    }
    let mut batch: Vec<Row> = Vec::with_capacity(BATCH);
    let mut bytes = 0;
    while let Some(row) = file.row()? {
        let is_full = batch.len() == BATCH || bytes > BATCH_BYTES;
        if is_full || batch.last().is_some_and(|last| last.table != row.table) {
            insert(conn, &batch)?;
            batch.clear();
            bytes = 0;
        }
        bytes += row.bytes;
        batch.push(row);
    }
    insert(conn, &batch)?;
    check(conn, file.counts())?;
    Ok(file.counts().clone())
}

/// Inserts rows of one table. If they cannot all be, the first that cannot is refused.
fn insert(conn: &mut Connection, rows: &[Row]) -> Result<(), TransferError> {
    if rows.is_empty() {
        return Ok(());
    }
    let together = conn.transaction(|conn| Insert { rows }.execute(conn));
    let error = match together {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    if refusal(&error).is_none() {
        return Err(error.into());
    }
    for row in rows {
        Insert { rows: std::slice::from_ref(row) }.execute(conn).map_err(|error| match refusal(
            &error,
        ) {
            Some(problem) => TransferError::Line { line: row.line, problem },
            None => error.into(),
        })?;
    }
    Err(error.into())
}

/// What is wrong with a row, if the row is what is wrong.
fn refusal(error: &Error) -> Option<String> {
    let Error::DatabaseError(kind, information) = error else {
        return None;
    };
    match kind {
        DatabaseErrorKind::UniqueViolation => {
            Some("an earlier line has the same key, or something else that is unique".into())
        }
        DatabaseErrorKind::ForeignKeyViolation => {
            Some("what it belongs to is not on an earlier line".into())
        }
        DatabaseErrorKind::NotNullViolation | DatabaseErrorKind::CheckViolation => {
            Some(format!("the database refuses it: {}", information.message()))
        }
        _ => None,
    }
}

/// What can be told only at the end: every grant has something under it, and every row is there and no other.
fn check(conn: &mut Connection, counts: &Counts) -> Result<(), TransferError> {
    let query = format!("SELECT id FROM grants WHERE NOT ({GRANT_IN_USE}) LIMIT 1");
    if let Some(grant) = sql_query(query).get_result::<Grant>(conn).optional()? {
        return Err(TransferError::EmptyGrant(hex(&grant.id)));
    }
    for (table, expected) in counts.iter() {
        let query = format!("SELECT COUNT(*) AS count FROM {table}");
        let found = sql_query(query).get_result::<Count>(conn)?.count;
        if u64::try_from(found) != Ok(expected) {
            // Somebody works on it at this moment.
            return Err(TransferError::NotEmpty(table));
        }
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Grant {
    #[diesel(sql_type = Binary)]
    id: Vec<u8>,
}

/// Inserts rows of one table. Prepared once for each table and number of rows.
struct Insert<'a> {
    rows: &'a [Row],
}

impl QueryId for Insert<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Backend> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        let Some(first) = self.rows.first() else {
            return Err(Error::QueryBuilderError("an INSERT without rows".into()));
        };
        let table = &TABLES[first.table];
        let columns: Vec<_> = table.columns.iter().map(|column| column.name).collect();
        out.push_sql(&format!("INSERT INTO {} ({}) VALUES ", table.name, columns.join(", ")));
        for (index, row) in self.rows.iter().enumerate() {
            out.push_sql(if index == 0 { "(" } else { ", (" });
            for (index, (column, value)) in table.columns.iter().zip(&row.values).enumerate() {
                if index > 0 {
                    out.push_sql(", ");
                }
                bind(&mut out, column.kind.storage(), value)?;
            }
            out.push_sql(")");
        }
        Ok(())
    }
}

impl RunQueryDsl<Connection> for Insert<'_> {}

fn bind<'b>(
    out: &mut AstPass<'_, 'b, Backend>,
    storage: Storage,
    value: &'b Value,
) -> QueryResult<()> {
    match (value, storage) {
        (Value::Text(text), _) => out.push_bind_param::<Text, _>(text),
        (Value::Bytes(bytes), _) => out.push_bind_param::<Binary, _>(bytes),
        (Value::Integer(number), _) => out.push_bind_param::<BigInt, _>(number),
        (Value::Null, Storage::Text) => {
            out.push_bind_param::<Nullable<Text>, _>(&None::<&'static str>)
        }
        (Value::Null, Storage::Bytes) => {
            out.push_bind_param::<Nullable<Binary>, _>(&None::<&'static [u8]>)
        }
        (Value::Null, Storage::Integer) => out.push_bind_param::<Nullable<BigInt>, _>(&None::<i64>),
    }
}

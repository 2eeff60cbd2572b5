//! The statements that steer the writer's transactions, prepared once like all that run often.

use super::Connection;
use diesel::RunQueryDsl;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sqlite::Sqlite;

macro_rules! control {
    ($($(#[$meta:meta])* $name:ident = $sql:literal;)+) => {$(
        $(#[$meta])*
        #[derive(QueryId)]
        pub(crate) struct $name;

        impl QueryFragment<Sqlite> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                out.push_sql($sql);
                Ok(())
            }
        }

        impl RunQueryDsl<Connection> for $name {}
    )+};
}

control! {
    /// Begins a transaction that may write, and waits for other writers here rather than later.
    Begin = "BEGIN IMMEDIATE";
    Commit = "COMMIT";
    Rollback = "ROLLBACK";
    Savepoint = "SAVEPOINT job";
    Release = "RELEASE SAVEPOINT job";
    RollbackTo = "ROLLBACK TO SAVEPOINT job";
}

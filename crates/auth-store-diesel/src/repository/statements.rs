//! Statements in SQL of their own.
//!
//! diesel prepares an `UPDATE`, an upsert and a boxed query anew each time it runs them. A type that
//! names its own text is prepared once per connection, because the type is the key to the cache.

use super::Backend;
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, HasSqlType, Nullable, Text};

/// The SQL type that a parameter is bound as.
pub(super) trait Parameter {
    type Sql;
}

impl Parameter for i64 {
    type Sql = BigInt;
}

impl Parameter for String {
    type Sql = Text;
}

impl<const N: usize> Parameter for [u8; N] {
    type Sql = Binary;
}

impl Parameter for Vec<u8> {
    type Sql = Binary;
}

impl<T: Parameter> Parameter for Option<T> {
    type Sql = Nullable<T::Sql>;
}

pub(super) fn bind<'b, T>(out: &mut AstPass<'_, 'b, Backend>, value: &'b T) -> QueryResult<()>
where
    T: Parameter + ToSql<T::Sql, Backend>,
    Backend: HasSqlType<T::Sql>,
{
    out.push_bind_param::<T::Sql, T>(value)
}

/// Declares a statement: its name, its parameters, the SQL types of the rows that it answers (if any),
/// and its text, in which a parameter stands as its bare name between pieces of SQL, and a piece that
/// depends on the backend as a path in brackets.
macro_rules! statement {
    (
        $(#[$meta:meta])*
        $visibility:vis $name:ident { $($field:ident: $type:ty),* $(,)? } $(-> $row:ty)?;
        $($part:tt)+
    ) => {
        $(#[$meta])*
        $visibility struct $name {
            $($field: $type),*
        }

        impl diesel::query_builder::QueryId for $name {
            type QueryId = Self;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::QueryFragment<super::Backend> for $name {
            fn walk_ast<'b>(
                &'b self,
                mut out: diesel::query_builder::AstPass<'_, 'b, super::Backend>,
            ) -> diesel::result::QueryResult<()> {
                statement!(@text self, out, $($part)+);
                Ok(())
            }
        }

        impl diesel::RunQueryDsl<super::Connection> for $name {}

        $(impl diesel::query_builder::Query for $name {
            type SqlType = $row;
        })?
    };
    (@text $self:ident, $out:ident,) => {};
    (@text $self:ident, $out:ident, $sql:literal $($rest:tt)*) => {
        $out.push_sql($sql);
        statement!(@text $self, $out, $($rest)*);
    };
    (@text $self:ident, $out:ident, [$sql:path] $($rest:tt)*) => {
        $out.push_sql($sql);
        statement!(@text $self, $out, $($rest)*);
    };
    (@text $self:ident, $out:ident, $field:ident $($rest:tt)*) => {
        super::statements::bind(&mut $out, &$self.$field)?;
        statement!(@text $self, $out, $($rest)*);
    };
}

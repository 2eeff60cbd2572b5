//! Looking for damage.

use crate::Connection;
use crate::open::{self, OpenError};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

/// What is wrong with the database at `url`: damaged pages and indexes, and rows that refer to rows
/// which are not there. Reads the whole file, beside a running server if need be, and changes nothing;
/// of a database that does not exist, nothing is wrong.
///
/// # Errors
/// See [`OpenError`]. A file so damaged that it cannot be read at all is
/// [`OpenError::NotADatabase`] or [`OpenError::Unavailable`].
pub fn integrity_problems(url: &str) -> Result<Vec<String>, OpenError> {
    match open::existing(url)? {
        None => Ok(Vec::new()),
        Some(mut conn) => Ok(problems(&mut conn)?),
    }
}

#[derive(QueryableByName)]
struct Problem {
    #[diesel(sql_type = Text)]
    problem: String,
}

fn problems(conn: &mut Connection) -> QueryResult<Vec<String>> {
    let damage = "SELECT integrity_check AS problem FROM pragma_integrity_check
                  WHERE integrity_check <> 'ok'";
    let dangling = "SELECT 'a row of ' || \"table\" || ' refers to a row of ' || parent
                    || ' that is not there' AS problem FROM pragma_foreign_key_check";
    let mut problems: Vec<Problem> = sql_query(damage).load(conn)?;
    problems.extend(sql_query(dangling).load::<Problem>(conn)?);
    Ok(problems.into_iter().map(|it| it.problem).collect())
}

//! Looking for damage.

use super::{Connection, open};
use crate::open::OpenError;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use std::path::Path;

/// See [`crate::integrity_problems`].
pub(crate) fn integrity_problems(path: &Path) -> Result<Vec<String>, OpenError> {
    match open::existing(path)? {
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

//! Remembered consents.

use super::Connection;
use super::parse_scope;
use crate::failure::{Failure, Key, Reading as _, Row};
use crate::schema::consents;
use auth_core::client::ClientId;
use auth_core::consent::Consent;
use auth_core::error::StoreError;
use auth_core::owner::SubjectId;
use auth_core::resource::Audience;
use auth_core::scope::Scope;
use auth_core::timestamp::Timestamp;
use diesel::prelude::*;
use diesel::sql_types::Text;

statement! {
    Remember {
        subject: String,
        client_id: String,
        scope: String,
        audience: String,
        given_at: i64,
    };
    "INSERT INTO consents (subject, client_id, scope, audience, given_at) VALUES ("
    subject ", " client_id ", " scope ", " audience ", " given_at ")"
    " ON CONFLICT (subject, client_id, audience) DO NOTHING"
}

statement! {
    Remembered { subject: String, client_id: String, audience: String } -> Text;
    "SELECT scope FROM consents WHERE subject = " subject " AND client_id = " client_id
    " AND audience = " audience [super::FOR_UPDATE]
}

statement! {
    Extend {
        scope: String,
        given_at: i64,
        subject: String,
        client_id: String,
        audience: String,
    };
    "UPDATE consents SET scope = " scope ", given_at = " given_at
    " WHERE subject = " subject " AND client_id = " client_id " AND audience = " audience
}

pub(crate) fn find(
    conn: &mut Connection,
    subject: &SubjectId,
    client_id: &ClientId,
) -> Result<Vec<Consent>, Failure> {
    let row = Row { table: "consents", key: Key::Name(subject.as_str()) };
    let stored: Vec<(String, String, i64)> = consents::table
        .filter(consents::subject.eq(subject.as_str()))
        .filter(consents::client_id.eq(client_id.as_str()))
        .select((consents::scope, consents::audience, consents::given_at))
        .load(conn)
        .reading(row.table, row.key)?;
    let read = |(scope, audience, given_at): (String, String, i64)| {
        Ok(Consent {
            subject: subject.clone(),
            client_id: client_id.clone(),
            scope: row.parsed("scope", parse_scope(&scope))?,
            audience: row.parsed("audience", Audience::parse(&audience))?,
            given_at: Timestamp::from_unix(given_at),
        })
    };
    stored.into_iter().map(read).collect()
}

/// How often a consent is looked for that was there a statement ago, and is withdrawn at this moment.
const ATTEMPTS: usize = 3;

/// Adds to what this owner approved for this client and audience before.
pub(super) fn remember(conn: &mut Connection, consent: &Consent) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        if insert(conn, consent)? {
            return Ok(());
        }
        if let Some(before) = lock(conn, consent)? {
            return extend(conn, consent, &before);
        }
    }
    Err(StoreError::Unavailable("busy: a consent keeps being withdrawn".into()).into())
}

fn insert(conn: &mut Connection, consent: &Consent) -> Result<bool, Failure> {
    let remember = Remember {
        subject: consent.subject.as_str().to_owned(),
        client_id: consent.client_id.as_str().to_owned(),
        scope: consent.scope.to_string(),
        audience: consent.audience.to_string(),
        given_at: consent.given_at.unix(),
    };
    Ok(remember.execute(conn)? > 0)
}

fn lock(conn: &mut Connection, consent: &Consent) -> Result<Option<Scope>, Failure> {
    let remembered = Remembered {
        subject: consent.subject.as_str().to_owned(),
        client_id: consent.client_id.as_str().to_owned(),
        audience: consent.audience.to_string(),
    };
    let row = Row { table: "consents", key: Key::Name(consent.subject.as_str()) };
    let scope = remembered.get_result(conn).optional().reading(row.table, row.key)?;
    Ok(row.optional("scope", scope, |scope: String| parse_scope(&scope))?)
}

fn extend(conn: &mut Connection, consent: &Consent, before: &Scope) -> Result<(), Failure> {
    let extend = Extend {
        scope: before.union(&consent.scope).to_string(),
        given_at: consent.given_at.unix(),
        subject: consent.subject.as_str().to_owned(),
        client_id: consent.client_id.as_str().to_owned(),
        audience: consent.audience.to_string(),
    };
    extend.execute(conn)?;
    Ok(())
}

/// Forgets what this owner approved, for one client or for all.
pub(super) fn forget(
    conn: &mut Connection,
    subject: &SubjectId,
    client_id: Option<&ClientId>,
) -> Result<(), Failure> {
    let of_owner = consents::table.filter(consents::subject.eq(subject.as_str()));
    match client_id {
        None => diesel::delete(of_owner).execute(conn)?,
        Some(client_id) => {
            diesel::delete(of_owner.filter(consents::client_id.eq(client_id.as_str())))
                .execute(conn)?
        }
    };
    Ok(())
}

statement! {
    /// So many of them; which ones is as it comes, but they are locked in their order.
    ForgetClient { client_id: String, limit: i64 };
    "DELETE FROM consents WHERE (subject, client_id, audience) IN"
    " (SELECT subject, client_id, audience FROM consents WHERE (subject, client_id, audience) IN"
    " (SELECT subject, client_id, audience FROM consents WHERE client_id = " client_id
    " LIMIT " limit ") ORDER BY subject, client_id, audience" [super::FOR_UPDATE] ")"
}

/// Forgets so many of the consents that were given to this client, and answers how many it forgot.
pub(crate) fn forget_client(
    conn: &mut Connection,
    client_id: &ClientId,
    limit: i64,
) -> Result<usize, Failure> {
    Ok(ForgetClient { client_id: client_id.as_str().to_owned(), limit }.execute(conn)?)
}

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
    " ON CONFLICT (subject, client_id) DO NOTHING"
}

statement! {
    Remembered { subject: String, client_id: String } -> (Text, Text);
    "SELECT scope, audience FROM consents WHERE subject = " subject " AND client_id = " client_id
    [super::FOR_UPDATE]
}

statement! {
    Extend {
        scope: String,
        audience: String,
        given_at: i64,
        subject: String,
        client_id: String,
    };
    "UPDATE consents SET scope = " scope ", audience = " audience ", given_at = " given_at
    " WHERE subject = " subject " AND client_id = " client_id
}

pub(crate) fn find(
    conn: &mut Connection,
    subject: &SubjectId,
    client_id: &ClientId,
) -> Result<Option<Consent>, Failure> {
    let row = Row { table: "consents", key: Key::Name(subject.as_str()) };
    let stored: Option<(String, String, i64)> = consents::table
        .find((subject.as_str(), client_id.as_str()))
        .select((consents::scope, consents::audience, consents::given_at))
        .get_result(conn)
        .optional()
        .reading(row.table, row.key)?;
    let Some((scope, audience, given_at)) = stored else {
        return Ok(None);
    };
    Ok(Some(Consent {
        subject: subject.clone(),
        client_id: client_id.clone(),
        scope: row.parsed("scope", parse_scope(&scope))?,
        audience: row.parsed("audience", Audience::parse(&audience))?,
        given_at: Timestamp::from_unix(given_at),
    }))
}

/// How often a consent is looked for that was there a statement ago, and is withdrawn at this moment.
const ATTEMPTS: usize = 3;

/// Adds to what this owner approved for this client before.
pub(super) fn remember(conn: &mut Connection, consent: &Consent) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        if insert(conn, consent)? {
            return Ok(());
        }
        if let Some(before) = lock(conn, consent)? {
            return extend(conn, consent, before);
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

fn lock(conn: &mut Connection, consent: &Consent) -> Result<Option<(Scope, Audience)>, Failure> {
    let remembered = Remembered {
        subject: consent.subject.as_str().to_owned(),
        client_id: consent.client_id.as_str().to_owned(),
    };
    let row = Row { table: "consents", key: Key::Name(consent.subject.as_str()) };
    let stored: Option<(String, String)> =
        remembered.get_result(conn).optional().reading(row.table, row.key)?;
    let Some((scope, audience)) = stored else {
        return Ok(None);
    };
    let scope = row.parsed("scope", parse_scope(&scope))?;
    Ok(Some((scope, row.parsed("audience", Audience::parse(&audience))?)))
}

fn extend(
    conn: &mut Connection,
    consent: &Consent,
    (scope, audience): (Scope, Audience),
) -> Result<(), Failure> {
    let extend = Extend {
        scope: scope.union(&consent.scope).to_string(),
        audience: audience.union(&consent.audience).to_string(),
        given_at: consent.given_at.unix(),
        subject: consent.subject.as_str().to_owned(),
        client_id: consent.client_id.as_str().to_owned(),
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

pub(super) fn forget_client(conn: &mut Connection, client_id: &ClientId) -> Result<(), Failure> {
    diesel::delete(consents::table.filter(consents::client_id.eq(client_id.as_str())))
        .execute(conn)?;
    Ok(())
}

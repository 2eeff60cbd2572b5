//! Sign-in sessions.

use super::Connection;
use super::owners::OwnerRow;
use crate::failure::{Failure, Key, Reading as _, Row};
use crate::schema::{owners, sessions};
use auth_core::error::StoreError;
use auth_core::owner::{Owner, SubjectId};
use auth_core::secret::SessionDigest;
use auth_core::session::{Session, SessionId};
use auth_core::timestamp::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
struct SessionRow {
    session_digest: Vec<u8>,
    id: String,
    subject: String,
    created_at: i64,
    last_seen_at: i64,
}

impl SessionRow {
    fn read(self) -> Result<Session, StoreError> {
        let row = Row { table: "sessions", key: Key::Name(&self.id) };
        let digest = row.digest("session_digest", &self.session_digest)?;
        Ok(Session {
            digest: SessionDigest::from_bytes(digest),
            subject: SubjectId::new(self.subject),
            created_at: Timestamp::from_unix(self.created_at),
            last_seen_at: Timestamp::from_unix(self.last_seen_at),
            id: SessionId::new(self.id),
        })
    }
}

statement! {
    Touch { at: i64, session: [u8; 32] };
    "UPDATE sessions SET last_seen_at = " at
    " WHERE session_digest = " session " AND last_seen_at < " at
}

pub(crate) fn find(
    conn: &mut Connection,
    digest: &SessionDigest,
) -> Result<Option<(Session, Owner)>, Failure> {
    let stored: Option<(SessionRow, OwnerRow)> = sessions::table
        .inner_join(owners::table)
        .filter(sessions::session_digest.eq(digest.as_bytes().as_slice()))
        .select((SessionRow::as_select(), OwnerRow::as_select()))
        .get_result(conn)
        .optional()
        .reading("sessions", Key::Digest(digest.as_bytes()))?;
    Ok(stored.map(read).transpose()?)
}

fn read((session, owner): (SessionRow, OwnerRow)) -> Result<(Session, Owner), StoreError> {
    Ok((session.read()?, owner.read()?))
}

pub(crate) fn insert(
    conn: &mut Connection,
    session: &Session,
    replaces: Option<&SessionDigest>,
) -> Result<(), Failure> {
    if let Some(replaced) = replaces {
        end(conn, replaced)?;
    }
    let row = SessionRow {
        session_digest: session.digest.as_bytes().to_vec(),
        id: session.id.as_str().to_owned(),
        subject: session.subject.as_str().to_owned(),
        created_at: session.created_at.unix(),
        last_seen_at: session.last_seen_at.unix(),
    };
    diesel::insert_into(sessions::table).values(row).execute(conn)?;
    Ok(())
}

pub(crate) fn touch(
    conn: &mut Connection,
    digest: &SessionDigest,
    at: Timestamp,
) -> Result<(), Failure> {
    let touch = Touch { at: at.unix(), session: *digest.as_bytes() };
    touch.execute(conn)?;
    Ok(())
}

pub(crate) fn end(conn: &mut Connection, digest: &SessionDigest) -> Result<(), Failure> {
    diesel::delete(sessions::table.find(digest.as_bytes().as_slice())).execute(conn)?;
    Ok(())
}

pub(crate) fn list(
    conn: &mut Connection,
    subject: Option<&SubjectId>,
) -> Result<Vec<(Session, Owner)>, Failure> {
    let mut query = sessions::table
        .inner_join(owners::table)
        .select((SessionRow::as_select(), OwnerRow::as_select()))
        .order((sessions::created_at.desc(), sessions::id))
        .into_boxed();
    if let Some(subject) = subject {
        query = query.filter(sessions::subject.eq(subject.as_str()));
    }
    let rows: Vec<(SessionRow, OwnerRow)> = query.load(conn).reading("sessions", Key::Listed)?;
    Ok(rows.into_iter().map(read).collect::<Result<_, _>>()?)
}

pub(crate) fn end_by_id(conn: &mut Connection, id: &SessionId) -> Result<bool, Failure> {
    let named = sessions::table.filter(sessions::id.eq(id.as_str()));
    Ok(diesel::delete(named).execute(conn)? > 0)
}

/// Ends this owner's sessions but `keep`; answers how many.
pub(crate) fn end_others(
    conn: &mut Connection,
    subject: &SubjectId,
    keep: Option<&SessionDigest>,
) -> Result<usize, Failure> {
    let of_owner = sessions::table.filter(sessions::subject.eq(subject.as_str()));
    Ok(match keep {
        None => diesel::delete(of_owner).execute(conn)?,
        Some(keep) => {
            let others = of_owner.filter(sessions::session_digest.ne(keep.as_bytes().as_slice()));
            diesel::delete(others).execute(conn)?
        }
    })
}

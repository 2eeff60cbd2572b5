//! Resource owners and their passwords.

use super::Connection;
use super::{grants, instant, sessions};
use crate::failure::{Failure, Key, Reading as _, Row};
use crate::schema::owners;
use auth_core::client::{Changed, Inserted};
use auth_core::error::StoreError;
use auth_core::owner::{Owner, Role, SubjectId, Username};
use auth_core::password::PasswordHash;
use auth_core::secret::SessionDigest;
use auth_core::timestamp::Timestamp;
use diesel::prelude::*;

/// An owner without the password hash.
#[derive(Queryable, Selectable)]
#[diesel(table_name = owners)]
pub(super) struct OwnerRow {
    subject: String,
    username: String,
    name: Option<String>,
    email: Option<String>,
    role: String,
    created_at: i64,
    disabled_at: Option<i64>,
}

impl OwnerRow {
    pub(super) fn read(self) -> Result<Owner, StoreError> {
        let row = Row { table: "owners", key: Key::Name(&self.subject) };
        Ok(Owner {
            username: row.parsed("username", Username::parse(&self.username))?,
            role: row.parsed("role", Role::parse(&self.role))?,
            created_at: Timestamp::from_unix(self.created_at),
            disabled_at: instant(self.disabled_at),
            subject: SubjectId::new(self.subject),
            name: self.name,
            email: self.email,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = owners, treat_none_as_default_value = false)]
struct NewOwner<'a> {
    subject: &'a str,
    username: &'a str,
    username_key: String,
    name: Option<&'a str>,
    email: Option<&'a str>,
    role: &'a str,
    password_hash: &'a str,
    created_at: i64,
    disabled_at: Option<i64>,
}

statement! {
    SetPassword { hash: String, subject: String };
    "UPDATE owners SET password_hash = " hash " WHERE subject = " subject
}

statement! {
    Rehash { hash: String, subject: String, before: String };
    "UPDATE owners SET password_hash = " hash " WHERE subject = " subject
    " AND password_hash = " before
}

statement! {
    Disable { at: i64, subject: String };
    "UPDATE owners SET disabled_at = COALESCE(disabled_at, " at ") WHERE subject = " subject
}

statement! {
    Enable { subject: String };
    "UPDATE owners SET disabled_at = NULL WHERE subject = " subject
}

pub(crate) fn find_by_username(
    conn: &mut Connection,
    username: &Username,
) -> Result<Option<(Owner, PasswordHash)>, Failure> {
    let stored: Option<(OwnerRow, String)> = owners::table
        .filter(owners::username_key.eq(username.key()))
        .select((OwnerRow::as_select(), owners::password_hash))
        .get_result(conn)
        .optional()
        .reading("owners", Key::Name(username.as_str()))?;
    let Some((owner, hash)) = stored else {
        return Ok(None);
    };
    Ok(Some((owner.read()?, PasswordHash::new(hash))))
}

pub(crate) fn find(conn: &mut Connection, subject: &SubjectId) -> Result<Option<Owner>, Failure> {
    let row = owners::table
        .find(subject.as_str())
        .select(OwnerRow::as_select())
        .get_result(conn)
        .optional()
        .reading("owners", Key::Name(subject.as_str()))?;
    Ok(row.map(OwnerRow::read).transpose()?)
}

pub(crate) fn list(conn: &mut Connection) -> Result<Vec<Owner>, Failure> {
    let rows: Vec<OwnerRow> =
        owners::table.select(OwnerRow::as_select()).load(conn).reading("owners", Key::Listed)?;
    let owners: Result<Vec<_>, _> = rows.into_iter().map(OwnerRow::read).collect();
    let mut owners = owners?;
    // Here rather than in SQL: databases differ in how they order text.
    owners.sort_by_cached_key(|owner| owner.username.key());
    Ok(owners)
}

pub(crate) fn insert(
    conn: &mut Connection,
    owner: &Owner,
    hash: &PasswordHash,
) -> Result<Inserted, Failure> {
    let row = NewOwner {
        subject: owner.subject.as_str(),
        username: owner.username.as_str(),
        username_key: owner.username.key(),
        name: owner.name.as_deref(),
        email: owner.email.as_deref(),
        role: owner.role.as_str(),
        password_hash: hash.as_str(),
        created_at: owner.created_at.unix(),
        disabled_at: owner.disabled_at.map(Timestamp::unix),
    };
    let inserted =
        diesel::insert_into(owners::table).values(row).on_conflict_do_nothing().execute(conn)?;
    Ok(match inserted {
        0 => Inserted::NameTaken,
        _ => Inserted::Inserted,
    })
}

/// Stores a password hash and answers whether there is such an owner.
pub(crate) fn rehash(
    conn: &mut Connection,
    subject: &SubjectId,
    before: &PasswordHash,
    hash: &PasswordHash,
) -> Result<(), Failure> {
    let rehash = Rehash {
        hash: hash.as_str().to_owned(),
        subject: subject.as_str().to_owned(),
        before: before.as_str().to_owned(),
    };
    rehash.execute(conn)?;
    Ok(())
}

pub(crate) fn set_password(
    conn: &mut Connection,
    subject: &SubjectId,
    hash: &PasswordHash,
    keep: Option<&SessionDigest>,
    at: Timestamp,
) -> Result<Changed, Failure> {
    let set = SetPassword { hash: hash.as_str().to_owned(), subject: subject.as_str().to_owned() };
    if set.execute(conn)? == 0 {
        return Ok(Changed::NotFound);
    }
    sessions::end_others(conn, subject, keep)?;
    grants::revoke_unredeemed(conn, subject, at)?;
    Ok(Changed::Changed)
}

pub(crate) fn set_disabled(
    conn: &mut Connection,
    subject: &SubjectId,
    at: Option<Timestamp>,
) -> Result<Changed, Failure> {
    let name = subject.as_str().to_owned();
    let changed = match at {
        None => Enable { subject: name }.execute(conn)?,
        Some(at) => {
            let changed = Disable { at: at.unix(), subject: name }.execute(conn)?;
            sessions::end_others(conn, subject, None)?;
            grants::revoke_by_subject(conn, subject, at)?;
            changed
        }
    };
    Ok(match changed {
        0 => Changed::NotFound,
        _ => Changed::Changed,
    })
}

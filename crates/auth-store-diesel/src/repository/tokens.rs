//! Access and refresh tokens.

use super::Connection;
use super::grants::{self, GrantRow};
use super::parse_scope;
use crate::failure::{Failure, Key, Reading as _, Row};
use crate::schema::{access_tokens, grants as grants_table, refresh_tokens};
use crate::transition::Rotation;
use auth_core::grant::{Grant, GrantId};
use auth_core::secret::{AccessTokenDigest, RefreshTokenDigest};
use auth_core::timestamp::Timestamp;
use auth_core::token::{
    AccessTokenRecord, MAX_SIBLINGS, NewAccessToken, NewRefreshToken, RefreshReuse,
    RefreshTokenRecord, Rotated,
};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool};

#[derive(Insertable)]
#[diesel(table_name = access_tokens, treat_none_as_default_value = false)]
struct AccessTokenRow<'a> {
    token_digest: &'a [u8],
    grant_id: &'a str,
    scope: String,
    created_at: i64,
    expires_at: i64,
}

#[derive(Insertable)]
#[diesel(table_name = refresh_tokens, treat_none_as_default_value = false)]
struct FirstRefreshTokenRow<'a> {
    token_digest: &'a [u8],
    grant_id: &'a str,
    ordinal: i64,
    created_at: i64,
    expires_at: i64,
}

statement! {
    /// Marks a token that is not spent as used, and spends what its first use makes worthless: its parent
    /// and its siblings. Each row says so itself, because any of the others may be purged before it.
    /// Answers the tokens that changed. The grant is locked, so nothing else changes meanwhile.
    Use { at: i64, spent_at: Option<i64>, token: [u8; 32], grant_id: String } -> Binary;
    "UPDATE refresh_tokens SET"
    " used_at = CASE WHEN token_digest = " token " THEN COALESCE(used_at, " at ") ELSE used_at END,"
    " spent_at = CASE WHEN token_digest = " token " THEN " spent_at " ELSE " at " END"
    " WHERE spent_at IS NULL AND ((token_digest = " token " AND grant_id = " grant_id ")"
    " OR token_digest = (SELECT parent_digest FROM refresh_tokens WHERE token_digest = " token ")"
    " OR (grant_id = " grant_id " AND parent_digest ="
    " (SELECT parent_digest FROM refresh_tokens WHERE token_digest = " token ")))"
    " RETURNING token_digest"
}

statement! {
    /// Whether a token was spent; of one that is gone, nothing.
    IsSpent { token: [u8; 32], grant_id: String } -> Bool;
    "SELECT spent_at IS NOT NULL FROM refresh_tokens"
    " WHERE token_digest = " token " AND grant_id = " grant_id
}

statement! {
    InsertSuccessor {
        token: [u8; 32],
        grant_id: String,
        parent: [u8; 32],
        created_at: i64,
        expires_at: i64,
    } -> BigInt;
    "INSERT INTO refresh_tokens"
    " (token_digest, grant_id, parent_digest, ordinal, created_at, expires_at)"
    " SELECT " token ", " grant_id ", " parent ", COALESCE(MAX(ordinal), 0) + 1, "
    created_at ", " expires_at
    " FROM refresh_tokens WHERE grant_id = " grant_id " AND parent_digest = " parent
    " RETURNING ordinal"
}

pub(crate) fn find_access(
    conn: &mut Connection,
    token: &AccessTokenDigest,
) -> Result<Option<(AccessTokenRecord, Grant)>, Failure> {
    let row = Row { table: "access_tokens", key: Key::Digest(token.as_bytes()) };
    let stored: Option<(String, i64, i64, GrantRow)> = access_tokens::table
        .inner_join(grants_table::table)
        .filter(access_tokens::token_digest.eq(token.as_bytes().as_slice()))
        .select((
            access_tokens::scope,
            access_tokens::created_at,
            access_tokens::expires_at,
            GrantRow::as_select(),
        ))
        .get_result(conn)
        .optional()
        .reading(row.table, row.key)?;
    let Some((scope, created_at, expires_at, grant)) = stored else {
        return Ok(None);
    };
    let record = AccessTokenRecord {
        scope: row.parsed("scope", parse_scope(&scope))?,
        created_at: Timestamp::from_unix(created_at),
        expires_at: Timestamp::from_unix(expires_at),
    };
    Ok(Some((record, grant.read()?)))
}

pub(crate) fn find_refresh(
    conn: &mut Connection,
    token: &RefreshTokenDigest,
) -> Result<Option<(RefreshTokenRecord, Grant)>, Failure> {
    let stored: Option<(i64, i64, GrantRow)> = refresh_tokens::table
        .inner_join(grants_table::table)
        .filter(refresh_tokens::token_digest.eq(token.as_bytes().as_slice()))
        .select((refresh_tokens::created_at, refresh_tokens::expires_at, GrantRow::as_select()))
        .get_result(conn)
        .optional()
        .reading("refresh_tokens", Key::Digest(token.as_bytes()))?;
    let Some((created_at, expires_at, grant)) = stored else {
        return Ok(None);
    };
    let record = RefreshTokenRecord {
        created_at: Timestamp::from_unix(created_at),
        expires_at: Timestamp::from_unix(expires_at),
    };
    Ok(Some((record, grant.read()?)))
}

pub(super) fn insert_access(
    conn: &mut Connection,
    grant_id: &GrantId,
    token: &NewAccessToken,
) -> Result<(), Failure> {
    let row = AccessTokenRow {
        token_digest: token.digest.as_bytes(),
        grant_id: grant_id.as_str(),
        scope: token.scope.to_string(),
        created_at: token.created_at.unix(),
        expires_at: token.expires_at.unix(),
    };
    diesel::insert_into(access_tokens::table).values(row).execute(conn)?;
    Ok(())
}

/// Stores the refresh token that a code bought.
pub(super) fn insert_first_refresh(
    conn: &mut Connection,
    grant_id: &GrantId,
    token: &NewRefreshToken,
) -> Result<(), Failure> {
    let row = FirstRefreshTokenRow {
        token_digest: token.digest.as_bytes(),
        grant_id: grant_id.as_str(),
        ordinal: 0,
        created_at: token.created_at.unix(),
        expires_at: token.expires_at.unix(),
    };
    diesel::insert_into(refresh_tokens::table).values(row).execute(conn)?;
    Ok(())
}

pub(crate) fn rotate(conn: &mut Connection, rotation: &Rotation) -> Result<Rotated, Failure> {
    let Rotation { grant_id, at, .. } = rotation;
    let live = grants::lock(conn, grant_id, *at)?;
    if live && record_use(conn, rotation)? {
        insert_access(conn, grant_id, &rotation.access)?;
        if let Some(successor) = &rotation.successor {
            insert_successor(conn, rotation, successor)?;
        }
        return Ok(Rotated::Done);
    }
    if is_spent(conn, rotation)? {
        grants::revoke(conn, grant_id, *at)?;
        return Ok(Rotated::Replayed);
    }
    Ok(Rotated::GrantEnded)
}

/// Answers whether the token was there and not spent.
fn record_use(conn: &mut Connection, rotation: &Rotation) -> Result<bool, Failure> {
    let at = rotation.at.unix();
    let token = *rotation.presented.as_bytes();
    // A token that does not rotate has no successor to make way for.
    let spends = rotation.reuse == RefreshReuse::Strict && rotation.successor.is_some();
    let used = Use {
        at,
        spent_at: spends.then_some(at),
        token,
        grant_id: rotation.grant_id.as_str().to_owned(),
    };
    let used: Vec<Vec<u8>> = used.load(conn)?;
    Ok(used.iter().any(|digest| digest == &token))
}

fn is_spent(conn: &mut Connection, rotation: &Rotation) -> Result<bool, Failure> {
    let is_spent = IsSpent {
        token: *rotation.presented.as_bytes(),
        grant_id: rotation.grant_id.as_str().to_owned(),
    };
    Ok(is_spent.get_result(conn).optional()?.unwrap_or(false))
}

/// Stores the successor and forgets the oldest of its siblings beyond [`MAX_SIBLINGS`]. None of them
/// was used: otherwise the presented token would be spent.
fn insert_successor(
    conn: &mut Connection,
    rotation: &Rotation,
    successor: &NewRefreshToken,
) -> Result<(), Failure> {
    let parent = *rotation.presented.as_bytes();
    let insert = InsertSuccessor {
        token: *successor.digest.as_bytes(),
        grant_id: rotation.grant_id.as_str().to_owned(),
        parent,
        created_at: successor.created_at.unix(),
        expires_at: successor.expires_at.unix(),
    };
    let ordinal: i64 = insert.get_result(conn)?;
    let surplus = ordinal.saturating_sub(MAX_SIBLINGS.try_into().unwrap_or(i64::MAX));
    if surplus > 0 {
        let siblings = refresh_tokens::table
            .filter(refresh_tokens::grant_id.eq(rotation.grant_id.as_str()))
            .filter(refresh_tokens::parent_digest.eq(parent.as_slice()))
            .filter(refresh_tokens::ordinal.le(surplus));
        diesel::delete(siblings).execute(conn)?;
    }
    Ok(())
}

//! Access and refresh tokens.
//!
//! A transition works under one grant, on rows that it finds by their whole primary keys. It looks at the
//! other rows of the grant only where a refresh token was presented more than once.

use super::Connection;
use super::grants::{self, GrantRow};
use super::parse_scope;
use crate::failure::{Failure, Key, Reading as _, Row};
use crate::schema::{grants as grants_table, tokens};
use crate::text::{ACCESS, REFRESH};
use crate::transition::Rotation;
use auth_core::grant::Grant;
use auth_core::resource::Audience;
use auth_core::secret::TokenDigest;
use auth_core::timestamp::Timestamp;
use auth_core::token::{
    AccessTokenRecord, MAX_SIBLINGS, NewAccessToken, NewRefreshToken, RefreshReuse,
    RefreshTokenRecord, Rotated, TokenRecord,
};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable};

#[derive(Insertable)]
#[diesel(table_name = tokens, treat_none_as_default_value = false)]
struct TokenRow {
    grant_id: [u8; 16],
    token_digest: [u8; 32],
    kind: &'static str,
    scope: Option<String>,
    audience: Option<String>,
    parent_digest: Option<[u8; 32]>,
    ordinal: i64,
    uses: i64,
    created_at: i64,
    expires_at: i64,
}

impl TokenRow {
    fn access(token: &NewAccessToken) -> Self {
        Self {
            grant_id: *token.digest.grant().as_bytes(),
            token_digest: *token.digest.as_bytes(),
            kind: ACCESS,
            scope: Some(token.scope.to_string()),
            audience: Some(token.audience.to_string()),
            parent_digest: None,
            ordinal: 0,
            uses: 0,
            created_at: token.created_at.unix(),
            expires_at: token.expires_at.unix(),
        }
    }

    fn refresh(token: &NewRefreshToken) -> Self {
        Self {
            grant_id: *token.digest.grant().as_bytes(),
            token_digest: *token.digest.as_bytes(),
            kind: REFRESH,
            scope: None,
            audience: None,
            parent_digest: None,
            ordinal: 0,
            uses: 0,
            created_at: token.created_at.unix(),
            expires_at: token.expires_at.unix(),
        }
    }
}

statement! {
    /// Counts a use of a refresh token that is not spent. The first use spends the parent: its row says so
    /// itself, because any other may be purged before it. Answers both rows, as far as they are there. The
    /// grant is locked, so nothing else changes meanwhile.
    Use { grant_id: [u8; 16], token: [u8; 32], spent_at: Option<i64>, at: i64 }
        -> (Binary, BigInt, Nullable<Binary>);
    "UPDATE tokens SET"
    " uses = CASE WHEN token_digest = " token " THEN uses + 1 ELSE uses END,"
    " spent_at = CASE WHEN token_digest = " token " THEN " spent_at
    " ELSE COALESCE(spent_at, " at ") END"
    " WHERE grant_id = " grant_id " AND token_digest IN (" token ", (SELECT parent_digest FROM tokens"
    " WHERE grant_id = " grant_id " AND token_digest = " token " AND uses = 0 AND spent_at IS NULL))"
    " AND kind = 'refresh' AND (token_digest <> " token " OR spent_at IS NULL)"
    " RETURNING token_digest, uses, parent_digest"
}

statement! {
    /// Spends the other successors of a parent, for the same reason each by its own row.
    SpendSiblings { grant_id: [u8; 16], parent: Vec<u8>, token: [u8; 32], at: i64 };
    "UPDATE tokens SET spent_at = " at " WHERE grant_id = " grant_id
    " AND parent_digest = " parent " AND token_digest <> " token " AND spent_at IS NULL"
}

statement! {
    /// Whether a refresh token was spent; of one that is gone, nothing.
    IsSpent { grant_id: [u8; 16], token: [u8; 32] } -> Bool;
    "SELECT spent_at IS NOT NULL FROM tokens"
    " WHERE grant_id = " grant_id " AND token_digest = " token " AND kind = 'refresh'"
}

statement! {
    /// Forgets all successors of a parent but the newest.
    ForgetSurplus { grant_id: [u8; 16], parent: [u8; 32], keep: i64 };
    "DELETE FROM tokens WHERE grant_id = " grant_id " AND parent_digest = " parent
    " AND ordinal <= (SELECT ordinal FROM tokens WHERE grant_id = " grant_id
    " AND parent_digest = " parent " ORDER BY ordinal DESC LIMIT 1 OFFSET " keep ")"
}

statement! {
    /// The row stays until it expires: purging it is what removes a grant that has nothing else.
    RevokeAccess { grant_id: [u8; 16], token: [u8; 32] };
    "UPDATE tokens SET spent_at = created_at WHERE grant_id = " grant_id
    " AND token_digest = " token " AND kind = 'access' AND spent_at IS NULL"
}

pub(crate) fn find(
    conn: &mut Connection,
    token: &TokenDigest,
) -> Result<Option<(TokenRecord, Grant)>, Failure> {
    let row = Row { table: "tokens", key: Key::Digest(token.as_bytes()) };
    type Stored = (String, Option<String>, Option<String>, i64, i64, Option<i64>, GrantRow);
    let stored: Option<Stored> = tokens::table
        .inner_join(grants_table::table)
        .filter(tokens::grant_id.eq(token.grant().as_bytes().as_slice()))
        .filter(tokens::token_digest.eq(token.as_bytes().as_slice()))
        .select((
            tokens::kind,
            tokens::scope,
            tokens::audience,
            tokens::created_at,
            tokens::expires_at,
            tokens::spent_at,
            GrantRow::as_select(),
        ))
        .get_result(conn)
        .optional()
        .reading(row.table, row.key)?;
    let Some((kind, scope, audience, created_at, expires_at, spent_at, grant)) = stored else {
        return Ok(None);
    };
    let (created_at, expires_at) =
        (Timestamp::from_unix(created_at), Timestamp::from_unix(expires_at));
    let is_spent = spent_at.is_some();
    let record = match kind.as_str() {
        ACCESS if is_spent => return Ok(None),
        ACCESS => {
            let scope = row.parsed("scope", scope.as_deref().and_then(parse_scope))?;
            let audience = audience.as_deref().and_then(Audience::parse);
            let audience = row.parsed("audience", audience)?;
            TokenRecord::Access(AccessTokenRecord { scope, audience, created_at, expires_at })
        }
        REFRESH => TokenRecord::Refresh(RefreshTokenRecord { created_at, expires_at, is_spent }),
        _ => return Err(row.corrupt("kind").into()),
    };
    Ok(Some((record, grant.read()?)))
}

/// Answers whether there is such a client, and enabled.
pub(crate) fn issue(
    conn: &mut Connection,
    grant: &Grant,
    access: &NewAccessToken,
) -> Result<bool, Failure> {
    let issued = grants::issue(conn, grant)?;
    if issued {
        insert(conn, access, None)?;
    }
    Ok(issued)
}

pub(crate) fn revoke_access(conn: &mut Connection, token: &TokenDigest) -> Result<(), Failure> {
    let (grant_id, token) = key(token);
    RevokeAccess { grant_id, token }.execute(conn)?;
    Ok(())
}

/// Stores what a code bought.
pub(super) fn insert_bought(
    conn: &mut Connection,
    access: &NewAccessToken,
    refresh: Option<&NewRefreshToken>,
) -> Result<(), Failure> {
    insert(conn, access, refresh.map(TokenRow::refresh))
}

/// One statement, whatever is to be stored.
fn insert(
    conn: &mut Connection,
    access: &NewAccessToken,
    refresh: Option<TokenRow>,
) -> Result<(), Failure> {
    let access = TokenRow::access(access);
    let insert = diesel::insert_into(tokens::table);
    match refresh {
        None => insert.values(access).execute(conn)?,
        Some(refresh) => insert.values([access, refresh]).execute(conn)?,
    };
    Ok(())
}

pub(crate) fn rotate(conn: &mut Connection, rotation: &Rotation) -> Result<Rotated, Failure> {
    let grant = rotation.presented.grant();
    let live = grants::lock(conn, &grant, rotation.at)?;
    if live && let Some(uses) = record_use(conn, rotation)? {
        let (grant_id, parent) = key(&rotation.presented);
        let successor = rotation.successor.as_ref().map(|token| TokenRow {
            parent_digest: Some(parent),
            ordinal: uses,
            ..TokenRow::refresh(token)
        });
        let rotates = successor.is_some();
        insert(conn, &rotation.access, successor)?;
        // It has no more successors than it had uses. None of them was used: otherwise it would be spent.
        let keep = MAX_SIBLINGS.try_into().unwrap_or(i64::MAX);
        if rotates && uses > keep {
            ForgetSurplus { grant_id, parent, keep }.execute(conn)?;
        }
        return Ok(Rotated::Done);
    }
    if is_spent(conn, rotation)? {
        grants::revoke(conn, &grant, rotation.at)?;
        return Ok(Rotated::Replayed);
    }
    Ok(Rotated::GrantEnded)
}

/// Marks the presented token as used, if it is there and not spent, and at its first use spends its parent
/// and its siblings. Answers how often it was used by now.
fn record_use(conn: &mut Connection, rotation: &Rotation) -> Result<Option<i64>, Failure> {
    let (grant_id, token) = key(&rotation.presented);
    let at = rotation.at.unix();
    // A token that does not rotate has no successor to make way for.
    let spends = rotation.reuse == RefreshReuse::Strict && rotation.successor.is_some();
    let used = Use { grant_id, token, spent_at: spends.then_some(at), at };
    let rows: Vec<(Vec<u8>, i64, Option<Vec<u8>>)> = used.load(conn)?;
    let Some((_, uses, parent)) = rows.iter().find(|(digest, ..)| *digest == token) else {
        return Ok(None);
    };
    if let (1, Some(parent)) = (uses, parent) {
        // Each successor took a use of the parent. Of a parent that was purged nobody knows how many.
        let used_once = |(digest, uses, _): &_| digest == parent && *uses == 1;
        if !rows.iter().any(used_once) {
            SpendSiblings { grant_id, parent: parent.clone(), token, at }.execute(conn)?;
        }
    }
    Ok(Some(*uses))
}

fn is_spent(conn: &mut Connection, rotation: &Rotation) -> Result<bool, Failure> {
    let (grant_id, token) = key(&rotation.presented);
    Ok(IsSpent { grant_id, token }.get_result(conn).optional()?.unwrap_or(false))
}

fn key(token: &TokenDigest) -> ([u8; 16], [u8; 32]) {
    (*token.grant().as_bytes(), *token.as_bytes())
}

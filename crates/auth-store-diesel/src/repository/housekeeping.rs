//! Removing expired rows in small batches.
//!
//! Every batch walks an index of expiry from its old end, so what it costs depends on what it removes,
//! not on what is stored. Grants have no expiry of their own: one becomes removable at the moment when
//! the last code or token under it goes, so those are asked about in the same transaction, and no scan
//! ever looks for them.
//!
//! Several servers may do this at once. Each locks what it removes, and the grants that it hangs on, and
//! passes over what somebody else has locked: nobody waits, nothing is done twice, and whoever removes the
//! last row under a grant sees that it was the last.

use super::Connection;
use crate::failure::Failure;
use crate::schema::{codes, grants, tokens};
use auth_core::session::SessionLifetimes;
use auth_core::timestamp::Timestamp;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::Binary;
use std::collections::BTreeSet;

statement! {
    PurgePending { now: i64, limit: i64 };
    "WITH expired AS (SELECT interaction_digest FROM pending_authorizations WHERE expires_at <= " now
    " ORDER BY expires_at LIMIT " limit [super::FOR_UPDATE_SKIP_LOCKED] ")"
    " DELETE FROM pending_authorizations WHERE interaction_digest IN (SELECT interaction_digest FROM expired)"
}

statement! {
    PurgeCodes { now: i64, limit: i64 } -> Binary;
    "WITH expired AS (SELECT grant_id, code_digest FROM codes JOIN grants ON grants.id = grant_id"
    " WHERE codes.expires_at <= " now " ORDER BY codes.expires_at"
    " LIMIT " limit [super::FOR_UPDATE_SKIP_LOCKED] ")"
    " DELETE FROM codes WHERE (grant_id, code_digest) IN (SELECT grant_id, code_digest FROM expired)"
    " RETURNING grant_id"
}

statement! {
    PurgeTokens { now: i64, limit: i64 } -> Binary;
    "WITH expired AS (SELECT grant_id, token_digest FROM tokens JOIN grants ON grants.id = grant_id"
    " WHERE tokens.expires_at <= " now " ORDER BY tokens.expires_at"
    " LIMIT " limit [super::FOR_UPDATE_SKIP_LOCKED] ")"
    " DELETE FROM tokens WHERE (grant_id, token_digest) IN (SELECT grant_id, token_digest FROM expired)"
    " RETURNING grant_id"
}

statement! {
    PurgeIdleSessions { last_seen: i64, limit: i64 };
    "WITH expired AS (SELECT session_digest FROM sessions WHERE last_seen_at <= " last_seen
    " ORDER BY last_seen_at LIMIT " limit [super::FOR_UPDATE_SKIP_LOCKED] ")"
    " DELETE FROM sessions WHERE session_digest IN (SELECT session_digest FROM expired)"
}

statement! {
    PurgeOldSessions { created: i64, limit: i64 };
    "WITH expired AS (SELECT session_digest FROM sessions WHERE created_at <= " created
    " ORDER BY created_at LIMIT " limit [super::FOR_UPDATE_SKIP_LOCKED] ")"
    " DELETE FROM sessions WHERE session_digest IN (SELECT session_digest FROM expired)"
}

pub(crate) fn purge(
    conn: &mut Connection,
    now: Timestamp,
    lifetimes: SessionLifetimes,
    limit: usize,
) -> Result<usize, Failure> {
    let limit = limit.try_into().unwrap_or(i64::MAX);
    let mut removed = purge_pending(conn, now, limit)?;
    removed += purge_under_grants(conn, now, limit)?;
    removed += purge_sessions(conn, now, lifetimes, limit)?;
    Ok(removed)
}

fn purge_pending(conn: &mut Connection, now: Timestamp, limit: i64) -> Result<usize, Failure> {
    let now = now.unix();
    Ok(PurgePending { now, limit }.execute(conn)?)
}

/// Codes and tokens, and the grants that lose their last one. A kind may take no more rows than leave
/// room for the grants that it can empty: a grant that is passed over here would never be met again.
fn purge_under_grants(conn: &mut Connection, now: Timestamp, limit: i64) -> Result<usize, Failure> {
    let now = now.unix();
    let mut removed = 0;
    let mut room = limit;
    let emptied: Vec<Vec<u8>> = PurgeCodes { now, limit: room }.load(conn)?;
    removed += emptied.len() + purge_grants(conn, emptied, &mut room)?;
    let emptied: Vec<Vec<u8>> = PurgeTokens { now, limit: room }.load(conn)?;
    removed += emptied.len() + purge_grants(conn, emptied, &mut room)?;
    Ok(removed)
}

fn purge_grants(
    conn: &mut Connection,
    candidates: Vec<Vec<u8>>,
    room: &mut i64,
) -> Result<usize, Failure> {
    // Tokens of live grants expire all the time: where one was removed, the grant mostly stays, so that
    // all of them are asked about at once.
    let candidates = BTreeSet::from_iter(candidates);
    let has_code =
        exists(codes::table.select(codes::grant_id).filter(codes::grant_id.eq(grants::id)));
    let has_token =
        exists(tokens::table.select(tokens::grant_id).filter(tokens::grant_id.eq(grants::id)));
    let emptied = grants::table.filter(grants::id.eq_any(candidates));
    let emptied = emptied.filter(not(has_code)).filter(not(has_token));
    let removed = diesel::delete(emptied).execute(conn)?;
    *room -= i64::try_from(removed).unwrap_or_default();
    Ok(removed)
}

fn purge_sessions(
    conn: &mut Connection,
    now: Timestamp,
    lifetimes: SessionLifetimes,
    limit: i64,
) -> Result<usize, Failure> {
    let idle = PurgeIdleSessions { last_seen: now.before(lifetimes.idle).unix(), limit };
    let idle = idle.execute(conn)?;
    let old = PurgeOldSessions {
        created: now.before(lifetimes.absolute).unix(),
        limit: limit.saturating_sub(i64::try_from(idle).unwrap_or(limit)),
    };
    Ok(idle + old.execute(conn)?)
}

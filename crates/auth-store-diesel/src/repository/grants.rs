//! Grants, and the decisions that make and end them.

use super::Connection;
use super::{consents, instant, parse_scope};
use crate::failure::{Failure, Key, Reading as _, Row};
use crate::schema::{codes, grants, tokens};
use crate::transition::Approval;
use auth_core::client::ClientId;
use auth_core::error::StoreError;
use auth_core::grant::{Decided, Grant, GrantFilter, GrantId};
use auth_core::owner::SubjectId;
use auth_core::resource::Audience;
use auth_core::secret::InteractionDigest;
use auth_core::timestamp::Timestamp;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

/// A grant as it stands in the table.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = grants, treat_none_as_default_value = false)]
pub(super) struct GrantRow {
    id: Vec<u8>,
    subject: Option<String>,
    client_id: String,
    scope: String,
    audience: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl From<&Grant> for GrantRow {
    fn from(grant: &Grant) -> Self {
        Self {
            id: grant.id.as_bytes().to_vec(),
            subject: grant.subject.as_ref().map(|it| it.as_str().to_owned()),
            client_id: grant.client_id.as_str().to_owned(),
            scope: grant.scope.to_string(),
            audience: grant.audience.to_string(),
            created_at: grant.created_at.unix(),
            expires_at: grant.expires_at.map(Timestamp::unix),
            revoked_at: grant.revoked_at.map(Timestamp::unix),
        }
    }
}

impl GrantRow {
    pub(super) fn read(self) -> Result<Grant, StoreError> {
        let row = Row { table: "grants", key: Key::Id(&self.id) };
        let id = self.id.as_slice().try_into().ok().map(GrantId::from_bytes);
        Ok(Grant {
            id: row.parsed("id", id)?,
            client_id: row.parsed("client_id", ClientId::parse(&self.client_id))?,
            scope: row.parsed("scope", parse_scope(&self.scope))?,
            audience: row.parsed("audience", Audience::parse(&self.audience))?,
            created_at: Timestamp::from_unix(self.created_at),
            expires_at: instant(self.expires_at),
            revoked_at: instant(self.revoked_at),
            subject: self.subject.map(SubjectId::new),
        })
    }
}

statement! {
    Decide { at: i64, interaction: [u8; 32] };
    "UPDATE pending_authorizations SET decided_at = " at
    " WHERE interaction_digest = " interaction " AND decided_at IS NULL"
}

statement! {
    Revoke { at: i64, id: [u8; 16] };
    "UPDATE grants SET revoked_at = COALESCE(revoked_at, " at ") WHERE id = " id
}

statement! {
    /// Answers when each would have ended.
    RevokeBySubject { at: i64, subject: String } -> Nullable<BigInt>;
    "UPDATE grants SET revoked_at = " at " WHERE revoked_at IS NULL AND id IN"
    " (SELECT id FROM grants WHERE subject = " subject " AND revoked_at IS NULL"
    " ORDER BY id" [super::FOR_UPDATE] ") RETURNING expires_at"
}

statement! {
    /// Answers when each would have ended.
    RevokeByConsent { at: i64, subject: String, client_id: String } -> Nullable<BigInt>;
    "UPDATE grants SET revoked_at = " at " WHERE revoked_at IS NULL AND id IN"
    " (SELECT id FROM grants WHERE subject = " subject " AND client_id = " client_id
    " AND revoked_at IS NULL ORDER BY id" [super::FOR_UPDATE] ") RETURNING expires_at"
}

statement! {
    /// So many of them; which ones is as it comes, but they are locked in their order.
    RevokeByClient { at: i64, client_id: String, limit: i64 };
    "UPDATE grants SET revoked_at = " at " WHERE revoked_at IS NULL AND id IN"
    " (SELECT id FROM grants WHERE revoked_at IS NULL AND id IN"
    " (SELECT id FROM grants WHERE client_id = " client_id " AND revoked_at IS NULL LIMIT " limit ")"
    " ORDER BY id" [super::FOR_UPDATE] ")"
}

statement! {
    RevokeUnredeemed { at: i64, subject: String };
    "UPDATE grants SET revoked_at = " at " WHERE revoked_at IS NULL AND id IN"
    " (SELECT id FROM grants WHERE subject = " subject " AND revoked_at IS NULL AND EXISTS"
    " (SELECT 1 FROM codes WHERE codes.grant_id = grants.id AND codes.redeemed_at IS NULL)"
    " ORDER BY id" [super::FOR_UPDATE] ")"
}

statement! {
    Lock { id: [u8; 16] } -> (Nullable<BigInt>, Nullable<BigInt>);
    "SELECT expires_at, revoked_at FROM grants WHERE id = " id [super::FOR_UPDATE]
}

statement! {
    HoldClient { client_id: String } -> Text;
    "SELECT id FROM clients WHERE id = " client_id " AND disabled_at IS NULL" [super::FOR_KEY_SHARE]
}

statement! {
    /// A grant, if the client is enabled.
    Issue {
        id: [u8; 16],
        subject: Option<String>,
        client_id: String,
        scope: String,
        audience: String,
        created_at: i64,
        expires_at: Option<i64>,
    };
    "INSERT INTO grants (id, subject, client_id, scope, audience, created_at, expires_at)"
    " SELECT " id ", " subject ", " client_id ", " scope ", " audience ", " created_at ", " expires_at
    " FROM clients WHERE clients.id = " client_id " AND clients.disabled_at IS NULL"
}

pub(crate) fn approve(conn: &mut Connection, approval: &Approval) -> Result<Decided, Failure> {
    let at = approval.grant.created_at;
    if let Some(interaction) = &approval.interaction
        && deny(conn, interaction, at)? == Decided::Already
    {
        return Ok(Decided::Already);
    }
    if !issue(conn, &approval.grant)? {
        return Ok(Decided::ClientDisabled);
    }
    super::codes::insert(conn, &approval.code, &approval.record)?;
    if let Some(consent) = &approval.remember {
        consents::remember(conn, consent)?;
    }
    Ok(Decided::First)
}

/// Stores a grant. Answers whether there is such a client, and enabled.
pub(super) fn issue(conn: &mut Connection, grant: &Grant) -> Result<bool, Failure> {
    // Whoever disables the client waits from here on for the end of this transaction before it ends the
    // client's grants, and finds this one; whoever has disabled it before is seen by the next statement.
    let hold = HoldClient { client_id: grant.client_id.as_str().to_owned() };
    if hold.get_result::<String>(conn).optional()?.is_none() {
        return Ok(false);
    }
    let issue = Issue {
        id: *grant.id.as_bytes(),
        subject: grant.subject.as_ref().map(|it| it.as_str().to_owned()),
        client_id: grant.client_id.as_str().to_owned(),
        scope: grant.scope.to_string(),
        audience: grant.audience.to_string(),
        created_at: grant.created_at.unix(),
        expires_at: grant.expires_at.map(Timestamp::unix),
    };
    Ok(issue.execute(conn)? == 1)
}

/// Decides an interaction. A denial is nothing more than that.
pub(crate) fn deny(
    conn: &mut Connection,
    interaction: &InteractionDigest,
    at: Timestamp,
) -> Result<Decided, Failure> {
    let decided = Decide { at: at.unix(), interaction: *interaction.as_bytes() };
    Ok(match decided.execute(conn)? {
        0 => Decided::Already,
        _ => Decided::First,
    })
}

pub(crate) fn revoke(conn: &mut Connection, id: &GrantId, at: Timestamp) -> Result<bool, Failure> {
    let revoke = Revoke { at: at.unix(), id: *id.as_bytes() };
    Ok(revoke.execute(conn)? > 0)
}

pub(crate) fn withdraw(
    conn: &mut Connection,
    subject: &SubjectId,
    client_id: Option<&ClientId>,
    at: Timestamp,
) -> Result<usize, Failure> {
    // The grants first: whoever approves meanwhile keeps a grant without a remembered consent, never the
    // other way round.
    let ended = match client_id {
        None => revoke_by_subject(conn, subject, at)?,
        Some(client_id) => {
            let revoke = RevokeByConsent {
                at: at.unix(),
                subject: subject.as_str().to_owned(),
                client_id: client_id.as_str().to_owned(),
            };
            count_live(&revoke.load(conn)?, at)
        }
    };
    consents::forget(conn, subject, client_id)?;
    Ok(ended)
}

/// How many of the grants with these ends had not ended at `at`.
fn count_live(ends: &[Option<i64>], at: Timestamp) -> usize {
    ends.iter().filter(|end| !has_ended(**end, at)).count()
}

fn has_ended(expires_at: Option<i64>, at: Timestamp) -> bool {
    instant(expires_at).is_some_and(|end| end.is_expired(at))
}

/// Ends every grant of this owner, and answers how many were live. One that has expired is revoked too: a
/// clock that is set back must not revive it (XC-06).
pub(super) fn revoke_by_subject(
    conn: &mut Connection,
    subject: &SubjectId,
    at: Timestamp,
) -> Result<usize, Failure> {
    let revoke = RevokeBySubject { at: at.unix(), subject: subject.as_str().to_owned() };
    Ok(count_live(&revoke.load(conn)?, at))
}

/// Ends so many of this client's grants, and answers how many it ended.
pub(crate) fn revoke_by_client(
    conn: &mut Connection,
    client_id: &ClientId,
    at: Timestamp,
    limit: i64,
) -> Result<usize, Failure> {
    let client_id = client_id.as_str().to_owned();
    Ok(RevokeByClient { at: at.unix(), client_id, limit }.execute(conn)?)
}

/// Ends this owner's grants whose code still waits to be redeemed (CODE-12).
pub(super) fn revoke_unredeemed(
    conn: &mut Connection,
    subject: &SubjectId,
    at: Timestamp,
) -> Result<(), Failure> {
    let revoke = RevokeUnredeemed { at: at.unix(), subject: subject.as_str().to_owned() };
    revoke.execute(conn)?;
    Ok(())
}

/// Locks the grant, and with it all that hangs on it: nobody else rotates tokens under it until this
/// transaction ends. Answers whether it is there and has not ended at `at`.
pub(super) fn lock(conn: &mut Connection, id: &GrantId, at: Timestamp) -> Result<bool, Failure> {
    let lock = Lock { id: *id.as_bytes() };
    let stored: Option<(Option<i64>, Option<i64>)> = lock.get_result(conn).optional()?;
    Ok(stored
        .is_some_and(|(expires_at, revoked_at)| revoked_at.is_none() && !has_ended(expires_at, at)))
}

pub(crate) fn list(
    conn: &mut Connection,
    filter: &GrantFilter,
    now: Timestamp,
) -> Result<Vec<Grant>, Failure> {
    let mut query = grants::table
        .select(GrantRow::as_select())
        .filter(grants::subject.is_not_null())
        .order((grants::created_at.desc(), grants::id))
        .into_boxed();
    if let Some(subject) = &filter.subject {
        query = query.filter(grants::subject.eq(subject.as_str()));
    }
    if let Some(client_id) = &filter.client_id {
        query = query.filter(grants::client_id.eq(client_id.as_str()));
    }
    if !filter.ended {
        let now = now.unix();
        let live_code = codes::table
            .filter(codes::grant_id.eq(grants::id))
            .filter(codes::redeemed_at.is_null())
            .filter(codes::expires_at.gt(now));
        let live_token = tokens::table
            .filter(tokens::grant_id.eq(grants::id))
            .filter(tokens::spent_at.is_null())
            .filter(tokens::expires_at.gt(now));
        query = query
            .filter(grants::revoked_at.is_null())
            .filter(grants::expires_at.is_null().or(grants::expires_at.gt(now)))
            .filter(exists(live_code).or(exists(live_token)));
    }
    let rows: Vec<GrantRow> = query.load(conn).reading("grants", Key::Listed)?;
    let grants = rows.into_iter().map(GrantRow::read);
    Ok(grants.collect::<Result<_, _>>()?)
}

//! Authorization requests that wait for their owner.

use super::Connection;
use super::{instant, parse_scope};
use crate::failure::{Failure, Key, Reading as _, Row};
use crate::schema::pending_authorizations;
use crate::text::{parse_prompt, write_prompt};
use auth_core::client::ClientId;
use auth_core::consent::{AuthorizationRequest, PendingAuthorization};
use auth_core::error::StoreError;
use auth_core::pkce::CodeChallenge;
use auth_core::resource::Audience;
use auth_core::secret::{BrowserDigest, InteractionDigest, SessionDigest};
use auth_core::timestamp::Timestamp;
use diesel::dsl::max;
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = pending_authorizations, treat_none_as_default_value = false)]
struct PendingRow {
    interaction_digest: Vec<u8>,
    browser_digest: Vec<u8>,
    origin: String,
    ordinal: i64,
    client_id: String,
    redirect_uri: String,
    redirect_uri_sent: i64,
    scope: String,
    audience: String,
    state: Option<Vec<u8>>,
    code_challenge: Option<String>,
    prompt: String,
    created_at: i64,
    expires_at: i64,
    signed_in: Option<Vec<u8>>,
    decided_at: Option<i64>,
}

impl PendingRow {
    fn new(pending: &PendingAuthorization, origin: &str, ordinal: i64) -> Self {
        let request = &pending.request;
        let challenge = request.code_challenge.as_ref();
        Self {
            interaction_digest: pending.interaction.as_bytes().to_vec(),
            browser_digest: pending.browser.as_bytes().to_vec(),
            origin: origin.to_owned(),
            ordinal,
            client_id: request.client_id.as_str().to_owned(),
            redirect_uri: request.redirect_uri.clone(),
            redirect_uri_sent: request.redirect_uri_sent.into(),
            scope: request.scope.to_string(),
            audience: request.audience.to_string(),
            state: request.state.clone().map(String::into_bytes),
            code_challenge: challenge.map(|challenge| challenge.as_str().to_owned()),
            prompt: write_prompt(request.prompt),
            created_at: pending.created_at.unix(),
            expires_at: pending.expires_at.unix(),
            signed_in: pending.signed_in.map(|session| session.as_bytes().to_vec()),
            decided_at: pending.decided_at.map(Timestamp::unix),
        }
    }

    fn read(self) -> Result<PendingAuthorization, StoreError> {
        let row =
            Row { table: "pending_authorizations", key: Key::Digest(&self.interaction_digest) };
        let challenge = |text: String| CodeChallenge::parse(&text);
        let signed_in = |digest: Vec<u8>| digest.try_into().ok().map(SessionDigest::from_bytes);
        let interaction = row.digest("interaction_digest", &self.interaction_digest)?;
        let browser = row.digest("browser_digest", &self.browser_digest)?;
        Ok(PendingAuthorization {
            interaction: InteractionDigest::from_bytes(interaction),
            browser: BrowserDigest::from_bytes(browser),
            request: AuthorizationRequest {
                client_id: row.parsed("client_id", ClientId::parse(&self.client_id))?,
                redirect_uri: self.redirect_uri,
                redirect_uri_sent: row.flag("redirect_uri_sent", self.redirect_uri_sent)?,
                scope: row.parsed("scope", parse_scope(&self.scope))?,
                audience: row.parsed("audience", Audience::parse(&self.audience))?,
                state: row.optional("state", self.state, |it| String::from_utf8(it).ok())?,
                code_challenge: row.optional("code_challenge", self.code_challenge, challenge)?,
                prompt: row.parsed("prompt", parse_prompt(&self.prompt))?,
            },
            created_at: Timestamp::from_unix(self.created_at),
            expires_at: Timestamp::from_unix(self.expires_at),
            signed_in: row.optional("signed_in", self.signed_in, signed_in)?,
            decided_at: instant(self.decided_at),
        })
    }
}

statement! {
    SignedIn { session: [u8; 32], interaction: [u8; 32] };
    "UPDATE pending_authorizations SET signed_in = " session
    " WHERE interaction_digest = " interaction
}

statement! {
    /// Forgets all but the newest `limit` of an origin. It reads no more of the index than those, and
    /// the rows that it forgets.
    Trim { origin: String, limit: i64 };
    "DELETE FROM pending_authorizations WHERE origin = " origin " AND ordinal <="
    " (SELECT ordinal FROM pending_authorizations WHERE origin = " origin
    " ORDER BY ordinal DESC LIMIT 1 OFFSET " limit ")"
}

/// How often a place in an origin's order is looked for. One is lost to another server that took it at the
/// same moment, and by then has committed it.
const ATTEMPTS: usize = 64;

pub(crate) fn insert(
    conn: &mut Connection,
    pending: &PendingAuthorization,
    origin: &str,
    limit: usize,
) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let newest: Option<i64> = pending_authorizations::table
            .filter(pending_authorizations::origin.eq(origin))
            .select(max(pending_authorizations::ordinal))
            .get_result(conn)?;
        let ordinal = newest.map_or(0, |newest| newest + 1);
        let inserted = diesel::insert_into(pending_authorizations::table)
            .values(PendingRow::new(pending, origin, ordinal))
            .on_conflict((pending_authorizations::origin, pending_authorizations::ordinal))
            .do_nothing()
            .execute(conn)?;
        if inserted > 0 {
            let limit = limit.try_into().unwrap_or(i64::MAX);
            Trim { origin: origin.to_owned(), limit }.execute(conn)?;
            return Ok(());
        }
    }
    Err(StoreError::Unavailable("busy: too many requests of one origin".into()).into())
}

pub(crate) fn find(
    conn: &mut Connection,
    interaction: &InteractionDigest,
) -> Result<Option<PendingAuthorization>, Failure> {
    let digest = interaction.as_bytes();
    let row = pending_authorizations::table
        .find(digest.as_slice())
        .select(PendingRow::as_select())
        .get_result(conn)
        .optional()
        .reading("pending_authorizations", Key::Digest(digest))?;
    Ok(row.map(PendingRow::read).transpose()?)
}

pub(crate) fn signed_in(
    conn: &mut Connection,
    interaction: &InteractionDigest,
    session: &SessionDigest,
) -> Result<(), Failure> {
    let signed_in = SignedIn { session: *session.as_bytes(), interaction: *interaction.as_bytes() };
    signed_in.execute(conn)?;
    Ok(())
}

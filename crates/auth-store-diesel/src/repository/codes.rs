//! Authorization codes.

use super::Connection;
use super::grants::{self, GrantRow};
use super::tokens;
use crate::failure::{Failure, Key, Reading as _, Row};
use crate::schema::{codes, grants as grants_table};
use crate::transition::Redemption;
use auth_core::client::ClientId;
use auth_core::code::{CodeRecord, Redeemed};
use auth_core::grant::Grant;
use auth_core::pkce::CodeChallenge;
use auth_core::secret::CodeDigest;
use auth_core::timestamp::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = codes, treat_none_as_default_value = false)]
struct CodeRow {
    grant_id: Vec<u8>,
    code_digest: Vec<u8>,
    client_id: String,
    redirect_uri: String,
    redirect_uri_sent: i64,
    code_challenge: Option<String>,
    created_at: i64,
    expires_at: i64,
}

impl CodeRow {
    fn read(self) -> Result<CodeRecord, Failure> {
        let row = Row { table: "codes", key: Key::Digest(&self.code_digest) };
        let challenge = |text: String| CodeChallenge::parse(&text);
        Ok(CodeRecord {
            client_id: row.parsed("client_id", ClientId::parse(&self.client_id))?,
            redirect_uri_sent: row.flag("redirect_uri_sent", self.redirect_uri_sent)?,
            code_challenge: row.optional("code_challenge", self.code_challenge, challenge)?,
            created_at: Timestamp::from_unix(self.created_at),
            expires_at: Timestamp::from_unix(self.expires_at),
            redirect_uri: self.redirect_uri,
        })
    }
}

statement! {
    /// Spends a code under a live grant. It changes one row for exactly one of those that try.
    Spend { at: i64, grant_id: [u8; 16], code: [u8; 32] };
    "UPDATE codes SET redeemed_at = " at
    " WHERE grant_id = " grant_id " AND code_digest = " code " AND redeemed_at IS NULL AND EXISTS"
    " (SELECT 1 FROM grants WHERE grants.id = " grant_id " AND grants.revoked_at IS NULL"
    " AND (grants.expires_at IS NULL OR grants.expires_at > " at "))"
}

pub(crate) fn find(
    conn: &mut Connection,
    code: &CodeDigest,
) -> Result<Option<(CodeRecord, Grant)>, Failure> {
    let stored: Option<(CodeRow, GrantRow)> = codes::table
        .inner_join(grants_table::table)
        .filter(codes::grant_id.eq(code.grant().as_bytes().as_slice()))
        .filter(codes::code_digest.eq(code.as_bytes().as_slice()))
        .select((CodeRow::as_select(), GrantRow::as_select()))
        .get_result(conn)
        .optional()
        .reading("codes", Key::Digest(code.as_bytes()))?;
    let Some((code, grant)) = stored else {
        return Ok(None);
    };
    Ok(Some((code.read()?, grant.read()?)))
}

pub(super) fn insert(
    conn: &mut Connection,
    code: &CodeDigest,
    record: &CodeRecord,
) -> Result<(), Failure> {
    let row = CodeRow {
        grant_id: code.grant().as_bytes().to_vec(),
        code_digest: code.as_bytes().to_vec(),
        client_id: record.client_id.as_str().to_owned(),
        redirect_uri: record.redirect_uri.clone(),
        redirect_uri_sent: record.redirect_uri_sent.into(),
        code_challenge: record.code_challenge.as_ref().map(|it| it.as_str().to_owned()),
        created_at: record.created_at.unix(),
        expires_at: record.expires_at.unix(),
    };
    diesel::insert_into(codes::table).values(row).execute(conn)?;
    Ok(())
}

pub(crate) fn redeem(conn: &mut Connection, redemption: &Redemption) -> Result<Redeemed, Failure> {
    // A grant that is revoked at this very moment may still see its code redeemed: what that bought is
    // worthless from the revocation's commit on.
    if spend(conn, redemption)? {
        tokens::insert_bought(conn, &redemption.access, redemption.refresh.as_ref())?;
        return Ok(Redeemed::First);
    }
    if is_spent(conn, redemption)? {
        grants::revoke(conn, &redemption.code.grant(), redemption.at)?;
        return Ok(Redeemed::Replayed);
    }
    Ok(Redeemed::GrantEnded)
}

fn spend(conn: &mut Connection, redemption: &Redemption) -> Result<bool, Failure> {
    let spend = Spend {
        at: redemption.at.unix(),
        grant_id: *redemption.code.grant().as_bytes(),
        code: *redemption.code.as_bytes(),
    };
    Ok(spend.execute(conn)? == 1)
}

fn is_spent(conn: &mut Connection, redemption: &Redemption) -> Result<bool, Failure> {
    let code = &redemption.code;
    let redeemed_at: Option<Option<i64>> = codes::table
        .find((code.grant().as_bytes().as_slice(), code.as_bytes().as_slice()))
        .select(codes::redeemed_at)
        .get_result(conn)
        .optional()?;
    Ok(redeemed_at.flatten().is_some())
}

//! Rows for the measurements: written in bulk, without the store.

use auth_core::grant::GrantId;
use auth_core::secret::{
    AccessToken, AccessTokenDigest, AuthorizationCode, CodeDigest, RefreshToken, RefreshTokenDigest,
};
use rusqlite::{Connection, params};
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// When the measurements begin, by the clock of the rows.
const NOW: i64 = 1_800_000_000;
/// How long tokens last.
pub const ACCESS: i64 = 600;
pub const REFRESH: i64 = 2_592_000;
pub const SCOPE: &str = "api.read api.write";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A code is exchanged for two tokens.
    Redemption,
    /// A refresh token that was never used, and is itself a successor, is exchanged for two tokens.
    Rotation,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Redemption => "redemptions",
            Self::Rotation => "rotations",
        }
    }
}

/// One operation: what is presented, and what is stored for it.
pub struct Item {
    /// When. Time goes on as it would, so that what expires later is also stored later.
    pub at: i64,
    pub grant: GrantId,
    pub code: CodeDigest,
    pub parent: RefreshTokenDigest,
    pub presented: RefreshTokenDigest,
    pub access: AccessTokenDigest,
    pub refresh: RefreshTokenDigest,
}

static LAST: AtomicUsize = AtomicUsize::new(0);

impl Item {
    fn new() -> Self {
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let code = AuthorizationCode::presented(&format!("code {number}")).digest();
        let token = |name: &str| RefreshToken::presented(&format!("{name} {number}")).digest();
        // As random as the identifiers of the core.
        let grant = code.as_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            at: NOW + i64::try_from(number / 2000).unwrap_or_default(),
            grant: GrantId::new(grant),
            code,
            parent: token("parent"),
            presented: token("presented"),
            access: AccessToken::presented(&format!("access {number}")).digest(),
            refresh: token("refresh"),
        }
    }
}

/// Fills a database with so many grants, each with what a client in use has: an access token, a refresh
/// token, and the one before it. In no order, so that pages are as full as they get in the course of time.
pub fn populate(path: &Path, grants: usize) {
    in_bulk(path, |conn| {
        let fill = format!(
            "CREATE TEMP TABLE seed AS
                WITH RECURSIVE numbers (n) AS
                    (SELECT 1 WHERE {grants} > 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {grants})
                SELECT lower(hex(randomblob(16))) AS id, randomblob(32) AS parent,
                    randomblob(32) AS refresh FROM numbers;
             INSERT INTO grants (id, subject, client_id, scope, created_at)
                SELECT id, substr(id, 1, 5), 'web', '{SCOPE}', {NOW} FROM seed;
             INSERT INTO access_tokens (token_digest, grant_id, scope, created_at, expires_at)
                SELECT randomblob(32), id, '{SCOPE}', {NOW}, {NOW} + abs(random() % {ACCESS}) FROM seed;
             INSERT INTO refresh_tokens (token_digest, grant_id, ordinal, created_at, expires_at, used_at)
                SELECT parent, id, 0, {NOW}, {NOW} + abs(random() % {REFRESH}), {NOW} FROM seed;
             INSERT INTO refresh_tokens
                    (token_digest, grant_id, parent_digest, ordinal, created_at, expires_at)
                SELECT refresh, id, parent, 1, {NOW}, {NOW} + abs(random() % {REFRESH}) FROM seed;
             DROP TABLE seed"
        );
        conn.execute_batch(&fill)
    });
}

/// Writes what the operations of one round need.
pub fn prepare(path: &Path, kind: Kind, count: usize) -> Vec<Item> {
    let items: Vec<_> = (0..count).map(|_| Item::new()).collect();
    in_bulk(path, |conn| {
        let mut grant = conn.prepare(
            "INSERT INTO grants (id, subject, client_id, scope, created_at)
             VALUES (?1, 'alice', 'web', ?2, ?3)",
        )?;
        let mut code = conn.prepare(
            "INSERT INTO codes (code_digest, grant_id, client_id, redirect_uri, redirect_uri_sent,
                code_challenge, created_at, expires_at)
             VALUES (?1, ?2, 'web', 'https://rp.test/cb', 1,
                'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', ?3, ?4)",
        )?;
        let mut token = conn.prepare(
            "INSERT INTO refresh_tokens (token_digest, grant_id, parent_digest, ordinal, created_at,
                expires_at, used_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for item in &items {
            let id = item.grant.as_str();
            let (at, late) = (item.at, item.at + REFRESH);
            grant.execute(params![id, SCOPE, at])?;
            if kind == Kind::Redemption {
                code.execute(params![item.code.as_bytes(), id, at, at + 60])?;
            } else {
                let (parent, none) = (item.parent.as_bytes(), None::<[u8; 32]>);
                token.execute(params![parent, id, none, 0, at, late, at])?;
                let presented = item.presented.as_bytes();
                token.execute(params![presented, id, parent, 1, at, late, None::<i64>])?;
            }
        }
        Ok(())
    });
    items
}

/// One transaction that need not last, and then a file that is all on the disk.
fn in_bulk(path: &Path, work: impl FnOnce(&Connection) -> rusqlite::Result<()>) {
    let done = (|| {
        let conn = Connection::open(path)?;
        conn.execute_batch(
            "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -2000000;
             PRAGMA temp_store = MEMORY; BEGIN",
        )?;
        work(&conn)?;
        conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
    })();
    done.expect("rows to work on");
    File::open(path).and_then(|file| file.sync_all()).expect("a disk");
}

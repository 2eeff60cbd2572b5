//! The same statements without the store.

use crate::rows::{ACCESS, Item, Kind, REFRESH, SCOPE};
use rusqlite::{Connection, Result, Statement, params};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long one thread takes to do all of this, with so many in one commit.
pub fn run(path: &Path, kind: Kind, items: &[Item], batch: usize) -> Duration {
    let conn = connect(path).expect("a database");
    let mut work = Work::new(&conn).expect("statements");
    let start = Instant::now();
    for batch in items.chunks(batch) {
        work.commit(kind, batch).expect("a commit");
    }
    start.elapsed()
}

/// The settings of the store's writer.
fn connect(path: &Path) -> Result<Connection> {
    let conn = Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;
         PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000",
    )?;
    Ok(conn)
}

struct Work<'c> {
    begin: Statement<'c>,
    commit: Statement<'c>,
    grant: Statement<'c>,
    spend: Statement<'c>,
    access: Statement<'c>,
    first_refresh: Statement<'c>,
    used: Statement<'c>,
    successor: Statement<'c>,
}

impl<'c> Work<'c> {
    fn new(conn: &'c Connection) -> Result<Self> {
        Ok(Self {
            begin: conn.prepare("BEGIN IMMEDIATE")?,
            commit: conn.prepare("COMMIT")?,
            grant: conn.prepare("SELECT expires_at, revoked_at FROM grants WHERE id = ?1")?,
            spend: conn.prepare(
                "UPDATE codes SET redeemed_at = ?1
                 WHERE code_digest = ?2 AND grant_id = ?3 AND redeemed_at IS NULL AND EXISTS
                    (SELECT 1 FROM grants WHERE grants.id = codes.grant_id
                     AND grants.revoked_at IS NULL
                     AND (grants.expires_at IS NULL OR grants.expires_at > ?1))",
            )?,
            access: conn.prepare(
                "INSERT INTO access_tokens (token_digest, grant_id, scope, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
            first_refresh: conn.prepare(
                "INSERT INTO refresh_tokens (token_digest, grant_id, ordinal, created_at, expires_at)
                 VALUES (?1, ?2, 0, ?3, ?4)",
            )?,
            used: conn.prepare(
                "UPDATE refresh_tokens SET
                    used_at = CASE WHEN token_digest = ?3 THEN COALESCE(used_at, ?1) ELSE used_at END,
                    spent_at = CASE WHEN token_digest = ?3 THEN ?2 ELSE ?1 END
                 WHERE spent_at IS NULL AND ((token_digest = ?3 AND grant_id = ?4)
                    OR token_digest =
                        (SELECT parent_digest FROM refresh_tokens WHERE token_digest = ?3)
                    OR (grant_id = ?4 AND parent_digest =
                        (SELECT parent_digest FROM refresh_tokens WHERE token_digest = ?3)))
                 RETURNING token_digest",
            )?,
            successor: conn.prepare(
                "INSERT INTO refresh_tokens
                    (token_digest, grant_id, parent_digest, ordinal, created_at, expires_at)
                 SELECT ?1, ?2, ?3, COALESCE(MAX(ordinal), 0) + 1, ?4, ?5
                 FROM refresh_tokens WHERE grant_id = ?2 AND parent_digest = ?3
                 RETURNING ordinal",
            )?,
        })
    }

    fn commit(&mut self, kind: Kind, items: &[Item]) -> Result<()> {
        self.begin.execute([])?;
        for item in items {
            match kind {
                Kind::Redemption => self.redeem(item)?,
                Kind::Rotation => self.rotate(item)?,
            }
        }
        self.commit.execute([])?;
        Ok(())
    }

    fn require_live_grant(&mut self, item: &Item) -> Result<()> {
        let revoked_at: Option<i64> =
            self.grant.query_row([item.grant.as_str()], |row| row.get(1))?;
        assert_eq!(revoked_at, None);
        Ok(())
    }

    fn redeem(&mut self, item: &Item) -> Result<()> {
        let id = item.grant.as_str();
        let spent = self.spend.execute(params![item.at, item.code.as_bytes(), id])?;
        assert_eq!(spent, 1);
        self.insert_access(item)?;
        self.first_refresh.execute(params![
            item.refresh.as_bytes(),
            id,
            item.at,
            item.at + REFRESH
        ])?;
        Ok(())
    }

    fn rotate(&mut self, item: &Item) -> Result<()> {
        self.require_live_grant(item)?;
        let (id, presented) = (item.grant.as_str(), item.presented.as_bytes());
        let changed = self.used.query_map(params![item.at, None::<i64>, presented, id], |row| {
            row.get::<_, [u8; 32]>(0)
        })?;
        assert_eq!(changed.count(), 2, "the token and its parent");
        self.insert_access(item)?;
        let refresh = item.refresh.as_bytes();
        let row = params![refresh, id, presented, item.at, item.at + REFRESH];
        let ordinal: i64 = self.successor.query_row(row, |row| row.get(0))?;
        assert_eq!(ordinal, 1);
        Ok(())
    }

    fn insert_access(&mut self, item: &Item) -> Result<()> {
        let (access, id) = (item.access.as_bytes(), item.grant.as_str());
        self.access.execute(params![access, id, SCOPE, item.at, item.at + ACCESS])?;
        Ok(())
    }
}

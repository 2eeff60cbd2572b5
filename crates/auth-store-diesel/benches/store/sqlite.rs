//! SQLite: a file, and the same statements without the store.

use crate::rows::{ACCESS, AUDIENCE, Item, Items, Kind, NOW, REFRESH, SCOPE, live};
use crate::subject::Subject;
use rusqlite::{Connection, Result, Statement, params};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    /// A new file with so many live grants.
    pub fn new(directory: &Path, live_grants: usize) -> Self {
        let path = directory.join(format!("{live_grants}.db"));
        for companion in ["db", "db-wal", "db-shm"] {
            let _ = std::fs::remove_file(path.with_extension(companion));
        }
        let database = Self { path };
        auth_store_diesel::migrate(&database.url()).expect("a database");
        database.in_bulk(|rows| rows.live(live_grants));
        database
    }

    /// One transaction that need not last, and then a file that is all on the disk.
    fn in_bulk(&self, write: impl FnOnce(&mut Rows<'_>) -> Result<()>) {
        let done = (|| {
            let conn = Connection::open(&self.path)?;
            conn.execute_batch(
                "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -2000000;
                 BEGIN",
            )?;
            write(&mut Rows::new(&conn)?)?;
            conn.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
        })();
        done.expect("rows to work on");
        File::open(&self.path).and_then(|file| file.sync_all()).expect("a disk");
    }
}

impl Subject for Sqlite {
    fn url(&self) -> String {
        format!("sqlite://{}", self.path.display())
    }

    fn prepare(&self, kind: Kind, items: Items) {
        self.in_bulk(|rows| items.iter().try_for_each(|item| rows.fresh(kind, item)));
    }

    /// One thread, with as many operations in one commit as there are callers of the port.
    fn floor(&self, kind: Kind, items: Items, callers: usize) -> Duration {
        let items: Vec<_> = items.iter().collect();
        let conn = connect(&self.path).expect("a database");
        let mut work = Work::new(&conn).expect("statements");
        let start = Instant::now();
        for batch in items.chunks(callers) {
            work.commit(kind, batch).expect("a commit");
        }
        start.elapsed()
    }
}

/// What is there before an operation.
struct Rows<'c> {
    grant: Statement<'c>,
    code: Statement<'c>,
    token: Statement<'c>,
}

impl<'c> Rows<'c> {
    fn new(conn: &'c Connection) -> Result<Self> {
        Ok(Self {
            grant: conn.prepare(
                "INSERT INTO grants (id, subject, client_id, scope, audience, created_at)
                 VALUES (?1, ?2, 'web', ?3, ?4, ?5)",
            )?,
            code: conn.prepare(
                "INSERT INTO codes (grant_id, code_digest, client_id, redirect_uri,
                    redirect_uri_sent, code_challenge, created_at, expires_at)
                 VALUES (?1, ?2, 'web', 'https://rp.test/cb', 1,
                    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', ?3, ?4)",
            )?,
            token: conn.prepare(
                "INSERT INTO tokens (grant_id, token_digest, kind, scope, audience, parent_digest,
                    ordinal, uses, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?,
        })
    }

    /// Grants as they were approved, then the refreshes of their clients, in no order: so pages are as
    /// full as they get in the course of time.
    fn live(&mut self, count: usize) -> Result<()> {
        for item in live(count) {
            self.grant(item)?;
            self.refresh_token(item, "parent", item.some_end("parent ends", REFRESH))?;
        }
        for item in Items::live(count, 0, count).iter() {
            let (grant, digest) = (item.grant(), item.digest("old access"));
            let ends = item.some_end("access ends", ACCESS);
            self.token.execute(params![
                grant.as_bytes(),
                digest,
                "access",
                SCOPE,
                AUDIENCE,
                None::<[u8; 32]>,
                0,
                0,
                ends - ACCESS,
                ends
            ])?;
            self.refresh_token(item, "presented", item.some_end("presented ends", REFRESH))?;
        }
        Ok(())
    }

    fn fresh(&mut self, kind: Kind, item: Item) -> Result<()> {
        self.grant(item)?;
        match kind {
            Kind::Redemption => {
                let (grant, digest) = (item.grant(), item.digest("code"));
                self.code.execute(params![grant.as_bytes(), digest, item.at(), item.at() + 60])?;
            }
            Kind::Rotation => {
                self.refresh_token(item, "parent", item.at() + REFRESH)?;
                self.refresh_token(item, "presented", item.at() + REFRESH)?;
            }
        }
        Ok(())
    }

    fn grant(&mut self, item: Item) -> Result<()> {
        let subject = format!("{:032x}", item.0 / 4);
        let created_at = item.millis() / 1000;
        self.grant.execute(params![
            item.grant().as_bytes(),
            subject,
            SCOPE,
            AUDIENCE,
            created_at
        ])?;
        Ok(())
    }

    fn refresh_token(&mut self, item: Item, name: &str, ends: i64) -> Result<()> {
        let is_parent = name == "parent";
        self.token.execute(params![
            item.grant().as_bytes(),
            item.digest(name),
            "refresh",
            None::<&str>,
            None::<&str>,
            (!is_parent).then(|| item.digest("parent")),
            i64::from(!is_parent),
            i64::from(is_parent),
            NOW.min(ends - REFRESH),
            ends
        ])?;
        Ok(())
    }
}

/// The settings of the store's writer.
fn connect(path: &Path) -> Result<Connection> {
    let conn = Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 16384;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000",
    )?;
    Ok(conn)
}

/// The statements of the repository, in its order.
struct Work<'c> {
    begin: Statement<'c>,
    commit: Statement<'c>,
    spend: Statement<'c>,
    lock: Statement<'c>,
    use_token: Statement<'c>,
    insert: Statement<'c>,
}

impl<'c> Work<'c> {
    fn new(conn: &'c Connection) -> Result<Self> {
        Ok(Self {
            begin: conn.prepare("BEGIN IMMEDIATE")?,
            commit: conn.prepare("COMMIT")?,
            spend: conn.prepare(
                "UPDATE codes SET redeemed_at = ?1
                 WHERE grant_id = ?2 AND code_digest = ?3 AND redeemed_at IS NULL AND EXISTS
                    (SELECT 1 FROM grants WHERE grants.id = ?2 AND grants.revoked_at IS NULL
                     AND (grants.expires_at IS NULL OR grants.expires_at > ?1))",
            )?,
            lock: conn.prepare("SELECT expires_at, revoked_at FROM grants WHERE id = ?1")?,
            use_token: conn.prepare(
                "UPDATE tokens SET
                    uses = CASE WHEN token_digest = ?2 THEN uses + 1 ELSE uses END,
                    spent_at = CASE WHEN token_digest = ?2 THEN NULL ELSE COALESCE(spent_at, ?3) END
                 WHERE grant_id = ?1 AND token_digest IN (?2, (SELECT parent_digest FROM tokens
                        WHERE grant_id = ?1 AND token_digest = ?2 AND uses = 0 AND spent_at IS NULL))
                    AND kind = 'refresh' AND (token_digest <> ?2 OR spent_at IS NULL)
                 RETURNING token_digest, uses, parent_digest",
            )?,
            insert: conn.prepare(
                "INSERT INTO tokens (grant_id, token_digest, kind, scope, audience, parent_digest,
                    ordinal, uses, created_at, expires_at)
                 VALUES (?1, ?2, 'access', ?3, ?4, NULL, 0, 0, ?5, ?6),
                    (?1, ?7, 'refresh', NULL, NULL, ?8, ?9, 0, ?5, ?10)",
            )?,
        })
    }

    fn commit(&mut self, kind: Kind, items: &[Item]) -> Result<()> {
        self.begin.execute([])?;
        for item in items {
            match kind {
                Kind::Redemption => self.redeem(*item)?,
                Kind::Rotation => self.rotate(*item)?,
            }
        }
        self.commit.execute([])?;
        Ok(())
    }

    fn redeem(&mut self, item: Item) -> Result<()> {
        let (grant, code) = (item.grant(), item.digest("code"));
        let spent = self.spend.execute(params![item.at(), grant.as_bytes(), code])?;
        assert_eq!(spent, 1);
        self.insert(item, None)
    }

    fn rotate(&mut self, item: Item) -> Result<()> {
        let (grant, presented) = (item.grant(), item.digest("presented"));
        let revoked_at: Option<i64> = self.lock.query_row([grant.as_bytes()], |row| row.get(1))?;
        assert_eq!(revoked_at, None);
        let used = params![grant.as_bytes(), presented, item.at()];
        let changed = self.use_token.query_map(used, |row| row.get::<_, i64>(1))?;
        assert_eq!(changed.count(), 2, "the token and its parent");
        self.insert(item, Some(presented))
    }

    fn insert(&mut self, item: Item, parent: Option<[u8; 32]>) -> Result<()> {
        let at = item.at();
        self.insert.execute(params![
            item.grant().as_bytes(),
            item.digest("access"),
            SCOPE,
            AUDIENCE,
            at,
            at + ACCESS,
            item.digest("refresh"),
            parent,
            i64::from(parent.is_some()),
            at + REFRESH
        ])?;
        Ok(())
    }
}

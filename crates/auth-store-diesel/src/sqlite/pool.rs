//! Connections: how one is set up, and the pool of those that read.

use super::Connection;
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use diesel::r2d2::{ConnectionManager, Error};
use diesel::result::{ConnectionResult, QueryResult};
use std::path::Path;
use std::time::{Duration, Instant};

pub(super) type Pool = r2d2::Pool<ConnectionManager<Connection>>;

/// How long a reader waits for a free connection.
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection that may write, set up in full.
pub(super) fn connect(path: &Path, busy_timeout: Duration) -> ConnectionResult<Connection> {
    let mut conn = Connection::establish(&path.to_string_lossy())?;
    set_up(&mut conn, busy_timeout).map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// FULL: what was answered survives a loss of power. The write-ahead log takes 64 MB (16,384 pages) before it
/// is moved into the file: pages that change often are moved once then, and those that change once in
/// order. The rest is working memory.
fn set_up(conn: &mut Connection, busy_timeout: Duration) -> QueryResult<()> {
    conn.batch_execute(&format!("PRAGMA busy_timeout = {}", busy_timeout.as_millis()))?;
    enter_wal(conn, busy_timeout)?;
    for pragma in [
        "PRAGMA synchronous = FULL",
        "PRAGMA wal_autocheckpoint = 16384",
        "PRAGMA journal_size_limit = 67108864",
        "PRAGMA foreign_keys = ON",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA cache_size = -8000",
    ] {
        conn.batch_execute(pragma)?;
    }
    Ok(())
}

/// The first use of a connection. Two kinds of moment are too short for SQLite to wait for: while
/// another process makes a new file a WAL file, and while the last one to close cleans up behind it.
fn enter_wal(conn: &mut Connection, busy_timeout: Duration) -> QueryResult<()> {
    let start = Instant::now();
    loop {
        match conn.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if is_locked(&error) && start.elapsed() < busy_timeout => {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

/// diesel passes on SQLite's message, not its code.
fn is_locked(error: &diesel::result::Error) -> bool {
    error.to_string() == "database is locked"
}

/// Readers keep their connections, and with them their prepared statements, for ever.
pub(super) fn readers(path: &Path, size: u32, busy_timeout: Duration) -> Result<Pool, r2d2::Error> {
    Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(1))
        .test_on_check_out(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connection_timeout(CHECKOUT_TIMEOUT)
        .connection_customizer(Box::new(ReadOnly { busy_timeout }))
        .build(ConnectionManager::new(path.to_string_lossy()))
}

#[derive(Debug)]
struct ReadOnly {
    busy_timeout: Duration,
}

impl r2d2::CustomizeConnection<Connection, Error> for ReadOnly {
    fn on_acquire(&self, conn: &mut Connection) -> Result<(), Error> {
        set_up(conn, self.busy_timeout)
            .and_then(|()| conn.batch_execute("PRAGMA query_only = ON"))
            .map_err(Error::QueryError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::{RunQueryDsl as _, sql_query};

    #[derive(diesel::QueryableByName)]
    struct Setting {
        #[diesel(sql_type = diesel::sql_types::Text)]
        value: String,
    }

    fn setting(conn: &mut Connection, name: &str) -> String {
        let query = format!("SELECT CAST({name} AS TEXT) AS value FROM pragma_{name}");
        sql_query(query).get_result::<Setting>(conn).unwrap().value
    }

    /// An answer that left the server is on the disk.
    #[test]
    fn every_connection_is_durable_and_keeps_references_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("auth.db");
        super::super::migrate(&path).unwrap();
        let mut writer = connect(&path, Duration::from_secs(3)).unwrap();
        let pool = readers(&path, 2, Duration::from_secs(3)).unwrap();
        let mut reader = pool.get().unwrap();
        for conn in [&mut writer, &mut *reader] {
            assert_eq!(setting(conn, "journal_mode"), "wal");
            assert_eq!(setting(conn, "synchronous"), "2", "FULL");
            assert_eq!(setting(conn, "foreign_keys"), "1");
        }
        assert_eq!(setting(&mut writer, "query_only"), "0");
        assert!(reader.batch_execute("DELETE FROM grants").is_err());
    }
}

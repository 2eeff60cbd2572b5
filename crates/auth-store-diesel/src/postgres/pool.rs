//! Connections: how one is set up, and the pool of them.

use super::{Address, Connection};
use diesel::connection::SimpleConnection as _;
use diesel::r2d2::R2D2Connection as _;
use diesel::result::QueryResult;
use diesel::{Connection as _, ConnectionError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a caller waits for a free connection, or for a database that is away.
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(2);

/// Nothing hangs: not a statement, not a wait for a lock, and not the locks of a server that froze in the
/// middle of a transaction.
const SETTINGS: &str = "\
    SET statement_timeout = '5s';\
    SET lock_timeout = '4s';\
    SET idle_in_transaction_session_timeout = '10s'";

/// What the statements are written for, those of migrations too, whatever the database was set to: whoever
/// waited for another reads what that one wrote.
const ISOLATION: &str = "SET default_transaction_isolation = 'read committed'";

/// A connection, set up for the ports.
pub(super) fn connect(address: &Address) -> Result<Connection, Refused> {
    let mut conn = establish(address)?;
    conn.batch_execute(SETTINGS).map_err(|error| Refused(error.to_string()))?;
    Ok(conn)
}

/// A connection as the database sets it up, but for its isolation.
pub(super) fn establish(address: &Address) -> Result<Connection, Refused> {
    let connected = Connection::establish(address.expose()).map_err(|error| {
        let message = match error {
            ConnectionError::BadConnection(message) => message,
            ConnectionError::CouldntSetupConfiguration(error) => error.to_string(),
            error => error.to_string(),
        };
        Refused(address.scrub(&message))
    });
    let mut conn = connected?;
    conn.batch_execute(ISOLATION).map_err(|error| Refused(error.to_string()))?;
    Ok(conn)
}

/// Why there is no connection. Shows no password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(String);

pub(super) type Pool = r2d2::Pool<Manager>;
pub(super) type Pooled = r2d2::PooledConnection<Manager>;

/// Connections are kept for ever, and with them their prepared statements. The database may be away at
/// first: each checkout tries again.
pub(super) fn connections(address: Address, size: u32) -> Pool {
    let losses = Arc::new(AtomicU64::new(0));
    Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(1))
        .test_on_check_out(true)
        .idle_timeout(None)
        .max_lifetime(None)
        .connection_timeout(CHECKOUT_TIMEOUT)
        .error_handler(Box::new(Logged))
        .build_unchecked(Manager { address, losses })
}

#[derive(Debug)]
struct Logged;

impl r2d2::HandleError<Refused> for Logged {
    fn handle_error(&self, error: Refused) {
        tracing::warn!(%error, "no connection to the database");
    }
}

#[derive(Debug)]
pub(super) struct Manager {
    address: Address,
    /// How many connections were lost so far.
    losses: Arc<AtomicU64>,
}

/// One of the pool's connections.
pub(super) struct Member {
    conn: Connection,
    losses: Arc<AtomicU64>,
    /// How many had been lost when this one was last known to work.
    works_since: u64,
    is_lost: bool,
}

impl Member {
    pub(super) fn conn(&mut self) -> &mut Connection {
        &mut self.conn
    }

    /// Gives the connection up: the pool will replace it. The others may have gone the same way, so each
    /// is looked at before it is used again.
    pub(super) fn give_up(&mut self) {
        self.is_lost = true;
        self.losses.fetch_add(1, Ordering::Relaxed);
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = Member;
    type Error = Refused;

    fn connect(&self) -> Result<Member, Refused> {
        let works_since = self.losses.load(Ordering::Relaxed);
        let conn = connect(&self.address)?;
        Ok(Member { conn, losses: Arc::clone(&self.losses), works_since, is_lost: false })
    }

    /// Asked at every checkout. It costs a round trip only after a connection was lost.
    fn is_valid(&self, member: &mut Member) -> Result<(), Refused> {
        let losses = self.losses.load(Ordering::Relaxed);
        if member.works_since != losses {
            let answered: QueryResult<()> = member.conn.ping();
            answered.map_err(|error| Refused(error.to_string()))?;
            member.works_since = losses;
        }
        Ok(())
    }

    fn has_broken(&self, member: &mut Member) -> bool {
        std::thread::panicking() || member.is_lost || member.conn.is_broken()
    }
}

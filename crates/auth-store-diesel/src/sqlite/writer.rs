//! One writer with group commit.
//!
//! SQLite lets one connection write at a time, and the `fsync` of its commit takes far longer than the
//! statements before it. So one thread owns the connection that writes: it runs all the jobs that wait,
//! each behind a savepoint of its own, commits them together, and then answers each. A job that finds
//! the thread idle is committed at once, alone.
//!
//! No job is answered before the commit that carries it has succeeded. A job that fails or panics is
//! rolled back to its savepoint and harms no other.

use super::Connection;
use super::control::{Begin, Commit, Release, Rollback, RollbackTo, Savepoint};
use crate::failure::Failure;
use auth_core::error::StoreError;
use diesel::connection::SimpleConnection as _;
use diesel::query_dsl::methods::ExecuteDsl;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// The most jobs of one commit: enough to make the `fsync` cheap, few enough that the first job does
/// not wait long for the last.
const BATCH: usize = 128;

/// The thread that writes. Dropping it lets it finish what waits, and joins it.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread; up to `queue` jobs may wait for it.
    pub(crate) fn start(conn: Connection, queue: usize) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(queue.max(1));
        let thread = std::thread::Builder::new()
            .name("auth-store-writer".into())
            .spawn(move || run(conn, &receiver))?;
        Ok(Self { queue: Some(sender), thread: Some(thread) })
    }

    /// Runs a job and answers when it is committed. A full queue is an error at once.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = sync_channel(1);
        let job = Box::new(Task { work: Some(work), outcome: None, reply });
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Unavailable("busy: too many writes wait".into()),
            TrySendError::Disconnected(_) => stopped(),
        })?;
        answer.recv().unwrap_or_else(|_| Err(stopped()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer had stopped");
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable("the store's writer has stopped".into())
}

/// One transition on its way through the queue.
trait Job: Send {
    /// Runs it and keeps what came of it; an error if it must not stay in the transaction.
    fn run(&mut self, conn: &mut Connection) -> Result<(), StoreError>;

    /// Tells its caller: what came of it, or how the transaction that carried it was lost.
    fn answer(self: Box<Self>, lost: Option<&StoreError>);
}

struct Task<W, T> {
    work: Option<W>,
    outcome: Option<Result<T, StoreError>>,
    reply: SyncSender<Result<T, StoreError>>,
}

impl<W, T> Job for Task<W, T>
where
    W: FnOnce(&mut Connection) -> Result<T, Failure> + Send,
    T: Send,
{
    fn run(&mut self, conn: &mut Connection) -> Result<(), StoreError> {
        let work = self.work.take().ok_or_else(stopped)?;
        let outcome = catch_unwind(AssertUnwindSafe(|| work(conn)))
            .unwrap_or_else(|_| Err(panicked().into()))
            .map_err(StoreError::from);
        let failed = outcome.as_ref().err().cloned();
        self.outcome = Some(outcome);
        failed.map_or(Ok(()), Err)
    }

    fn answer(self: Box<Self>, lost: Option<&StoreError>) {
        let answer = match (lost, self.outcome) {
            (None, Some(outcome)) => outcome,
            (Some(lost), _) => Err(lost.clone()),
            (None, None) => Err(stopped()),
        };
        // A caller that is gone has nobody to tell.
        let _ = self.reply.send(answer);
    }
}

fn panicked() -> StoreError {
    tracing::error!("a write panicked and was rolled back");
    StoreError::Unavailable("the write failed unexpectedly".into())
}

fn run(mut conn: Connection, queue: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = queue.recv() {
        let mut batch = vec![first];
        let lost = write_batch(&mut conn, &mut batch, queue).err();
        if let Some(error) = &lost {
            // Whatever is left of the transaction must not leak into the next; SQLite may have rolled
            // it back by itself, and then this says so.
            let _ = run_control(&mut conn, Rollback);
            tracing::warn!(jobs = batch.len(), %error, "writes were refused");
        }
        for job in batch {
            job.answer(lost.as_ref());
        }
    }
    if let Err(error) = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)") {
        tracing::warn!(%error, "the write-ahead log was not checkpointed; the next start does it");
    }
}

/// Runs what waits as one transaction, at most [`BATCH`] jobs of it.
fn write_batch(
    conn: &mut Connection,
    batch: &mut Vec<Box<dyn Job>>,
    queue: &Receiver<Box<dyn Job>>,
) -> Result<(), StoreError> {
    run_control(conn, Begin).inspect_err(|_| {
        // Another process holds the database. What waits behind this job would each wait as long.
        batch.extend(queue.try_iter());
    })?;
    let mut done = 0;
    while let Some(job) = batch.get_mut(done) {
        run_control(conn, Savepoint)?;
        if let Err(error) = job.run(conn) {
            // SQLite throws the whole transaction away when it meets a full disk or an I/O error. Then
            // there is no savepoint to return to, and what the job met is why the batch is lost.
            run_control(conn, RollbackTo)
                .map_err(|_| StoreError::Unavailable(error.to_string()))?;
        }
        run_control(conn, Release)?;
        done += 1;
        if done < BATCH {
            match queue.try_recv() {
                Ok(next) => batch.push(next),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
            }
        }
    }
    run_control(conn, Commit)
}

fn run_control(
    conn: &mut Connection,
    statement: impl ExecuteDsl<Connection>,
) -> Result<(), StoreError> {
    match ExecuteDsl::execute(statement, conn) {
        Ok(_) => Ok(()),
        Err(error) => Err(StoreError::Unavailable(error.to_string())),
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;

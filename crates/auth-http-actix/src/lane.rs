//! A small thread pool with a short queue, for work that is slow by design.
//!
//! Password hashing runs here and nowhere else, so that a password spray can starve neither the
//! workers nor the blocking pool that serves `/token`; its memory is bounded with it.

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Why the lane gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneError {
    /// The queue is full; try again in a moment.
    Full,
    /// The work panicked.
    Panicked,
}

/// The pool. Clones share it; its threads end with the last clone.
#[derive(Clone)]
pub struct Lane(SyncSender<Job>);

impl Lane {
    /// Starts `threads` threads behind a queue of `queue` jobs.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(threads: usize, queue: usize) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel::<Job>(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        for index in 0..threads.max(1) {
            let receiver = Arc::clone(&receiver);
            let run = move || {
                loop {
                    let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = next else { break };
                    // The job's sender is dropped by the unwinding, which tells its caller.
                    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
                }
            };
            thread::Builder::new().name(format!("password-{index}")).spawn(run)?;
        }
        Ok(Self(sender))
    }

    /// Runs `work` on the lane.
    ///
    /// # Errors
    /// [`LaneError::Full`] at once if the queue is full.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, LaneError> {
        let (sender, receiver) = oneshot::channel();
        let job = Box::new(move || {
            let _ = sender.send(work());
        });
        self.0.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => LaneError::Full,
            TrySendError::Disconnected(_) => LaneError::Panicked,
        })?;
        receiver.await.map_err(|_| LaneError::Panicked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::sync::mpsc::channel;
    use std::task::Poll;

    #[actix_web::test]
    async fn work_is_done_and_a_panic_harms_only_itself() {
        let lane = Lane::start(1, 4).unwrap();
        assert_eq!(lane.run(|| 6 * 7).await, Ok(42));
        let panicked: Result<(), _> = lane.run(|| panic!("on purpose")).await;
        assert_eq!(panicked, Err(LaneError::Panicked));
        assert_eq!(lane.run(|| 1).await, Ok(1));
    }

    #[actix_web::test]
    async fn a_full_queue_answers_at_once() {
        let lane = Lane::start(1, 1).unwrap();
        let (started, wait_started) = channel();
        let (release, wait_release) = channel::<()>();
        let busy = tokio::spawn({
            let lane = lane.clone();
            async move { lane.run(move || (started.send(()), wait_release.recv()).1).await }
        });
        while wait_started.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        // Polled once, it has taken the one place in the queue.
        let mut queued = Box::pin(lane.run(|| ()));
        let waits = poll_fn(|cx| Poll::Ready(queued.as_mut().poll(cx).is_pending())).await;
        assert!(waits);
        assert_eq!(lane.run(|| ()).await, Err(LaneError::Full));
        release.send(()).unwrap();
        assert!(busy.await.unwrap().is_ok());
        assert_eq!(queued.await, Ok(()));
    }
}

//! The line in which requests wait for a thread that asks the store.
//!
//! While the store answers slowly, requests come faster than they go. Whoever has waited for long has given
//! up or soon will, and tries again: doing the work then redeems a code that nobody hears of. So the line
//! is bounded, in number and in time, and whoever does not get a turn hears 503 while it listens.

use auth_core::error::{Fault, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The most requests in line, those included that have their turn.
const LONGEST: usize = 1024;

/// How long a request may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many are in line.
#[derive(Default)]
pub(crate) struct Line(Arc<AtomicUsize>);

impl Line {
    /// Gets in line, at the end.
    ///
    /// # Errors
    /// The line is full.
    pub(crate) fn join(&self) -> Result<Place, Fault> {
        let place = Place { line: Arc::clone(&self.0), since: Instant::now() };
        match self.0.fetch_add(1, Ordering::Relaxed) < LONGEST {
            true => Ok(place),
            false => Err(busy("too many requests wait")),
        }
    }
}

/// A place in the line, until it is dropped.
pub(crate) struct Place {
    line: Arc<AtomicUsize>,
    since: Instant,
}

impl Place {
    /// Gets its turn.
    ///
    /// # Errors
    /// It has waited too long.
    pub(crate) fn turn(&self) -> Result<(), Fault> {
        match self.since.elapsed() < PATIENCE {
            true => Ok(()),
            false => Err(busy("the request waited too long")),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.line.fetch_sub(1, Ordering::Relaxed);
    }
}

fn busy(why: &str) -> Fault {
    Fault::Store(StoreError::Unavailable(format!("busy: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_line_lets_nobody_in_until_somebody_leaves() {
        let line = Line::default();
        let mut places: Vec<_> = (0..LONGEST).map(|_| line.join().unwrap()).collect();
        for _ in 0..3 {
            assert!(line.join().is_err_and(|fault| fault.is_transient()));
        }
        places.pop();
        assert!(line.join().is_ok());
        assert!(places.iter().all(|place| place.turn().is_ok()));
    }

    #[test]
    fn whoever_waited_too_long_gets_no_turn() {
        let mut place = Line::default().join().unwrap();
        place.since -= PATIENCE;
        assert!(place.turn().is_err_and(|fault| fault.is_transient()));
    }
}

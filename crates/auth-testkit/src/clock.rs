use auth_core::timestamp::{Clock, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use time::Duration;

/// A clock that stands still until it is moved. Share it in an `Arc`.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// Where [`FixedClock::default`] stands: 2026-01-01T00:00:00Z.
    pub const START: Timestamp = Timestamp::from_unix(1_767_225_600);

    /// A clock that stands at this instant.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.unix()))
    }

    /// Sets the clock, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.unix(), Ordering::SeqCst);
    }

    /// Moves the clock by whole seconds; a negative duration moves it back.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.whole_seconds(), Ordering::SeqCst);
    }
}

impl Default for FixedClock {
    fn default() -> Self {
        Self::at(Self::START)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst))
    }

    fn unix_millis(&self) -> u64 {
        u64::try_from(self.now().unix()).unwrap_or_default().saturating_mul(1000)
    }
}

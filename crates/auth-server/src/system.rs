//! The machine's own clock and randomness, for the core's ports.

use auth_core::entropy::{Entropy, EntropyError};
use auth_core::timestamp::{Clock, Timestamp};

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(time::OffsetDateTime::now_utc().unix_timestamp())
    }

    fn unix_millis(&self) -> u64 {
        let nanoseconds = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
        u64::try_from(nanoseconds / 1_000_000).unwrap_or_default()
    }
}

/// The operating system's source of randomness.
pub(crate) struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|error| EntropyError(error.to_string()))
    }
}

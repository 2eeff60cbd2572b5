//! Instants, and the port that tells the time.

use std::fmt;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// An instant in whole Unix seconds.
///
/// Something that expires at `t` is valid before `t` and expired from `t` on (XC-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant this many seconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This instant, `lifetime` later. Saturates.
    pub const fn after(self, lifetime: Duration) -> Self {
        Self(self.0.saturating_add(lifetime.whole_seconds()))
    }

    /// This instant, `age` earlier. Saturates.
    pub const fn before(self, age: Duration) -> Self {
        Self(self.0.saturating_sub(age.whole_seconds()))
    }

    /// Whole seconds from `self` until `later`; zero if that is past.
    pub const fn seconds_until(self, later: Self) -> i64 {
        let seconds = later.0.saturating_sub(self.0);
        if seconds > 0 { seconds } else { 0 }
    }

    /// Whether something that expires at this instant is expired at `now` (XC-12).
    pub const fn is_expired(self, now: Self) -> bool {
        now.0 >= self.0
    }
}

/// RFC 3339 in UTC, such as `2026-11-25T08:30:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp(self.0)
            .ok()
            .and_then(|instant| instant.format(&Rfc3339).ok());
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "@{}", self.0),
        }
    }
}

/// Tells the time.
#[cfg_attr(test, mockall::automock)]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Milliseconds since 1970-01-01T00:00:00Z: what puts identifiers in order. Nothing expires by it.
    fn unix_millis(&self) -> u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XC-12: the boundary is exact.
    #[test]
    fn expired_from_the_very_second_on() {
        let at = Timestamp::from_unix(100);
        assert!(!at.is_expired(Timestamp::from_unix(99)));
        assert!(at.is_expired(Timestamp::from_unix(100)));
    }

    #[test]
    fn arithmetic_saturates_and_prints_rfc_3339() {
        assert_eq!(Timestamp::from_unix(i64::MAX).after(Duration::DAY).unix(), i64::MAX);
        assert_eq!(Timestamp::from_unix(5).seconds_until(Timestamp::from_unix(3)), 0);
        assert_eq!(Timestamp::from_unix(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_unix(i64::MAX).to_string(), format!("@{}", i64::MAX));
    }
}

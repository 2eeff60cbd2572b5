//! Slowing down guessing, without locking anybody out (TOKEN-15, UI-18).
//!
//! Each key has a bucket of tries that refills evenly over a minute. Right credentials cost nothing.
//! For passwords a try is taken before they are looked at and given back if they were right, so that
//! many guesses at once cannot slip through. For clients, whose secrets nobody guesses but who may
//! have hundreds of requests under way, the bucket is only looked at before, and a failure charged
//! after. Keys carry the network address, so an attacker slows only themself.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Too many failures. Try again after this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// For the `Retry-After` header: whole seconds, at least one.
    pub retry_after_seconds: u64,
}

/// Buckets of failures per minute, by key.
pub struct Throttle<K> {
    per_minute: f64,
    buckets: Mutex<HashMap<K, Bucket>>,
}

struct Bucket {
    tries: f64,
    since: Instant,
}

/// More keys than this are not remembered: full buckets go first, then all of them.
const MAX_KEYS: usize = 100_000;

impl<K: Eq + Hash> Throttle<K> {
    /// A throttle that lets `per_minute` failures pass.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: f64::from(per_minute.max(1)), buckets: Mutex::default() }
    }

    /// Takes one try from the key's bucket.
    ///
    /// # Errors
    /// [`Throttled`] if the bucket is empty.
    pub fn take(&self, key: K, now: Instant) -> Result<(), Throttled> {
        let mut buckets = self.lock();
        if buckets.len() >= MAX_KEYS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| self.refilled(bucket, now) < self.per_minute);
            if buckets.len() >= MAX_KEYS {
                buckets.clear();
            }
        }
        let full = Bucket { tries: self.per_minute, since: now };
        let bucket = buckets.entry(key).or_insert(full);
        let tries = self.refilled(bucket, now);
        self.require_one(tries)?;
        *bucket = Bucket { tries: tries - 1.0, since: now };
        Ok(())
    }

    /// Whether there is a try in the key's bucket, which stays there.
    ///
    /// # Errors
    /// [`Throttled`] if the bucket is empty.
    pub fn check(&self, key: &K, now: Instant) -> Result<(), Throttled> {
        match self.lock().get(key) {
            Some(bucket) => self.require_one(self.refilled(bucket, now)),
            None => Ok(()),
        }
    }

    fn require_one(&self, tries: f64) -> Result<(), Throttled> {
        if tries >= 1.0 {
            return Ok(());
        }
        let seconds = (1.0 - tries) * 60.0 / self.per_minute;
        Err(Throttled { retry_after_seconds: seconds.ceil().max(1.0) as u64 })
    }

    /// Gives a try back: the credentials were right, or were not judged.
    pub fn give_back(&self, key: &K) {
        if let Some(bucket) = self.lock().get_mut(key) {
            bucket.tries = (bucket.tries + 1.0).min(self.per_minute);
        }
    }

    fn refilled(&self, bucket: &Bucket, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(bucket.since);
        let refill =
            elapsed.as_secs_f64() * self.per_minute / Duration::from_secs(60).as_secs_f64();
        (bucket.tries + refill).min(self.per_minute)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of an address that one attacker cannot change at will: IPv4 whole, IPv6 by its /64.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UI-18, TOKEN-15: the bucket empties, says when to come back, and refills.
    #[test]
    fn ten_failures_a_minute_pass_and_the_eleventh_waits() {
        let throttle = Throttle::new(10);
        let start = Instant::now();
        for _ in 0..10 {
            assert_eq!(throttle.take("alice", start), Ok(()));
        }
        let refused = Err(Throttled { retry_after_seconds: 6 });
        assert_eq!(throttle.take("alice", start), refused);
        assert_eq!(throttle.take("bob", start), Ok(()));
        assert_eq!(throttle.take("alice", start + Duration::from_secs(6)), Ok(()));
        assert!(throttle.take("alice", start + Duration::from_secs(6)).is_err());
    }

    /// TOKEN-15
    #[test]
    fn looking_into_a_bucket_takes_nothing() {
        let throttle = Throttle::new(1);
        let now = Instant::now();
        for _ in 0..100 {
            assert_eq!(throttle.check(&"web", now), Ok(()));
        }
        throttle.take("web", now).unwrap();
        assert_eq!(throttle.check(&"web", now), Err(Throttled { retry_after_seconds: 60 }));
        assert_eq!(throttle.check(&"web", now + Duration::from_secs(60)), Ok(()));
    }

    #[test]
    fn a_try_that_was_given_back_costs_nothing() {
        let throttle = Throttle::new(1);
        let now = Instant::now();
        for _ in 0..100 {
            assert_eq!(throttle.take("alice", now), Ok(()));
            throttle.give_back(&"alice");
        }
    }

    /// XC-07: however many keys come, the map stays bounded.
    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::new(2);
        let now = Instant::now();
        for key in 0..(MAX_KEYS * 2 + 10) {
            throttle.take(key, now).unwrap();
        }
        assert!(throttle.lock().len() <= MAX_KEYS);
    }

    #[test]
    fn ipv6_counts_by_its_64() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:2::"), network("2001:db8:1:3::"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}

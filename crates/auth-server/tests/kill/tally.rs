//! How much was asked, and what came of it.

use std::fmt::{Display, Formatter, Result};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that several threads count up.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Display for Count {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.get().fmt(f)
    }
}

#[derive(Debug, Default)]
pub struct Tally {
    /// Codes that arrived.
    pub codes: Count,
    /// Redemptions and refreshes that were granted.
    pub granted: Count,
    /// Those that were refused, rightly.
    pub refused: Count,
    pub token_requests_cut_off: Count,
    /// Access tokens that the client got for itself.
    pub own_tokens: Count,
    pub revocations: Count,
    pub revocations_cut_off: Count,
    /// Revocations that a refresh with the same token ran against, by what became of that.
    pub races_granted: Count,
    pub races_refused: Count,
    pub introspections: Count,
}

impl Tally {
    /// Whether everything happened that was to be tried.
    pub fn is_worth_it(&self) -> bool {
        let Self { codes, granted, refused, own_tokens, revocations, introspections, .. } = self;
        codes.get() > 100
            && granted.get() > 1000
            && refused.get() > 10
            && self.token_requests_cut_off.get() > 0
            && own_tokens.get() > 20
            && revocations.get() > 100
            && introspections.get() > 1000
            && self.races_granted.get() > 0
            && self.races_refused.get() > 0
    }
}

impl Display for Tally {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { codes, granted, refused, token_requests_cut_off, own_tokens, .. } = self;
        let Self { revocations, revocations_cut_off, races_granted, races_refused, .. } = self;
        write!(
            f,
            "{codes} codes; token requests: {granted} granted, {refused} refused, \
             {token_requests_cut_off} cut off; {own_tokens} client credentials tokens; \
             revocations: {revocations} answered, {revocations_cut_off} cut off, of those that raced \
             a refresh it was granted before {races_granted} and refused after {races_refused}; \
             {} introspections",
            self.introspections
        )
    }
}

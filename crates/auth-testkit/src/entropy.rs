use auth_core::entropy::{Entropy, EntropyError};
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that are the same on every run, and never the same twice within one: every call that asks
/// for 8 bytes or more gets other bytes than every call before it. Not random at all.
#[derive(Debug, Default)]
pub struct CountingEntropy(AtomicU64);

impl CountingEntropy {
    /// Starts counting here. Two servers on one store need starts that are far apart.
    pub fn starting_at(count: u64) -> Self {
        Self(AtomicU64::new(count))
    }
}

impl Entropy for CountingEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let mut word = mix(self.0.fetch_add(1, Ordering::SeqCst));
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&word.to_be_bytes()[..chunk.len()]);
            word = mix(word);
        }
        Ok(())
    }
}

/// The finalizer of SplitMix64: one to one, so that distinct counts stay distinct.
fn mix(count: u64) -> u64 {
    let mut word = count.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

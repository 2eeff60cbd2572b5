//! Random choices out of one seed (SplitMix64).

/// The seed `AUTH_TEST_SEED`, or a new one; printed, because a failed run should be tried again with
/// the same choices. What the threads and the kernel make of them is chance of its own.
pub fn seed() -> u64 {
    let given = std::env::var("AUTH_TEST_SEED").ok();
    let seed = match given {
        Some(given) => given.parse().expect("AUTH_TEST_SEED is a number"),
        None => u64::from(std::process::id()) ^ nanoseconds(),
    };
    println!("AUTH_TEST_SEED={seed}");
    seed
}

fn nanoseconds() -> u64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::from(now.subsec_nanos()) << 20 ^ now.as_secs()
}

pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A choice of its own for somebody else.
    pub fn split(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound - 1`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

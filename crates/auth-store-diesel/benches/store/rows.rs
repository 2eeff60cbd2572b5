//! What the measurements work on: grants with tokens, each derived from its number alone, so that every
//! database can be told to make the same ones.

use auth_core::grant::GrantId;
use auth_core::secret::{CodeDigest, TokenDigest};
use sha2::{Digest as _, Sha256};

/// When the measurements begin, by the clock of the rows.
pub const NOW: i64 = 1_800_000_000;
/// How long tokens last, in seconds.
pub const ACCESS: i64 = 600;
pub const REFRESH: i64 = 2_592_000;
pub const SCOPE: &str = "api.read api.write";
pub const AUDIENCE: &str = "https://api.example.com/";

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The code of a grant that was approved a moment ago is exchanged for two tokens.
    Redemption,
    /// The refresh token of some grant, itself a successor and never used, is exchanged for two tokens.
    Rotation,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Redemption => "redemptions",
            Self::Rotation => "rotations",
        }
    }
}

/// A grant, by its number. The numbers of live grants end where those of the measurements begin.
#[derive(Debug, Clone, Copy)]
pub struct Item(pub usize);

/// Where the numbers of grants begin that the measurements make themselves.
pub const FRESH: usize = 10_000_000;

impl Item {
    /// When the grant was approved, in milliseconds: the live ones within the lifetime of a refresh token
    /// before [`NOW`], those of the measurements two in a millisecond after it.
    pub fn millis(self) -> i64 {
        let number = i64::try_from(self.0).unwrap_or_default();
        let fresh = i64::try_from(FRESH).unwrap_or_default();
        match number - fresh {
            later @ 0.. => NOW * 1000 + later / 2,
            before => NOW * 1000 + before * REFRESH * 1000 / fresh,
        }
    }

    /// The second in which it is worked on. Time goes on as it would, so that what expires later is also
    /// stored later.
    pub fn at(self) -> i64 {
        NOW.max(self.millis() / 1000)
    }

    /// As the core makes one: time, then what is random.
    pub fn grant(self) -> GrantId {
        let [a, b, time @ ..] = self.millis().to_be_bytes();
        assert_eq!([a, b], [0, 0]);
        let mut bytes = [0; 16];
        let random = self.digest("grant");
        bytes[..6].copy_from_slice(&time);
        bytes[6..].copy_from_slice(&random[..10]);
        GrantId::from_bytes(bytes)
    }

    pub fn code(self) -> CodeDigest {
        CodeDigest::new(self.grant(), self.digest("code"))
    }

    /// `parent` and `presented` are there before, `access` and `refresh` afterwards.
    pub fn token(self, name: &str) -> TokenDigest {
        TokenDigest::new(self.grant(), self.digest(name))
    }

    /// SQL that says the same of a number `:n` is in `pgbench.rs`.
    pub fn digest(self, name: &str) -> [u8; 32] {
        Sha256::digest(format!("{name} {}", self.0)).into()
    }

    /// The end of something that lasts so long and was made at any time within that.
    pub fn some_end(self, name: &str, lifetime: i64) -> i64 {
        let random = u32::from_be_bytes(self.digest(name)[..4].try_into().unwrap_or_default());
        NOW + 1 + i64::from(random) % lifetime
    }
}

/// Some grants to work on, each once in all the measurements of a database.
#[derive(Debug, Clone, Copy)]
pub struct Items {
    from: usize,
    pub len: usize,
    /// They are among so many that are there from the beginning; otherwise they are made for the purpose.
    live: Option<usize>,
}

/// A prime that no count here is a multiple of.
const STRIDE: usize = 2_654_435_761;

impl Items {
    pub fn fresh(from: usize, len: usize) -> Self {
        Self { from: FRESH + from, len, live: None }
    }

    /// From anywhere among so many, in no order.
    pub fn live(count: usize, from: usize, len: usize) -> Self {
        assert!(from + len <= count, "there are more live grants than that");
        Self { from, len, live: Some(count) }
    }

    pub fn are_fresh(&self) -> bool {
        self.live.is_none()
    }

    pub fn iter(self) -> impl Iterator<Item = Item> + Clone {
        (self.from..self.from + self.len).map(move |number| match self.live {
            None => Item(number),
            Some(count) => live_item(count, number * STRIDE % count),
        })
    }

    /// The number of the `:k`th of them, as pgbench computes it.
    pub fn number_of_k(&self) -> String {
        let Self { from, live, .. } = self;
        match live {
            None => format!("{from} + :k"),
            Some(count) => format!("({from} + :k) * {STRIDE} % {count} * {}", FRESH / count),
        }
    }
}

/// The grants that are there from the beginning, in the order of time: so many, spread over the numbers
/// below [`FRESH`].
pub fn live(count: usize) -> impl Iterator<Item = Item> {
    (0..count).map(move |index| live_item(count, index))
}

fn live_item(count: usize, index: usize) -> Item {
    Item(FRESH / count * index)
}

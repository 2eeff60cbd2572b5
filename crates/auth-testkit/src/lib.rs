//! What tests of an authorization server need, for this workspace and for yours.
//!
//! * [`MemoryStore`] keeps everything in maps behind one lock and answers every store port of
//!   [`auth_core`] exactly as the ports promise. Read it as the plainest statement of those promises.
//! * [`FixedClock`] moves only when it is told to; [`CountingEntropy`] gives the same bytes on every
//!   run and no bytes twice; [`PlainPasswords`] does not hash; [`RecordingEvents`] remembers.
//! * [`sample`] has clients, owners, scopes and a policy; [`TestServer`] puts all of it together, so
//!   that a whole flow is a few lines.
//! * [`FaultyStore`] stands between an engine and a [`MemoryStore`] and fails, or breaks its word,
//!   where a test says so.
//! * [`contract`] is the suite that shows that a storage adapter keeps the ports' promises. Run it on
//!   yours with one line: [`contract_tests!`].
//!
//! Depend on it from `[dev-dependencies]` only: nothing here belongs into a running server.

#![deny(missing_docs)]

mod clock;
pub mod contract;
mod entropy;
mod events;
mod faulty;
pub mod memory;
mod passwords;
pub mod sample;
pub mod server;

pub use clock::FixedClock;
pub use entropy::CountingEntropy;
pub use events::RecordingEvents;
pub use faulty::{Broken, FaultyStore};
pub use memory::MemoryStore;
pub use passwords::PlainPasswords;
pub use server::TestServer;

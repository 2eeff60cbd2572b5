//! What the store ports of [`auth_core`] promise, as checks that any storage adapter can run.
//!
//! Every promise is one function: it gets fresh stores from the adapter, uses the ports, and panics
//! with the reason where the promise is broken. [`contract_tests!`](crate::contract_tests) makes a
//! `#[test]` of each:
//!
//! ```
//! use auth_testkit::{MemoryStore, contract::Handles};
//! use std::sync::Arc;
//!
//! fn fresh() -> Handles<MemoryStore> {
//!     let store = Arc::new(MemoryStore::new());
//!     Handles::new(store.clone(), store)
//! }
//!
//! auth_testkit::contract_tests!(fresh);
//! # fn main() {}
//! ```
//!
//! A store comes as two handles on the same data, because promises hold between processes: for a
//! database, open it twice, so that the handles share no pool, no cache and no lock of their own. Races
//! run [`THREADS_PER_HANDLE`] threads on each.
//!
//! The suite asks for no more than the ports say. Where they leave a choice (whether a spent code under
//! an ended grant is `Replayed` or `GrantEnded`, say), either answer passes.

mod clients;
mod codes;
mod decisions;
mod housekeeping;
mod owners;
mod pending;
mod refresh;
mod sessions;
mod tokens;
mod world;

use auth_core::client::ClientRegistry;
use auth_core::engine::Store;
use auth_core::housekeeping::Housekeeping;
use auth_core::owner::OwnerRegistry;
use auth_core::session::SessionRegistry;
use std::any::Any;
use std::sync::Arc;

/// How many threads a race runs on each of the two handles.
pub const THREADS_PER_HANDLE: usize = 8;

/// A store that keeps everything and serves the administration too: what the suite is run on.
pub trait StoreUnderTest:
    Store + ClientRegistry + OwnerRegistry + SessionRegistry + Housekeeping
{
}

impl<T> StoreUnderTest for T where
    T: Store + ClientRegistry + OwnerRegistry + SessionRegistry + Housekeeping
{
}

/// Two handles on one store that was empty a moment ago.
pub struct Handles<S> {
    one: Arc<S>,
    other: Arc<S>,
    _kept: Option<Box<dyn Any + Send + Sync>>,
}

impl<S> Handles<S> {
    /// Two handles on the same data. They may be clones of one `Arc` where no second process can have
    /// the data at all.
    pub fn new(one: Arc<S>, other: Arc<S>) -> Self {
        Self { one, other, _kept: None }
    }

    /// Keeps something until both handles are closed: a temporary directory, a scratch database.
    pub fn keeping(self, kept: impl Any + Send + Sync) -> Self {
        Self { _kept: Some(Box::new(kept)), ..self }
    }
}

/// Makes an empty store and two handles on it; called once or more by each promise.
pub type Fresh<'a, S> = &'a dyn Fn() -> Handles<S>;

/// One promise of the ports.
pub struct Promise<S: 'static> {
    /// What is promised, as the name of its function.
    pub name: &'static str,
    /// Panics where it is broken.
    pub check: fn(Fresh<'_, S>),
}

/// Checks every promise, one after the other, and panics at the first that is broken.
/// [`contract_tests!`](crate::contract_tests) tells more.
pub fn run_all<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    for promise in promises() {
        (promise.check)(fresh);
    }
}

macro_rules! promises {
    (($d:tt) $($name:ident in $module:ident;)*) => {
        $(pub use $module::$name;)*

        /// Every promise, in the order of the modules.
        pub fn promises<S: StoreUnderTest>() -> Vec<Promise<S>> {
            vec![$(Promise { name: stringify!($name), check: $name }),*]
        }

        /// Makes one `#[test]` of every promise, with stores from this function:
        /// `fn() -> `[`Handles`](crate::contract::Handles)`<S>`. Call it in a module or test file of
        /// its own. `contract_tests!(fresh, if available)` asks a `fn() -> bool` first, for a store that
        /// needs what not every machine has, and skips the test without it.
        #[macro_export]
        macro_rules! contract_tests {
            ($d fresh:path) => {
                $(#[test]
                fn $name() {
                    $d crate::contract::$name(&$d fresh);
                })*
            };
            ($d fresh:path, if $d available:path) => {
                $(#[test]
                fn $name() {
                    if $d available() {
                        $d crate::contract::$name(&$d fresh);
                    }
                })*
            };
        }
    };
}

promises! { ($)
    a_code_comes_back_as_it_was_stored in codes;
    what_a_code_bought_comes_back_as_it_was_stored in codes;
    one_redemption_per_code_wins_and_the_others_store_nothing in codes;
    a_replayed_code_revokes_its_grant in codes;
    a_code_under_an_ended_grant_buys_nothing in codes;

    an_interaction_is_approved_once in decisions;
    an_interaction_is_denied_once in decisions;
    an_approval_without_an_interaction_is_recorded in decisions;
    a_disabled_client_is_approved_nothing in decisions;
    consents_add_up in decisions;
    revoking_a_grant_is_final_and_changes_nothing_else in decisions;
    withdrawing_ends_and_forgets_what_one_owner_gave_one_client in decisions;
    withdrawing_from_every_client_leaves_other_owners_alone in decisions;
    grants_are_listed_as_the_filter_says in decisions;
    a_grant_with_nothing_left_under_it_counts_as_ended in decisions;

    a_successor_comes_back_as_it_was_stored in refresh;
    a_lost_response_mints_a_sibling_and_the_first_one_used_wins in refresh;
    a_token_is_spent_once_its_successor_was_used in refresh;
    a_strict_token_is_spent_at_its_first_use in refresh;
    a_token_that_does_not_rotate_is_not_spent in refresh;
    fifty_lost_responses_sign_nobody_out in refresh;
    unused_siblings_are_bounded_and_the_oldest_is_unknown in refresh;
    racing_uses_of_one_token_are_siblings in refresh;
    racing_strict_uses_have_one_winner in refresh;
    racing_siblings_never_leave_two_lines_alive in refresh;
    a_refresh_under_an_ended_grant_stores_nothing in refresh;
    a_replay_harms_no_other_grant in refresh;
    a_revocation_among_racing_refreshes_leaves_nothing_alive in refresh;

    a_token_is_found_under_its_own_grant_only in tokens;
    a_client_gets_a_grant_of_its_own in tokens;
    a_disabled_client_gets_no_grant_of_its_own in tokens;
    taking_back_an_access_token_takes_that_one_alone in tokens;

    a_client_comes_back_as_it_was_registered in clients;
    a_client_identifier_is_registered_once in clients;
    updating_a_client_keeps_its_secrets_and_dates in clients;
    disabling_a_client_ends_its_grants_for_good in clients;
    deleting_a_client_ends_its_grants_and_forgets_its_consents in clients;
    a_new_secret_stands_beside_the_newest_old_ones in clients;
    the_last_secret_is_never_retired in clients;

    an_owner_comes_back_as_it_was_added in owners;
    a_user_name_is_taken_in_any_letter_case in owners;
    a_new_password_ends_other_sessions_and_unredeemed_codes_only in owners;
    rehashing_changes_the_hash_and_nothing_else in owners;
    disabling_an_owner_ends_sessions_and_grants_for_good in owners;

    a_session_comes_back_and_replaces_another in sessions;
    the_last_use_of_a_session_never_goes_back in sessions;
    an_ended_session_is_gone in sessions;
    sessions_are_listed_and_ended_by_name_and_by_owner in sessions;

    a_pending_request_comes_back_as_it_was_kept in pending;
    the_last_sign_in_for_an_interaction_counts in pending;
    pending_requests_are_bounded_per_origin in pending;

    purging_removes_what_has_expired_and_nothing_else in housekeeping;
    purging_goes_in_bounded_batches in housekeeping;
    purging_keeps_what_a_replay_check_needs in housekeeping;
    a_grant_is_purged_when_nothing_hangs_on_it in housekeeping;
}

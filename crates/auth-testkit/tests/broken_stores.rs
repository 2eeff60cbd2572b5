//! The contract suite can fail: for every promise there is a store that breaks it, and the suite
//! notices.

use auth_core::client::{Client, Inserted, Retired};
use auth_core::code::{CodeRecord, Redeemed};
use auth_core::consent::{Consent, PendingAuthorization};
use auth_core::grant::{Decided, Grant};
use auth_core::owner::Owner;
use auth_core::scope::Scope;
use auth_core::timestamp::Timestamp;
use auth_core::token::{AccessTokenRecord, RefreshTokenRecord, Rotated};
use auth_testkit::contract::{Handles, promises};
use auth_testkit::memory::Data;
use auth_testkit::{Broken, FaultyStore, MemoryStore, sample};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

type Make = Box<dyn Fn(Arc<MemoryStore>) -> FaultyStore>;

/// Breaks its word after this call.
fn after(call: &'static str, breaks: fn(&mut Broken<'_>)) -> Make {
    Box::new(move |inner| {
        FaultyStore::new(inner).after(move |broken| {
            if broken.call == call {
                breaks(broken);
            }
        })
    })
}

/// The same where it shows only when calls overlap: it looks at the rows, dawdles, and acts on what it
/// saw, as a store does that reads in one statement and writes in another.
fn racing(call: &'static str, breaks: fn(&mut Broken<'_>)) -> Make {
    let broken = after(call, breaks);
    Box::new(move |inner| {
        broken(inner).before(move |now, _| {
            if now == call {
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok(())
        })
    })
}

/// Changes the rows after this call; given the rows before it, and as they are now.
fn rows_after(call: &'static str, breaks: fn(&Data, &mut Data)) -> Make {
    Box::new(move |inner| {
        FaultyStore::new(inner).after(move |broken| {
            if broken.call == call {
                broken.store.edit(|data| breaks(&broken.before, data));
            }
        })
    })
}

const LATER: Timestamp = Timestamp::from_unix(4_000_000_000);

/// A broken store for every promise.
fn broken_stores() -> Vec<(&'static str, Make)> {
    let mut stores = of_codes_and_decisions();
    stores.extend(of_refresh_tokens());
    stores.extend(of_people());
    stores.extend(of_waiting_and_purging());
    stores
}

fn of_codes_and_decisions() -> Vec<(&'static str, Make)> {
    vec![
        (
            "a_code_comes_back_as_it_was_stored",
            after("CodeStore::find", |broken| {
                if let Some((record, _)) = broken.answer::<Option<(CodeRecord, Grant)>>() {
                    record.expires_at = record.expires_at.after(time::Duration::SECOND);
                }
            }),
        ),
        (
            "what_a_code_bought_comes_back_as_it_was_stored",
            after("TokenStore::find_access", |broken| {
                if let Some((record, _)) = broken.answer::<Option<(AccessTokenRecord, Grant)>>() {
                    record.expires_at = record.expires_at.before(time::Duration::SECOND);
                }
            }),
        ),
        (
            "one_redemption_per_code_wins_and_the_others_store_nothing",
            racing("CodeStore::redeem", |broken| {
                let seen = broken.before.codes.values().filter(|code| code.spent_at.is_some());
                let seen = seen.count();
                let spent = |data: &mut Data| {
                    data.codes.values().filter(|code| code.spent_at.is_some()).count()
                };
                if broken.store.edit(spent) > seen {
                    *broken.answer() = Redeemed::First;
                }
            }),
        ),
        (
            "a_replayed_code_revokes_its_grant",
            rows_after("CodeStore::redeem", |before, data| {
                data.grants = before.grants.clone();
            }),
        ),
        (
            "a_code_under_an_ended_grant_buys_nothing",
            after("CodeStore::redeem", |broken| {
                if *broken.answer::<Redeemed>() == Redeemed::GrantEnded {
                    broken.store.edit(|data| {
                        for code in data.codes.values_mut() {
                            code.spent_at = Some(LATER);
                        }
                    });
                }
            }),
        ),
        (
            "an_interaction_is_approved_once",
            racing("GrantStore::approve", |broken| {
                let mut waited = broken.before.pending.iter();
                if waited.any(|row| row.pending.decided_at.is_none()) {
                    *broken.answer() = Decided::First;
                }
            }),
        ),
        (
            "an_interaction_is_denied_once",
            after("GrantStore::deny", |broken| {
                *broken.answer() = Decided::First;
            }),
        ),
        (
            "an_approval_without_an_interaction_is_recorded",
            rows_after("GrantStore::approve", |_, data| {
                let consent = Consent {
                    subject: sample::alice().subject,
                    client_id: sample::web().id,
                    scope: sample::scope("api.read"),
                    given_at: LATER,
                };
                let key = (consent.subject.clone(), consent.client_id.clone());
                data.consents.insert(key, consent);
            }),
        ),
        (
            "consents_add_up",
            rows_after("GrantStore::approve", |before, data| {
                for (key, consent) in &mut data.consents {
                    let Some(old) = before.consents.get(key) else {
                        continue;
                    };
                    let new = consent.scope.iter().filter(|token| {
                        let token: Scope = [(*token).clone()].into_iter().collect();
                        !token.is_within(&old.scope)
                    });
                    let new: Scope = new.cloned().collect();
                    if !new.is_empty() {
                        consent.scope = new;
                    }
                }
            }),
        ),
        (
            "revoking_a_grant_is_final_and_changes_nothing_else",
            rows_after("GrantStore::revoke", |before, data| {
                for grant in data.grants.values_mut() {
                    if before.grants[&grant.id].revoked_at.is_some() {
                        grant.revoked_at = Some(LATER);
                    }
                }
            }),
        ),
        (
            "withdrawing_ends_and_forgets_what_one_owner_gave_one_client",
            rows_after("GrantStore::withdraw", |before, data| {
                data.consents = before.consents.clone();
            }),
        ),
        (
            "withdrawing_from_every_client_leaves_other_owners_alone",
            rows_after("GrantStore::withdraw", |_, data| end_every_grant(data)),
        ),
        (
            "grants_are_listed_as_the_filter_says",
            after("GrantStore::list", |broken| {
                broken.answer::<Vec<Grant>>().reverse();
            }),
        ),
        (
            "a_grant_with_nothing_left_under_it_counts_as_ended",
            after("GrantStore::list", |broken| {
                *broken.answer() = broken.before.grants.values().cloned().collect::<Vec<_>>();
            }),
        ),
    ]
}

fn of_refresh_tokens() -> Vec<(&'static str, Make)> {
    vec![
        (
            "a_successor_comes_back_as_it_was_stored",
            after("TokenStore::find_refresh", |broken| {
                if let Some((record, _)) = broken.answer::<Option<(RefreshTokenRecord, Grant)>>() {
                    record.created_at = record.created_at.before(time::Duration::SECOND);
                }
            }),
        ),
        (
            "a_lost_response_mints_a_sibling_and_the_first_one_used_wins",
            rows_after("TokenStore::rotate", |_, data| {
                let rivals = data.refresh.values_mut();
                for rival in rivals.filter(|row| row.parent.is_some() && row.used_at.is_none()) {
                    rival.spent_at = None;
                }
            }),
        ),
        (
            "a_token_is_spent_once_its_successor_was_used",
            rows_after("TokenStore::rotate", |_, data| {
                for row in data.refresh.values_mut() {
                    row.spent_at = row.spent_at.filter(|_| row.used_at.is_none());
                }
            }),
        ),
        (
            "a_strict_token_is_spent_at_its_first_use",
            rows_after("TokenStore::rotate", |_, data| {
                let used: BTreeSet<_> = data
                    .refresh
                    .values()
                    .filter(|row| row.used_at.is_some())
                    .filter_map(|row| row.parent)
                    .collect();
                for (digest, row) in &mut data.refresh {
                    row.spent_at = row.spent_at.filter(|_| used.contains(digest));
                }
            }),
        ),
        (
            "a_token_that_does_not_rotate_is_not_spent",
            rows_after("TokenStore::rotate", |before, data| {
                if data.refresh.len() == before.refresh.len() {
                    for row in data.refresh.values_mut() {
                        row.spent_at = row.used_at;
                    }
                }
            }),
        ),
        (
            "fifty_lost_responses_sign_nobody_out",
            rows_after("TokenStore::rotate", |_, data| {
                data.refresh.retain(|_, row| row.parent.is_none() || row.serial < 16);
            }),
        ),
        (
            "unused_siblings_are_bounded_and_the_oldest_is_unknown",
            rows_after("TokenStore::rotate", |before, data| {
                for (digest, row) in &before.refresh {
                    data.refresh.entry(*digest).or_insert_with(|| row.clone());
                }
            }),
        ),
        (
            "racing_uses_of_one_token_are_siblings",
            racing("TokenStore::rotate", |broken| {
                let now = broken.store.edit(|data| data.refresh.len());
                if now > broken.before.refresh.len() + 1 {
                    *broken.answer() = Rotated::Replayed;
                }
            }),
        ),
        ("racing_strict_uses_have_one_winner", racing_rotation()),
        ("racing_siblings_never_leave_two_lines_alive", racing_rotation()),
        (
            "a_refresh_under_an_ended_grant_stores_nothing",
            Box::new(|inner| {
                FaultyStore::new(inner).before(|call, store| {
                    if call == "TokenStore::rotate" {
                        store.edit(|data| {
                            for grant in data.grants.values_mut() {
                                grant.expires_at = None;
                            }
                        });
                    }
                    Ok(())
                })
            }),
        ),
        (
            "a_replay_harms_no_other_grant",
            after("TokenStore::rotate", |broken| {
                if *broken.answer::<Rotated>() == Rotated::Replayed {
                    broken.store.edit(end_every_grant);
                }
            }),
        ),
    ]
}

/// Lets a use through that was good when it looked.
fn racing_rotation() -> Make {
    racing("TokenStore::rotate", |broken| {
        let spent = |data: &Data| {
            let rows = data.refresh.values();
            rows.filter(|row| row.spent_at.is_some()).count()
        };
        if broken.store.edit(|data| spent(data)) > spent(&broken.before) {
            *broken.answer() = Rotated::Done;
        }
    })
}

fn of_people() -> Vec<(&'static str, Make)> {
    vec![
        (
            "a_client_comes_back_as_it_was_registered",
            after("ClientStore::find", |broken| {
                if let Some(client) = broken.answer::<Option<Client>>() {
                    client.redirect_uris.truncate(1);
                }
            }),
        ),
        (
            "a_client_identifier_is_registered_once",
            racing("ClientRegistry::insert", |broken| {
                let now = broken.store.edit(|data| data.clients.len());
                if now > broken.before.clients.len() {
                    *broken.answer() = Inserted::Inserted;
                }
            }),
        ),
        (
            "updating_a_client_keeps_its_secrets_and_dates",
            rows_after("ClientRegistry::update", |_, data| {
                for client in data.clients.values_mut() {
                    client.disabled_at = None;
                }
            }),
        ),
        (
            "disabling_a_client_ends_its_grants_for_good",
            rows_after("ClientRegistry::set_disabled", |_, data| {
                if data.clients.values().all(Client::is_enabled) {
                    for grant in data.grants.values_mut() {
                        grant.revoked_at = None;
                    }
                }
            }),
        ),
        (
            "deleting_a_client_ends_its_grants_and_forgets_its_consents",
            rows_after("ClientRegistry::delete", |before, data| {
                data.consents = before.consents.clone();
            }),
        ),
        (
            "a_new_secret_stands_beside_the_newest_old_ones",
            rows_after("ClientRegistry::add_secret", |_, data| {
                for client in data.clients.values_mut() {
                    client.secrets.truncate(2);
                }
            }),
        ),
        (
            "the_last_secret_is_never_retired",
            racing("ClientRegistry::retire_secret", |broken| {
                let web = sample::web().id;
                if *broken.answer::<Retired>() == Retired::LastOne
                    && broken.before.clients[&web].secrets.len() == 2
                {
                    *broken.answer() = Retired::Retired;
                }
            }),
        ),
        (
            "an_owner_comes_back_as_it_was_added",
            after("OwnerStore::find", |broken| {
                if let Some(owner) = broken.answer::<Option<Owner>>() {
                    owner.name = None;
                }
            }),
        ),
        (
            "a_user_name_is_taken_in_any_letter_case",
            after("OwnerRegistry::insert", |broken| {
                *broken.answer() = Inserted::Inserted;
            }),
        ),
        (
            "a_new_password_ends_other_sessions_and_unredeemed_codes_only",
            rows_after("OwnerRegistry::set_password", |_, data| {
                let alice = sample::alice().subject;
                for grant in data.grants.values_mut() {
                    if grant.subject == alice {
                        grant.revoked_at.get_or_insert(LATER);
                    }
                }
            }),
        ),
        (
            "rehashing_changes_the_hash_and_nothing_else",
            rows_after("OwnerStore::rehash", |_, data| data.sessions.clear()),
        ),
        (
            "disabling_an_owner_ends_sessions_and_grants_for_good",
            rows_after("OwnerRegistry::set_disabled", |before, data| {
                data.sessions = before.sessions.clone();
            }),
        ),
        (
            "a_session_comes_back_and_replaces_another",
            rows_after("SessionStore::insert", |before, data| {
                data.sessions.extend(before.sessions.clone());
            }),
        ),
        (
            "the_last_use_of_a_session_never_goes_back",
            rows_after("SessionStore::touch", |before, data| {
                for (digest, session) in &mut data.sessions {
                    if session.last_seen_at == before.sessions[digest].last_seen_at {
                        session.last_seen_at = session.last_seen_at.before(time::Duration::SECOND);
                    }
                }
            }),
        ),
        (
            "an_ended_session_is_gone",
            rows_after("SessionStore::end", |before, data| {
                data.sessions = before.sessions.clone();
            }),
        ),
        (
            "sessions_are_listed_and_ended_by_name_and_by_owner",
            rows_after("SessionRegistry::end_by_subject", |_, data| {
                data.sessions.clear();
            }),
        ),
    ]
}

fn of_waiting_and_purging() -> Vec<(&'static str, Make)> {
    vec![
        (
            "a_pending_request_comes_back_as_it_was_kept",
            after("PendingAuthorizationStore::find", |broken| {
                if let Some(pending) = broken.answer::<Option<PendingAuthorization>>() {
                    let state = pending.request.state.as_mut();
                    state.into_iter().for_each(|it| it.retain(|one| one != '\0'));
                }
            }),
        ),
        (
            "the_last_sign_in_for_an_interaction_counts",
            rows_after("PendingAuthorizationStore::signed_in", |before, data| {
                for (row, old) in data.pending.iter_mut().zip(&before.pending) {
                    row.pending.signed_in = old.pending.signed_in.or(row.pending.signed_in);
                }
            }),
        ),
        (
            "pending_requests_are_bounded_per_origin",
            rows_after("PendingAuthorizationStore::insert", |before, data| {
                let newest = data.pending.pop();
                data.pending = before.pending.iter().cloned().chain(newest).collect();
            }),
        ),
        (
            "purging_removes_what_has_expired_and_nothing_else",
            rows_after("Housekeeping::purge", |_, data| data.consents.clear()),
        ),
        (
            "purging_goes_in_bounded_batches",
            rows_after("Housekeeping::purge", |_, data| data.codes.clear()),
        ),
        (
            "purging_keeps_what_a_replay_check_needs",
            rows_after("Housekeeping::purge", |_, data| {
                data.refresh.retain(|_, row| row.spent_at.is_none());
            }),
        ),
        (
            "a_grant_is_purged_when_nothing_hangs_on_it",
            rows_after("Housekeeping::purge", |_, data| {
                data.grants.retain(|_, grant| grant.revoked_at.is_none());
            }),
        ),
    ]
}

fn end_every_grant(data: &mut Data) {
    for grant in data.grants.values_mut() {
        grant.revoked_at.get_or_insert(LATER);
    }
}

fn handles(make: &dyn Fn(Arc<MemoryStore>) -> FaultyStore) -> Handles<FaultyStore> {
    let store = Arc::new(make(Arc::new(MemoryStore::new())));
    Handles::new(store.clone(), store)
}

#[test]
fn every_promise_has_a_store_that_breaks_it() {
    let promised: Vec<_> = promises::<FaultyStore>().iter().map(|it| it.name).collect();
    let broken: Vec<_> = broken_stores().iter().map(|(name, _)| *name).collect();
    assert_eq!(broken, promised);
}

#[test]
fn the_suite_catches_every_broken_store() {
    let stores = broken_stores();
    let missed: Vec<_> = promises()
        .into_iter()
        .zip(&stores)
        .filter(|(promise, (_, make))| {
            let check = || (promise.check)(&|| handles(make));
            catch_unwind(AssertUnwindSafe(check)).is_ok()
        })
        .map(|(promise, _)| promise.name)
        .collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}

/// What breaks a promise is the fault and not the wrapper.
#[test]
fn the_wrapper_without_a_fault_keeps_every_promise() {
    auth_testkit::contract::run_all(&|| handles(&FaultyStore::new));
}

/// The list is complete: no promise was written and then forgotten.
#[test]
fn every_check_is_in_the_list() {
    let sources = [
        include_str!("../src/contract/clients.rs"),
        include_str!("../src/contract/codes.rs"),
        include_str!("../src/contract/decisions.rs"),
        include_str!("../src/contract/housekeeping.rs"),
        include_str!("../src/contract/owners.rs"),
        include_str!("../src/contract/pending.rs"),
        include_str!("../src/contract/refresh.rs"),
        include_str!("../src/contract/sessions.rs"),
    ];
    let written: BTreeSet<_> = sources
        .iter()
        .flat_map(|source| source.lines())
        .filter_map(|line| line.strip_prefix("pub fn ")?.split('<').next())
        .collect();
    let listed: BTreeSet<_> = promises::<MemoryStore>().iter().map(|it| it.name).collect();
    assert_eq!(listed, written);
}

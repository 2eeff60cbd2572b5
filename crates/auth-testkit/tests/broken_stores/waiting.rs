//! Requests that wait, and purging.

use super::*;

pub(crate) fn stores() -> Vec<(&'static str, Make)> {
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

//! Codes, decisions, consents and grants.

use super::*;

pub(crate) fn stores() -> Vec<(&'static str, Make)> {
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
            after("TokenStore::find", |broken| {
                if let Some((TokenRecord::Access(record), _)) = found(broken) {
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
                    audience: sample::audience(""),
                    given_at: LATER,
                };
                let Consent { subject, client_id, audience, .. } = consent.clone();
                data.consents.insert((subject, client_id, audience), consent);
            }),
        ),
        (
            "a_disabled_client_is_approved_nothing",
            after("GrantStore::approve", |broken| {
                *broken.answer() = Decided::First;
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

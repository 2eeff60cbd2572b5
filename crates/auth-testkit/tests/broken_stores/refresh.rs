//! Refresh tokens.

use super::*;

pub(crate) fn stores() -> Vec<(&'static str, Make)> {
    vec![
        (
            "a_successor_comes_back_as_it_was_stored",
            after("TokenStore::find", |broken| {
                if let Some((TokenRecord::Refresh(record), _)) = found(broken) {
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
        // It forgets a revocation that it did not see when it looked.
        (
            "a_revocation_among_racing_refreshes_leaves_nothing_alive",
            racing("TokenStore::rotate", |broken| {
                let live = broken.before.grants.values().filter(|it| it.revoked_at.is_none());
                let live: Vec<_> = live.map(|it| it.id).collect();
                broken.store.edit(|data| {
                    for grant in data.grants.values_mut().filter(|it| live.contains(&it.id)) {
                        grant.revoked_at = None;
                    }
                });
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

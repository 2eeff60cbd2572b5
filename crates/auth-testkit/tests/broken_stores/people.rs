//! Clients, owners and sessions.

use super::*;

pub(crate) fn stores() -> Vec<(&'static str, Make)> {
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
                    if grant.subject == Some(alice.clone()) {
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

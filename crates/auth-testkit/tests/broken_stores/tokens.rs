//! Tokens of either kind, and those of clients that act for themselves.

use super::*;

pub(crate) fn stores() -> Vec<(&'static str, Make)> {
    vec![
        // It looks for the digest alone.
        (
            "a_token_is_found_under_its_own_grant_only",
            after("TokenStore::find", |broken| {
                let any = broken.store.edit(|data| {
                    let (digest, record) = data.access.first_key_value()?;
                    let grant = data.grants.get(&digest.grant())?;
                    Some((TokenRecord::Access(record.clone()), grant.clone()))
                });
                let answer = found(broken);
                if answer.is_none() {
                    *answer = any;
                }
            }),
        ),
        (
            "a_client_gets_a_grant_of_its_own",
            rows_after("TokenStore::issue", |_, data| {
                for grant in data.grants.values_mut() {
                    grant.subject.get_or_insert(sample::alice().subject);
                }
            }),
        ),
        // It does not look at the client, or looks before the client is disabled.
        (
            "a_disabled_client_gets_no_grant_of_its_own",
            after("TokenStore::issue", |broken| {
                *broken.answer() = true;
            }),
        ),
        // It ends the grant with the token.
        (
            "taking_back_an_access_token_takes_that_one_alone",
            rows_after("TokenStore::revoke_access", |_, data| end_every_grant(data)),
        ),
    ]
}

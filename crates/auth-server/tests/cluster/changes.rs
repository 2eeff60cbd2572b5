//! What an administrator changes on the command line holds for the very next request, at every server.

use crate::postgres;
use crate::server::{Pair, REDIRECT_URI, is_available};
use crate::support::http::Answer;
use crate::support::person::Person;

/// The answers of both servers to the client's refresh with this token.
fn refreshed(pair: &Pair, token: &str) -> [Answer; 2] {
    [&pair.servers[0], &pair.servers[1]].map(|server| server.refresh(&pair.client, token))
}

/// A refresh token that both servers have just accepted: whatever they remember, they know it now.
fn known_to_both(pair: &Pair) -> String {
    let code = Person::at(pair.site.address).code(&pair.client, REDIRECT_URI);
    let token = pair.servers[0].redeem(&pair.client, &code).member("refresh_token");
    // Until a successor is used, the same token may be presented again.
    let answers = refreshed(pair, &token);
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    token
}

/// There is no moment at which one of them still honours the grant.
#[test]
fn a_grant_that_is_revoked_is_over_at_both_servers() {
    if !is_available() {
        return;
    }
    let pair = Pair::start(postgres::shared(), &["alice"]);
    let token = known_to_both(&pair);
    let other = known_to_both(&pair);
    let grants = pair.site.command(&["grant", "list", "--user", "alice"], "");
    let ids = grants.as_array().expect("a list").iter().map(|it| it["grant_id"].as_str());
    let ids: Vec<_> = ids.collect::<Option<_>>().expect("identifiers");
    assert_eq!(ids.len(), 2, "{grants}");

    pair.site.command(&["grant", "revoke", ids[0]], "");
    let answers = [&token, &other].map(|token| refreshed(&pair, token));
    let refused = |answers: &&[Answer; 2]| {
        answers.iter().all(|it| it.status == 400 && it.member("error") == "invalid_grant")
    };
    let granted = |answers: &&[Answer; 2]| answers.iter().all(|it| it.status == 200);
    assert_eq!(answers.iter().filter(refused).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(granted).count(), 1, "the other grant goes on: {answers:?}");
}

#[test]
fn a_client_that_is_disabled_is_refused_at_both_servers_until_it_is_enabled() {
    if !is_available() {
        return;
    }
    let pair = Pair::start(postgres::shared(), &["alice"]);
    let token = known_to_both(&pair);
    pair.site.command(&["client", "disable", &pair.client.id], "");
    for answer in refreshed(&pair, &token) {
        let error = answer.member("error");
        assert_eq!((answer.status, error.as_str()), (401, "invalid_client"), "{answer:?}");
    }
    pair.site.command(&["client", "enable", &pair.client.id], "");
    for answer in refreshed(&pair, &token) {
        assert_eq!(answer.member("error"), "invalid_grant", "its grants ended: {answer:?}");
    }
    known_to_both(&pair);
}

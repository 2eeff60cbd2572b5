//! What an administrator changes on the command line holds for the very next request, at every server.

use crate::postgres;
use crate::server::{Pair, Tokens, is_available, post};
use crate::support::http::Answer;
use crate::support::server::Client;

/// The answers of both servers to the client's refresh with this token.
fn refreshed(pair: &Pair, token: &str) -> [Answer; 2] {
    [&pair.servers[0], &pair.servers[1]].map(|server| server.refresh(&pair.client, token))
}

/// Tokens that both servers have just accepted: whatever they remember, they know them now.
fn known_to_both(pair: &Pair) -> Tokens {
    let tokens = pair.grant();
    // Until a successor is used, the same token may be presented again.
    let answers = refreshed(pair, &tokens.refresh);
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(pair.accepts(&tokens.access), [true; 2]);
    tokens
}

/// INTRO-07: there is no moment at which one of them still honours the grant.
#[test]
fn a_grant_that_is_revoked_is_over_at_both_servers() {
    if !is_available() {
        return;
    }
    let pair = Pair::start(postgres::shared(), &["alice"]);
    let all = [known_to_both(&pair), known_to_both(&pair)];
    let grants = pair.site.command(&["grant", "list", "--user", "alice"], "");
    let ids = grants.as_array().expect("a list").iter().map(|it| it["grant_id"].as_str());
    let ids: Vec<_> = ids.collect::<Option<_>>().expect("identifiers");
    assert_eq!(ids.len(), 2, "{grants}");

    pair.site.command(&["grant", "revoke", ids[0]], "");
    let accepted = all.each_ref().map(|tokens| pair.accepts(&tokens.access));
    let over = accepted.iter().position(|it| *it == [false; 2]).expect("one is over at both");
    assert_eq!(accepted[1 - over], [true; 2], "the other grant goes on: {accepted:?}");
    assert_eq!(pair.owns(&all[over].refresh), [false; 2]);
    for answer in refreshed(&pair, &all[over].refresh) {
        let error = answer.member("error");
        assert_eq!((answer.status, error.as_str()), (400, "invalid_grant"), "{answer:?}");
    }
    for answer in refreshed(&pair, &all[1 - over].refresh) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// INTRO-07: what it had, for itself too, is over for good.
#[test]
fn a_client_that_is_disabled_is_refused_at_both_servers_until_it_is_enabled() {
    if !is_available() {
        return;
    }
    let pair = Pair::start(postgres::shared(), &["alice"]);
    let tokens = known_to_both(&pair);
    let own = pair.servers[0].token(&pair.client, &[("grant_type", "client_credentials")]);
    let own = own.member("access_token");
    assert_eq!(pair.accepts(&own), [true; 2]);

    pair.site.command(&["client", "disable", &pair.client.id], "");
    assert_eq!(pair.accepts(&tokens.access), [false; 2]);
    assert_eq!(pair.accepts(&own), [false; 2]);
    for answer in refreshed(&pair, &tokens.refresh) {
        let error = answer.member("error");
        assert_eq!((answer.status, error.as_str()), (401, "invalid_client"), "{answer:?}");
    }
    pair.site.command(&["client", "enable", &pair.client.id], "");
    assert_eq!([&tokens.access, &own].map(|token| pair.accepts(token)), [[false; 2]; 2]);
    assert_eq!(pair.owns(&tokens.refresh), [false; 2]);
    for answer in refreshed(&pair, &tokens.refresh) {
        assert_eq!(answer.member("error"), "invalid_grant", "its grants ended: {answer:?}");
    }
    known_to_both(&pair);
}

/// CAUTH-14: a new secret and the newest old one, until that is retired.
#[test]
fn two_live_secrets_are_good_at_both_servers_until_one_is_retired() {
    if !is_available() {
        return;
    }
    let pair = Pair::start(postgres::shared(), &["alice"]);
    let rotated = || {
        let made = pair.site.command(&["client", "secret", "rotate", &pair.client.id], "");
        let secret = made["client_secret"].as_str().expect("a secret").to_owned();
        Client { secret, ..pair.client.clone() }
    };
    let first = &pair.client;
    assert_eq!(opens(&pair, first), [200; 2]);
    let second = rotated();
    assert_eq!([first, &second].map(|it| opens(&pair, it)), [[200; 2]; 2]);
    let third = rotated();
    let [third_opens, second_opens] = [&third, &second].map(|it| opens(&pair, it));
    assert_eq!((third_opens, second_opens, opens(&pair, first)), ([200; 2], [200; 2], [401; 2]));

    let secrets = pair.site.command(&["client", "secret", "list", &pair.client.id], "");
    let secrets = secrets.as_array().expect("a list");
    assert_eq!(secrets.len(), 2, "{secrets:?}");
    let oldest = secrets[1]["secret_id"].as_str().expect("an identifier");
    pair.site.command(&["client", "secret", "retire", &pair.client.id, oldest], "");
    assert_eq!([opens(&pair, &second), opens(&pair, &third)], [[401; 2], [200; 2]]);
}

/// What each server answers to a client that authenticates so.
fn opens(pair: &Pair, client: &Client) -> [u16; 2] {
    pair.servers.each_ref().map(|it| post(it, "/oauth/introspect", client, "a token").status)
}

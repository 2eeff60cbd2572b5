//! One code, presented to both servers at the same moment.

use crate::postgres::{self, name_of};
use crate::server::{Pair, REDIRECT_URI, is_available};
use crate::support::http::{self, Answer};
use crate::support::person::Person;
use crate::support::{VERIFIER, at_once, form};

const RACERS: usize = 50;

/// CODE-05, CODE-06, CODE-11, XC-05: of fifty one wins; the others are replays, which end what it won.
#[test]
fn a_code_that_is_presented_fifty_times_gives_one_set_of_tokens_and_it_does_not_last() {
    if !is_available() {
        return;
    }
    let cluster = postgres::shared();
    let pair = Pair::start(cluster, &["alice"]);
    for round in 1..=4 {
        let code = Person::at(pair.site.address).code(&pair.client, REDIRECT_URI);
        let before = pair.shares();
        let answers = at_once(RACERS, |_| redeem(&pair, &code));
        pair.wait_for_log(before.iter().sum::<usize>() + RACERS);
        let after = pair.shares();
        assert!((0..2).all(|it| after[it] > before[it]), "both took part: {before:?} {after:?}");

        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|it| it.status == 200);
        assert_eq!(won.len(), 1, "{won:?}");
        for answer in lost {
            let error = answer.member("error");
            assert_eq!((answer.status, error.as_str()), (400, "invalid_grant"), "{answer:?}");
        }
        for server in &pair.servers {
            let refused = server.refresh(&pair.client, &won[0].member("refresh_token"));
            assert_eq!(refused.member("error"), "invalid_grant", "{refused:?}");
        }
        // Nobody was given anything that is not in the database, and all of it has ended.
        let name = name_of(&pair.database);
        for table in [
            "tokens WHERE kind = 'access'",
            "tokens WHERE kind = 'refresh'",
            "grants WHERE revoked_at IS NOT NULL",
        ] {
            let count = cluster.run(name, &format!("SELECT count(*) FROM {table}"));
            assert_eq!(count, round.to_string(), "{table}");
        }
    }
}

fn redeem(pair: &Pair, code: &str) -> Answer {
    let body = form(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("client_id", &pair.client.id),
        ("client_secret", &pair.client.secret),
    ]);
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    http::request(pair.site.address, "POST", "/oauth/token", &headers, body.as_bytes())
        .expect("an answer")
}

//! Things that work once, asked for fifty times at once.

use crate::support::http::Answer;
use crate::support::parameter;
use crate::support::person::{Person, authorization};
use crate::{REDIRECT_URI, at_once, site};

const RACERS: usize = 50;

/// The one answer with status 200. Every other is `invalid_grant`.
#[track_caller]
fn the_winner(answers: Vec<Answer>) -> Answer {
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|it| it.status == 200);
    for answer in lost {
        assert_eq!((answer.status, &*answer.member("error")), (400, "invalid_grant"), "{answer:?}");
    }
    let [winner] = <[_; 1]>::try_from(won).expect("exactly one winner");
    winner
}

/// CODE-11, XC-05: over two processes with one database. The losers are replays, so the winner's tokens
/// end with the grant (CODE-06).
#[test]
fn a_code_is_redeemed_once_by_fifty_requests_to_two_processes() {
    let (site, client, process) = site(&[]);
    let beside = site.serve_beside(&[]);
    for _ in 0..3 {
        let code = Person::at(process.address).code(&client, REDIRECT_URI);
        let answers = at_once(RACERS, |index| {
            let process = if index % 2 == 0 { &process } else { &beside };
            process.redeem(&client, &code)
        });
        let refresh_token = the_winner(answers).member("refresh_token");
        let refused = beside.refresh(&client, &refresh_token);
        assert_eq!(refused.member("error"), "invalid_grant", "{refused:?}");
    }
}

/// XC-05: of a refresh token that may be used once only.
#[test]
fn a_refresh_token_is_used_once_by_fifty_requests_to_two_processes() {
    let strict = [("AUTH__REFRESH__REUSE", "strict")];
    let (site, client, process) = site(&strict);
    let beside = site.serve_beside(&strict);
    let code = Person::at(process.address).code(&client, REDIRECT_URI);
    let first = process.redeem(&client, &code).member("refresh_token");
    let answers = at_once(RACERS, |index| {
        let process = if index % 2 == 0 { &process } else { &beside };
        process.refresh(&client, &first)
    });
    let second = the_winner(answers).member("refresh_token");
    let refused = process.refresh(&client, &second);
    assert_eq!(refused.member("error"), "invalid_grant", "{refused:?}");
}

/// XC-05, UI-08: of a consent form that was sent fifty times.
#[test]
fn an_interaction_is_decided_once() {
    let (site, client, process) = site(&[]);
    let beside = site.serve_beside(&[]);
    let mut alice = Person::at(process.address);
    let page = alice.get(&authorization(&client, REDIRECT_URI, "a state"));
    let page = alice.follow(page);
    let page = alice.sign_in(&page);
    let answers = at_once(RACERS, |index| {
        let process = if index % 2 == 0 { &process } else { &beside };
        alice.moved_to(process.address).fill(&page, &[("decision", "approve")])
    });
    let (approved, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 303);
    assert_eq!(approved.len(), 1, "{approved:?}");
    assert!(parameter(approved[0].location(), "code").is_some());
    for answer in refused {
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("This page is no longer valid"));
    }
}

//! What is taken back at one server is gone at the other for the very next request.

use crate::postgres;
use crate::server::{Pair, Tokens, is_active, is_available, revoke};
use crate::support::at_once;
use crate::support::server::PATIENCE;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::sleep;
use std::time::{Duration, Instant};

const BOTH: [bool; 2] = [true; 2];
const NEITHER: [bool; 2] = [false; 2];

/// From each server to the other.
const DIRECTIONS: [(usize, usize); 2] = [(0, 1), (1, 0)];

const RACERS: usize = 50;

/// A grant whose tokens both servers have just found active: whatever they remember, they know it now.
fn known_to_both(pair: &Pair) -> Tokens {
    let tokens = pair.grant();
    assert_eq!(pair.accepts(&tokens.access), BOTH);
    assert_eq!(pair.owns(&tokens.refresh), BOTH);
    tokens
}

/// REVOKE-05, REVOKE-06: with its refresh token the whole grant, and no other.
#[test]
fn a_grant_that_is_revoked_at_one_server_is_over_at_the_other_at_once() {
    if !is_available() {
        return;
    }
    let pair = Pair::start(postgres::shared(), &["alice"]);
    let kept = known_to_both(&pair);
    for (here, there) in DIRECTIONS {
        let [here, there] = [here, there].map(|it| &pair.servers[it]);
        let first = known_to_both(&pair);
        let second = Tokens::of(&there.refresh(&pair.client, &first.refresh));
        assert_eq!(pair.accepts(&second.access), BOTH);

        revoke(here, &pair.client, &second.refresh);
        assert!(!is_active(there, &pair.api, &second.access));
        for Tokens { access, refresh } in [&first, &second] {
            assert_eq!((pair.accepts(access), pair.owns(refresh)), (NEITHER, NEITHER));
            let refused = there.refresh(&pair.client, refresh);
            assert_eq!(refused.member("error"), "invalid_grant", "{refused:?}");
        }
        assert_eq!((pair.accepts(&kept.access), pair.owns(&kept.refresh)), (BOTH, BOTH));
    }
}

/// REVOKE-05, REVOKE-06: an access token alone, whether an owner or the client itself stands behind it.
#[test]
fn an_access_token_that_is_revoked_at_one_server_is_inactive_at_the_other_at_once() {
    if !is_available() {
        return;
    }
    let pair = Pair::start(postgres::shared(), &["alice"]);
    let kept = known_to_both(&pair);
    for (here, there) in DIRECTIONS {
        let [here, there] = [here, there].map(|it| &pair.servers[it]);
        let first = known_to_both(&pair);
        let second = Tokens::of(&there.refresh(&pair.client, &first.refresh));
        let own = [here, there].map(|server| {
            let answer = server.token(&pair.client, &[("grant_type", "client_credentials")]);
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.member("access_token")
        });
        for (token, other) in [(&first.access, &second.access), (&own[0], &own[1])] {
            assert_eq!((pair.accepts(token), pair.accepts(other)), (BOTH, BOTH));
            revoke(here, &pair.client, token);
            assert!(!is_active(there, &pair.api, token));
            assert_eq!((pair.accepts(token), pair.accepts(other)), (NEITHER, BOTH));
        }
        assert_eq!(pair.owns(&second.refresh), BOTH, "its grant goes on");
        assert_eq!(there.refresh(&pair.client, &second.refresh).status, 200);
        assert_eq!(pair.accepts(&kept.access), BOTH);
    }
}

/// REVOKE-05, XC-05: fifty refresh the same token again and again, at both servers, until they are refused.
/// Whatever any of them was given, nothing of it is active when all are done.
#[test]
fn a_revocation_that_fifty_refreshes_run_against_leaves_no_token_active() {
    if !is_available() {
        return;
    }
    let pair = Pair::start(postgres::shared(), &["alice"]);
    let kept = known_to_both(&pair);
    for round in 0..4 {
        let first = known_to_both(&pair);
        let (granted, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let given = Mutex::new(vec![first.clone()]);
        let start = Instant::now();
        at_once(RACERS + 1, |racer| {
            let server = &pair.servers[racer % 2];
            if racer == RACERS {
                while granted.load(SeqCst) < RACERS {
                    assert!(start.elapsed() < PATIENCE, "the refreshes do not go on");
                    sleep(Duration::from_millis(1));
                }
                revoke(&pair.servers[round % 2], &pair.client, &first.refresh);
                return is_over.store(true, SeqCst);
            }
            loop {
                assert!(start.elapsed() < PATIENCE, "no refresh is refused");
                let too_late = is_over.load(SeqCst);
                let answer = server.refresh(&pair.client, &first.refresh);
                if answer.status != 200 {
                    let error = answer.member("error");
                    assert_eq!((answer.status, &*error), (400, "invalid_grant"), "{answer:?}");
                    return;
                }
                assert!(!too_late, "granted though the revocation was answered");
                given.lock().expect("no panic").push(Tokens::of(&answer));
                granted.fetch_add(1, SeqCst);
            }
        });
        for Tokens { access, refresh } in given.into_inner().expect("no panic") {
            assert_eq!((pair.accepts(&access), pair.owns(&refresh)), (NEITHER, NEITHER));
        }
        assert_eq!((pair.accepts(&kept.access), pair.owns(&kept.refresh)), (BOTH, BOTH));
    }
}

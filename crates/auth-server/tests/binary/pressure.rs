//! Many at once: guesses, sign-ins, abandoned requests.

use crate::support::http;
use crate::support::parameter;
use crate::support::person::{Person, authorization};
use crate::support::server::{Client, PASSWORD};
use crate::{REDIRECT_URI, at_once, site};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

/// A proxy that is believed, so that one machine can be many.
const PROXY: (&str, &str) = ("AUTH__HTTP__TRUSTED_PROXIES", "127.0.0.1");

/// TOKEN-15: the guesser is slowed down; the client at home notices nothing.
#[test]
fn a_thousand_wrong_secrets_meet_429_and_the_right_one_passes_from_elsewhere() {
    let (_site, client, process) = site(&[PROXY]);
    let code = Person::at(process.address).code(&client, REDIRECT_URI);
    let guesser = Client { secret: "wrong".to_owned(), ..client.clone() };
    let answers: Vec<_> =
        at_once(10, |_| (0..100).map(|_| process.redeem(&guesser, &code)).collect::<Vec<_>>())
            .concat();
    let (judged, slowed): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 401);
    // 300 a minute, and those that came back while this ran.
    assert!((300..900).contains(&judged.len()), "{} were judged", judged.len());
    for answer in slowed {
        assert_eq!(answer.status, 429, "{answer:?}");
        let wait: u64 =
            answer.header("retry-after").expect("Retry-After").parse().expect("seconds");
        assert!((1..=60).contains(&wait), "{wait}");
    }
    let body = crate::support::form(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", crate::support::VERIFIER),
        ("client_id", &client.id),
        ("client_secret", &client.secret),
    ]);
    let headers =
        [("X-Forwarded-For", "203.0.113.7"), ("Content-Type", "application/x-www-form-urlencoded")];
    let answer = http::request(process.address, "POST", "/oauth/token", &headers, body.as_bytes());
    assert_eq!(answer.expect("an answer").status, 200);
}

/// UI-18: hashing passwords has threads of its own, so tokens flow while a hundred sign-ins wait.
#[test]
fn a_password_spray_does_not_starve_the_token_endpoint() {
    const SPRAY: usize = 100;
    let (_site, client, process) = site(&[PROXY, ("AUTH__LIMITS__HASH_QUEUE", "1000")]);
    let code = Person::at(process.address).code(&client, REDIRECT_URI);
    let mut token = process.redeem(&client, &code).member("refresh_token");
    let waiting = AtomicUsize::new(0);
    thread::scope(|scope| {
        let sprays: Vec<_> = (0..SPRAY)
            .map(|index| {
                let (process, waiting) = (&process, &waiting);
                scope.spawn(move || {
                    let mut sprayer = Person::at(process.address);
                    sprayer.forwarded_for = Some(format!("198.51.100.{index}"));
                    let page = sprayer.get("/login");
                    waiting.fetch_add(1, SeqCst);
                    let wrong = [("username", "alice"), ("password", "Winter2026!")];
                    let answer = sprayer.fill(&page, &wrong);
                    waiting.fetch_sub(1, SeqCst);
                    answer.status
                })
            })
            .collect();
        while waiting.load(SeqCst) < SPRAY / 2 {
            thread::yield_now();
        }
        for _ in 0..10 {
            let answer = process.refresh(&client, &token);
            assert_eq!(answer.status, 200, "{answer:?}");
            token = answer.member("refresh_token");
        }
        assert!(waiting.load(SeqCst) > 0, "the spray was over before it was measured");
        for spray in sprays {
            assert_eq!(spray.join().expect("no panic"), 403);
        }
    });
}

/// UI-18: a queue that is full says so at once, and takes sign-ins again afterwards.
#[test]
fn a_full_queue_of_passwords_is_503_with_retry_after() {
    let (_site, _client, process) = site(&[PROXY, ("AUTH__LIMITS__HASH_QUEUE", "1")]);
    let people: Vec<(Person, http::Answer)> = (0..30)
        .map(|index| {
            let mut person = Person::at(process.address);
            person.forwarded_for = Some(format!("198.51.100.{index}"));
            let page = person.get("/login");
            (person, page)
        })
        .collect();
    let answers = at_once(people.len(), |index| {
        let (person, page) = &people[index];
        person.clone().fill(page, &[("username", "alice"), ("password", "Winter2026!")])
    });
    let (judged, busy): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 403);
    assert!(!judged.is_empty() && !busy.is_empty(), "{} and {}", judged.len(), busy.len());
    for answer in busy {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok()));
        assert!(answer.text().contains("The server is busy"));
    }
    let (mut alice, page) = people.into_iter().next().expect("somebody");
    let answer = alice.fill(&page, &[("username", "alice"), ("password", PASSWORD)]);
    assert_eq!(answer.status, 303, "{answer:?}");
}

/// XC-07: requests that are started and never finished are forgotten, the oldest first.
#[test]
fn three_thousand_abandoned_requests_leave_a_hundred_and_the_newest_goes_on() {
    const LIMIT: usize = 100;
    let limit = ("AUTH__LIMITS__PENDING_AUTHORIZATIONS_PER_ADDRESS", "100");
    let (_site, client, process) = site(&[limit]);
    let request = authorization(&client, REDIRECT_URI, "a state");
    let begin = || {
        let mut person = Person::at(process.address);
        let login = person.get(&request).location().to_owned();
        (person, login)
    };
    let mut abandoned = at_once(10, |_| (0..300).map(|_| begin()).collect::<Vec<_>>()).concat();
    let (mut alice, newest) = begin();
    let own = format!("http://{}", process.address);
    let mut alive = 0;
    for (person, login) in &mut abandoned {
        let page = person.get(login.strip_prefix(&own).unwrap_or(login));
        assert!(matches!(page.status, 200 | 400), "{page:?}");
        alive += usize::from(page.status == 200);
    }
    assert_eq!(alive, LIMIT - 1);
    let page = alice.get(newest.strip_prefix(&own).unwrap_or(&newest));
    let page = alice.sign_in(&page);
    let approved = alice.fill(&page, &[("decision", "approve")]);
    let code = parameter(approved.location(), "code").expect("a code");
    assert_eq!(process.redeem(&client, &code).status, 200);
}

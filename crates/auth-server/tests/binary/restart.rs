//! What survives a stop and a start, and how it stops.

use crate::support::http::{self, connect};
use crate::support::person::{Person, authorization};
use crate::support::{VERIFIER, form, parameter};
use crate::{REDIRECT_URI, site};
use std::io::{Read as _, Write as _};
use std::time::Duration;

/// PKCE-08, REFRESH-13, XC-06, CODE-05
#[test]
fn what_waits_goes_on_and_what_was_spent_stays_spent_after_a_restart() {
    let (site, client, process) = site(&[]);
    let mut alice = Person::at(process.address);
    let waiting = alice.get(&authorization(&client, REDIRECT_URI, "a state"));
    let waiting = alice.follow(waiting);
    let waiting = alice.sign_in(&waiting);
    let mut other = Person::at(process.address);
    let unredeemed = other.code(&client, REDIRECT_URI);
    let redeemed = other.code(&client, REDIRECT_URI);
    let replayed = process.redeem(&client, &redeemed);
    assert_eq!(replayed.status, 200);
    let code = other.code(&client, REDIRECT_URI);
    let first = process.redeem(&client, &code).member("refresh_token");
    let second = process.refresh(&client, &first).member("refresh_token");
    let third = process.refresh(&client, &second).member("refresh_token");
    let (status, output) = process.stop();
    assert!(status.success(), "{status}: {output}");

    let process = site.serve(&[]);
    // The challenge is still there, and only the right verifier fits.
    let grant = ("grant_type", "authorization_code");
    for verifier in [None, Some("not-the-verifier-not-the-verifier-not-the-verifier")] {
        let mut fields = vec![grant, ("code", unredeemed.as_str())];
        fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        assert_eq!(process.token(&client, &fields).status, 400);
    }
    assert_eq!(process.redeem(&client, &unredeemed).status, 200);
    // A code that was redeemed before is a replay now.
    assert_eq!(process.redeem(&client, &redeemed).member("error"), "invalid_grant");
    let refused = process.refresh(&client, &replayed.member("refresh_token"));
    assert_eq!(refused.member("error"), "invalid_grant");
    // So is a refresh token that was spent before; the whole grant ends.
    assert_eq!(process.refresh(&client, &first).member("error"), "invalid_grant");
    assert_eq!(process.refresh(&client, &third).member("error"), "invalid_grant");
    // The page that was open all the time.
    let approved = alice.fill(&waiting, &[("decision", "approve")]);
    let code = parameter(approved.location(), "code").expect("a code");
    assert_eq!(process.redeem(&client, &code).status, 200);
}

/// Somebody is sending a token request while the server is told to stop: the request is answered, new
/// ones are not taken, and the exit code is 0.
#[test]
fn requests_in_flight_finish_after_sigterm() {
    let (_site, client, process) = site(&[]);
    let code = Person::at(process.address).code(&client, REDIRECT_URI);
    let body = form(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("client_id", &client.id),
        ("client_secret", &client.secret),
    ]);
    let (first_half, second_half) = body.split_at(body.len() / 2);
    let mut stream = connect(process.address).expect("a connection");
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        process.address,
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).expect("the server asks for the body");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(first_half.as_bytes()).expect("sent");
    process.terminate();
    while process.get("/healthz").is_ok() {
        std::thread::sleep(Duration::from_millis(20));
    }
    stream.write_all(second_half.as_bytes()).expect("sent");
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).expect("an answer");
    let answer = http::parse(&raw).expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.member("access_token").is_empty());
    let (status, output) = process.wait();
    assert_eq!(status.code(), Some(0), "{output}");
}

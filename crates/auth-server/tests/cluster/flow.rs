//! No server knows anything that the other does not.

use crate::postgres;
use crate::server::{Pair, REDIRECT_URI, is_available};
use crate::support::http;
use crate::support::person::{Person, authorization};
use crate::support::server::Client;
use crate::support::{VERIFIER, form, parameter};
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// What a flow asks for, in this order.
const STEPS: [(&str, &str); 8] = [
    ("GET", "/oauth/authorize"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/oauth/interaction/"),
    ("POST", "/oauth/consent"),
    ("POST", "/oauth/token"),
    ("POST", "/oauth/token"),
    ("POST", "/oauth/token"),
];

/// At random, a change of servers that was never seen between two steps is seen in the next flow with a
/// probability of 1/4.
const ENOUGH: usize = 120;

/// Every step of the flow follows the one before on the same server and on the other, in both directions:
/// sign-in, consent, code, refresh and refresh again.
#[test]
fn a_flow_goes_on_at_whichever_server_its_next_request_lands() {
    if !is_available() {
        return;
    }
    let pair = Pair::start(postgres::shared(), &["alice"]);
    let before = pair.nginx.passed().len();
    let mut seen = BTreeSet::new();
    for flow in 0..ENOUGH {
        one_flow(pair.site.address, &pair.client);
        let from = before + flow * STEPS.len();
        let mut passed = pair.wait_for_log(from + STEPS.len()).split_off(from);
        // Each request has a connection of its own.
        passed.sort_by_key(|request| request.connection);
        let servers: Vec<_> = passed
            .iter()
            .zip(STEPS)
            .map(|(request, (method, path))| {
                assert!(request.method == method && request.path.starts_with(path), "{request:?}");
                let [server] = request.servers[..] else { panic!("tried again: {request:?}") };
                pair.addresses().iter().position(|it| *it == server).expect("a server of ours")
            })
            .collect();
        seen.extend(servers.windows(2).enumerate().map(|(step, two)| (step, two[0], two[1])));
        if seen.len() == 4 * (STEPS.len() - 1) {
            return;
        }
    }
    panic!("after {ENOUGH} flows only these changes of servers were seen: {seen:?}");
}

/// Somebody who was never here signs in and approves, and the client redeems and refreshes twice.
fn one_flow(address: SocketAddr, client: &Client) {
    let mut alice = Person::at(address);
    let request = authorization(client, REDIRECT_URI, "a state") + "&prompt=consent";
    let page = alice.get(&request);
    let page = alice.follow(page);
    let page = alice.sign_in(&page);
    let approved = alice.fill(&page, &[("decision", "approve")]);
    let code = parameter(approved.location(), "code").expect("a code");
    assert_eq!(parameter(approved.location(), "state").as_deref(), Some("a state"));
    let grant = ("grant_type", "authorization_code");
    let mut refresh_token =
        token(address, client, &[grant, ("code", &code), ("code_verifier", VERIFIER)]);
    for _ in 0..2 {
        let grant = ("grant_type", "refresh_token");
        refresh_token = token(address, client, &[grant, ("refresh_token", &refresh_token)]);
    }
}

/// The refresh token that a token request is answered with.
fn token(address: SocketAddr, client: &Client, fields: &[(&str, &str)]) -> String {
    let own = [("client_id", client.id.as_str()), ("client_secret", &client.secret)];
    let body = form(&[fields, &own].concat());
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = http::request(address, "POST", "/oauth/token", &headers, body.as_bytes());
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.member("refresh_token")
}

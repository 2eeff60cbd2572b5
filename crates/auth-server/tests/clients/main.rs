//! Programs that nobody here wrote, and the person before them, against the real server.
//!
//! Each program is a few lines around a published client library, unmodified and pinned. It reads its
//! settings from the environment, prints the address that a person has to open, and reads from its
//! standard input where that led. What needs a program or a registry that is not there is skipped, and
//! says so; with `AUTH_TEST_REQUIRE=all` it fails.

mod conversation;
mod example;
mod libraries;
mod machines;
mod programs;
mod restart;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test target uses its own part")]
mod support;

use support::person::Person;
use support::server::{Client, Demo};

/// Where the documentation's programs listen. Nobody has to for these tests.
const REDIRECT_URI: &str = "http://localhost:8765/callback";

/// What the programs ask for.
const SCOPE: &str = "projects:read";

/// The demonstration's client that is confidential, or the public one.
fn client(demo: &Demo, is_confidential: bool) -> Client {
    if is_confidential {
        let secret = demo.credential("demo_app_secret").to_owned();
        Client { id: "demo-app".to_owned(), secret }
    } else {
        Client { id: "demo-cli".to_owned(), secret: String::new() }
    }
}

/// What alice does with an authorization request in a fresh browser: she signs in, and approves if she is
/// asked. The answer is where the browser is sent then.
#[track_caller]
fn approve(demo: &Demo, address: &str) -> String {
    approve_in(&mut Person::at(demo.process.address), demo, address)
}

/// The same in this browser, where alice is not signed in yet.
#[track_caller]
fn approve_in(browser: &mut Person, demo: &Demo, address: &str) -> String {
    let target = address.strip_prefix(&demo.issuer).expect("an address of the server");
    let page = browser.get(target);
    let page = browser.follow(page);
    let password = demo.credential("alice_password");
    let page = browser.fill(&page, &[("username", "alice"), ("password", password)]);
    let mut answer = browser.follow(page);
    // A confidential client that she approved before is not asked about again.
    if answer.header("location").is_none() {
        answer = browser.fill(&answer, &[("decision", "approve")]);
    }
    answer.location().to_owned()
}

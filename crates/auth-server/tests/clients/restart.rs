//! The demonstration, and what it still knows after a restart.

use crate::support::http::Answer;
use crate::support::person::{Person, authorization};
use crate::support::server::{Client, Demo};
use crate::support::{CHALLENGE, parameter};
use crate::{REDIRECT_URI, approve, approve_in, client};
use scraper::Html;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

/// The demonstration with a directory that outlives it.
fn restarted(demo: Demo, directory: &Path) -> Demo {
    let (address, app) = (demo.process.address, app_address(&demo));
    let (status, output) = demo.process.stop();
    assert!(status.success(), "{status}:\n{output}");
    Demo::start_on(directory, address, app)
}

fn app_address(demo: &Demo) -> SocketAddr {
    demo.app.trim_start_matches("http://").parse().expect("an address")
}

/// What a page says, without its markup.
fn words(page: &Answer) -> String {
    Html::parse_document(&page.text()).root_element().text().collect()
}

/// The access tokens in the answers that a page shows.
fn access_tokens(page: &str) -> BTreeSet<&str> {
    page.split("\"access_token\": \"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// What the application shows to the person whom the server sent back to it.
fn back_at_app(browser: &mut Person, demo: &Demo, location: &str) -> String {
    let target = location.strip_prefix(&demo.app).expect("back to the application");
    let answer = browser.get(target);
    words(&browser.follow(answer))
}

#[test]
fn the_demonstration_shows_every_message_and_knows_the_person_after_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(directory.path());
    // Cookies do not know ports, but the two servers' names differ: one browser as two.
    let mut at_app = Person::at(app_address(&demo));
    let mut at_server = Person::at(demo.process.address);

    let start = at_app.get("/");
    assert!(words(&start).contains(demo.credential("alice_password")));
    let pressed = at_app.fill(&start, &[("prompt", "")]);
    let location = approve_in(&mut at_server, &demo, pressed.location());
    let code = parameter(&location, "code").expect("a code");
    let journey = back_at_app(&mut at_app, &demo, &location);
    assert!(journey.contains("Signed in."), "{journey}");
    assert!(journey.contains(&format!("code={code}")), "{journey}");
    assert_eq!(access_tokens(&journey).len(), 1, "{journey}");

    let pressed = at_app.post("/refresh", &[]);
    assert!(pressed.location().starts_with("/journey"), "{}", pressed.location());
    let refreshed = words(&at_app.get("/journey"));
    assert!(refreshed.contains("Refreshed."), "{refreshed}");
    assert_eq!(access_tokens(&refreshed).len(), 2, "{refreshed}");

    let credentials = ["alice_password", "admin_password", "demo_app_secret"];
    let before = credentials.map(|name| demo.credential(name).to_owned());
    let demo = restarted(demo, directory.path());
    assert_eq!(credentials.map(|name| demo.credential(name).to_owned()), before);

    // Still signed in, and the consent is remembered: no page on the way.
    let start = at_app.get("/");
    let pressed = at_app.fill(&start, &[("prompt", "")]);
    let target = pressed.location().strip_prefix(&demo.issuer).expect("the server").to_owned();
    let location = at_server.get(&target).location().to_owned();
    let journey = back_at_app(&mut at_app, &demo, &location);
    assert!(journey.contains("Signed in."), "{journey}");
}

/// A code for this client.
fn code(demo: &Demo, client: &Client) -> String {
    let request = authorization(client, REDIRECT_URI, "a state");
    let location = approve(demo, &format!("{}{request}", demo.issuer));
    assert!(!location.contains(CHALLENGE), "{location}");
    parameter(&location, "code").expect("a code")
}

#[track_caller]
fn assert_refused(answer: &Answer) {
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(answer.member("error"), "invalid_grant");
}

/// PKCE-08, CODE-05, REFRESH-04, REFRESH-13: a restart between any two steps changes nothing; a code
/// still wants its verifier, and what was used up stays so.
#[test]
fn a_restart_forgets_no_challenge_and_nothing_that_was_spent() {
    let directory = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(directory.path());
    let client = client(&demo, false);
    let server = &demo.process;
    let waiting = code(&demo, &client);
    let redeemed = code(&demo, &client);
    let kept = server.redeem(&client, &redeemed).member("refresh_token");
    let spent = server.redeem(&client, &code(&demo, &client)).member("refresh_token");
    let successor = server.refresh(&client, &spent).member("refresh_token");
    let newest = server.refresh(&client, &successor).member("refresh_token");
    assert!(!newest.is_empty());

    let demo = restarted(demo, directory.path());
    let server = &demo.process;
    let wrong = "a".repeat(43);
    let grant = ("grant_type", "authorization_code");
    let fields = [grant, ("code", &waiting), ("code_verifier", &wrong)];
    assert_refused(&server.token(&client, &fields));
    assert_eq!(server.redeem(&client, &waiting).status, 200);
    assert_eq!(server.refresh(&client, &kept).status, 200);
    assert_refused(&server.redeem(&client, &redeemed));
    assert_refused(&server.refresh(&client, &spent));
    // The replay ended the grant.
    assert_refused(&server.refresh(&client, &newest));
}

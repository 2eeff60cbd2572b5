//! Moving house: an export of one database, imported into another, served from there.

use crate::support::parameter;
use crate::support::person::{Person, authorization};
use crate::support::server::{Client, PROGRAM, Process, Site};
use crate::{REDIRECT_URI, cluster, site};
use std::process::Command;

/// The setting that names a database.
const URL: &str = "AUTH__DATABASE__URL";

/// Runs a command on the database at this URL.
#[track_caller]
fn run(site: &Site, url: &str, arguments: &[&str]) {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).arg("--config").arg(site.path("auth.toml")).env(URL, url);
    let output = command.output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
}

/// Exports one database, and imports the file into another.
#[track_caller]
fn move_house(site: &Site, from: &str, into: &str, file: &str) -> Vec<u8> {
    let path = site.path(file).display().to_string();
    run(site, from, &["export", &path]);
    run(site, into, &["import", &path]);
    let text = std::fs::read(&path).expect("an export");
    let header = text.iter().position(|byte| *byte == b'\n').expect("a first line");
    text[header..].to_vec()
}

/// What clients and browsers hold, of one person's visit.
struct Held {
    browser: Person,
    /// Presented to get `live`, and spent since that was used.
    spent: String,
    live: String,
    code: String,
    redeemed: String,
    /// Of the grant that `redeemed` bought.
    of_redeemed: String,
    /// A client whose grant was revoked, and the refresh token of that grant.
    other: Client,
    revoked: String,
}

fn visit(site: &Site, client: &Client, process: &Process) -> Held {
    let mut browser = Person::at(process.address);
    let first = browser.code(client, REDIRECT_URI);
    let spent = process.redeem(client, &first).member("refresh_token");
    let used = process.refresh(client, &spent).member("refresh_token");
    let live = process.refresh(client, &used).member("refresh_token");
    let code = browser.code(client, REDIRECT_URI);
    let redeemed = browser.code(client, REDIRECT_URI);
    let of_redeemed = process.redeem(client, &redeemed).member("refresh_token");
    let other = site.add_client("Other", &[REDIRECT_URI], &[]);
    let doomed = browser.code(&other, REDIRECT_URI);
    let revoked = process.redeem(&other, &doomed).member("refresh_token");
    let grants = site.command(&["grant", "list", "--client", &other.id], "");
    let grant = grants[0]["grant_id"].as_str().expect("a grant");
    site.command(&["grant", "revoke", grant], "");
    assert!([&spent, &live, &of_redeemed, &revoked].iter().all(|token| !token.is_empty()));
    Held { browser, spent, live, code, redeemed, of_redeemed, other, revoked }
}

/// The person is still signed in and consents are remembered; tokens mean what they meant.
fn assert_goes_on(client: &Client, process: &Process, held: &Held) {
    let mut browser = held.browser.moved_to(process.address);
    let answer = browser.get(&authorization(client, REDIRECT_URI, "a state"));
    let answer = browser.follow(answer);
    let code = parameter(answer.location(), "code").expect("a code, with nothing asked");
    assert_eq!(process.redeem(client, &code).status, 200);

    let refreshed = process.refresh(client, &held.live);
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    let refused = process.refresh(client, &held.spent);
    assert_eq!(refused.member("error"), "invalid_grant", "{refused:?}");
    // And that was a replay: the grant has ended.
    let refused = process.refresh(client, &refreshed.member("refresh_token"));
    assert_eq!(refused.member("error"), "invalid_grant", "{refused:?}");

    assert_eq!(process.redeem(client, &held.code).status, 200);
    let replayed = process.redeem(client, &held.redeemed);
    assert_eq!(replayed.member("error"), "invalid_grant", "{replayed:?}");
    for (client, ended) in [(client, &held.of_redeemed), (&held.other, &held.revoked)] {
        let refused = process.refresh(client, ended);
        assert_eq!(refused.member("error"), "invalid_grant", "{refused:?}");
    }
}

/// CODE-06, REFRESH-13, UI-05: from one SQLite file into another, while the first is served.
#[test]
fn what_clients_and_browsers_hold_goes_on_in_another_file() {
    let (site, client, process) = site(&[("AUTH__TOKENS__CODE_LIFETIME", "10m")]);
    let held = visit(&site, &client, &process);
    let [from, there] =
        ["auth.db", "there.db"].map(|name| format!("sqlite://{}", site.path(name).display()));
    move_house(&site, &from, &there, "all.jsonl");
    drop(process);
    assert_goes_on(&client, &site.serve(&[(URL, &there)]), &held);
}

/// CODE-06, REFRESH-13: to PostgreSQL, and from there back; every row is the same on the way.
#[test]
fn what_clients_and_browsers_hold_goes_on_in_postgresql_and_back() {
    if !cluster::is_available() {
        return;
    }
    let (site, client, process) = site(&[("AUTH__TOKENS__CODE_LIFETIME", "10m")]);
    let held = visit(&site, &client, &process);
    drop(process);
    let [from, back] =
        ["auth.db", "back.db"].map(|name| format!("sqlite://{}", site.path(name).display()));
    let there = cluster::shared().create_database("template1");
    let moved = move_house(&site, &from, &there, "all.jsonl");
    let copied = move_house(&site, &there, &back, "back.jsonl");
    assert!(moved == copied, "the two files differ in more than their first line");
    assert_goes_on(&client, &site.serve(&[(URL, &there)]), &held);
    assert_goes_on(&client, &site.serve(&[(URL, &back)]), &held);
}

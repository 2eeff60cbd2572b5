//! A server dies, the database goes away: flows that can go on do, those that cannot are told to come back,
//! and afterwards everything that anybody was given still holds. Nobody lends a hand.

use crate::chance::{self, Chance};
use crate::ledger::Wrong;
use crate::load::{Front, Load};
use crate::nginx::{Nginx, Passed};
use crate::postgres::{Cluster, Disk};
use crate::server::{Pair, SETTINGS, is_available};
use crate::support::server::{PATIENCE, Process};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// One worker each.
const USERS: [&str; 8] = ["ada", "ben", "cleo", "dan", "eve", "fay", "gus", "hal"];

/// So many granted token requests are a load, or a recovery.
const SOME: u64 = 200;

/// Servers, a load, and a cluster of their own.
fn start() -> (Cluster, Pair, Load) {
    let cluster = Cluster::start(Disk::Durable);
    let pair = Pair::start(&cluster, &USERS);
    let mut chance = Chance::new(chance::seed());
    let load = Load::new(pair.nginx.address, &pair.client.secret, &USERS, &mut chance);
    (cluster, pair, load)
}

#[track_caller]
fn expect_right(outcome: Result<(), Wrong>, pair: &Pair, front: &Front) {
    println!("{front}");
    if let Err(Wrong(what)) = outcome {
        panic!("{what}\nThe servers and nginx say:\n{}", pair.output());
    }
}

/// Waits until nginx has passed on such a request after the first `from`.
fn wait_for_request(nginx: &Nginx, from: usize, is_it: impl Fn(&Passed) -> bool) {
    let start = Instant::now();
    while !nginx.passed()[from..].iter().any(&is_it) {
        assert!(start.elapsed() < PATIENCE, "nginx does not come to it:\n{}", nginx.errors());
        sleep(Duration::from_millis(50));
    }
}

/// CODE-05, CODE-06, REFRESH-04, REFRESH-12, REFRESH-13, REVOKE-05, XC-06: only the requests that the dead server was
/// working on get no answer.
#[test]
fn when_a_server_is_killed_the_flows_go_on_at_the_other() {
    if !is_available() {
        return;
    }
    let (_cluster, mut pair, mut load) = start();
    let outcome = load.run(|front| front.wait_for_grants(SOME));
    expect_right(outcome, &pair, &load.front);
    let before = pair.shares();
    assert!(before.iter().all(|share| *share > 50), "both serve: {before:?}");
    assert_eq!(load.front.cut_off.get(), 0);

    let [victim, survivor] = pair.servers;
    let address = victim.address;
    let mut reborn = None;
    let outcome = load.run(|front| {
        front.wait_for_grants(SOME);
        // SIGKILL.
        drop(victim);
        front.wait_for_grants(SOME);
        // What the dead server does not even accept is no loss: the other gets it.
        wait_for_request(&pair.nginx, 0, |it| it.method == "POST" && it.servers.len() == 2);
        reborn = Some(pair.site.serve_at(address, &SETTINGS));
        let from = pair.nginx.passed().len();
        wait_for_request(&pair.nginx, from, |it| it.servers == [address]);
        front.wait_for_grants(2 * SOME);
    });
    pair.servers = [reborn.expect("a server"), survivor];
    expect_right(outcome, &pair, &load.front);
    let cut_off = load.front.cut_off.get();
    assert!(cut_off <= 2 * USERS.len() as u64, "{}", load.front);
    assert_eq!(load.front.unavailable.get(), 0, "{}", load.front);

    // The new process serves as the old one did.
    let before = pair.shares();
    let outcome = load.finish().and_then(|()| load.audit(&pair.database));
    expect_right(outcome, &pair, &load.front);
    let after = pair.shares();
    assert!((0..2).all(|it| after[it] > before[it]), "both serve: {before:?} {after:?}");
}

/// AUTHZ-24, REVOKE-09, XC-06: nobody is told that a good code, token or client is a bad one.
#[test]
fn while_postgresql_is_away_requests_are_put_off_and_nothing_that_was_given_is_lost() {
    if !is_available() {
        return;
    }
    let (cluster, mut pair, mut load) = start();
    let outages: [(&str, &dyn Fn()); 3] = [
        // `pg_ctl restart -m fast`
        ("restarted", &|| {
            cluster.stop_server();
            cluster.start_server();
        }),
        // `pg_ctl restart -m immediate`
        ("crashed and restarted", &|| {
            cluster.crash();
            cluster.start_server();
        }),
        ("stopped for five seconds", &|| {
            cluster.stop_server();
            sleep(Duration::from_secs(1));
            for server in &pair.servers {
                let ready = server.get("/readyz").expect("an answer");
                assert_eq!(ready.status, 503, "{ready:?}");
                assert!(ready.header("retry-after").is_some(), "{ready:?}");
                assert_eq!(server.get("/healthz").expect("an answer").status, 200);
            }
            sleep(Duration::from_secs(4));
            cluster.start_server();
        }),
    ];
    for (what, outage) in outages {
        let outcome = load.run(|front| {
            front.wait_for_grants(SOME);
            outage();
            let back = Instant::now();
            front.wait_for_grants(SOME);
            println!("{what}; flows went on within {:?}", back.elapsed());
        });
        expect_right(outcome, &pair, &load.front);
        let outcome = load.audit(&pair.database);
        expect_right(outcome, &pair, &load.front);
    }
    assert!(load.front.unavailable.get() > 0, "nobody noticed: {}", load.front);
    assert_eq!(load.front.cut_off.get(), 0, "the servers answer themselves");
    let outcome = load.finish().and_then(|()| load.audit(&pair.database));
    expect_right(outcome, &pair, &load.front);
    for server in &mut pair.servers {
        assert_eq!(server.get("/readyz").expect("an answer").status, 200);
        assert!(Process::is_alive(server), "without a restart");
    }
}

//! The documentation's example program, as it stands there.

use crate::support::http;
use crate::support::programs::require;
use crate::support::server::Demo;
use crate::{SCOPE, approve, client, conversation};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/login.py");

/// Runs the example with an answer to this host, and brings it the answer as a browser would.
#[track_caller]
fn signs_in_and_refreshes(is_confidential: bool, host: &str) {
    if !require(&["python3", "--version"], "the documentation's example") {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(directory.path());
    let client = client(&demo, is_confidential);
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
    let callback = free.expect("a free port");
    let redirect_uri = format!("http://{host}:{}/callback", callback.port());
    let mut command = Command::new("python3");
    command.args(["-B", EXAMPLE, "--no-browser", "--timeout", "60"]);
    command.args(["--issuer", &demo.issuer, "--client-id", &client.id]);
    command.args(["--redirect-uri", &redirect_uri, "--scope", SCOPE]);
    command.args(["--call", &format!("{}/api/projects", demo.app)]);
    command.env_remove("AUTH_CLIENT_SECRET");
    if is_confidential {
        command.env("AUTH_CLIENT_SECRET", &client.secret);
    }
    let said = conversation::run(&mut command, |address| {
        let back = approve(&demo, address);
        let target = back.strip_prefix(&redirect_uri).expect("back to the program");
        let request = format!("GET /callback{target} HTTP/1.0\r\nHost: {host}\r\n\r\n");
        let seen = http::exchange(callback, request.as_bytes()).expect("an answer");
        let seen = String::from_utf8_lossy(&seen);
        assert!(seen.starts_with("HTTP/1.0 200 "), "{seen}");
        String::new()
    });
    let [tokens, refreshed, called] = &said[..] else { panic!("{said:?}") };
    assert_eq!(tokens["scope"], SCOPE);
    assert_eq!(refreshed["scope"], SCOPE);
    assert_eq!(called["projects"][0], "Bridge", "{called}");
    assert_ne!(tokens["access_token"], refreshed["access_token"]);
    let newest = refreshed["refresh_token"].as_str().expect("a refresh token");
    assert_eq!(demo.process.refresh(&client, newest).status, 200);
}

/// REDIR-02: a free port of the loopback address, which was registered without one.
#[test]
fn the_example_signs_in_and_refreshes_without_a_secret() {
    signs_in_and_refreshes(false, "127.0.0.1");
}

/// REDIR-04: `localhost` was registered with another port.
#[test]
fn the_example_signs_in_and_refreshes_with_a_secret() {
    signs_in_and_refreshes(true, "localhost");
}

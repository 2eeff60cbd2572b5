//! What may be registered as a redirect URI.

use crate::world::World;
use serde_json::json;

/// All of them are refused, by `add` and by `update`, and nothing is registered.
fn refused(uris: &[&str]) {
    let world = World::new();
    world.add_client("web");
    for uri in uris {
        for arguments in [&["client", "add", "--name", "A"][..], &["client", "update", "web"]] {
            // With a good one before it: every URI is judged.
            let uris = ["--redirect-uri", "https://rp.test/good", &format!("--redirect-uri={uri}")];
            let reason = world.refused(&[arguments, &uris[..]].concat());
            assert!(reason.starts_with("invalid_redirect_uri: "), "{uri:?}: {reason}");
            assert_eq!(reason.lines().count(), 1, "{uri:?}: {reason}");
        }
    }
    let clients = world.json(&["client", "list"]);
    assert_eq!(clients.as_array().unwrap().len(), 1);
    assert_eq!(clients[0]["redirect_uris"], json!(["https://rp.test/cb"]));
}

fn accepted(uris: &[&str]) {
    let world = World::new();
    let mut arguments = vec!["client", "add", "--public", "--name", "A"];
    uris.iter().for_each(|uri| arguments.extend(["--redirect-uri", uri]));
    assert_eq!(world.json(&arguments)["redirect_uris"], json!(uris));
}

/// REDIR-05
#[test]
fn redir_05_a_private_use_scheme_needs_a_dot() {
    refused(&["myapp:/cb", "myapp://cb", "com-example:/cb"]);
    accepted(&["com.example.app:/cb", "com.example.app://cb", "com.example.app:/CB"]);
}

/// REDIR-06
#[test]
fn redir_06_schemes_that_run_script_or_programs_are_refused_in_any_spelling() {
    refused(&[
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://rp.test/x",
        "about:blank",
        "view-source:https://rp.test/",
        "ws://rp.test/",
        "ftp://rp.test/",
        "mailto:a@rp.test",
        "tel:1",
        "sms:1",
        "intent://rp.test/#Intent;end",
    ]);
}

/// REDIR-07
#[test]
fn redir_07_a_fragment_is_refused_even_an_empty_one() {
    refused(&["https://rp.test/cb#", "https://rp.test/cb#x", "com.example.app:/cb#"]);
}

/// REDIR-04, REDIR-08: several may be registered, loopback hosts among them, each as it was written.
#[test]
fn redir_08_several_uris_are_kept_as_they_were_written() {
    accepted(&[
        "https://rp.test/cb",
        "https://rp.test/cb?fixed=1",
        "http://localhost:8765/callback",
        "http://127.0.0.1/cb",
        "http://[::1]:9000/cb",
    ]);
}

/// REDIR-09
#[test]
fn redir_09_a_wildcard_in_a_host_is_refused() {
    refused(&["https://*.rp.test/cb", "https://*/cb", "https://rp.*/cb"]);
}

/// REDIR-10: no client comes to the authorization endpoint without a redirect URI.
#[test]
fn redir_10_the_code_grant_is_not_registered_without_a_redirect_uri() {
    let world = World::new();
    world.refused(&["client", "add", "--name", "A"]);
    world.refused(&["client", "add", "--name", "A", "--public"]);
    assert_eq!(world.json(&["client", "list"]), json!([]));
}

/// REDIR-11
#[test]
fn redir_11_http_is_for_loopback_only() {
    refused(&[
        "http://rp.test/cb",
        "http://10.0.0.1/cb",
        "http://localhost.rp.test/cb",
        "http://127.0.0.2/cb",
        "http://2130706433/cb",
    ]);
}

/// REDIR-12
#[test]
fn redir_12_parameters_of_the_response_are_refused() {
    refused(&[
        "https://rp.test/cb?code=1",
        "https://rp.test/cb?a=b&state=",
        "https://rp.test/cb?iss=x",
        "https://rp.test/cb?error=",
        "https://rp.test/cb?response=x",
        "https://rp.test/cb?%63ode=1",
    ]);
}

/// REDIR-01: what could be taken for another URI is refused rather than rewritten.
#[test]
fn redir_01_ambiguous_uris_are_refused() {
    refused(&[
        "",
        "/cb",
        "rp.test/cb",
        "https:/rp.test/cb",
        "https:///cb",
        "https://user@rp.test/cb",
        "https://rp.test:0/cb",
        "https://rp.test:99999/cb",
        "https://rp.test/a/../cb",
        "https://rp.test\\@evil.test/cb",
        "https://rp.test/c b",
        "https://rp.test/cb\r\nLocation: x",
        "https://r\u{440}.test/cb",
    ]);
}

#[test]
fn a_reason_never_carries_raw_control_characters_or_a_flood() {
    let world = World::new();
    let long = format!("https://rp.test/\u{1b}[2J{}", "x".repeat(5000));
    let reason = world.refused(&["client", "add", "--name", "A", "--redirect-uri", &long]);
    assert!(reason.len() < 300 && !reason.contains('\u{1b}'), "{reason:?}");
}

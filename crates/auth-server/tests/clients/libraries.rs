//! Published client libraries walk the whole flow.

use crate::support::server::Demo;
use crate::{REDIRECT_URI, SCOPE, approve, client, conversation, programs};
use std::process::Command;

/// Runs a program with every kind of client authentication that the metadata offers. It must understand
/// the refusal of a wrong verifier, then redeem the code and refresh; and what it holds then works.
#[track_caller]
fn walks_the_flow(program: impl Fn() -> Option<Command>) {
    // First of all: a program that is skipped needs no server.
    if program().is_none() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(directory.path());
    let found = demo.process.get("/.well-known/oauth-authorization-server").expect("an answer");
    let methods = found.json()["token_endpoint_auth_methods_supported"].clone();
    let methods: Vec<String> = serde_json::from_value(methods).expect("an array of strings");
    assert_eq!(methods.len(), 3, "{methods:?}");
    for method in &methods {
        let client = client(&demo, method != "none");
        let mut command = program().expect("it was there before");
        command.env("AUTH_ISSUER", &demo.issuer).env("AUTH_CLIENT_ID", &client.id);
        command.env("AUTH_METHOD", method).env("AUTH_REDIRECT_URI", REDIRECT_URI);
        command.env("AUTH_SCOPE", SCOPE).env("NO_PROXY", "*");
        if client.secret.is_empty() {
            command.env_remove("AUTH_CLIENT_SECRET");
        } else {
            command.env("AUTH_CLIENT_SECRET", &client.secret);
        }
        let said = conversation::run(&mut command, |address| approve(&demo, address));
        let [outcome] = &said[..] else { panic!("{method}: {said:?}") };
        assert_eq!(outcome["refused"], "invalid_grant", "{method}: {outcome}");
        let (first, second) = (&outcome["first"], &outcome["second"]);
        assert!(first["access_token"].is_string(), "{method}: {outcome}");
        assert!(second["access_token"].is_string(), "{method}: {outcome}");
        assert_ne!(first["access_token"], second["access_token"], "{method}");
        let newest = second["refresh_token"].as_str().expect("a refresh token");
        assert_eq!(demo.process.refresh(&client, newest).status, 200, "{method}");
    }
}

/// META-06, CAUTH-01, PKCE-05, CODE-10: every advertised method works; another verifier is refused, and
/// the code is still good with its own.
#[test]
fn the_crate_oauth2_walks_the_flow() {
    walks_the_flow(|| programs::rust("with_oauth2"));
}

/// META-06, CAUTH-01, PKCE-05, CODE-10: the same, with a `nonce` that nobody asked for.
#[test]
fn the_crate_openidconnect_walks_the_flow() {
    walks_the_flow(|| programs::rust("with_openidconnect"));
}

/// META-06; more in the script.
#[test]
fn the_package_oauth4webapi_walks_the_flow() {
    walks_the_flow(|| programs::node("with-oauth4webapi.mjs"));
}

/// META-06; more in the script.
#[test]
fn the_package_openid_client_walks_the_flow() {
    walks_the_flow(|| programs::node("with-openid-client.mjs"));
}

/// META-06; more in the script.
#[test]
fn the_package_authlib_walks_the_flow() {
    walks_the_flow(|| programs::python("with_authlib.py"));
}

/// META-06; more in the script.
#[test]
fn the_package_requests_oauthlib_walks_the_flow() {
    walks_the_flow(|| programs::python("with_requests_oauthlib.py"));
}

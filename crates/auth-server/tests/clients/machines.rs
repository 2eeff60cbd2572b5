//! Published client libraries act for themselves, ask about their token, and give it back.

use crate::support::api::Place;
use crate::support::server::Site;
use crate::{SCOPE, conversation, programs};
use serde_json::{Value, json};
use std::process::Command;

/// Runs a program with either kind of client authentication. It must get a token for the API, and find out
/// what the server knows of it; and if it revokes the token, that nothing is known any more.
#[track_caller]
fn acts_for_itself(program: impl Fn() -> Option<Command>, revokes: bool) {
    // First of all: a program that is skipped needs no server.
    if program().is_none() {
        return;
    }
    let site = Site::new();
    let api = Place::in_resources(&site, "Project API", &[SCOPE]);
    let _other = Place::in_resources(&site, "Another API", &[SCOPE]);
    let client = site.add_client("Job", &[], &["--grant", "client_credentials"]);
    let _process = site.serve(&[]);
    for method in ["client_secret_basic", "client_secret_post"] {
        let mut command = program().expect("it was there before");
        command.env("AUTH_ISSUER", &site.issuer).env("AUTH_CLIENT_ID", &client.id);
        command.env("AUTH_CLIENT_SECRET", &client.secret).env("AUTH_METHOD", method);
        command.env("AUTH_REDIRECT_URI", "").env("AUTH_SCOPE", SCOPE);
        command.env("AUTH_RESOURCE", &api.uri).env("NO_PROXY", "*");
        let said = conversation::run(&mut command, |address| panic!("no browser for {address}"));
        let [outcome] = &said[..] else { panic!("{method}: {said:?}") };
        let (tokens, before) = (&outcome["tokens"], &outcome["before"]);
        assert!(tokens["access_token"].is_string(), "{method}: {outcome}");
        assert!(tokens["refresh_token"].is_null(), "{method}: {outcome}");
        assert_eq!(tokens["scope"], SCOPE, "{method}");
        assert_eq!(before["active"], true, "{method}: {outcome}");
        assert_eq!(before["sub"], format!("client:{}", client.id), "{method}");
        assert!([json!(api.uri), json!([api.uri])].contains(&before["aud"]), "{method}: {outcome}");
        let after = if revokes { json!({ "active": false }) } else { Value::Null };
        assert_eq!(outcome["after"], after, "{method}");
    }
}

/// CC-01, RES-04, INTRO-03; its revocation is for https only.
#[test]
fn the_crate_oauth2_acts_for_itself() {
    acts_for_itself(|| programs::rust("acts_with_oauth2"), false);
}

/// CC-01, RES-04, INTRO-03, REVOKE-05
#[test]
fn the_package_oauth4webapi_acts_for_itself() {
    acts_for_itself(|| programs::node("acts-with-oauth4webapi.mjs"), true);
}

/// CC-01, RES-04, INTRO-03, REVOKE-05
#[test]
fn the_package_openid_client_acts_for_itself() {
    acts_for_itself(|| programs::node("acts-with-openid-client.mjs"), true);
}

/// CC-01, RES-04, INTRO-03, REVOKE-05
#[test]
fn the_package_authlib_acts_for_itself() {
    acts_for_itself(|| programs::python("acts_with_authlib.py"), true);
}

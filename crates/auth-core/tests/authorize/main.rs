//! The way to a code, over time: sign-in, consent, and what is remembered.

mod interaction;
mod prompt;
mod remembered_consent;

use auth_core::client::ClientRegistry;
use auth_core::client::ClientStore;
use auth_core::error::ErrorCode;
use auth_core::event::Event;
use auth_core::grant::GrantStore;
use auth_core::redirect_uri::RedirectUriMismatch;
use auth_core::secret::InteractionId;
use auth_core::session::AuthenticatedOwner;
use auth_core::usecase::authorize::{Authorize, Refusal};
use auth_testkit::server::{code_in, page_in, parameter_in, redirect_in, request_of};
use auth_testkit::{TestServer, sample};
use rstest::rstest;
use time::Duration;

const APPROVE: &[(&str, &str)] = &[("decision", "approve")];
const DENY: &[(&str, &str)] = &[("decision", "deny")];

/// An authorization request of a sample client with parameters replaced or added.
fn request<'a>(client: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut params = request_of(client);
    params.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    params.extend(changes);
    params
}

/// The interaction of a consent page that this owner is shown.
fn asked(server: &TestServer, client: &str, owner: &AuthenticatedOwner) -> InteractionId {
    let answer = server.authorize(&request_of(client), Some(owner));
    assert!(matches!(answer, Authorize::NeedsConsent(_)), "{answer:?}");
    page_in(answer).interaction
}

#[track_caller]
fn assert_refused(answer: &Authorize, expected: Refusal) {
    match answer {
        Authorize::Refused(refusal) => assert_eq!(*refusal, expected),
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
fn assert_error(answer: &Authorize, expected: ErrorCode) {
    let error = redirect_in(answer).reported_error().map(|error| error.code);
    assert_eq!(error, Some(expected));
    let name = expected.as_str();
    assert_eq!(parameter_in(answer, "error").as_deref(), Some(name));
    assert_eq!(parameter_in(answer, "code"), None);
    // AUTHZ-11, CODE-01: errors carry state and issuer as codes do.
    assert_eq!(parameter_in(answer, "state").as_deref(), Some("st"));
    assert_eq!(parameter_in(answer, "iss").as_deref(), Some(sample::ISSUER));
}

/// AUTHZ-11, CODE-01, TOKEN-08: sign in, approve, redeem, refresh.
#[test]
fn a_person_signs_in_approves_and_a_client_leaves_with_tokens() {
    let server = TestServer::new();
    let answer = server.authorize(&request_of("web"), None);
    assert!(matches!(answer, Authorize::NeedsSignIn(_)));
    let page = page_in(answer);
    assert_eq!(page.client, sample::web());
    let alice = server.sign_in_for("alice", Some(&page.interaction));
    let resumed = server.resume(&page.interaction, Some(&alice));
    assert!(matches!(resumed, Authorize::NeedsConsent(_)));
    let page = page_in(resumed);
    assert_eq!(page.request.scope, sample::scope("api.read api.write"));
    let answer = server.decide(&page.interaction, Some(&alice), APPROVE);
    assert_eq!(parameter_in(&answer, "state").as_deref(), Some("st"));
    assert_eq!(parameter_in(&answer, "iss").as_deref(), Some(sample::ISSUER));
    let tokens = server.redeem("web", &code_in(&answer)).unwrap();
    assert!(server.accepts(&tokens.access_token));
    assert_eq!(tokens.expires_in, 600);
    assert_eq!(tokens.scope, sample::scope("api.read api.write"));
    let refresh_token = tokens.refresh_token.unwrap();
    let again = server.refresh("web", refresh_token.expose()).unwrap();
    assert!(server.accepts(&again.access_token));
}

/// AUTHZ-03: parameters of answers mean nothing in a request.
#[test]
fn unknown_parameters_are_ignored_and_not_echoed() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let extra = [("foo", "bar"), ("code", "x"), ("access_token", "y")];
    let page = page_in(server.authorize(&request("web", &extra), Some(&alice)));
    let answer = server.decide(&page.interaction, Some(&alice), APPROVE);
    let location = redirect_in(&answer).location();
    assert!(!location.contains("bar") && !location.contains("access_token"));
    assert_ne!(code_in(&answer), "x");
}

/// A request that names no scope asks for the default ones.
#[test]
fn without_a_scope_the_defaults_are_asked_for() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let page = page_in(server.authorize(&request("web", &[("scope", "")]), Some(&alice)));
    assert_eq!(page.request.scope, sample::scope("api.read"));
}

/// AUTHZ-10: where the redirect URI is not proven, nothing else in the request leads to a redirect.
#[rstest]
#[case(("response_type", "token"))]
#[case(("scope", "bogus"))]
#[case(("code_challenge", ""))]
#[case(("prompt", "none"))]
#[case(("request", "eyJ"))]
fn a_bad_redirect_uri_is_a_page_whatever_else_is_wrong(#[case] fault: (&str, &str)) {
    let server = TestServer::new();
    let bad = ("redirect_uri", "https://evil.test/cb");
    let answer = server.authorize(&request("web", &[bad, fault]), None);
    let expected = Refusal::RedirectUri(RedirectUriMismatch::Unregistered);
    assert_refused(&answer, expected);
}

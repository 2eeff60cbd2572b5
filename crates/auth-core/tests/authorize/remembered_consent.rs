//! When the consent page is needless.

use super::*;

fn is_asked(server: &TestServer, params: &[(&str, &str)], owner: &AuthenticatedOwner) -> bool {
    match server.authorize(params, Some(owner)) {
        Authorize::NeedsConsent(_) => true,
        Authorize::Redirect(_) => false,
        other => panic!("{other:?}"),
    }
}

/// UI-05: an answer that any program on the device could receive is never given unasked.
#[rstest]
#[case("web", false)]
#[case("post", false)]
#[case("spa", false)]
#[case("pub", true)]
fn counts_where_only_the_client_can_receive_the_answer(
    #[case] client: &str,
    #[case] asked_again: bool,
) {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    assert!(is_asked(&server, &request_of(client), &alice));
    server.code(client, &alice);
    assert_eq!(is_asked(&server, &request_of(client), &alice), asked_again);
    if asked_again {
        let silent = request(client, &[("prompt", "none")]);
        let answer = server.authorize(&silent, Some(&alice));
        assert_error(&answer, ErrorCode::ConsentRequired);
    }
}

/// UI-05: a private scheme is no better than loopback.
#[test]
fn does_not_count_for_a_private_scheme() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let app = request("pub", &[("redirect_uri", "com.example.app:/cb")]);
    server.code_for(&app, &alice);
    assert!(is_asked(&server, &app, &alice));
}

/// UI-06: it is kept by owner, client and scope.
#[test]
fn covers_what_was_approved_and_no_more() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    server.code("web", &alice);
    let with = |scope| request("web", &[("scope", scope)]);
    assert!(!is_asked(&server, &with("api.read"), &alice), "less");
    assert!(is_asked(&server, &with("api.read profile"), &alice), "more");
    assert!(is_asked(&server, &request_of("evil"), &alice), "another client");
    let bob = server.sign_in("bob");
    assert!(is_asked(&server, &with("api.read"), &bob), "another owner");
    server.code_for(&with("profile"), &alice);
    let all = with("api.read api.write profile");
    assert!(!is_asked(&server, &all, &alice), "approvals add up");
}

#[test]
fn is_forgotten_when_it_is_withdrawn() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    server.code("web", &alice);
    let now = auth_core::timestamp::Clock::now(&*server.clock);
    let subject = sample::alice().subject;
    let web = sample::client_id("web");
    server.store.withdraw(&subject, Some(&web), now).unwrap();
    assert!(is_asked(&server, &request_of("web"), &alice));
}

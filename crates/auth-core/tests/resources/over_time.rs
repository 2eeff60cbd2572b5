//! Consent that is remembered, and resources that come and go.

use super::*;

/// UI-06: remembered consent is for the resources that were approved.
#[test]
fn remembered_consent_does_not_cover_another_resource() {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    let with = |resources| request("api.read", resources);
    server.code_for(&with(&[API]), &alice);
    assert!(!is_asked(&server, &with(&[API]), &alice));
    for more in [&[OTHER][..], &[API, OTHER], &[]] {
        assert!(is_asked(&server, &with(more), &alice), "{more:?}");
        let mut silent = with(more);
        silent.push(("prompt", "none"));
        let answer = server.authorize(&silent, Some(&alice));
        assert_redirects_with(&answer, ErrorCode::ConsentRequired);
    }
    // What was approved here and there one by one was never approved for both together.
    server.code_for(&with(&[OTHER]), &alice);
    assert!(!is_asked(&server, &with(&[API]), &alice));
    assert!(!is_asked(&server, &with(&[OTHER]), &alice));
    assert!(is_asked(&server, &with(&[API, OTHER]), &alice));
    server.code_for(&with(&[API, OTHER]), &alice);
    for less in [&[API][..], &[OTHER], &[API, OTHER], &[]] {
        assert!(!is_asked(&server, &with(less), &alice), "{less:?}");
    }
}

/// UI-06: one scope at one resource and another elsewhere is neither in the other place.
#[test]
fn remembered_consents_do_not_mix() {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    server.code_for(&request("api.read", &[API]), &alice);
    server.code_for(&request("profile", &[OTHER]), &alice);
    for (scope, at, asked) in
        [("api.read", OTHER, true), ("api.read", API, false), ("profile", OTHER, false)]
    {
        assert_eq!(is_asked(&server, &request(scope, &[at]), &alice), asked, "{scope} at {at}");
    }
}

/// UI-06: a scope that was approved where it concerned nobody is asked about at a resource.
#[test]
fn remembered_consent_for_nobody_does_not_cover_a_resource() {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    server.code_for(&request("email", &[]), &alice);
    assert!(!is_asked(&server, &request("email", &[]), &alice));
    assert!(is_asked(&server, &request("email", &[API]), &alice));
}

/// AUTHZ-23: what the owner saw is what the code is for, whatever the form says.
#[test]
fn the_form_cannot_change_the_resource() {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    let page = page_in(server.authorize(&request("api.read", &[API]), Some(&alice)));
    let fields = [("decision", "approve"), ("resource", OTHER)];
    let answer = server.decide(&page.interaction, Some(&alice), &fields);
    let tokens = redeem(&server, &code_in(&answer), &[]).unwrap();
    assert_is_for(&server, &tokens, API, "api.read");
}

/// REFRESH-14: a resource that the server does not know any more is taken out of what is issued; a
/// grant of which nothing is left buys nothing, and is whole again when the resource is back.
#[test]
fn a_resource_that_was_removed_is_left_out() {
    let server = TestServer::with_resources();
    let fewer = server.under(policy_with(&[API]));
    let none = server.under(policy_with(&[]));
    let alice = server.sign_in("alice");
    let both = flow(&server, "api.read", &[]);
    let gone = flow(&server, "api.read", &[OTHER]);
    let [code, spare] = [0, 1].map(|_| server.code_for(&request("api.read", &[OTHER]), &alice));

    let next = refresh(&fewer, refresh_token_in(&both), "", &[]).unwrap();
    assert_is_for(&fewer, &next, API, "api.read");
    let refused = refusal_in(refresh(&fewer, refresh_token_in(&next), "", &[OTHER]));
    assert_eq!(refused.code, ErrorCode::InvalidTarget);
    for less in [&fewer, &none] {
        let refused = refusal_in(refresh(less, refresh_token_in(&gone), "", &[]));
        assert_eq!(refused.code, ErrorCode::InvalidTarget);
        assert_eq!(refusal_in(redeem(less, &code, &[])).code, ErrorCode::InvalidTarget);
    }

    let next = refresh(&server, refresh_token_in(&next), "", &[]).unwrap();
    assert_is_for(&server, &next, BOTH, "api.read");
    let back = refresh(&server, refresh_token_in(&gone), "", &[]).unwrap();
    assert_is_for(&server, &back, OTHER, "api.read");
    assert!(redeem(&server, &code, &[]).is_ok());
    assert!(redeem(&server, &spare, &[OTHER]).is_ok());
}

/// RES-03: a resource that came to be known later is in no grant from before.
#[test]
fn a_resource_that_was_added_is_in_no_earlier_grant() {
    let none = TestServer::new();
    let one = none.under(policy_with(&[API]));
    let server = none.under(policy_with(&[API, OTHER]));
    for (before, tokens, audience) in [
        (&none, flow(&none, "api.read", &[]), sample::ISSUER),
        (&one, flow(&one, "api.read", &[]), API),
    ] {
        assert_is_for(before, &tokens, audience, "api.read");
        let next = refresh(&server, refresh_token_in(&tokens), "", &[]).unwrap();
        assert_is_for(&server, &next, audience, "api.read");
        let refused = refusal_in(refresh(&server, refresh_token_in(&next), "", &[OTHER]));
        assert_eq!(refused.code, ErrorCode::InvalidTarget);
        let alice = server.sign_in("alice");
        assert!(is_asked(&server, &request("api.read", &[]), &alice), "it was not approved");
    }
}

/// AUTHZ-23, RES-02: what the owner saw cannot be given any more, so the client asks anew.
#[test]
fn a_resource_that_was_removed_before_the_decision_is_refused() {
    let server = TestServer::with_resources();
    let fewer = server.under(policy_with(&[API]));
    let alice = server.sign_in("alice");
    for resources in [&[OTHER][..], &[API, OTHER], &[]] {
        let page = page_in(server.authorize(&request("api.read", resources), Some(&alice)));
        let answer = fewer.decide(&page.interaction, Some(&alice), &[("decision", "approve")]);
        assert_redirects_with(&answer, ErrorCode::InvalidTarget);
    }
    let code = fewer.code_for(&request("api.read", &[]), &alice);
    assert_is_for(&fewer, &redeem(&fewer, &code, &[]).unwrap(), API, "api.read");
}

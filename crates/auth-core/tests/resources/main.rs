//! Whom a token is for (RFC 8707), from the authorization request to the last refresh.

mod over_time;

use auth_core::error::{ErrorCode, OAuthError, TokenError};
use auth_core::policy::Policy;
use auth_core::resource::{Resource, ResourceUri, Resources};
use auth_core::session::AuthenticatedOwner;
use auth_core::usecase::authorize::Authorize;
use auth_core::usecase::token::TokenResponse;
use auth_testkit::server::{
    code_in, page_in, parameter_in, redirect_in, refresh_token_in, refusal_in, request_of,
};
use auth_testkit::{TestServer, sample};
use rstest::rstest;

const API: &str = "https://api.test/";
const OTHER: &str = "https://other.test/";
const BOTH: &str = "https://api.test/ https://other.test/";

/// What no request may name, wherever it goes.
const BAD: [&str; 12] = [
    "",
    "api",
    "/api",
    "//api.test/",
    "https://api.test/#",
    "https://api.test/#x",
    "javascript:alert(1)",
    "https://unknown.test/",
    "https://api.test/v1",
    "https://api.test//",
    "http://api.test/",
    "https://api.test:443/",
];

/// An authorization request of `web` for this scope at these resources.
fn request<'a>(scope: &'a str, resources: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let mut params = request_of("web");
    params.retain(|(name, _)| *name != "scope");
    params.push(("scope", scope));
    params.extend(resources.iter().map(|uri| ("resource", *uri)));
    params
}

/// Redeems a code of `web` for a token at these resources.
fn redeem(
    server: &TestServer,
    code: &str,
    resources: &[&str],
) -> Result<TokenResponse, TokenError> {
    let mut params = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", sample::VERIFIER),
    ];
    params.extend(resources.iter().map(|uri| ("resource", *uri)));
    server.token("web", &params)
}

/// Refreshes for a token of this scope (empty: as it is) at these resources.
fn refresh(
    server: &TestServer,
    token: &str,
    scope: &str,
    resources: &[&str],
) -> Result<TokenResponse, TokenError> {
    let mut params =
        vec![("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
    params.extend(resources.iter().map(|uri| ("resource", *uri)));
    server.token("web", &params)
}

/// A whole flow of `web`, with alice.
fn flow(server: &TestServer, scope: &str, resources: &[&str]) -> TokenResponse {
    let alice = server.sign_in("alice");
    let code = server.code_for(&request(scope, resources), &alice);
    redeem(server, &code, &[]).expect("tokens")
}

/// Whom the access token is for, and what it may do there. The resource servers agree.
#[track_caller]
fn aud_and_scope(server: &TestServer, tokens: &TokenResponse) -> (String, String) {
    let token = tokens.access_token.expose();
    let active = server.introspect("web", token).unwrap().expect("an active token");
    assert_eq!(active.scope, tokens.scope, "the response says what the token may do");
    let audience = active.access.expect("an access token").audience;
    for (caller, uri) in [("rs", API), ("rs2", OTHER)] {
        let told = server.introspect(caller, token).unwrap();
        assert_eq!(told.is_some(), audience.iter().any(|it| it == uri), "{caller}");
    }
    (audience.join(" "), active.scope.to_string())
}

#[track_caller]
fn assert_is_for(server: &TestServer, tokens: &TokenResponse, audience: &str, scope: &str) {
    let is = aud_and_scope(server, tokens);
    assert_eq!((is.0.as_str(), is.1), (audience, sample::scope(scope).to_string()));
}

#[track_caller]
fn assert_redirects_with(answer: &Authorize, expected: ErrorCode) {
    let error = redirect_in(answer).reported_error().map(|error| error.code);
    assert_eq!(error, Some(expected));
    assert_eq!(parameter_in(answer, "code"), None);
    assert_eq!(parameter_in(answer, "state").as_deref(), Some("st"));
    assert_eq!(parameter_in(answer, "iss").as_deref(), Some(sample::ISSUER));
}

fn is_asked(server: &TestServer, params: &[(&str, &str)], owner: &AuthenticatedOwner) -> bool {
    match server.authorize(params, Some(owner)) {
        Authorize::NeedsConsent(_) => true,
        Authorize::Redirect(_) => false,
        other => panic!("{other:?}"),
    }
}

/// The sample policy with only some of the sample resources.
fn policy_with(keep: &[&str]) -> Policy {
    let resources = sample::resources();
    let kept = resources.iter().filter(|it| keep.contains(&it.uri.as_str())).cloned();
    Policy { resources: Resources::new(kept.collect()), ..sample::policy() }
}

/// RES-01, RES-02: at the authorization endpoint the client hears of it, before the owner is asked.
#[test]
fn a_bad_resource_is_refused_at_the_authorization_endpoint() {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    for bad in BAD {
        for resources in [&[bad][..], &[API, bad]] {
            for owner in [None, Some(&alice)] {
                let answer = server.authorize(&request("api.read", resources), owner);
                assert_redirects_with(&answer, ErrorCode::InvalidTarget);
            }
        }
    }
    let many = server.authorize(&request("api.read", &[API; 60]), Some(&alice));
    assert_redirects_with(&many, ErrorCode::InvalidTarget);
    assert!(server.store.edit(|data| data.pending.is_empty()), "nothing was written");
}

/// RES-01, RES-02, RES-03, REFRESH-08: at the token endpoint the code and the refresh token stay good.
#[test]
fn a_bad_resource_uses_up_neither_code_nor_refresh_token() {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    let code = server.code("web", &alice);
    for bad in BAD {
        for resources in [&[bad][..], &[API, bad]] {
            let refused = refusal_in(redeem(&server, &code, resources));
            assert_eq!(refused.code, ErrorCode::InvalidTarget, "{bad}");
        }
    }
    let tokens = redeem(&server, &code, &[API]).unwrap();
    for bad in BAD {
        let refused = refusal_in(refresh(&server, refresh_token_in(&tokens), "", &[bad]));
        assert_eq!(refused.code, ErrorCode::InvalidTarget, "{bad}");
    }
    assert!(refresh(&server, refresh_token_in(&tokens), "", &[API]).is_ok());
}

/// RES-03, REFRESH-08: grant A, ask B, then ask A.
#[test]
fn a_resource_that_was_not_granted_is_refused_and_uses_nothing_up() {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    let code = server.code_for(&request("api.read", &[API]), &alice);
    for wide in [&[OTHER][..], &[API, OTHER]] {
        let refused = refusal_in(redeem(&server, &code, wide));
        assert_eq!(refused.code, ErrorCode::InvalidTarget);
    }
    let tokens = redeem(&server, &code, &[API]).unwrap();
    assert_is_for(&server, &tokens, API, "api.read");
    for wide in [&[OTHER][..], &[API, OTHER]] {
        let refused = refusal_in(refresh(&server, refresh_token_in(&tokens), "", wide));
        assert_eq!(refused.code, ErrorCode::InvalidTarget);
    }
    let next = refresh(&server, refresh_token_in(&tokens), "", &[API]).unwrap();
    assert_is_for(&server, &next, API, "api.read");
}

/// CODE-08, REFRESH-01: whose the code or token is comes before what is asked of it.
#[test]
fn a_stolen_code_or_token_is_not_judged_by_its_resource() {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    let code = server.code_for(&request("api.read", &[API]), &alice);
    let stolen = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", sample::VERIFIER),
        ("resource", OTHER),
    ];
    assert_eq!(refusal_in(server.token("evil", &stolen)), OAuthError::INVALID_GRANT);
    let tokens = redeem(&server, &code, &[]).unwrap();
    let token = ("refresh_token", refresh_token_in(&tokens));
    let stolen = [("grant_type", "refresh_token"), token, ("resource", OTHER)];
    assert_eq!(refusal_in(server.token("evil", &stolen)), OAuthError::INVALID_GRANT);
}

/// RES-04, RES-05: two at authorize, one at the token endpoint; a refresh may have both again.
#[test]
fn a_token_for_fewer_leaves_the_grant_as_wide_as_it_was() {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    let params = request("api.read api.write profile", &[API, OTHER, API]);
    let code = server.code_for(&params, &alice);
    let first = redeem(&server, &code, &[OTHER]).unwrap();
    assert_is_for(&server, &first, OTHER, "api.read profile");
    let second = refresh(&server, refresh_token_in(&first), "", &[API]).unwrap();
    assert_is_for(&server, &second, API, "api.read api.write");
    let third = refresh(&server, refresh_token_in(&second), "", &[]).unwrap();
    assert_is_for(&server, &third, BOTH, "api.read api.write profile");
    let fourth = refresh(&server, refresh_token_in(&third), "", &[OTHER, API, OTHER]).unwrap();
    assert_is_for(&server, &fourth, BOTH, "api.read api.write profile");
    assert_is_for(&server, &first, OTHER, "api.read profile");
}

/// RES-07: without `resource` a token is for every resource server that one of its scopes concerns,
/// and for the server itself where that is none.
#[rstest]
#[case("api.read", BOTH)]
#[case("api.write", API)]
#[case("profile", OTHER)]
#[case("api.write profile", BOTH)]
#[case("api.write email", API)]
#[case("email", sample::ISSUER)]
fn without_a_resource_the_scope_decides(#[case] scope: &str, #[case] audience: &str) {
    let server = TestServer::with_resources();
    let tokens = flow(&server, scope, &[]);
    assert_is_for(&server, &tokens, audience, scope);
    let next = refresh(&server, refresh_token_in(&tokens), "", &[]).unwrap();
    assert_is_for(&server, &next, audience, scope);
}

/// RES-04: whom the client chose and the owner approved, the token is for, whatever its scope.
#[test]
fn what_was_approved_is_not_dropped_because_no_scope_names_it() {
    let server = TestServer::with_resources();
    let tokens = flow(&server, "api.write email", &[API, OTHER]);
    assert_is_for(&server, &tokens, BOTH, "api.write email");
    let next = refresh(&server, refresh_token_in(&tokens), "", &[]).unwrap();
    assert_is_for(&server, &next, BOTH, "api.write email");
    let less = refresh(&server, refresh_token_in(&next), "api.write", &[]).unwrap();
    assert_is_for(&server, &less, API, "api.write");
}

/// RES-07: a token whose scope was narrowed is for those whom what is left of it concerns, and for
/// everybody that was approved if it concerns nobody in particular.
#[rstest]
#[case("api.write", API)]
#[case("profile", OTHER)]
#[case("profile email", OTHER)]
#[case("api.write profile", BOTH)]
#[case("email", BOTH)]
fn a_narrowed_scope_narrows_the_audience(#[case] scope: &str, #[case] audience: &str) {
    let server = TestServer::with_resources();
    let granted = "api.write profile email";
    let tokens = flow(&server, granted, &[]);
    let narrow = refresh(&server, refresh_token_in(&tokens), scope, &[]).unwrap();
    assert_is_for(&server, &narrow, audience, scope);
    let next = refresh(&server, refresh_token_in(&narrow), "", &[]).unwrap();
    assert_is_for(&server, &next, BOTH, granted);
}

/// RES-07: the default never reaches beyond what was approved, though the scope concerns another.
#[test]
fn the_default_audience_stays_within_the_grant() {
    let server = TestServer::with_resources();
    for scope in ["api.read", "api.read email"] {
        let tokens = flow(&server, scope, &[OTHER]);
        assert_is_for(&server, &tokens, OTHER, scope);
        let next = refresh(&server, refresh_token_in(&tokens), "api.read", &[]).unwrap();
        assert_is_for(&server, &next, OTHER, "api.read");
    }
}

/// RES-06: at the authorization endpoint every scope has to concern the resource, or nobody.
#[rstest]
#[case("api.read", OTHER, true)]
#[case("api.read profile email", OTHER, true)]
#[case("email", API, true)]
#[case("api.write", OTHER, false)]
#[case("api.read api.write", OTHER, false)]
#[case("profile", API, false)]
fn a_scope_of_another_resource_is_refused(
    #[case] scope: &str,
    #[case] resource: &str,
    #[case] good: bool,
) {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    let answer = server.authorize(&request(scope, &[resource]), Some(&alice));
    if good {
        let request = page_in(answer).request;
        assert_eq!(request.scope, sample::scope(scope));
        assert_eq!(request.audience, sample::audience(resource), "the page names it");
    } else {
        assert_redirects_with(&answer, ErrorCode::InvalidScope);
    }
}

/// RES-06: the defaults are those that concern the resource.
#[test]
fn the_default_scope_concerns_the_resource() {
    let mut policy = policy_with(&[API, OTHER]);
    let nobodys = Resource {
        uri: ResourceUri::parse("urn:example:log").unwrap(),
        name: "The log".into(),
        scopes: sample::scope("profile"),
    };
    let resources = policy.resources.iter().cloned().chain([nobodys]);
    policy.resources = Resources::new(resources.collect());
    let server = TestServer::with_policy(policy);
    let alice = server.sign_in("alice");
    let page = page_in(server.authorize(&request("", &[OTHER]), Some(&alice)));
    assert_eq!(page.request.scope, sample::scope("api.read"));
    let answer = server.authorize(&request("", &["urn:example:log"]), Some(&alice));
    assert_redirects_with(&answer, ErrorCode::InvalidScope);
}

/// RES-06: at the token endpoint what does not concern the resource is left out; where nothing is
/// left, nothing is used up.
#[test]
fn narrowing_leaves_out_the_scopes_of_others() {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    let code = server.code_for(&request("api.write email", &[API, OTHER]), &alice);
    let tokens = redeem(&server, &code, &[OTHER]).unwrap();
    assert_is_for(&server, &tokens, OTHER, "email");

    let code = server.code_for(&request("api.write", &[API, OTHER]), &alice);
    let refused = refusal_in(redeem(&server, &code, &[OTHER]));
    assert_eq!(refused.code, ErrorCode::InvalidScope);
    let tokens = redeem(&server, &code, &[API]).unwrap();
    assert_is_for(&server, &tokens, API, "api.write");
    let held = refresh_token_in(&tokens);
    for (scope, resource) in [("api.write", OTHER), ("", OTHER), ("email", API)] {
        let refused = refusal_in(refresh(&server, held, scope, &[resource]));
        assert_eq!(refused.code, ErrorCode::InvalidScope, "{scope} at {resource}");
    }
    assert!(refresh(&server, held, "", &[API]).is_ok());
}

/// RES-01: one slash at the end, and the case of scheme and host, make no other resource; the token
/// names the operator's spelling.
#[rstest]
#[case("https://api.test")]
#[case("https://API.test/")]
#[case("HTTPS://Api.Test")]
fn a_spelling_makes_no_other_resource(#[case] spelling: &str) {
    let server = TestServer::with_resources();
    let tokens = flow(&server, "api.read", &[spelling]);
    assert_is_for(&server, &tokens, API, "api.read");
    for again in [API, spelling, "https://aPI.test"] {
        let next = refresh(&server, refresh_token_in(&tokens), "", &[again]).unwrap();
        assert_is_for(&server, &next, API, "api.read");
    }
    let alice = server.sign_in("alice");
    assert!(!is_asked(&server, &request("api.read", &[API]), &alice), "it was approved");
    let code = server.code_for(&request("api.read", &[API]), &alice);
    assert!(redeem(&server, &code, &[spelling, API]).is_ok());
}

use super::*;
use crate::error::ErrorCode;
use crate::usecase::fixtures::{World, audience, overlay, resources, scope, web};
use rstest::rstest;

/// `web` may ask for `api.read` (the default) and `api.write`; the server also knows `api.admin`.
fn ask(params: &str) -> Result<(Scope, Audience), OAuthError> {
    let mut policy = World::new().policy;
    policy.resources = resources();
    read_requested(&policy, &web(), &overlay("", params))
}

/// RES-01, RES-02, RES-05, RES-06, RES-07, CC-02: what is asked for, by scope and resource. The slash at
/// the end and the case of the host make no difference; the answer is the operator's spelling.
#[rstest]
#[case::neither("", "api.read", "https://a.test/ https://b.test/")]
#[case::empty_scope("scope=", "api.read", "https://a.test/ https://b.test/")]
#[case::scope("scope=api.write", "api.write", "https://a.test/")]
#[case::resource("resource=https://b.test/", "api.read", "https://b.test/")]
#[case::spelling("resource=HTTPS://B.test", "api.read", "https://b.test/")]
#[case::both(
    "resource=https://b.test&resource=https://a.test",
    "api.read",
    "https://a.test/ https://b.test/"
)]
#[case::twice("resource=https://b.test&resource=https://B.test/", "api.read", "https://b.test/")]
#[case::together(
    "scope=api.write%20api.read&resource=https://a.test",
    "api.read api.write",
    "https://a.test/"
)]
#[case::of_either(
    "scope=api.write%20api.read&resource=https://a.test&resource=https://b.test",
    "api.read api.write",
    "https://a.test/ https://b.test/"
)]
fn a_request_names_scope_and_audience(
    #[case] params: &str,
    #[case] scopes: &str,
    #[case] uris: &str,
) {
    let (asked, at) = ask(params).unwrap();
    assert_eq!((asked, at.to_string()), (scope(scopes), uris.to_owned()));
}

/// RES-01, RES-02, RES-06, CC-02: the resource is judged first; what is empty is malformed, not absent.
#[rstest]
#[case("resource=", ErrorCode::InvalidTarget)]
#[case("resource=&resource=https://a.test/", ErrorCode::InvalidTarget)]
#[case("resource=a.test", ErrorCode::InvalidTarget)]
#[case("resource=/api", ErrorCode::InvalidTarget)]
#[case("resource=https://a.test/%23x", ErrorCode::InvalidTarget)]
#[case("resource=javascript:alert(1)", ErrorCode::InvalidTarget)]
#[case("resource=https://unknown.test/", ErrorCode::InvalidTarget)]
#[case("resource=https://a.test//", ErrorCode::InvalidTarget)]
#[case("resource=https://unknown.test/&scope=bogus", ErrorCode::InvalidTarget)]
#[case("scope=bogus", ErrorCode::InvalidScope)]
#[case("scope=openid", ErrorCode::InvalidScope)]
#[case("scope=offline_access", ErrorCode::InvalidScope)]
#[case("scope=api.admin", ErrorCode::InvalidScope)]
#[case("scope=api.admin&resource=https://b.test/", ErrorCode::InvalidScope)]
#[case("scope=api.write&resource=https://b.test/", ErrorCode::InvalidScope)]
#[case("scope=api.read%20api.write&resource=https://b.test/", ErrorCode::InvalidScope)]
#[case("scope=%22", ErrorCode::InvalidScope)]
fn what_cannot_be_asked_for_is_refused(#[case] params: &str, #[case] expected: ErrorCode) {
    assert_eq!(ask(params).unwrap_err().code, expected);
}

/// RES-05: two hundred copies are too many, however good each is.
#[test]
fn two_hundred_resources_are_refused() {
    let pairs = vec![("resource".to_owned(), "https://a.test/".to_owned()); 200];
    let limits = crate::params::ParamLimits { count: 200, value_bytes: 100 };
    let params = Params::from_pairs(pairs, limits).unwrap();
    let mut policy = World::new().policy;
    policy.resources = resources();
    let error = read_requested(&policy, &web(), &params).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidTarget);
}

/// RES-07: with no resource configured there is no audience to choose from.
#[test]
fn a_server_without_resources_knows_none() {
    let ask = |params| read_requested(&World::new().policy, &web(), &overlay("", params));
    assert_eq!(ask(""), Ok((scope("api.read"), audience(""))));
    assert_eq!(ask("resource=https://a.test/").unwrap_err().code, ErrorCode::InvalidTarget);
}

//! Which of two errors wins. Tests of clients, and clients, rely on it.

use super::*;

/// A verdict as one line: the page, or the error that the client hears.
fn verdict(world: &World, changes: &str) -> String {
    match ask(world, None, changes) {
        Ok(Authorize::Refused(refusal)) => format!("page: {refusal:?}"),
        Ok(Authorize::Redirect(response)) => response.reported_error().unwrap().to_string(),
        other => panic!("{other:?}"),
    }
}

const REPEATED: &str = "invalid_request: a parameter was sent more than once";

/// Rule 1 before rule 2: nobody is looked up.
#[rstest]
#[case("redirect_uri=a&redirect_uri=a&client_id=nobody")]
#[case("request=a&request=a&client_id=nobody")]
#[case("request_uri=a&request_uri=a&-client_id")]
#[case("redirect_uri=a&redirect_uri=a&-client_id")]
#[case("redirect_uri=a&redirect_uri=a&client_id=we%00b")]
fn a_repeated_target_comes_before_the_client(#[case] changes: &str) {
    assert!(verdict(&World::new(), changes).starts_with("page: Repeated("));
}

/// Rule 2 before rules 3 and 4.
#[rstest]
#[case("redirect_uri=https://evil.test/cb")]
#[case("state=a&state=b")]
fn the_client_comes_before_its_redirect_uri(#[case] changes: &str) {
    let world = World::without_client();
    assert_eq!(verdict(&world, changes), "page: ClientUnknown");
    let world = World::with(disabled(web()));
    assert_eq!(verdict(&world, changes), "page: ClientDisabled");
}

/// Rules 3 to 9: in every row two rules are broken, and the earlier one speaks.
#[rstest]
#[case::rule_3_before_4(
    "redirect_uri=https://evil.test/cb&state=a&state=b",
    "page: RedirectUri(Unregistered)"
)]
#[case::rule_3_before_5(
    "redirect_uri=https://evil.test/cb&response_mode=foo",
    "page: RedirectUri(Unregistered)"
)]
#[case::rule_4_before_6("scope=a&scope=b&response_type=token", REPEATED)]
#[case::rule_4_before_7("nonce=a&nonce=b&code_challenge=", REPEATED)]
#[case::rule_4_before_8("nonce=a&nonce=b&prompt=bogus", REPEATED)]
#[case::rule_4_before_5("state=a&state=b&response_mode=foo", REPEATED)]
#[case::rule_4_before_request_objects("nonce=a&nonce=b&request=x", REPEATED)]
#[case::rule_5_before_6("response_mode=foo&response_type=token", "page: ResponseMode")]
#[case::rule_5_before_7("response_mode=foo&code_challenge=", "page: ResponseMode")]
#[case::rule_5_before_8("response_mode=foo&scope=bogus", "page: ResponseMode")]
#[case::rule_6_before_7("response_type=token&code_challenge=", "unsupported_response_type")]
#[case::rule_6_before_8("response_type=token&scope=bogus", "unsupported_response_type")]
#[case::missing_type_before_8("-response_type&scope=bogus", "invalid_request: response_type")]
#[case::rule_7_before_8("code_challenge=short&scope=bogus", "invalid_request: code_challenge must")]
#[case::rule_7_before_prompt(
    "code_challenge_method=plain&prompt=bogus",
    "invalid_request: the only code_challenge_method"
)]
fn the_earlier_rule_speaks(#[case] changes: &str, #[case] expected: &str) {
    let said = verdict(&World::with(web()), changes);
    assert!(said.starts_with(expected), "{said}");
}

/// Rules 6, 7 and 8 before rule 9, and rule 9 before the owner is asked anything.
#[rstest]
#[case("response_type=token", "unsupported_response_type")]
#[case("code_challenge=short", "invalid_request: code_challenge must")]
#[case("prompt=bogus", "invalid_request: prompt")]
#[case("scope=bogus", "invalid_scope")]
#[case("", "unauthorized_client")]
#[case("prompt=none", "unauthorized_client")]
fn a_client_without_the_code_flow_hears_of_it_last(#[case] changes: &str, #[case] expected: &str) {
    let client = Client { grant_types: [GrantType::RefreshToken].into(), ..web() };
    let said = verdict(&World::with(client), changes);
    assert!(said.starts_with(expected), "{said}");
}

/// Rule 7 before rule 8, also where PKCE is missing and not malformed.
#[test]
fn missing_pkce_comes_before_the_scope() {
    let changes = "client_id=pub&redirect_uri=http://127.0.0.1/cb&scope=bogus\
        &-code_challenge&-code_challenge_method";
    let said = verdict(&World::with(public()), changes);
    assert!(said.starts_with("invalid_request: code_challenge is required"), "{said}");
}

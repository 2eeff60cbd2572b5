//! The redirect URI at the token endpoint.

use super::*;

/// REDIR-13, CODE-09
#[rstest]
#[case::omitted_with_pkce(true, true, None, true)]
#[case::right_with_pkce(true, true, Some("https://rp.test/cb"), true)]
#[case::wrong_with_pkce(true, true, Some("https://rp.test/cb2?fixed=1"), false)]
#[case::omitted_without_pkce(false, true, None, false)]
#[case::empty_without_pkce(false, true, Some(""), false)]
#[case::right_without_pkce(false, true, Some("https://rp.test/cb"), true)]
#[case::wrong_without_pkce(false, true, Some("https://evil.test/cb"), false)]
#[case::never_sent(false, false, None, true)]
#[case::sent_late_and_right(false, false, Some("https://rp.test/cb"), true)]
#[case::sent_late_and_wrong(false, false, Some("https://rp.test/cb2?fixed=1"), false)]
fn at_the_token_endpoint(
    #[case] pkce: bool,
    #[case] sent: bool,
    #[case] redeemed_with: Option<&str>,
    #[case] good: bool,
) {
    let server = TestServer::new();
    server.update_client("web", |web| web.redirect_uris.truncate(1));
    let alice = server.sign_in("alice");
    let mut params = if pkce { request_of("web") } else { without_pkce("web") };
    params.retain(|(name, _)| sent || *name != "redirect_uri");
    let code = server.code_for(&params, &alice);
    let uri = redeemed_with.map(|uri| ("redirect_uri", uri));
    let verifier = pkce.then_some(RIGHT_VERIFIER);
    let fields: Vec<_> = uri.into_iter().chain(verifier).collect();
    let answer = redeem(&server, "web", &code, &fields);
    if good {
        assert!(answer.is_ok(), "{answer:?}");
    } else {
        assert_eq!(refusal_in(answer).code, ErrorCode::InvalidGrant);
    }
}

/// REDIR-14: the port that was used is the one that counts.
#[test]
fn of_a_loopback_client_keeps_its_port() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let params = with(&request_of("pub"), "redirect_uri", "http://127.0.0.1:5000/cb");
    let code = server.code_for(&params, &alice);
    for uri in ["http://127.0.0.1:5001/cb", "http://127.0.0.1/cb"] {
        let fields = [RIGHT_VERIFIER, ("redirect_uri", uri)];
        let refused = refusal_in(redeem(&server, "pub", &code, &fields));
        assert_eq!(refused.code, ErrorCode::InvalidGrant, "{uri}");
    }
    let fields = [RIGHT_VERIFIER, ("redirect_uri", "http://127.0.0.1:5000/cb")];
    assert!(redeem(&server, "pub", &code, &fields).is_ok());
}

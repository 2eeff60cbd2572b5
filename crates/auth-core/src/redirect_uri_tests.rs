use super::InvalidRedirectUri as Invalid;
use super::*;
use proptest::prelude::*;
use rstest::rstest;

fn registered(uris: &[&str]) -> Vec<RegisteredRedirectUri> {
    uris.iter().map(|uri| RegisteredRedirectUri::parse(uri).unwrap()).collect()
}

fn matches(registered_uri: &str, requested: &str) -> bool {
    match_redirect_uri(&registered(&[registered_uri]), Some(requested), true).is_ok()
}

#[rstest]
#[case("https://rp.test/cb")]
#[case("https://rp.test/cb2?fixed=1")]
#[case("https://rp.test:8443/cb")]
#[case("https://xn--pple-43d.test/cb")]
#[case("https://[2001:db8::1]/cb")]
#[case("http://localhost:8765/callback")]
#[case("http://127.0.0.1/cb")]
#[case("http://[::1]/cb")]
#[case("com.example.app:/cb")]
#[case("com.example.app://cb")]
fn good_uris_register(#[case] uri: &str) {
    assert_eq!(RegisteredRedirectUri::parse(uri).unwrap().as_str(), uri);
}

/// AUTHZ-21, REDIR-05, REDIR-06, REDIR-07, REDIR-09, REDIR-11, REDIR-12
#[rstest]
#[case("https://rp.test/cb#", Invalid::Fragment)]
#[case("https://rp.test/cb#x", Invalid::Fragment)]
#[case("myapp:/cb", Invalid::SchemeWithoutDot)]
#[case("a.:/cb", Invalid::SchemeWithoutDot)]
#[case("https://rp.test/%zz", Invalid::BadCharacter)]
#[case("https://rp.test/%4", Invalid::BadCharacter)]
#[case("http://rp.test/cb", Invalid::PlainHttp)]
#[case("http://10.0.0.1/cb", Invalid::PlainHttp)]
#[case("http://127.0.0.2/cb", Invalid::PlainHttp)]
#[case("http://localhost.evil.test/cb", Invalid::PlainHttp)]
#[case("https://*.rp.test/cb", Invalid::BadHost)]
#[case("https://rp.test./cb", Invalid::BadHost)]
#[case("https:///cb", Invalid::BadHost)]
#[case("https:rp.test/cb", Invalid::BadHost)]
#[case("https://u@rp.test/cb", Invalid::UserInfo)]
#[case("https://u:p@rp.test/cb", Invalid::UserInfo)]
#[case("https://rp.test:0/cb", Invalid::BadPort)]
#[case("https://rp.test:/cb", Invalid::BadPort)]
#[case("https://rp.test:65536/cb", Invalid::BadPort)]
#[case("https://rp.test/./cb", Invalid::DotSegment)]
#[case("https://rp.test/x/../cb", Invalid::DotSegment)]
#[case("https://rp.test/x/%2E%2e/cb", Invalid::DotSegment)]
#[case("https://rp.test/cb?code=1", Invalid::ReservedParameter)]
#[case("https://rp.test/cb?a=1&state=", Invalid::ReservedParameter)]
#[case("https://rp.test/cb?iss=1", Invalid::ReservedParameter)]
#[case("https://rp.test/cb?%65rror=1", Invalid::ReservedParameter)]
#[case("https://rp.test/cb?response=1", Invalid::ReservedParameter)]
#[case("https://rp.test/cb d", Invalid::BadCharacter)]
#[case("https://rp.test/cb\n", Invalid::BadCharacter)]
#[case("https://rp.test\\@evil.test/cb", Invalid::BadCharacter)]
#[case("https://аpple.test/cb", Invalid::BadCharacter)]
#[case("java\tscript:alert(1)", Invalid::BadCharacter)]
#[case("//rp.test/cb", Invalid::NoScheme)]
#[case("/cb", Invalid::NoScheme)]
#[case("", Invalid::NoScheme)]
#[case("1app.test:/cb", Invalid::NoScheme)]
fn bad_uris_do_not_register(#[case] uri: &str, #[case] reason: Invalid) {
    assert_eq!(RegisteredRedirectUri::parse(uri), Err(reason));
}

/// REDIR-06: in any letter case.
#[rstest]
fn forbidden_schemes_do_not_register(
    #[values(
        "javascript",
        "data",
        "vbscript",
        "file",
        "blob",
        "about",
        "view-source",
        "ws",
        "ftp",
        "mailto",
        "tel",
        "sms",
        "intent",
        "JavaScript",
        "DATA"
    )]
    scheme: &str,
) {
    let uri = format!("{scheme}:alert(1)");
    assert_eq!(RegisteredRedirectUri::parse(&uri), Err(Invalid::ForbiddenScheme));
}

/// REDIR-01: equal character by character, or refused.
#[rstest]
fn a_variant_of_a_registered_uri_is_refused(
    #[values(
        "https://rp.test/cb/",
        "https://RP.test/cb",
        "HTTPS://rp.test/cb",
        "https://rp.test:443/cb",
        "https://rp.test/cb?x=1",
        "https://rp.test/cb?",
        "https://rp.test/cb;x=1",
        "https://rp.test/cb#",
        "https://rp.test/cb#x",
        "https://rp.test/%63b",
        "https://rp.test/./cb",
        "https://rp.test/x/../cb",
        "https://rp.test//cb",
        "https://rp.test\\cb",
        "https://u@rp.test/cb",
        "https://rp.test.evil.test/cb",
        "https://evil.test/https://rp.test/cb",
        "https://rp.test@evil.test/cb",
        "https://rp.test%2eevil.test/cb",
        "https://rp.test./cb",
        " https://rp.test/cb",
        "https://rp.test/cb ",
        "https://rp.test/cb\t",
        "https://rp.test/cb\n",
        "https://\u{440}p.test/cb",
        "http://rp.test/cb",
        ""
    )]
    requested: &str,
) {
    assert!(!matches("https://rp.test/cb", requested), "{requested:?}");
}

/// REDIR-02, REDIR-04: a loopback redirect matches on any port, and on nothing else.
#[rstest]
#[case("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true)]
#[case("http://127.0.0.1:8765/cb", "http://127.0.0.1:1/cb", true)]
#[case("http://127.0.0.1:8765/cb", "http://127.0.0.1/cb", true)]
#[case("http://[::1]/cb", "http://[::1]:1/cb", true)]
#[case("http://[::1]/cb", "http://[::1]:65535/cb", true)]
#[case("http://localhost:8765/callback", "http://localhost:1234/callback", true)]
#[case("http://127.0.0.1/cb?a=1", "http://127.0.0.1:5/cb?a=1", true)]
#[case("http://127.0.0.1/cb", "http://127.0.0.1:0/cb", false)]
#[case("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false)]
#[case("http://127.0.0.1/cb", "http://127.0.0.1:/cb", false)]
#[case("http://127.0.0.1/cb", "http://127.0.0.1:080/cb", false)]
#[case("http://127.0.0.1/cb", "http://127.0.0.1:5/cb/", false)]
#[case("http://127.0.0.1/cb", "http://127.0.0.1:5/cb?x", false)]
#[case("http://127.0.0.1/cb", "https://127.0.0.1:5/cb", false)]
#[case("http://127.0.0.1/cb", "http://127.0.0.2/cb", false)]
#[case("http://127.0.0.1/cb", "http://127.1/cb", false)]
#[case("http://127.0.0.1/cb", "http://0x7f.1/cb", false)]
#[case("http://127.0.0.1/cb", "http://2130706433/cb", false)]
#[case("http://127.0.0.1/cb", "http://localhost/cb", false)]
#[case("http://127.0.0.1/cb", "http://127.0.0.1.evil.test/cb", false)]
#[case("http://127.0.0.1/cb", "http://127.0.0.1@evil.test/cb", false)]
#[case("http://127.0.0.1/cb", "http://127.0.0.1:5@evil.test/cb", false)]
#[case("http://127.0.0.1/cb", "http://[::ffff:127.0.0.1]/cb", false)]
#[case("http://localhost/cb", "http://localhost.evil.test/cb", false)]
#[case("http://localhost/cb", "http://LOCALHOST:5/cb", false)]
fn the_loopback_exception_is_the_port_alone(
    #[case] registered_uri: &str,
    #[case] requested: &str,
    #[case] admitted: bool,
) {
    assert_eq!(matches(registered_uri, requested), admitted);
}

/// REDIR-03: the exception belongs to the registered URI, not to the request.
#[test]
fn a_loopback_request_matches_no_web_registration() {
    assert!(!matches("https://rp.test/cb", "http://127.0.0.1:1/cb"));
}

/// REDIR-04: the switch turns the exception off for localhost, and only for it.
#[test]
fn localhost_is_exact_when_the_switch_is_off() {
    let uris = registered(&["http://localhost:8765/cb", "http://127.0.0.1:8765/cb"]);
    let admitted = |uri| match_redirect_uri(&uris, Some(uri), false).is_ok();
    assert!(admitted("http://localhost:8765/cb"));
    assert!(!admitted("http://localhost:1/cb"));
    assert!(admitted("http://127.0.0.1:1/cb"));
}

/// REDIR-09: nothing in a registered URI is a pattern.
#[test]
fn a_dot_matches_a_dot_only() {
    assert!(!matches("https://foo.rp.test/cb", "https://fooXrp.test/cb"));
}

/// REDIR-08, REDIR-10
#[test]
fn an_absent_uri_needs_exactly_one_registered() {
    let one = registered(&["https://rp.test/cb"]);
    let two = registered(&["https://rp.test/cb", "https://rp.test/cb2"]);
    assert_eq!(match_redirect_uri(&one, None, true).unwrap().as_str(), "https://rp.test/cb");
    assert_eq!(match_redirect_uri(&two, None, true), Err(RedirectUriMismatch::Ambiguous));
    for requested in [None, Some("https://rp.test/cb")] {
        let found = match_redirect_uri(&[], requested, true);
        assert_eq!(found, Err(RedirectUriMismatch::NoneRegistered));
    }
}

/// REDIR-05: the two spellings of an app's URI are different strings.
#[test]
fn private_scheme_uris_compare_as_strings() {
    assert!(!matches("com.example.app:/cb", "com.example.app://cb"));
}

#[test]
fn the_target_is_a_site_a_loopback_program_or_an_app() {
    let target = |uri| match_redirect_uri(&registered(&[uri]), None, true).unwrap();
    assert_eq!(target("https://rp.test:8443/cb").target(), RedirectTarget::Web("rp.test:8443"));
    assert_eq!(target("http://[::1]:5/cb").target(), RedirectTarget::Loopback("[::1]:5"));
    assert_eq!(target("com.example.app:/cb").target(), RedirectTarget::App("com.example.app"));
    assert!(target("https://rp.test/cb").is_claimed_https());
    assert!(!target("https://localhost/cb").is_claimed_https());
    assert!(!target("com.example.app:/cb").is_claimed_https());
}

proptest! {
    /// REDIR-01: whatever is asked, only an equal string or a loopback port passes.
    #[test]
    fn arbitrary_text_never_matches_a_web_registration(requested in any::<String>()) {
        prop_assert_eq!(matches("https://rp.test/cb", &requested), requested == "https://rp.test/cb");
    }

    #[test]
    fn arbitrary_bytes_never_panic_a_registration(
        bytes in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(uri) = RegisteredRedirectUri::parse(&text) {
            prop_assert!(uri.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    /// REDIR-02: any port from 1 to 65535, no other number.
    #[test]
    fn every_port_matches(port in 0u32..70_000) {
        let asked = format!("http://127.0.0.1:{port}/cb");
        prop_assert_eq!(matches("http://127.0.0.1/cb", &asked), (1..=65_535).contains(&port));
    }
}

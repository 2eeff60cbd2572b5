use super::InvalidResourceUri as Invalid;
use super::*;
use crate::error::ErrorCode;
use proptest::prelude::*;
use rstest::rstest;

const PROJECTS: &str = "https://Projects.test";
const MODELS: &str = "https://api.test/models/";
const ISSUES: &str = "urn:example:issues";

fn uri(text: &str) -> ResourceUri {
    ResourceUri::parse(text).unwrap()
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

fn audience(uris: &[&str]) -> Audience {
    uris.iter().map(|text| uri(text)).collect()
}

/// `free` concerns none of the three, `shared` two.
fn catalog() -> Resources {
    let resource = |text, name: &str, scopes| Resource {
        uri: uri(text),
        name: name.to_owned(),
        scopes: scope(scopes),
    };
    Resources::new(vec![
        resource(PROJECTS, "Projects", "projects shared"),
        resource(MODELS, "Models", "models shared"),
        resource(ISSUES, "Issues", "issues"),
    ])
}

/// RES-01
#[rstest]
#[case("https://api.test")]
#[case("https://api.test/")]
#[case("https://api.test:8443/mcp?tenant=1")]
#[case("HTTP://my_service:8000/mcp")]
#[case("https://[2001:db8::1]:8443/")]
#[case("https://api.test/a%20b;v=1/@x:y")]
#[case("api://5f2c-91/access")]
#[case("com.example.app://store")]
#[case("urn:example:api")]
#[case("URN:ietf:params:x:y")]
fn an_absolute_uri_is_kept_as_written(#[case] text: &str) {
    assert_eq!(uri(text).as_str(), text);
}

/// RES-01
#[rstest]
#[case("", Invalid::NotAbsolute)]
#[case("/api", Invalid::NotAbsolute)]
#[case("//api.test/", Invalid::NotAbsolute)]
#[case("api", Invalid::NotAbsolute)]
#[case("api.test/v1", Invalid::NotAbsolute)]
#[case("://api.test", Invalid::NotAbsolute)]
#[case("1x://api.test", Invalid::NotAbsolute)]
#[case("https:", Invalid::NotAbsolute)]
#[case("https:/api.test", Invalid::NotAbsolute)]
#[case("https:api.test", Invalid::NotAbsolute)]
#[case("urn:", Invalid::NotAbsolute)]
#[case("urn:example", Invalid::NotAbsolute)]
#[case("urn:example:", Invalid::NotAbsolute)]
#[case("urn::x", Invalid::NotAbsolute)]
#[case("com.example:/api", Invalid::NotAbsolute)]
#[case("#x", Invalid::Fragment)]
#[case("https://api.test/#x", Invalid::Fragment)]
#[case("https://api.test/#", Invalid::Fragment)]
#[case("javascript:alert(1)", Invalid::ForbiddenScheme)]
#[case("JavaScript://api.test/%0aalert(1)", Invalid::ForbiddenScheme)]
#[case("data:text/html,x", Invalid::ForbiddenScheme)]
#[case("file:///etc/passwd", Invalid::ForbiddenScheme)]
#[case("https://", Invalid::BadAuthority)]
#[case("https:///x", Invalid::BadAuthority)]
#[case("https://?x", Invalid::BadAuthority)]
#[case("https://*.api.test/", Invalid::BadAuthority)]
#[case("https://user@api.test/", Invalid::BadAuthority)]
#[case("https://user:pass@api.test/", Invalid::BadAuthority)]
#[case("https://api.test:/", Invalid::BadAuthority)]
#[case("https://api.test:0/", Invalid::BadAuthority)]
#[case("https://api.test:65536/", Invalid::BadAuthority)]
#[case("https://api%2etest/", Invalid::BadAuthority)]
#[case("https://[::1]x/", Invalid::BadAuthority)]
#[case("https://api.test/a b", Invalid::BadCharacter)]
#[case(" https://api.test/", Invalid::BadCharacter)]
#[case("https://api.test/\n", Invalid::BadCharacter)]
#[case("https://api.test/\u{0}", Invalid::BadCharacter)]
#[case("https://bücher.test/", Invalid::BadCharacter)]
#[case("https://api.test/%zz", Invalid::BadCharacter)]
#[case("https://api.test\\x", Invalid::BadCharacter)]
fn anything_else_is_refused(#[case] text: &str, #[case] why: Invalid) {
    assert_eq!(ResourceUri::parse(text).unwrap_err(), why);
    assert_eq!(catalog().choose(&[text]).unwrap_err().code, ErrorCode::InvalidTarget);
}

/// RES-01
#[test]
fn an_address_in_brackets_has_both() {
    for text in ["https://[::1/", "https://::1]/", "https://[[::1]]/", "https://::1/"] {
        assert_eq!(ResourceUri::parse(text).unwrap_err(), Invalid::BadAuthority, "{text}");
    }
}

/// RES-01
#[test]
fn the_length_is_bounded_to_the_byte() {
    let text = |length: usize| format!("{:x<length$}", "https://api.test/");
    assert!(ResourceUri::parse(&text(1024)).is_ok());
    assert_eq!(ResourceUri::parse(&text(1025)).unwrap_err(), Invalid::TooLong);
}

#[rstest]
#[case("https://api.test", "https://api.test/")]
#[case("https://api.test/mcp", "https://api.test/mcp/")]
#[case("https://api.test/mcp", "HTTPS://API.test/mcp/")]
#[case("https://[2001:DB8::a]/", "https://[2001:db8::A]")]
#[case("https://API.test:8443?q=A", "https://api.test:8443?q=A")]
#[case("urn:example:x", "URN:example:x")]
fn the_case_of_scheme_and_host_and_one_last_slash_make_no_difference(
    #[case] one: &str,
    #[case] other: &str,
) {
    assert_eq!(uri(one), uri(other));
}

#[rstest]
#[case("https://api.test/", "http://api.test/")]
#[case("https://api.test/", "https://api.test:443/")]
#[case("https://api.test/", "https://api.test./")]
#[case("https://api.test/", "https://api.test//")]
#[case("https://api.test", "https://api.test//")]
#[case("https://api.test/", "https://api.test/x")]
#[case("https://api.test/", "https://api.test/?")]
#[case("https://api.test/mcp", "https://api.test/MCP")]
#[case("https://api.test/mcp", "https://api.test/./mcp")]
#[case("https://api.test/mcp", "https://api.test/x/../mcp")]
#[case("https://api.test/mcp", "https://api.test/%6Dcp")]
#[case("https://api.test/%6d", "https://api.test/%6D")]
#[case("https://api.test/mcp?q", "https://api.test/mcp/?q")]
#[case("https://api.test/mcp?q=", "https://api.test/mcp?q=/")]
#[case("https://api.test/?q=a", "https://api.test/?q=A")]
#[case("https://[::1]/", "https://[0:0:0:0:0:0:0:1]/")]
#[case("urn:example:x", "urn:example:x/")]
#[case("urn:example:x", "urn:Example:x")]
fn nothing_else_is_forgiven(#[case] one: &str, #[case] other: &str) {
    assert_ne!(uri(one), uri(other));
}

/// RES-02
#[rstest]
#[case("https://unknown.test/")]
#[case("https://projects.test.evil.test/")]
#[case("https://projects.test:8443/")]
#[case("https://api.test/models/x")]
#[case("https://api.test/")]
fn an_unknown_resource_is_an_invalid_target(#[case] unknown: &str) {
    let error = catalog().choose(&[PROJECTS, unknown]).unwrap_err();
    assert_eq!(error, OAuthError::new(ErrorCode::InvalidTarget, "the resource is unknown"));
    assert!(catalog().find(unknown).is_none());
    assert_eq!(
        Resources::default().choose(&[PROJECTS]).unwrap_err().code.as_str(),
        "invalid_target"
    );
}

/// RES-05: also, what is chosen is written as the operator wrote it.
#[test]
fn repeated_resources_are_chosen_once() {
    let chosen = catalog()
        .choose(&["https://projects.test/", MODELS, PROJECTS, "https://api.test/models"])
        .unwrap();
    assert_eq!(chosen.to_string(), format!("{MODELS} {PROJECTS}"));
    assert_eq!(catalog().choose(&[]), Ok(Audience::default()));
    assert_eq!(catalog().find("https://PROJECTS.test/").unwrap().name, "Projects");
}

/// RES-05
#[test]
fn more_resources_than_anybody_has_are_an_invalid_target() {
    assert_eq!(catalog().choose(&[PROJECTS; 32]), Ok(audience(&[PROJECTS])));
    let error = catalog().choose(&[PROJECTS; 33]).unwrap_err();
    assert_eq!(error, OAuthError::new(ErrorCode::InvalidTarget, "too many resources"));
}

/// RES-06
#[rstest]
#[case(&[PROJECTS], "projects shared free")]
#[case(&[MODELS], "models shared free")]
#[case(&[ISSUES], "issues free")]
#[case(&[PROJECTS, ISSUES], "projects shared issues free")]
#[case(&["https://gone.test/"], "free")]
#[case(&[], "free")]
fn a_scope_of_another_resource_cannot_be_used(#[case] uris: &[&str], #[case] expected: &str) {
    let asked = scope("projects models issues shared free");
    assert_eq!(catalog().scope_within(&asked, &audience(uris)), scope(expected));
    assert!(catalog().scope_within(&Scope::default(), &audience(uris)).is_empty());
}

/// RES-06
#[test]
fn the_scopes_of_an_audience_are_those_of_everybody_in_it() {
    let both = audience(&["https://projects.test/", ISSUES, "https://gone.test/"]);
    assert_eq!(catalog().scopes_of(&both), scope("projects shared issues"));
    assert!(catalog().scopes_of(&Audience::default()).is_empty());
}

#[rstest]
#[case("projects", &[PROJECTS])]
#[case("shared", &[PROJECTS, MODELS])]
#[case("shared issues free", &[PROJECTS, MODELS, ISSUES])]
#[case("free", &[])]
fn without_a_resource_everybody_who_shares_a_scope_is_meant(
    #[case] asked: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(catalog().sharing(&scope(asked)), audience(expected));
}

#[test]
fn an_audience_is_a_set_of_resources_however_they_are_written() {
    let one = audience(&[PROJECTS, MODELS]);
    let other = audience(&["https://projects.test/", ISSUES]);
    assert!(one.contains(&uri("https://PROJECTS.test/")) && !one.contains(&uri(ISSUES)));
    assert_eq!(one.intersection(&other).to_string(), PROJECTS);
    assert_eq!(one.union(&other), audience(&[ISSUES, MODELS, PROJECTS]));
    assert!(audience(&["https://projects.test/"]).is_within(&one) && !one.is_within(&other));
    assert!(Audience::default().is_within(&one) && Audience::default().is_empty());
    assert_eq!(one.iter().map(ResourceUri::as_str).collect::<Vec<_>>(), [MODELS, PROJECTS]);
}

#[test]
fn the_stored_form_is_read_strictly_and_the_empty_text_is_nobody() {
    assert_eq!(Audience::parse(""), Some(Audience::default()));
    assert_eq!(Audience::default().to_string(), "");
    assert_eq!(
        Audience::parse(&format!("{PROJECTS} {ISSUES}")),
        Some(audience(&[ISSUES, PROJECTS]))
    );
    for bad in [" ", "api", "https://a.test ", " https://a.test", "https://a.test  https://b.test"]
    {
        assert_eq!(Audience::parse(bad), None, "{bad:?}");
    }
}

/// Parts of a URI that the comparison could confuse: scheme, host, and what follows.
fn parts() -> impl Strategy<Value = (String, String, String)> {
    let case = |word| proptest::sample::select(word);
    (
        case(vec!["https", "HTTPS", "http", "x"]),
        case(vec!["a.test", "A.test", "a.TEST", "a.test:443", "[::a]", "[::A]"]),
        "(/|/[bB]|/%6[2]|/\\.){0,3}/{0,2}(\\?/?)?",
    )
        .prop_map(|(scheme, host, after)| (scheme.to_owned(), host.to_owned(), after))
}

fn of_parts((scheme, host, after): &(String, String, String)) -> ResourceUri {
    uri(&format!("{scheme}://{host}{after}"))
}

fn some_audience() -> impl Strategy<Value = Audience> {
    let uris = vec![PROJECTS, MODELS, ISSUES, "https://gone.test/", "https://projects.test/"];
    proptest::sample::subsequence(uris, 0..=5).prop_map(|uris| audience(&uris))
}

fn some_scope() -> impl Strategy<Value = Scope> {
    let tokens = vec!["projects", "models", "issues", "shared", "free", "also-free"];
    proptest::sample::subsequence(tokens, 1..=6).prop_map(|tokens| scope(&tokens.join(" ")))
}

proptest! {
    /// RES-01
    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_is_kept(
        text in prop_oneof![".{0,60}", "[a-z]{1,5}:/{0,3}[!-~é]{0,20}"],
    ) {
        let _: Option<Audience> = Audience::parse(&text);
        if let Ok(uri) = ResourceUri::parse(&text) {
            prop_assert_eq!(uri.as_str(), &text);
            prop_assert!(text.contains(':') && !text.contains(['#', ' ']) && text.is_ascii());
        }
    }

    #[test]
    fn equality_is_what_the_rule_says_and_so_an_equivalence(one in parts(), other in parts()) {
        let plain = |(scheme, host, after): &(String, String, String)| {
            let one_slash = after.ends_with('/') && !after.contains('?');
            let after = &after[..after.len() - usize::from(one_slash)];
            (scheme.to_lowercase(), host.to_lowercase(), after.to_owned())
        };
        let same = plain(&one) == plain(&other);
        let (one, other) = (of_parts(&one), of_parts(&other));
        prop_assert_eq!(one == other, same, "{:?} {:?}", one, other);
        prop_assert_eq!(one.cmp(&other).is_eq(), same);
        prop_assert_eq!(one.cmp(&other), other.cmp(&one).reverse());
        prop_assert_eq!(&one, &uri(one.as_str()));
    }

    #[test]
    fn equality_is_transitive(one in parts(), two in parts(), three in parts()) {
        let [one, two, three] = [one, two, three].map(|it| of_parts(&it));
        prop_assert!(!(one == two && two == three) || one == three);
    }

    #[test]
    fn the_stored_form_is_read_back_to_the_letter(uris in prop::collection::vec(parts(), 0..6)) {
        let audience: Audience = uris.iter().map(of_parts).collect();
        let stored = audience.to_string();
        let read = Audience::parse(&stored).unwrap();
        prop_assert_eq!(read.to_string(), stored);
        prop_assert_eq!(read, audience);
    }

    #[test]
    fn sets_of_resources_only_narrow(a in some_audience(), b in some_audience()) {
        let narrowed = a.intersection(&b);
        prop_assert!(narrowed.is_within(&a) && narrowed.is_within(&b));
        prop_assert!(a.is_within(&a.union(&b)) && b.is_within(&a.union(&b)));
    }

    /// RES-06
    #[test]
    fn a_catalog_never_widens(asked in some_scope(), more in some_scope(), at in some_audience()) {
        let catalog = catalog();
        let all: Audience = catalog.iter().map(|resource| resource.uri.clone()).collect();
        let sharing = catalog.sharing(&asked);
        prop_assert!(sharing.is_within(&all));
        prop_assert!(sharing.is_within(&catalog.sharing(&asked.union(&more))));
        // At the audience that it has by itself, nothing of a scope is lost.
        prop_assert_eq!(&catalog.scope_within(&asked, &sharing), &asked);

        let usable = catalog.scope_within(&asked, &at);
        prop_assert!(usable.is_within(&asked));
        prop_assert_eq!(&catalog.scope_within(&usable, &at), &usable);
        let elsewhere = catalog.scopes_of(&all).intersection(&usable);
        prop_assert!(elsewhere.is_within(&catalog.scopes_of(&at)));
    }

    /// RES-02, RES-05
    #[test]
    fn what_is_chosen_is_of_the_catalog(
        picked in prop::collection::vec(prop::sample::select(vec![0_usize, 1, 2]), 0..=32),
    ) {
        let texts = [PROJECTS, MODELS, ISSUES];
        let requested: Vec<&str> = picked.iter().map(|index| texts[*index]).collect();
        let chosen = catalog().choose(&requested).unwrap();
        prop_assert_eq!(chosen, audience(&requested));
    }
}

//! Rules 1 to 3, and the one refusal that stays a page afterwards.

use super::*;

fn long_id() -> String {
    format!("client_id={}", "x".repeat(10_240))
}

/// AUTHZ-05: what decides where to redirect is sent once, equal copies or not; nobody is looked up.
#[rstest]
#[case("client_id=web&client_id=web", "client_id")]
#[case("client_id=web&client_id=evil", "client_id")]
#[case("redirect_uri=https://rp.test/cb&redirect_uri=https://rp.test/cb", "redirect_uri")]
#[case("redirect_uri=https://rp.test/cb&redirect_uri=https://evil.test/cb", "redirect_uri")]
#[case("request=a&request=a", "request")]
#[case("request_uri=a&request_uri=b", "request_uri")]
fn a_repeated_target_is_a_page(#[case] changes: &str, #[case] name: &'static str) {
    assert_eq!(refusal(&World::new(), changes), Refusal::Repeated(name));
}

/// AUTHZ-09, AUTHZ-04: an identifier that nobody can have is not even looked up.
#[rstest]
#[case::absent("-client_id", Refusal::ClientIdMissing)]
#[case::empty("client_id=", Refusal::ClientIdMissing)]
#[case::very_long(&long_id(), Refusal::ClientUnknown)]
#[case::nul("client_id=we%00b", Refusal::ClientUnknown)]
#[case::line_break("client_id=web%0d%0aSet-Cookie:%20a=b", Refusal::ClientUnknown)]
fn a_client_id_that_nobody_can_have_is_a_page(#[case] changes: &str, #[case] expected: Refusal) {
    assert_eq!(refusal(&World::new(), changes), expected);
}

/// AUTHZ-09
#[rstest]
#[case("client_id=nobody")]
#[case("client_id=%3cscript%3e")]
#[case("client_id=WEB")]
fn an_unknown_client_is_a_page(#[case] changes: &str) {
    let world = World::without_client();
    assert_eq!(refusal(&world, changes), Refusal::ClientUnknown);
}

/// AUTHZ-09
#[test]
fn a_disabled_client_is_a_page() {
    let world = World::with(disabled(web()));
    assert_eq!(refusal(&world, ""), Refusal::ClientDisabled);
}

/// AUTHZ-10, REDIR-01: a redirect URI that is not the client's is a page, whatever else is wrong.
#[rstest]
#[case("")]
#[case("response_type=token")]
#[case("-response_type")]
#[case("scope=bogus")]
#[case("-code_challenge&-code_challenge_method")]
#[case("code_challenge_method=plain")]
#[case("prompt=none")]
#[case("prompt=bogus")]
#[case("request=x")]
#[case("request_uri=https://evil.test/request")]
#[case("response_mode=fragment")]
#[case("state=a&state=b")]
fn a_wrong_redirect_uri_is_a_page_whatever_else_is_wrong(#[case] also: &str) {
    let unregistered = Refusal::RedirectUri(RedirectUriMismatch::Unregistered);
    for uri in ["https://evil.test/cb", "https://rp.test/cb/", "javascript:alert(1)"] {
        let changes = format!("redirect_uri={uri}&{also}");
        assert_eq!(refusal(&World::with(web()), &changes), unregistered);
    }
}

/// REDIR-08, AUTHZ-04: several are registered and none is sent, or an empty one.
#[rstest]
#[case("-redirect_uri")]
#[case("redirect_uri=")]
fn with_several_redirect_uris_one_has_to_be_named(#[case] changes: &str) {
    let ambiguous = Refusal::RedirectUri(RedirectUriMismatch::Ambiguous);
    assert_eq!(refusal(&World::with(web()), changes), ambiguous);
}

/// REDIR-08, REDIR-13: the only one is used, and that it was not sent is remembered.
#[rstest]
#[case("-redirect_uri", false)]
#[case("redirect_uri=", false)]
#[case("", true)]
fn the_only_redirect_uri_need_not_be_named(#[case] changes: &str, #[case] sent: bool) {
    let request = accepted(only_uri(web(), "https://rp.test/cb"), changes);
    assert_eq!(request.redirect_uri, "https://rp.test/cb");
    assert_eq!(request.redirect_uri_sent, sent);
}

/// REDIR-10: nothing is trusted on first use.
#[rstest]
#[case("")]
#[case("-redirect_uri")]
fn a_client_without_redirect_uris_cannot_ask(#[case] changes: &str) {
    let client = Client { redirect_uris: Vec::new(), ..web() };
    let none = Refusal::RedirectUri(RedirectUriMismatch::NoneRegistered);
    assert_eq!(refusal(&World::with(client), changes), none);
}

/// REDIR-02, REDIR-14: a loopback port is free, and the one that was asked for is the one that counts.
#[test]
fn the_loopback_port_of_the_request_is_kept() {
    let changes = "client_id=pub&redirect_uri=http://127.0.0.1:49152/cb";
    let request = accepted(public(), changes);
    assert_eq!(request.redirect_uri, "http://127.0.0.1:49152/cb");
}

/// REDIR-04: `localhost` has a free port only where the operator says so.
#[test]
fn localhost_has_a_free_port_by_policy() {
    let client = || only_uri(public(), "http://localhost/cb");
    let changes = "client_id=pub&redirect_uri=http://localhost:8765/cb";
    assert_eq!(accepted(client(), changes).redirect_uri, "http://localhost:8765/cb");
    let mut world = World::with(client());
    world.policy.localhost_any_port = false;
    let unregistered = Refusal::RedirectUri(RedirectUriMismatch::Unregistered);
    assert_eq!(refusal(&world, changes), unregistered);
}

/// AUTHZ-18: the client hears nothing of it.
#[rstest]
#[case("foo")]
#[case("fragment")]
#[case("form_post")]
#[case("QUERY")]
fn an_unsupported_response_mode_is_a_page(#[case] mode: &str) {
    let world = World::with(web());
    let refused = refusal(&world, &format!("response_mode={mode}"));
    assert_eq!(refused, Refusal::ResponseMode);
}

/// AUTHZ-18, AUTHZ-04
#[rstest]
#[case("response_mode=query")]
#[case("response_mode=")]
fn the_query_response_mode_is_supported(#[case] changes: &str) {
    assert_eq!(accepted(web(), changes), accepted(web(), ""));
}

/// AUTHZ-24: before the redirect URI is proven there is nobody to tell; the fault is the caller's.
#[test]
fn a_fault_before_proof_goes_to_the_caller() {
    let mut world = World::new();
    let find = world.clients.expect_find().once();
    find.return_const(Err(unavailable()));
    let fault = ask(&world, None, "").unwrap_err();
    assert_eq!(fault, store_fault());
}

/// What a client's name or value may be in the property below: right ones, wrong ones, any text.
fn value() -> impl Strategy<Value = String> {
    let known = [
        "web",
        "evil",
        "code",
        "token",
        "api.read",
        "api.admin",
        "S256",
        "plain",
        "none",
        "login",
        "consent",
        "query",
        "fragment",
        "https://rp.test/cb",
        "https://rp.test/cb2?fixed=1",
        "https://evil.test/cb",
        "https://rp.test/cb#",
        CHALLENGE,
        "",
    ];
    let known = proptest::sample::select(known.map(str::to_owned).to_vec());
    prop_oneof![4 => known, 1 => any::<String>()]
}

fn name() -> impl Strategy<Value = String> {
    let known = DEFINED.into_iter().chain(["client_id", "redirect_uri", "request", "request_uri"]);
    let known = proptest::sample::select(known.map(str::to_owned).collect::<Vec<_>>());
    prop_oneof![6 => known, 1 => any::<String>()]
}

proptest! {
    /// AUTHZ-10, AUTHZ-11: whatever arrives, nothing panics, and a redirect leads to a registered URI.
    #[test]
    fn arbitrary_parameters_redirect_to_a_registered_uri_or_nowhere(
        mut pairs in proptest::collection::vec((name(), value()), 0..12),
        aimed in any::<bool>(),
        owned in any::<bool>(),
        consented in any::<bool>(),
    ) {
        if aimed {
            pairs.retain(|(name, _)| name != "client_id" && name != "redirect_uri");
            pairs.push(("client_id".into(), "web".into()));
            pairs.push(("redirect_uri".into(), "https://rp.test/cb".into()));
        }
        let mut world = World::new().mints();
        world.clients.expect_find().returning(|id| {
            Ok([web(), evil()].into_iter().find(|client| client.id == *id))
        });
        world.consents.expect_find().returning(move |subject, client| {
            let consent = Consent {
                subject: subject.clone(),
                client_id: client.clone(),
                scope: scope("api.read"),
                audience: Audience::default(),
                given_at: NOW,
            };
            Ok(consented.then_some(consent).into_iter().collect())
        });
        world.pending.expect_insert().return_const(Ok(()));
        world.grants.expect_approve().returning(|_| Ok(Decided::First));
        world.events.expect_record().return_const(());
        let params = Params::from_pairs(pairs, crate::params::ParamLimits::BODY).unwrap();
        let owner = owned.then(signed_in);
        let result = ask_params(&world, owner.as_ref(), &params);
        let redirect_uri = params.one("redirect_uri").ok().flatten();
        match result.unwrap() {
            Authorize::Redirect(response) => {
                let client = if params.one("client_id") == Ok(Some("evil")) { evil() } else { web() };
                let uri = response.uri().as_str();
                prop_assert!(client.redirect_uris.iter().any(|known| known.as_str() == uri));
                let answer = read_redirect(&response, uri);
                prop_assert_eq!(answer.one("state"), Ok(params.one("state").ok().flatten()));
            }
            Authorize::NeedsSignIn(prompted) | Authorize::NeedsConsent(prompted) => {
                let uri = prompted.redirect_uri.as_str();
                prop_assert!(redirect_uri.is_none_or(|sent| sent == uri));
                prop_assert!(prompted.request.scope.is_within(&prompted.client.scope));
            }
            Authorize::Refused(_) => {}
        }
    }
}

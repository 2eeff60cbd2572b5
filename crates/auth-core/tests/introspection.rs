//! What a token is worth, and to whom that is told (RFC 7662), over time.

use auth_core::client::{ClientRegistry, Inserted};
use auth_core::error::{ErrorCode, OAuthError, TokenError};
use auth_core::grant::GrantStore;
use auth_core::owner::OwnerRegistry;
use auth_core::policy::Policy;
use auth_core::timestamp::Clock;
use auth_core::token::RefreshReuse;
use auth_core::usecase::introspect::ActiveToken;
use auth_core::usecase::token::{Request, TokenResponse};
use auth_testkit::server::{form, refresh_token_in, refusal_in};
use auth_testkit::{FaultyStore, TestServer, sample};
use rstest::rstest;
use std::sync::Arc;
use time::Duration;

const API: &str = "https://api.test/";
const OTHER: &str = "https://other.test/";

/// What a caller that may ask hears.
#[track_caller]
fn told(server: &TestServer, caller: &str, token: &str) -> Option<ActiveToken> {
    server.introspect(caller, token).expect("a caller that may ask")
}

/// INTRO-03, RES-04, RES-07: what is told is what the token response said.
#[rstest]
#[case::without_resources(TestServer::new(), &[sample::ISSUER])]
#[case::with_resources(TestServer::with_resources(), &[API, OTHER])]
fn a_client_hears_of_its_access_token_what_it_was_given(
    #[case] server: TestServer,
    #[case] audience: &[&str],
) {
    let tokens = server.flow("web", "alice");
    let issued_at = server.clock.now();
    server.clock.advance(Duration::minutes(1));
    let active = told(&server, "web", tokens.access_token.expose()).unwrap();
    assert_eq!(active.scope, tokens.scope);
    assert_eq!(active.client_id, sample::client_id("web"));
    assert_eq!(active.sub, sample::alice().subject.as_str());
    assert_eq!(active.issued_at, issued_at);
    assert_eq!(active.expires_at, issued_at.after(Duration::seconds(tokens.expires_in)));
    let claims = active.access.clone().unwrap();
    assert_eq!(claims.audience, audience);

    let again = told(&server, "web", tokens.access_token.expose());
    assert_eq!(again, Some(active), "asking changes nothing");
    let next = server.refresh("web", refresh_token_in(&tokens)).unwrap();
    let next = told(&server, "web", next.access_token.expose()).unwrap();
    let jti = next.access.unwrap().jti;
    assert_ne!(jti, claims.jti, "every token has a name of its own");
    assert!(!jti.is_empty() && !tokens.access_token.expose().contains(&jti));
}

/// INTRO-05: of a refresh token its client hears nothing that would let it pass for an access token;
/// its scope is the grant's, however an access token was narrowed.
#[test]
fn a_refresh_token_is_told_to_its_client_only() {
    let server = TestServer::with_resources();
    let first = server.flow("web", "alice");
    let grant = ("grant_type", "refresh_token");
    let params = [grant, ("refresh_token", refresh_token_in(&first)), ("scope", "api.read")];
    let tokens = server.token("web", &params).unwrap();
    let active = told(&server, "web", refresh_token_in(&tokens)).unwrap();
    assert_eq!(active.access, None);
    assert_eq!(active.scope, sample::scope("api.read api.write"));
    assert_eq!(active.sub, sample::alice().subject.as_str());
    assert_eq!(active.expires_at, server.clock.now().after(Duration::days(30)));
    for caller in ["rs", "rs2", "evil", "post", "svc"] {
        assert_eq!(told(&server, caller, refresh_token_in(&tokens)), None, "{caller}");
    }
}

/// INTRO-04: an access token is told to its client and to the resource servers it is for.
#[rstest]
#[case("", &["web", "rs", "rs2"])]
#[case(API, &["web", "rs"])]
#[case(OTHER, &["web", "rs2"])]
fn an_access_token_is_told_to_whom_it_concerns(
    #[case] resource: &str,
    #[case] expected: &[&str],
    #[values("web", "pub")] client: &str,
) {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    let code = server.code(client, &alice);
    let mut params = vec![
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", sample::VERIFIER),
    ];
    params.extend(Some(("resource", resource)).filter(|_| !resource.is_empty()));
    let token = server.token(client, &params).unwrap().access_token;
    let hears = |caller: &&str| told(&server, caller, token.expose()).is_some();
    let callers = ["web", "post", "evil", "svc", "rs", "rs2"];
    let hearing: Vec<_> = callers.into_iter().filter(hears).collect();
    let expected = expected.iter().filter(|it| **it != "web" || client == "web");
    assert_eq!(hearing, expected.copied().collect::<Vec<_>>());
}

/// INTRO-04: with no resource configured nobody but the client hears of a token.
#[test]
fn without_resources_only_the_client_hears() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    for caller in ["rs", "rs2", "evil", "post", "svc"] {
        assert_eq!(told(&server, caller, tokens.access_token.expose()), None, "{caller}");
    }
    assert!(told(&server, "web", tokens.access_token.expose()).is_some());
}

/// INTRO-04: an API is known by its URI, however the operator spelled it in its credentials.
#[test]
fn the_spelling_of_a_resource_servers_uri_does_not_matter() {
    let server = TestServer::with_resources();
    for (id, uri, hears) in [
        ("slashless", "HTTPS://API.test", true),
        ("deeper", "https://api.test/v1", false),
        ("port", "https://api.test:443/", false),
    ] {
        let client = sample::resource_server(id, uri);
        let inserted = ClientRegistry::insert(&*server.store, &client);
        assert_eq!(inserted, Ok(Inserted::Inserted));
        let token = server.flow("web", "alice").access_token;
        assert_eq!(told(&server, id, token.expose()).is_some(), hears, "{uri}");
    }
}

/// INTRO-01: who proves nothing hears nothing, be it the client itself.
#[test]
fn public_clients_and_strangers_are_refused() {
    let server = TestServer::with_resources();
    let tokens = server.flow("pub", "alice");
    let webs = server.flow("web", "alice");
    for token in [tokens.access_token.expose(), refresh_token_in(&tokens), "unknown"] {
        for public in ["pub", "spa", "nobody"] {
            let refused = refusal_in(server.introspect(public, token));
            assert_eq!(refused, OAuthError::INVALID_CLIENT, "{public}");
        }
    }
    let token = ("token", webs.access_token.expose());
    let secret = sample::secret_of("evil");
    for (header, params) in [
        (None, &[token][..]),
        (None, &[token, ("client_id", "web")]),
        (None, &[token, ("client_id", "web"), ("client_secret", &secret)]),
        (None, &[token, ("client_id", "rs")]),
        (Some("Basic cnM6d3Jvbmc="), &[token]),
        (Some("Bearer x"), &[token]),
    ] {
        let headers: Vec<&[u8]> = header.iter().map(|it: &&str| it.as_bytes()).collect();
        let request = Request { authorization: &headers, params: &form(params) };
        let refused = refusal_in(server.engine.introspect(&request));
        assert_eq!(refused, OAuthError::INVALID_CLIENT, "{header:?}");
    }
    let now = server.clock.now();
    ClientRegistry::set_disabled(&*server.store, &sample::client_id("rs"), Some(now)).unwrap();
    let refused = refusal_in(server.introspect("rs", webs.access_token.expose()));
    assert_eq!(refused, OAuthError::INVALID_CLIENT, "a disabled resource server");
}

/// INTRO-02: a request without a token, or with two, is no question.
#[test]
fn a_request_without_a_token_is_bad() {
    let server = TestServer::new();
    let token = server.flow("web", "alice").access_token;
    let token = ("token", token.expose());
    for params in [&[][..], &[("token", "")], &[token, token], &[token, ("x", ""), ("x", "")]] {
        let answer = server.as_client("web", params, |request| server.engine.introspect(request));
        assert_eq!(refusal_in(answer).code, ErrorCode::InvalidRequest, "{params:?}");
    }
    for hint in ["access_token", "refresh_token", "foo", ""] {
        let params = [token, ("token_type_hint", hint)];
        let answer = server.as_client("web", &params, |request| server.engine.introspect(request));
        assert!(matches!(answer, Ok(Some(_))), "{hint}");
    }
}

/// INTRO-08: a token that was changed in the least is none.
#[test]
fn a_token_that_was_tampered_with_is_inactive() {
    let server = TestServer::new();
    let tokens = server.flow("web", "alice");
    for token in [tokens.access_token.expose(), refresh_token_in(&tokens)] {
        let mut changed: Vec<String> = vec![
            token.to_lowercase(),
            token.to_uppercase(),
            format!("{token}="),
            format!("{token}=="),
            format!(" {token}"),
            format!("{token}\n"),
            token.repeat(2),
            token.repeat(700),
        ];
        let lengths = token.len() - 8..token.len();
        changed.extend(lengths.map(|length| token[..length].to_owned()));
        for character in ["A", "B", "C", "D", "x", "_", "-"] {
            changed.push(format!("{token}{character}"));
            changed.push(format!("{}{character}", &token[..token.len() - 1]));
            changed.push(format!("{character}{}", &token[1..]));
        }
        for changed in changed.iter().filter(|changed| *changed != token) {
            assert_eq!(told(&server, "web", changed), None, "{changed}");
        }
        assert!(told(&server, "web", token).is_some());
    }
}

/// INTRO-02: whatever is asked, nothing is written.
#[test]
fn asking_writes_nothing() {
    let server = TestServer::with_resources();
    let tokens = server.flow("web", "alice");
    server.clock.advance(Duration::hours(1));
    server.events.take();
    let before = server.store.edit(|data| format!("{data:?}"));
    for caller in ["web", "evil", "rs"] {
        for token in [tokens.access_token.expose(), refresh_token_in(&tokens), "unknown"] {
            told(&server, caller, token);
        }
    }
    assert_eq!(server.store.edit(|data| format!("{data:?}")), before);
    assert_eq!(server.events.take(), []);
}

fn withdrawn(server: &TestServer, _: &str, _: &TokenResponse) {
    let (alice, web) = (sample::alice().subject, sample::client_id("web"));
    server.store.withdraw(&alice, Some(&web), server.clock.now()).unwrap();
}

fn owner_disabled(server: &TestServer, _: &str, _: &TokenResponse) {
    let alice = sample::alice().subject;
    for at in [Some(server.clock.now()), None] {
        OwnerRegistry::set_disabled(&*server.store, &alice, at).unwrap();
    }
}

fn client_disabled(server: &TestServer, _: &str, _: &TokenResponse) {
    let web = sample::client_id("web");
    for at in [Some(server.clock.now()), None] {
        ClientRegistry::set_disabled(&*server.store, &web, at).unwrap();
    }
}

fn client_deleted(server: &TestServer, _: &str, _: &TokenResponse) {
    let web = sample::web();
    ClientRegistry::delete(&*server.store, &web.id, server.clock.now()).unwrap();
    ClientRegistry::insert(&*server.store, &web).unwrap();
}

fn code_replayed(server: &TestServer, code: &str, _: &TokenResponse) {
    refusal_in(server.redeem("web", code));
}

fn refresh_replayed(server: &TestServer, _: &str, tokens: &TokenResponse) {
    let next = server.refresh("web", refresh_token_in(tokens)).unwrap();
    server.refresh("web", refresh_token_in(&next)).unwrap();
    refusal_in(server.refresh("web", refresh_token_in(tokens)));
}

/// INTRO-07, XC-06: what ends a grant holds for the very next question, whoever asks, also after the
/// client is back.
#[rstest]
#[case(withdrawn)]
#[case(owner_disabled)]
#[case(client_disabled)]
#[case(client_deleted)]
#[case(code_replayed)]
#[case(refresh_replayed)]
fn what_ends_a_grant_ends_its_tokens(#[case] happens: fn(&TestServer, &str, &TokenResponse)) {
    let server = TestServer::with_resources();
    let others = server.flow("post", "bob");
    let alice = server.sign_in("alice");
    let code = server.code("web", &alice);
    let tokens = server.redeem("web", &code).unwrap();
    happens(&server, &code, &tokens);
    let access = tokens.access_token.expose();
    for (caller, token) in [("rs", access), ("web", access), ("web", refresh_token_in(&tokens))] {
        assert_eq!(told(&server, caller, token), None, "{caller}");
    }
    assert!(told(&server, "rs", others.access_token.expose()).is_some());
    assert!(told(&server, "post", refresh_token_in(&others)).is_some());
}

/// INTRO-07: sessions come and go without their grants, and so do passwords.
#[test]
fn signing_out_and_a_new_password_end_no_token() {
    let server = TestServer::with_resources();
    let alice = server.sign_in("alice");
    let code = server.code("web", &alice);
    let tokens = server.redeem("web", &code).unwrap();
    server.engine.sign_out(&alice).unwrap();
    let hash = sample::password_hash_of("bob");
    let subject = sample::alice().subject;
    server.store.set_password(&subject, &hash, None, server.clock.now()).unwrap();
    assert!(told(&server, "rs", tokens.access_token.expose()).is_some());
    assert!(told(&server, "web", refresh_token_in(&tokens)).is_some());
}

/// INTRO-02, REFRESH-05: a refresh token is inactive once it is spent, not once it is used.
#[rstest]
#[case(RefreshReuse::UntilSuccessorUsed, true)]
#[case(RefreshReuse::Strict, false)]
fn a_spent_refresh_token_is_inactive(#[case] reuse: RefreshReuse, #[case] used_is_active: bool) {
    let server = TestServer::with_policy(Policy { refresh_reuse: reuse, ..sample::policy() });
    let first = server.flow("web", "alice");
    let second = server.refresh("web", refresh_token_in(&first)).unwrap();
    let active = |tokens| told(&server, "web", refresh_token_in(tokens)).is_some();
    assert_eq!(active(&first), used_is_active);
    assert!(active(&second));
    let third = server.refresh("web", refresh_token_in(&second)).unwrap();
    assert!(!active(&first));
    assert_eq!(active(&second), used_is_active);
    assert!(active(&third), "asking about a spent token is no replay");
}

/// INTRO-02, XC-12: to the second.
#[test]
fn an_expired_token_is_inactive() {
    let server = TestServer::with_resources();
    let tokens = server.flow("web", "alice");
    let access = tokens.access_token.expose();
    let told = |caller, token| told(&server, caller, token).is_some();
    server.clock.advance(Duration::seconds(599));
    assert!(told("web", access) && told("rs", access));
    server.clock.advance(Duration::SECOND);
    assert!(!told("web", access) && !told("rs", access));
    server.clock.advance(Duration::days(30) - Duration::seconds(601));
    assert!(told("web", refresh_token_in(&tokens)));
    server.clock.advance(Duration::SECOND);
    assert!(!told("web", refresh_token_in(&tokens)));
}

/// XC-12: nothing is active after its grant's end, and the answer says so beforehand.
#[test]
fn the_grants_end_is_the_tokens_end() {
    let lifetime = Duration::minutes(12);
    let server = TestServer::with_policy(Policy {
        grant_lifetime: Some(lifetime),
        resources: sample::resources(),
        ..sample::policy()
    });
    let first = server.flow("web", "alice");
    let end = server.clock.now().after(lifetime);
    server.clock.advance(Duration::minutes(11));
    let tokens = server.refresh("web", refresh_token_in(&first)).unwrap();
    let both = [tokens.access_token.expose(), refresh_token_in(&tokens)];
    for token in both {
        assert_eq!(told(&server, "web", token).unwrap().expires_at, end);
    }
    server.clock.set(end);
    for token in both {
        assert_eq!(told(&server, "web", token), None);
    }
}

/// A fault is never an inactive token: a resource server would turn good tokens away.
#[rstest]
#[case("ClientStore::find")]
#[case("TokenStore::find")]
fn a_fault_is_not_inactive(#[case] call: &'static str) {
    let server = TestServer::with_resources();
    let tokens = server.flow("web", "alice");
    let faulty = FaultyStore::failing(server.store.clone(), move |now| now == call);
    let answer = server.over(Arc::new(faulty)).introspect("rs", tokens.access_token.expose());
    assert!(matches!(answer, Err(TokenError::Fault(_))), "{answer:?}");
}

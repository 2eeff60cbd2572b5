//! When something beneath the protocol fails: the client is told to try again, and nothing is lost.

use auth_core::entropy::{Entropy, EntropyError};
use auth_core::error::{ErrorCode, Fault, TokenError};
use auth_core::event::Event;
use auth_core::params::{ParamLimits, Params};
use auth_core::secret::BrowserSecret;
use auth_core::usecase::authorize::{Authorize, Request};
use auth_core::usecase::sign_in::SignIn;
use auth_testkit::server::{page_in, parameter_in, redirect_in, request_of};
use auth_testkit::{FaultyStore, TestServer, sample};
use rstest::rstest;
use std::sync::Arc;

/// The same server, whose store fails this call.
fn failing(server: &TestServer, call: &'static str) -> TestServer {
    let store = FaultyStore::failing(server.store.clone(), move |now| now == call);
    server.over(Arc::new(store))
}

struct Dry;

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError("dry".into()))
    }
}

fn without_entropy(server: &TestServer) -> TestServer {
    let mut dry = server.clone();
    dry.engine.entropy = Arc::new(Dry);
    dry
}

fn authorize(server: &TestServer) -> Result<Authorize, Fault> {
    let params =
        request_of("web").into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let owner = server.sign_in("alice");
    server.engine.authorize(&Request {
        params: &Params::from_pairs(params.collect(), ParamLimits::QUERY).unwrap(),
        response_type_optional: false,
        browser: &BrowserSecret::presented("browser").digest(),
        owner: Some(&owner),
        origin: "192.0.2.1",
    })
}

#[track_caller]
fn assert_unavailable(server: &TestServer, answer: &Authorize) {
    let error = redirect_in(answer).reported_error().map(|error| error.code);
    assert_eq!(error, Some(ErrorCode::TemporarilyUnavailable));
    assert_eq!(parameter_in(answer, "state").as_deref(), Some("st"));
    assert!(!redirect_in(answer).location().contains("told to fail"));
    let faulted = |event: &Event| matches!(event, Event::Faulted { .. });
    assert!(server.events.take().iter().any(faulted), "the log says why");
}

/// A fault while redeeming is never `invalid_grant` or `invalid_client`, and the code stays good.
#[rstest]
#[case("ClientStore::find")]
#[case("CodeStore::find")]
#[case("OwnerStore::find")]
#[case("CodeStore::redeem")]
fn a_fault_while_redeeming_is_no_refusal(#[case] call: &'static str) {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let code = server.code("web", &alice);
    let answer = failing(&server, call).redeem("web", &code);
    assert!(matches!(answer, Err(TokenError::Fault(Fault::Store(_)))), "{answer:?}");
    let answer = without_entropy(&server).redeem("web", &code);
    assert!(matches!(answer, Err(TokenError::Fault(Fault::Entropy(_)))), "{answer:?}");
    assert!(server.redeem("web", &code).is_ok(), "nothing was lost");
}

/// The same while refreshing.
#[rstest]
#[case("ClientStore::find")]
#[case("TokenStore::find")]
#[case("OwnerStore::find")]
#[case("TokenStore::rotate")]
fn a_fault_while_refreshing_is_no_refusal(#[case] call: &'static str) {
    let mut policy = sample::policy();
    policy.refresh_reuse = auth_core::token::RefreshReuse::Strict;
    let server = TestServer::with_policy(policy);
    let tokens = server.flow("web", "alice");
    let held = tokens.refresh_token.unwrap();
    let answer = failing(&server, call).refresh("web", held.expose());
    assert!(matches!(answer, Err(TokenError::Fault(Fault::Store(_)))), "{answer:?}");
    let answer = without_entropy(&server).refresh("web", held.expose());
    assert!(matches!(answer, Err(TokenError::Fault(Fault::Entropy(_)))), "{answer:?}");
    assert!(server.refresh("web", held.expose()).is_ok(), "nothing was lost");
}

/// AUTHZ-24: once the redirect URI is proven, the client hears of the fault.
#[rstest]
#[case("ConsentStore::find")]
#[case("PendingAuthorizationStore::insert")]
fn a_fault_after_the_redirect_uri_is_proven_goes_to_the_client(#[case] call: &'static str) {
    let server = TestServer::new();
    let answer = authorize(&failing(&server, call)).unwrap();
    assert_unavailable(&server, &answer);
}

/// AUTHZ-24: before that there is nobody to redirect to.
#[test]
fn a_fault_before_the_redirect_uri_is_proven_goes_nowhere() {
    let server = TestServer::new();
    let answer = authorize(&failing(&server, "ClientStore::find"));
    assert!(matches!(answer, Err(Fault::Store(_))), "{answer:?}");
}

/// AUTHZ-24: a decision that could not be recorded is not lost to a person who tries again.
#[rstest]
#[case("GrantStore::approve", "approve")]
#[case("GrantStore::deny", "deny")]
fn a_decision_that_failed_can_be_made_again(#[case] call: &'static str, #[case] decision: &str) {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let page = page_in(server.authorize(&request_of("web"), Some(&alice)));
    let fields = [("decision", decision)];
    let faulty = failing(&server, call);
    let answer = faulty.decide(&page.interaction, Some(&alice), &fields);
    assert_unavailable(&server, &answer);
    let answer = server.decide(&page.interaction, Some(&alice), &fields);
    let error = redirect_in(&answer).reported_error().map(|error| error.code);
    let expected = (decision == "deny").then_some(ErrorCode::AccessDenied);
    assert_eq!(error, expected);
}

/// AUTHZ-24: the same where remembered consent needs no page, and where no code can be minted.
#[test]
fn a_fault_while_issuing_a_code_goes_to_the_client() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    server.code("web", &alice);
    let answer = authorize(&failing(&server, "GrantStore::approve")).unwrap();
    assert_unavailable(&server, &answer);
    let dry = without_entropy(&server);
    let answer = dry.authorize(&request_of("web"), Some(&alice));
    assert_unavailable(&server, &answer);
}

/// A person whose password cannot be checked is not told that it is wrong.
#[rstest]
#[case("OwnerStore::find_by_username")]
#[case("SessionStore::insert")]
fn a_fault_while_signing_in_is_no_wrong_password(#[case] call: &'static str) {
    let server = failing(&TestServer::new(), call);
    let form = SignIn {
        username: "alice",
        password: &sample::password_of("alice"),
        replaces: None,
        interaction: None,
    };
    let answer = server.engine.sign_in(&form);
    assert!(matches!(answer, Err(Fault::Store(_))), "{answer:?}");
}

/// A session that cannot be looked up is not an absent one.
#[test]
fn a_fault_while_recognizing_is_no_sign_out() {
    let server = TestServer::new();
    let form = SignIn {
        username: "alice",
        password: &sample::password_of("alice"),
        replaces: None,
        interaction: None,
    };
    let secret = server.engine.sign_in(&form).unwrap().unwrap();
    let faulty = failing(&server, "SessionStore::find");
    assert!(faulty.engine.recognize(&secret).is_err());
    assert!(server.engine.recognize(&secret).unwrap().is_some());
}

//! The way to a code, over time: sign-in, consent, and what is remembered.

use auth_core::client::ClientRegistry;
use auth_core::client::ClientStore;
use auth_core::error::ErrorCode;
use auth_core::event::Event;
use auth_core::grant::GrantStore;
use auth_core::redirect_uri::RedirectUriMismatch;
use auth_core::secret::InteractionId;
use auth_core::session::AuthenticatedOwner;
use auth_core::usecase::authorize::{Authorize, Refusal};
use auth_core::usecase::sign_in::SignIn;
use auth_testkit::server::{code_in, page_in, parameter_in, redirect_in, request_of};
use auth_testkit::{TestServer, sample};
use rstest::rstest;
use time::Duration;

const APPROVE: &[(&str, &str)] = &[("decision", "approve")];
const DENY: &[(&str, &str)] = &[("decision", "deny")];

/// An authorization request of a sample client with parameters replaced or added.
fn request<'a>(client: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut params = request_of(client);
    params.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    params.extend(changes);
    params
}

/// The interaction of a consent page that this owner is shown.
fn asked(server: &TestServer, client: &str, owner: &AuthenticatedOwner) -> InteractionId {
    let answer = server.authorize(&request_of(client), Some(owner));
    assert!(matches!(answer, Authorize::NeedsConsent(_)), "{answer:?}");
    page_in(answer).interaction
}

#[track_caller]
fn assert_refused(answer: &Authorize, expected: Refusal) {
    match answer {
        Authorize::Refused(refusal) => assert_eq!(*refusal, expected),
        other => panic!("not refused: {other:?}"),
    }
}

#[track_caller]
fn assert_error(answer: &Authorize, expected: ErrorCode) {
    let error = redirect_in(answer).reported_error().map(|error| error.code);
    assert_eq!(error, Some(expected));
    let name = expected.as_str();
    assert_eq!(parameter_in(answer, "error").as_deref(), Some(name));
    assert_eq!(parameter_in(answer, "code"), None);
    // AUTHZ-11, CODE-01: errors carry state and issuer as codes do.
    assert_eq!(parameter_in(answer, "state").as_deref(), Some("st"));
    assert_eq!(parameter_in(answer, "iss").as_deref(), Some(sample::ISSUER));
}

/// AUTHZ-11, CODE-01, TOKEN-08: sign in, approve, redeem, refresh.
#[test]
fn a_person_signs_in_approves_and_a_client_leaves_with_tokens() {
    let server = TestServer::new();
    let answer = server.authorize(&request_of("web"), None);
    assert!(matches!(answer, Authorize::NeedsSignIn(_)));
    let page = page_in(answer);
    assert_eq!(page.client, sample::web());
    let alice = server.sign_in_for("alice", Some(&page.interaction));
    let resumed = server.resume(&page.interaction, Some(&alice));
    assert!(matches!(resumed, Authorize::NeedsConsent(_)));
    let page = page_in(resumed);
    assert_eq!(page.request.scope, sample::scope("api.read api.write"));
    let answer = server.decide(&page.interaction, Some(&alice), APPROVE);
    assert_eq!(parameter_in(&answer, "state").as_deref(), Some("st"));
    assert_eq!(parameter_in(&answer, "iss").as_deref(), Some(sample::ISSUER));
    let tokens = server.redeem("web", &code_in(&answer)).unwrap();
    assert!(server.accepts(&tokens.access_token));
    assert_eq!(tokens.expires_in, 600);
    assert_eq!(tokens.scope, sample::scope("api.read api.write"));
    let refresh_token = tokens.refresh_token.unwrap();
    let again = server.refresh("web", refresh_token.expose()).unwrap();
    assert!(server.accepts(&again.access_token));
}

/// AUTHZ-03: parameters of answers mean nothing in a request.
#[test]
fn unknown_parameters_are_ignored_and_not_echoed() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let extra = [("foo", "bar"), ("code", "x"), ("access_token", "y")];
    let page = page_in(server.authorize(&request("web", &extra), Some(&alice)));
    let answer = server.decide(&page.interaction, Some(&alice), APPROVE);
    let location = redirect_in(&answer).location();
    assert!(!location.contains("bar") && !location.contains("access_token"));
    assert_ne!(code_in(&answer), "x");
}

/// A request that names no scope asks for the default ones.
#[test]
fn without_a_scope_the_defaults_are_asked_for() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let page = page_in(server.authorize(&request("web", &[("scope", "")]), Some(&alice)));
    assert_eq!(page.request.scope, sample::scope("api.read"));
}

/// AUTHZ-10: where the redirect URI is not proven, nothing else in the request leads to a redirect.
#[rstest]
#[case(("response_type", "token"))]
#[case(("scope", "bogus"))]
#[case(("code_challenge", ""))]
#[case(("prompt", "none"))]
#[case(("request", "eyJ"))]
fn a_bad_redirect_uri_is_a_page_whatever_else_is_wrong(#[case] fault: (&str, &str)) {
    let server = TestServer::new();
    let bad = ("redirect_uri", "https://evil.test/cb");
    let answer = server.authorize(&request("web", &[bad, fault]), None);
    let expected = Refusal::RedirectUri(RedirectUriMismatch::Unregistered);
    assert_refused(&answer, expected);
}

mod prompt {
    use super::*;

    /// `prompt=none` never shows anything, and leaves nothing behind.
    #[test]
    fn none_answers_at_once() {
        let server = TestServer::new();
        let silent = request("web", &[("prompt", "none")]);
        let answer = server.authorize(&silent, None);
        assert_error(&answer, ErrorCode::LoginRequired);
        let alice = server.sign_in("alice");
        let answer = server.authorize(&silent, Some(&alice));
        assert_error(&answer, ErrorCode::ConsentRequired);
        assert_eq!(server.store.edit(|data| data.pending.len()), 0);
        server.code("web", &alice);
        let code = code_in(&server.authorize(&silent, Some(&alice)));
        assert!(server.redeem("web", &code).is_ok());
    }

    /// `prompt=login` asks for a sign-in that the old session does not replace, and for exactly one.
    #[test]
    fn login_is_neither_skipped_nor_a_loop() {
        let server = TestServer::new();
        let old = server.sign_in("alice");
        let answer = server.authorize(&request("web", &[("prompt", "login")]), Some(&old));
        assert!(matches!(answer, Authorize::NeedsSignIn(_)));
        let interaction = page_in(answer).interaction;

        let skipped = server.resume(&interaction, Some(&old));
        assert!(matches!(skipped, Authorize::NeedsSignIn(_)), "skipped");
        let answer = server.decide(&interaction, Some(&old), APPROVE);
        assert_refused(&answer, Refusal::SignInFirst);
        let elsewhere = server.sign_in("alice");
        let skipped = server.resume(&interaction, Some(&elsewhere));
        let message = "a fresh sign-in for something else does not count";
        assert!(matches!(skipped, Authorize::NeedsSignIn(_)), "{message}");

        let fresh = server.sign_in_for("alice", Some(&interaction));
        for _ in 0..2 {
            let resumed = server.resume(&interaction, Some(&fresh));
            assert!(matches!(resumed, Authorize::NeedsConsent(_)), "a loop");
        }
        code_in(&server.decide(&interaction, Some(&fresh), APPROVE));
    }

    /// With the consent remembered, the forced sign-in is all that there is to do.
    #[test]
    fn login_with_remembered_consent_ends_in_a_code() {
        let server = TestServer::new();
        let old = server.sign_in("alice");
        server.code("web", &old);
        let answer = server.authorize(&request("web", &[("prompt", "login")]), Some(&old));
        let interaction = page_in(answer).interaction;
        let fresh = server.sign_in_for("alice", Some(&interaction));
        code_in(&server.resume(&interaction, Some(&fresh)));
        let replayed = server.resume(&interaction, Some(&fresh));
        assert_refused(&replayed, Refusal::InteractionGone);
    }

    /// UI-16: somebody else may be the one who signs in; the grant is theirs.
    #[test]
    fn login_as_somebody_else_grants_for_them() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let hers = server.flow("web", "alice");
        let answer = server.authorize(&request("web", &[("prompt", "login")]), Some(&alice));
        let interaction = page_in(answer).interaction;
        let bob = server.sign_in_for("bob", Some(&interaction));
        let resumed = server.resume(&interaction, Some(&bob));
        assert!(matches!(resumed, Authorize::NeedsConsent(_)), "bob never approved");
        let code = code_in(&server.decide(&interaction, Some(&bob), APPROVE));
        server.redeem("web", &code).unwrap();
        let newest = server.store.edit(|data| {
            let codes = data.codes.values().map(|row| row.record.grant_id.clone());
            let of_bob = |id: &_| data.grants[id].subject == sample::bob().subject;
            codes.filter(of_bob).count()
        });
        assert_eq!(newest, 1);
        assert!(server.accepts(&hers.access_token), "alice's grant is untouched");
    }

    /// `prompt=consent` asks again, whatever was approved before.
    #[test]
    fn consent_asks_again() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        server.code("web", &alice);
        let params = request("web", &[("prompt", "consent")]);
        for _ in 0..2 {
            let answer = server.authorize(&params, Some(&alice));
            assert!(matches!(answer, Authorize::NeedsConsent(_)));
            let interaction = page_in(answer).interaction;
            code_in(&server.decide(&interaction, Some(&alice), APPROVE));
        }
    }
}

mod remembered_consent {
    use super::*;

    fn is_asked(server: &TestServer, params: &[(&str, &str)], owner: &AuthenticatedOwner) -> bool {
        match server.authorize(params, Some(owner)) {
            Authorize::NeedsConsent(_) => true,
            Authorize::Redirect(_) => false,
            other => panic!("{other:?}"),
        }
    }

    /// UI-05: an answer that any program on the device could receive is never given unasked.
    #[rstest]
    #[case("web", false)]
    #[case("post", false)]
    #[case("spa", false)]
    #[case("pub", true)]
    fn counts_where_only_the_client_can_receive_the_answer(
        #[case] client: &str,
        #[case] asked_again: bool,
    ) {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        assert!(is_asked(&server, &request_of(client), &alice));
        server.code(client, &alice);
        assert_eq!(is_asked(&server, &request_of(client), &alice), asked_again);
        if asked_again {
            let silent = request(client, &[("prompt", "none")]);
            let answer = server.authorize(&silent, Some(&alice));
            assert_error(&answer, ErrorCode::ConsentRequired);
        }
    }

    /// UI-05: a private scheme is no better than loopback.
    #[test]
    fn does_not_count_for_a_private_scheme() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let app = request("pub", &[("redirect_uri", "com.example.app:/cb")]);
        server.code_for(&app, &alice);
        assert!(is_asked(&server, &app, &alice));
    }

    /// UI-06: it is kept by owner, client and scope.
    #[test]
    fn covers_what_was_approved_and_no_more() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        server.code("web", &alice);
        let with = |scope| request("web", &[("scope", scope)]);
        assert!(!is_asked(&server, &with("api.read"), &alice), "less");
        assert!(is_asked(&server, &with("api.read profile"), &alice), "more");
        assert!(is_asked(&server, &request_of("evil"), &alice), "another client");
        let bob = server.sign_in("bob");
        assert!(is_asked(&server, &with("api.read"), &bob), "another owner");
        server.code_for(&with("profile"), &alice);
        let all = with("api.read api.write profile");
        assert!(!is_asked(&server, &all, &alice), "approvals add up");
    }

    #[test]
    fn is_forgotten_when_it_is_withdrawn() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        server.code("web", &alice);
        let now = auth_core::timestamp::Clock::now(&*server.clock);
        let subject = sample::alice().subject;
        let web = sample::client_id("web");
        server.store.withdraw(&subject, Some(&web), now).unwrap();
        assert!(is_asked(&server, &request_of("web"), &alice));
    }
}

mod interaction {
    use super::*;

    /// AUTHZ-22: a copied URL leads nowhere in another browser, whoever is signed in there.
    #[test]
    fn belongs_to_the_browser_that_started_it() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let interaction = asked(&server, "web", &alice);
        let other = server.in_browser("another browser");
        let bob = other.sign_in("bob");
        for owner in [&bob, &alice] {
            let resumed = other.resume(&interaction, Some(owner));
            assert_refused(&resumed, Refusal::InteractionGone);
            let decided = other.decide(&interaction, Some(owner), APPROVE);
            assert_refused(&decided, Refusal::InteractionGone);
        }
        code_in(&server.decide(&interaction, Some(&alice), APPROVE));
    }

    /// AUTHZ-13: a denied request stays denied, and nothing is remembered of it.
    #[test]
    fn that_was_denied_cannot_be_approved() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let interaction = asked(&server, "web", &alice);
        let answer = server.decide(&interaction, Some(&alice), DENY);
        assert_error(&answer, ErrorCode::AccessDenied);
        let later = server.decide(&interaction, Some(&alice), APPROVE);
        assert_refused(&later, Refusal::InteractionGone);
        let denied = |event: &Event| matches!(event, Event::Denied { .. });
        assert!(server.events.take().iter().any(denied));
        asked(&server, "web", &alice);
    }

    /// UI-08, XC-05: pressing the button twice gives one code.
    #[test]
    fn is_decided_once() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let interaction = asked(&server, "web", &alice);
        code_in(&server.decide(&interaction, Some(&alice), APPROVE));
        for fields in [APPROVE, DENY] {
            let again = server.decide(&interaction, Some(&alice), fields);
            assert_refused(&again, Refusal::InteractionGone);
        }
        let resumed = server.resume(&interaction, Some(&alice));
        assert_refused(&resumed, Refusal::InteractionGone);
        assert_eq!(server.store.edit(|data| data.codes.len()), 1);
    }

    /// UI-08, XC-12: it leads nowhere from the very second on that it was given.
    #[test]
    fn expires_at_the_exact_second() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let [first, second] = [0, 1].map(|_| asked(&server, "web", &alice));
        server.clock.advance(Duration::seconds(899));
        code_in(&server.decide(&first, Some(&alice), APPROVE));
        server.clock.advance(Duration::seconds(1));
        let late = server.decide(&second, Some(&alice), APPROVE);
        assert_refused(&late, Refusal::InteractionGone);
        // XC-06: what was decided stays decided when the clock goes back.
        server.clock.advance(Duration::hours(-1));
        let again = server.decide(&first, Some(&alice), APPROVE);
        assert_refused(&again, Refusal::InteractionGone);
    }

    /// AUTHZ-23: the form cannot change what was asked.
    #[rstest]
    #[case("client_id", "evil")]
    #[case("redirect_uri", "https://rp.test/cb2?fixed=1")]
    #[case("scope", "api.read api.write profile")]
    #[case("scope", "api.read")]
    #[case("state", "other")]
    #[case("code_challenge", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    #[case("code_challenge_method", "plain")]
    fn is_not_changed_by_a_form_field(#[case] name: &'static str, #[case] value: &str) {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let interaction = asked(&server, "web", &alice);
        let fields = [("decision", "approve"), (name, value)];
        let answer = server.decide(&interaction, Some(&alice), &fields);
        assert_refused(&answer, Refusal::FieldChanged(name));
        assert_eq!(server.store.edit(|data| data.codes.len()), 0);
        // The request as it was, sent along, is fine.
        let mut fields = request_of("web");
        fields.push(("decision", "approve"));
        code_in(&server.decide(&interaction, Some(&alice), &fields));
    }

    #[test]
    fn needs_a_decision_and_somebody_who_decides() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let interaction = asked(&server, "web", &alice);
        for fields in [&[][..], &[("decision", "APPROVE")]] {
            let answer = server.decide(&interaction, Some(&alice), fields);
            assert_refused(&answer, Refusal::DecisionMissing);
        }
        let answer = server.decide(&interaction, None, APPROVE);
        assert_refused(&answer, Refusal::SignInFirst);
        let unknown = InteractionId::presented("nothing");
        let answer = server.decide(&unknown, Some(&alice), APPROVE);
        assert_refused(&answer, Refusal::InteractionGone);
    }

    /// What an administrator changed while the page was open holds.
    #[test]
    fn ends_with_what_the_client_lost_meanwhile() {
        let server = TestServer::new();
        let alice = server.sign_in("alice");
        let interaction = asked(&server, "web", &alice);
        server.update_client("web", |web| web.scope = sample::scope("api.read"));
        let answer = server.decide(&interaction, Some(&alice), APPROVE);
        assert_error(&answer, ErrorCode::InvalidScope);

        server.update_client("web", |web| drop(web.redirect_uris.remove(0)));
        let answer = server.decide(&interaction, Some(&alice), APPROVE);
        let gone = Refusal::RedirectUri(RedirectUriMismatch::Unregistered);
        assert_refused(&answer, gone);

        let web = sample::client_id("web");
        let now = auth_core::timestamp::Clock::now(&*server.clock);
        ClientRegistry::set_disabled(&*server.store, &web, Some(now)).unwrap();
        let answer = server.decide(&interaction, Some(&alice), APPROVE);
        assert_refused(&answer, Refusal::ClientDisabled);
        let answer = server.resume(&interaction, Some(&alice));
        assert_refused(&answer, Refusal::ClientDisabled);
        // AUTHZ-09
        let answer = server.authorize(&request_of("web"), Some(&alice));
        assert_refused(&answer, Refusal::ClientDisabled);
        server.store.delete(&web, now).unwrap();
        assert_eq!(ClientStore::find(&*server.store, &web), Ok(None));
        let answer = server.authorize(&request_of("web"), Some(&alice));
        assert_refused(&answer, Refusal::ClientUnknown);
        assert_eq!(server.store.edit(|data| data.codes.len()), 0);
    }

    /// XC-07: one address keeps so many requests waiting; the oldest are forgotten.
    #[test]
    fn is_forgotten_where_one_address_starts_too_many() {
        let mut policy = sample::policy();
        policy.pending_authorizations_per_origin = 3;
        let server = TestServer::with_policy(policy);
        let alice = server.sign_in("alice");
        let started: Vec<_> = (0..5).map(|_| asked(&server, "web", &alice)).collect();
        for interaction in &started[..2] {
            let answer = server.resume(interaction, Some(&alice));
            assert_refused(&answer, Refusal::InteractionGone);
        }
        for interaction in &started[2..] {
            code_in(&server.decide(interaction, Some(&alice), APPROVE));
        }
    }
}

mod session {
    use super::*;

    fn sign_in(
        server: &TestServer,
        username: &str,
        password: &str,
    ) -> Option<auth_core::secret::SessionSecret> {
        let form = SignIn {
            username,
            password: &auth_core::password::Password::presented(password.into()),
            replaces: None,
            interaction: None,
        };
        server.engine.sign_in(&form).unwrap()
    }

    /// UI-18: an unknown name, a wrong password and a disabled account look the same.
    #[test]
    fn begins_with_the_right_password_only() {
        let server = TestServer::new();
        assert!(sign_in(&server, " ALICE ", "alice-password").is_some());
        assert!(sign_in(&server, "alice", "bob-password").is_none());
        assert!(sign_in(&server, "nobody", "alice-password").is_none());
        assert!(sign_in(&server, "", "").is_none());
        let bob = sample::bob().subject;
        let now = auth_core::timestamp::Clock::now(&*server.clock);
        auth_core::owner::OwnerRegistry::set_disabled(&*server.store, &bob, Some(now)).unwrap();
        assert!(sign_in(&server, "bob", "bob-password").is_none());
    }

    /// Idle too long, or too old: to the second. A clock that goes back shortens nothing.
    #[test]
    fn lasts_as_long_as_the_policy_says() {
        let server = TestServer::new();
        let secret = sign_in(&server, "alice", "alice-password").unwrap();
        let recognized = || server.engine.recognize(&secret).unwrap().is_some();
        for _ in 0..20 {
            server.clock.advance(Duration::hours(8) - Duration::SECOND);
            assert!(recognized());
        }
        server.clock.advance(Duration::hours(-2));
        assert!(recognized());
        server.clock.advance(Duration::hours(10));
        assert!(!recognized(), "idle for eight hours");

        let secret = sign_in(&server, "alice", "alice-password").unwrap();
        let recognized = || server.engine.recognize(&secret).unwrap().is_some();
        for _ in 0..23 {
            server.clock.advance(Duration::hours(7));
            assert!(recognized());
        }
        server.clock.advance(Duration::hours(7) - Duration::SECOND);
        assert!(recognized());
        server.clock.advance(Duration::SECOND);
        assert!(!recognized(), "seven days old");
    }

    /// UI-15: signing in ends the browser's old session, and signing out the one that it has.
    #[test]
    fn is_replaced_by_the_next_and_ended_by_signing_out() {
        let server = TestServer::new();
        let old = sign_in(&server, "alice", "alice-password").unwrap();
        let form = SignIn {
            username: "bob",
            password: &sample::password_of("bob"),
            replaces: Some(&old),
            interaction: None,
        };
        let new = server.engine.sign_in(&form).unwrap().unwrap();
        assert_ne!(old.expose(), new.expose());
        assert!(server.engine.recognize(&old).unwrap().is_none());
        let bob = server.engine.recognize(&new).unwrap().unwrap();
        assert_eq!(bob.owner().subject, sample::bob().subject);
        let tokens = server.flow("web", "bob");
        server.engine.sign_out(&bob).unwrap();
        assert!(server.engine.recognize(&new).unwrap().is_none());
        assert!(server.accepts(&tokens.access_token), "signing out leaves grants alone");
    }

    /// A hash of older parameters is replaced at the next sign-in, which ends nothing.
    #[test]
    fn that_begins_with_an_old_hash_renews_it() {
        let server = TestServer::new();
        let alice = sample::alice().subject;
        let first = sign_in(&server, "alice", "alice-password").unwrap();
        server.store.edit(|data| {
            let old = "$plain-old$alice-password".to_owned();
            data.owners.get_mut(&alice).unwrap().1 = auth_core::password::PasswordHash::new(old);
        });
        assert!(sign_in(&server, "alice", "alice-password").is_some());
        let hash = server.store.edit(|data| data.owners[&alice].1.as_str().to_owned());
        assert_eq!(hash, "$plain$alice-password");
        assert!(server.engine.recognize(&first).unwrap().is_some());
    }
}

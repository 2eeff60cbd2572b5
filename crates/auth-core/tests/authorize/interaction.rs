//! One interaction: bound to a browser, decided once, unchanged, bounded in time and number.

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

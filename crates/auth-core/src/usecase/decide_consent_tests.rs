use super::*;
use crate::client::Client;
use crate::consent::{Consent, PendingAuthorization, Prompt};
use crate::pkce::CodeChallenge;
use crate::redirect_uri::RedirectUriMismatch;
use crate::resource::Audience;
use crate::secret::{AuthorizationCode, BrowserSecret};
use crate::usecase::fixtures::{
    CHALLENGE, INTERACTION, ISSUER, NOW, World, alice, at, browser, disabled, minted_grant,
    minted_under, only_uri, overlay, pending, scope, session, signed_in, store_fault, unavailable,
    web,
};
use rstest::rstest;

fn decide_as(
    world: &World,
    owner: Option<&AuthenticatedOwner>,
    form: &str,
) -> Result<Authorize, Fault> {
    let decision = Decision {
        interaction: &InteractionId::presented(INTERACTION),
        browser: &browser(),
        owner,
        params: &overlay("", form),
    };
    decide_consent(&world.authorize_ports(), &world.policy, &decision)
}

fn decide(world: &World, form: &str) -> Result<Authorize, Fault> {
    decide_as(world, Some(&signed_in()), form)
}

fn refused(result: Result<Authorize, Fault>) -> Refusal {
    match result {
        Ok(Authorize::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// What the client hears, as pairs of name and value.
fn answer_to_client(result: Result<Authorize, Fault>) -> Params {
    let Ok(Authorize::Redirect(response)) = result else {
        panic!("{result:?}");
    };
    let location = response.location();
    let query = location.strip_prefix("https://rp.test/cb?").unwrap();
    overlay("", query)
}

/// [`pending`] waits, and its client is still there.
fn waiting() -> World {
    World::with(web()).interaction(Some(pending()))
}

/// One denial of the interaction is recorded, with this outcome.
fn denying(mut world: World, decided: Decided) -> World {
    let deny = world.grants.expect_deny().once();
    deny.withf(|interaction, at| *interaction == pending().interaction && *at == NOW)
        .return_const(Ok(decided));
    world
}

fn denied() -> Event {
    Event::Denied { client: web().id, subject: alice().subject }
}

/// AUTHZ-23, CODE-08, CODE-09: approving issues a code for the request as it was validated, decides the
/// interaction and remembers the consent, in one transition.
#[test]
fn approving_sends_a_code_and_remembers_the_consent() {
    let mut world = waiting().mints().records(Event::CodeIssued {
        grant: minted_grant(1),
        client: web().id,
        subject: alice().subject,
        remembered: false,
    });
    let approve = world.grants.expect_approve().once();
    approve.returning(|approval| {
        assert_eq!(approval.interaction, Some(&pending().interaction));
        let code = AuthorizationCode::presented(&minted_under(minted_grant(1), 2));
        assert_eq!(Some(*approval.code), code.digest());
        assert_eq!(approval.record.redirect_uri, "https://rp.test/cb");
        assert!(!approval.record.redirect_uri_sent);
        let challenge = CodeChallenge::parse(CHALLENGE);
        assert_eq!(approval.record.code_challenge, challenge);
        assert_eq!(approval.record.expires_at, at(60));
        assert_eq!(approval.grant.scope, scope("api.read"));
        let consent = Consent {
            subject: alice().subject,
            client_id: web().id,
            scope: scope("api.read"),
            audience: Audience::default(),
            given_at: NOW,
        };
        assert_eq!(approval.remember, Some(&consent));
        Ok(Decided::First)
    });
    let answer = answer_to_client(decide(&world, "decision=approve"));
    let code = minted_under(minted_grant(1), 2);
    let expected = [("code", &*code), ("state", "xyz"), ("iss", ISSUER)];
    assert!(answer.iter().eq(expected));
}

/// AUTHZ-13: the client hears `access_denied` with its state; nothing is minted.
#[test]
fn denying_tells_the_client() {
    let world = denying(waiting(), Decided::First).records(denied());
    let answer = answer_to_client(decide(&world, "decision=deny"));
    assert_eq!(answer.one("error"), Ok(Some("access_denied")));
    assert_eq!(answer.one("state"), Ok(Some("xyz")));
    assert_eq!(answer.one("iss"), Ok(Some(ISSUER)));
    assert!(!answer.has("code"));
}

/// AUTHZ-13, UI-08: the losing one of two decisions leads nowhere: no code leaves, no event is recorded.
#[test]
fn an_interaction_is_decided_once() {
    let world = denying(waiting(), Decided::Already);
    assert_eq!(refused(decide(&world, "decision=deny")), Refusal::InteractionGone);

    let mut world = waiting().mints();
    let approve = world.grants.expect_approve().once();
    approve.returning(|_| Ok(Decided::Already));
    let result = decide(&world, "decision=approve");
    assert_eq!(refused(result), Refusal::InteractionGone);
}

/// UI-08, AUTHZ-22: unknown, another browser's, decided, expired (from that very second on).
#[test]
fn an_interaction_that_is_gone_is_a_page() {
    let other = BrowserSecret::presented("another browser").digest();
    let gone = [
        None,
        Some(PendingAuthorization { browser: other, ..pending() }),
        Some(PendingAuthorization { decided_at: Some(at(-1)), ..pending() }),
        Some(PendingAuthorization { expires_at: NOW, ..pending() }),
    ];
    for pending in gone {
        for form in ["decision=approve", "decision=deny", "decision=approve&client_id=evil"] {
            let world = World::new().interaction(pending.clone());
            assert_eq!(refused(decide(&world, form)), Refusal::InteractionGone);
        }
    }
}

/// Nobody decides who is not signed in; nor, with `prompt=login`, who did not sign in for this.
#[test]
fn signing_in_comes_first() {
    let world = World::new().interaction(Some(pending()));
    let result = decide_as(&world, None, "decision=approve");
    assert_eq!(refused(result), Refusal::SignInFirst);
    for started in [None, Some("an older session of alice")] {
        let world = World::new().interaction(Some(prompting_login(started)));
        let result = decide(&world, "decision=approve");
        assert_eq!(refused(result), Refusal::SignInFirst);
    }
}

#[test]
fn a_sign_in_for_this_interaction_satisfies_prompt_login() {
    let world = World::with(web()).interaction(Some(prompting_login(Some("alice"))));
    let world = denying(world, Decided::First).records(denied());
    answer_to_client(decide(&world, "decision=deny"));
}

fn prompting_login(started: Option<&str>) -> PendingAuthorization {
    let mut pending = pending();
    pending.request.prompt = Prompt { login: true, ..Prompt::default() };
    pending.signed_in = started.map(session);
    pending
}

/// AUTHZ-23: a documented field that is sent equals the request's; the client is not even looked up.
#[rstest]
#[case("client_id=evil", "client_id")]
#[case("client_id=WEB", "client_id")]
#[case("redirect_uri=https://evil.test/cb", "redirect_uri")]
#[case("redirect_uri=https://rp.test/cb2?fixed=1", "redirect_uri")]
#[case("scope=api.read api.write", "scope")]
#[case("scope=api.write", "scope")]
#[case("scope=%22", "scope")]
#[case("state=abc", "state")]
#[case("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN", "code_challenge")]
#[case("code_challenge_method=plain", "code_challenge_method")]
fn a_changed_field_is_refused(#[case] field: &str, #[case] name: &'static str) {
    for decision in ["approve", "deny"] {
        let world = World::new().interaction(Some(pending()));
        let result = decide(&world, &format!("{field}&decision={decision}"));
        assert_eq!(refused(result), Refusal::FieldChanged(name));
    }
}

/// AUTHZ-23: what the request did not have cannot be added to it.
#[rstest]
#[case("state=xyz", "state")]
#[case("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge")]
#[case("code_challenge_method=S256", "code_challenge_method")]
fn a_field_that_the_request_did_not_have_is_refused(
    #[case] field: &str,
    #[case] name: &'static str,
) {
    let mut pending = pending();
    pending.request.state = None;
    pending.request.code_challenge = None;
    let world = World::new().interaction(Some(pending));
    let result = decide(&world, &format!("{field}&decision=approve"));
    assert_eq!(refused(result), Refusal::FieldChanged(name));
}

/// AUTHZ-05, AUTHZ-23: which of two is meant cannot be known.
#[rstest]
#[case("client_id=web&client_id=web", "client_id")]
#[case("redirect_uri=https://rp.test/cb&redirect_uri=https://rp.test/cb", "redirect_uri")]
#[case("scope=api.read&scope=api.read", "scope")]
#[case("state=xyz&state=xyz", "state")]
#[case("code_challenge_method=S256&code_challenge_method=S256", "code_challenge_method")]
#[case("decision=approve&decision=deny", "decision")]
#[case("decision=approve&decision=approve", "decision")]
fn a_repeated_field_is_refused(#[case] fields: &str, #[case] name: &'static str) {
    let world = World::new().interaction(Some(pending()));
    let form =
        if name == "decision" { fields.to_owned() } else { format!("{fields}&decision=deny") };
    assert_eq!(refused(decide(&world, &form)), Refusal::Repeated(name));
}

/// The six documented fields may be repeated, all or some, or be empty; other fields are ignored.
#[rstest]
#[case(
    "client_id=web&redirect_uri=https://rp.test/cb&scope=api.read&state=xyz\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
)]
#[case("state=xyz")]
#[case("scope=api.read api.read")]
#[case("client_id=&redirect_uri=&scope=&state=&code_challenge=&code_challenge_method=")]
#[case("csrf_token=abc&response_type=token&foo=a&foo=b")]
fn fields_that_equal_the_request_change_nothing(#[case] fields: &str) {
    let world = denying(waiting(), Decided::First).records(denied());
    let result = decide(&world, &format!("{fields}&decision=deny"));
    let answer = answer_to_client(result);
    assert_eq!(answer.one("error"), Ok(Some("access_denied")));
}

/// Neither silence nor anything else is a decision.
#[rstest]
#[case("")]
#[case("decision=")]
#[case("decision=yes")]
#[case("decision=APPROVE")]
#[case("decision=approve%20")]
fn without_a_decision_nothing_is_decided(#[case] form: &str) {
    let world = World::new().interaction(Some(pending()));
    assert_eq!(refused(decide(&world, form)), Refusal::DecisionMissing);
}

/// What was changed while the owner read the page holds at once, for a denial too: a redirect URI that
/// is the client's no longer is not redirected to.
#[test]
fn the_client_and_its_redirect_uri_are_proven_again() {
    let moved = || World::with(only_uri(web(), "https://rp.test/moved"));
    for form in ["decision=approve", "decision=deny"] {
        let world = World::without_client().interaction(Some(pending()));
        assert_eq!(refused(decide(&world, form)), Refusal::ClientUnknown);
        let world = World::with(disabled(web())).interaction(Some(pending()));
        assert_eq!(refused(decide(&world, form)), Refusal::ClientDisabled);
        let world = moved().interaction(Some(pending()));
        let unregistered = Refusal::RedirectUri(RedirectUriMismatch::Unregistered);
        assert_eq!(refused(decide(&world, form)), unregistered);
    }
}

/// A scope that was taken from the client, or from the catalog, cannot be approved any more; it can
/// still be denied. Nothing is minted.
#[test]
fn a_scope_that_shrank_meanwhile_is_not_approved() {
    let mut pending = pending();
    pending.request.scope = scope("api.read api.write");
    let shrunk = Client { scope: scope("api.read"), ..web() };
    let lost = || {
        let mut world = World::with(web());
        world.policy.scopes = Default::default();
        world
    };
    for world in [World::with(shrunk.clone()), lost()] {
        let world = world.interaction(Some(pending.clone()));
        let answer = answer_to_client(decide(&world, "decision=approve"));
        assert_eq!(answer.one("error"), Ok(Some("invalid_scope")));
        assert_eq!(answer.one("state"), Ok(Some("xyz")));
    }
    for world in [World::with(shrunk), lost()] {
        let world = world.interaction(Some(pending.clone()));
        let world = denying(world, Decided::First).records(denied());
        let answer = answer_to_client(decide(&world, "decision=deny"));
        assert_eq!(answer.one("error"), Ok(Some("access_denied")));
    }
}

/// AUTHZ-24: before the redirect URI is proven again a fault is the caller's.
#[test]
fn a_fault_before_proof_goes_to_the_caller() {
    let mut world = World::new();
    let find = world.pending.expect_find().once();
    find.return_const(Err(unavailable()));
    let result = decide(&world, "decision=approve");
    assert_eq!(result.unwrap_err(), store_fault());

    let mut world = World::new().interaction(Some(pending()));
    let find = world.clients.expect_find().once();
    find.return_const(Err(unavailable()));
    let result = decide(&world, "decision=deny");
    assert_eq!(result.unwrap_err(), store_fault());
}

/// AUTHZ-24: afterwards the client hears that it may try again, never that the owner said no.
#[test]
fn a_fault_after_proof_goes_to_the_client() {
    let fault = store_fault();
    let mut denying = waiting().records(Event::Faulted { fault: fault.clone() });
    let deny = denying.grants.expect_deny().once();
    deny.return_const(Err(unavailable()));

    let mut approving = waiting().mints().records(Event::Faulted { fault });
    let approve = approving.grants.expect_approve().once();
    approve.returning(|_| Err(unavailable()));

    let fault = Fault::Entropy(crate::entropy::EntropyError("dry".into()));
    let dry = waiting().dry().records(Event::Faulted { fault });

    for (world, decision) in [(denying, "deny"), (approving, "approve"), (dry, "approve")] {
        let answer = answer_to_client(decide(&world, &format!("decision={decision}")));
        assert_eq!(answer.one("error"), Ok(Some("temporarily_unavailable")));
        assert_eq!(answer.one("state"), Ok(Some("xyz")));
    }
}

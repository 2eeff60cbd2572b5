//! An interaction that is taken up again after its owner signed in.

use super::*;
use crate::usecase::fixtures::{INTERACTION, audience, pending};

fn prompting(prompt: Prompt, signed_in: Option<&str>) -> PendingAuthorization {
    let mut pending = pending();
    pending.request.prompt = prompt;
    pending.signed_in = signed_in.map(session);
    pending
}

const LOGIN: Prompt = Prompt { none: false, login: true, consent: false };

fn take_up(world: &World, owner: Option<&AuthenticatedOwner>) -> Result<Authorize, Fault> {
    let interaction = InteractionId::presented(INTERACTION);
    let ports = world.authorize_ports();
    super::super::resume(&ports, &world.policy, &interaction, &browser(), owner)
}

fn refused(world: &World) -> Refusal {
    match take_up(world, Some(&signed_in())) {
        Ok(Authorize::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// AUTHZ-22, UI-08: unknown, another browser's, decided, expired (from that very second on). The client
/// is not even looked up.
#[test]
fn an_interaction_that_is_gone_is_a_page() {
    let other = BrowserSecret::presented("another browser").digest();
    let gone = [
        None,
        Some(PendingAuthorization { browser: other, ..pending() }),
        Some(PendingAuthorization { decided_at: Some(at(-1)), ..pending() }),
        Some(PendingAuthorization { expires_at: NOW, ..pending() }),
        Some(PendingAuthorization { expires_at: at(-1), ..pending() }),
    ];
    for pending in gone {
        let shown = format!("{pending:?}");
        let world = World::new().interaction(pending);
        assert_eq!(refused(&world), Refusal::InteractionGone, "{shown}");
    }
}

/// What the command line changed while the owner was signing in holds at once.
#[test]
fn the_client_and_its_redirect_uri_are_proven_again() {
    let world = World::without_client().interaction(Some(pending()));
    assert_eq!(refused(&world), Refusal::ClientUnknown);
    let world = World::with(disabled(web())).interaction(Some(pending()));
    assert_eq!(refused(&world), Refusal::ClientDisabled);
    let moved = only_uri(web(), "https://rp.test/moved");
    let world = World::with(moved).interaction(Some(pending()));
    let unregistered = Refusal::RedirectUri(RedirectUriMismatch::Unregistered);
    assert_eq!(refused(&world), unregistered);
}

/// REFRESH-14, RES-02: nobody is asked to sign in for, or to approve, what the client can no longer get.
#[test]
fn what_is_no_longer_offered_is_not_asked_for() {
    let smaller = Client { scope: scope("api.write"), ..web() };
    let machine = Client { grant_types: [GrantType::ClientCredentials].into(), ..web() };
    let told = |result| {
        let answer = answer_to_client(result, "https://rp.test/cb");
        answer.one("error").unwrap().unwrap().to_owned()
    };
    for (client, expected) in [(smaller, "invalid_scope"), (machine, "unauthorized_client")] {
        for owner in [None, Some(&signed_in())] {
            let world = World::with(client.clone()).interaction(Some(pending()));
            assert_eq!(told(take_up(&world, owner)), expected);
        }
    }
    let mut gone = pending();
    gone.request.audience = audience("https://a.test/");
    let world = World::with(web()).interaction(Some(gone));
    assert_eq!(told(take_up(&world, None)), "invalid_target");
}

/// AUTHZ-23: the interaction goes on under its own name and within its own time; nothing is stored or
/// minted anew.
#[test]
fn the_interaction_goes_on_as_it_began() {
    let soon = PendingAuthorization { expires_at: at(1), ..pending() };
    let world = World::with(web()).interaction(Some(soon.clone()));
    let result = take_up(&remembering_nothing(world), Some(&signed_in()));
    let Ok(Authorize::NeedsConsent(prompted)) = result else {
        panic!("{result:?}");
    };
    assert_eq!(prompted.interaction.expose(), INTERACTION);
    assert_eq!(prompted.request, soon.request);
    assert_eq!(prompted.expires_at, at(1));
}

#[test]
fn without_a_sign_in_it_is_asked_for_again() {
    let world = World::with(web()).interaction(Some(pending()));
    let result = take_up(&world, None);
    assert!(matches!(result, Ok(Authorize::NeedsSignIn(_))), "{result:?}");
}

/// `prompt=login` is satisfied by the session that was started for this interaction, and by no other.
#[rstest]
#[case(None, false)]
#[case(Some("an older session of alice"), false)]
#[case(Some("alice"), true)]
fn prompt_login_wants_the_session_of_this_interaction(
    #[case] started: Option<&str>,
    #[case] satisfied: bool,
) {
    let world = World::with(web()).interaction(Some(prompting(LOGIN, started)));
    let world = if satisfied { remembering_nothing(world) } else { world };
    match take_up(&world, Some(&signed_in())) {
        Ok(Authorize::NeedsConsent(_)) => assert!(satisfied),
        Ok(Authorize::NeedsSignIn(_)) => assert!(!satisfied),
        other => panic!("{other:?}"),
    }
}

/// `prompt=consent` outlives the sign-in: what is remembered is not looked up.
#[test]
fn prompt_consent_is_kept_over_the_sign_in() {
    let prompt = Prompt { consent: true, ..Prompt::default() };
    let world = World::with(web()).interaction(Some(prompting(prompt, Some("alice"))));
    let result = take_up(&world, Some(&signed_in()));
    assert!(matches!(result, Ok(Authorize::NeedsConsent(_))), "{result:?}");
}

/// UI-05, UI-08: remembered consent answers the interaction, which is decided by it, once.
#[rstest]
#[case(Decided::First)]
#[case(Decided::Already)]
#[case(Decided::ClientDisabled)]
fn remembered_consent_decides_the_interaction_once(#[case] decided: Decided) {
    let world = World::with(web()).mints().interaction(Some(pending()));
    let mut world = remembering(world, "api.read");
    let approve = world.grants.expect_approve().once();
    approve.returning(move |approval| {
        let interaction = InteractionId::presented(INTERACTION).digest();
        assert_eq!(approval.interaction, Some(&interaction));
        assert_eq!(approval.remember, None);
        assert!(!approval.record.redirect_uri_sent);
        Ok(decided)
    });
    // Otherwise no code leaves, and no event says that one did.
    if decided == Decided::Already {
        assert_eq!(refused(&world), Refusal::InteractionGone);
    } else if decided == Decided::ClientDisabled {
        assert_eq!(refused(&world), Refusal::ClientDisabled);
    } else {
        let world = world.records(code_issued(&web()));
        let result = take_up(&world, Some(&signed_in()));
        let answer = answer_to_client(result, "https://rp.test/cb");
        assert_eq!(answer.one("code"), Ok(Some(&*minted_under(minted_grant(1), 2))));
        assert_eq!(answer.one("state"), Ok(Some("xyz")));
    }
}

/// AUTHZ-24: before the redirect URI is proven again a fault is the caller's, afterwards the client
/// hears of it.
#[test]
fn faults_go_where_they_can() {
    let mut world = World::new();
    let find = world.pending.expect_find().once();
    find.return_const(Err(unavailable()));
    assert_eq!(take_up(&world, None).unwrap_err(), store_fault());

    let mut world = World::new().interaction(Some(pending()));
    let find = world.clients.expect_find().once();
    find.return_const(Err(unavailable()));
    assert_eq!(take_up(&world, None).unwrap_err(), store_fault());

    let mut world = World::with(web()).interaction(Some(pending())).records(faulted());
    let find = world.consents.expect_find().once();
    find.return_const(Err(unavailable()));
    let result = take_up(&world, Some(&signed_in()));
    let answer = answer_to_client(result, "https://rp.test/cb");
    assert_eq!(answer.one("error"), Ok(Some("temporarily_unavailable")));
    assert_eq!(answer.one("state"), Ok(Some("xyz")));
}

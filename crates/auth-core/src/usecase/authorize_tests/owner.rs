//! What is left to the owner: sign-in, consent, or nothing because it was given before.

use super::*;

/// AUTHZ-23, AUTHZ-22: what was validated is kept, under the digest of a name that only this browser
/// learns, with the address and the bound that keep one visitor from filling the store.
#[test]
fn a_request_waits_with_what_was_validated() {
    let mut world = World::with(web()).mints();
    world.policy.pending_authorizations_per_origin = 7;
    let insert = world.pending.expect_insert().once();
    insert.returning(|pending, origin, limit| {
        let name = InteractionId::presented(&minted_secret(1));
        assert_eq!(pending.interaction, name.digest());
        assert_eq!(pending.browser, browser());
        assert_eq!((pending.created_at, pending.expires_at), (NOW, at(15 * 60)));
        assert_eq!((pending.signed_in, pending.decided_at), (None, None));
        let expected = AuthorizationRequest {
            client_id: web().id,
            redirect_uri: "https://rp.test/cb".into(),
            redirect_uri_sent: true,
            scope: scope("api.read"),
            audience: Audience::default(),
            state: Some("xyz".into()),
            code_challenge: CodeChallenge::parse(CHALLENGE),
            prompt: Prompt::default(),
        };
        assert_eq!(pending.request, expected);
        assert_eq!((origin, limit), (ORIGIN, 7));
        Ok(())
    });
    let result = ask(&world, None, "");
    let Ok(Authorize::NeedsSignIn(prompted)) = result else {
        panic!("{result:?}");
    };
    assert_eq!(prompted.interaction.expose(), minted_secret(1));
    assert_eq!(prompted.client, web());
    assert_eq!(prompted.redirect_uri.as_str(), "https://rp.test/cb");
    assert_eq!(prompted.expires_at, at(15 * 60));
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    SignIn,
    Consent,
    Code,
    Error(&'static str),
}

fn next(result: Result<Authorize, Fault>, redirect_uri: &str) -> Next {
    match result.unwrap() {
        Authorize::NeedsSignIn(_) => Next::SignIn,
        Authorize::NeedsConsent(_) => Next::Consent,
        Authorize::Refused(refusal) => panic!("{refusal:?}"),
        Authorize::Redirect(response) => {
            read_redirect(&response, redirect_uri);
            let error = response.reported_error().map(|error| error.code.as_str());
            error.map_or(Next::Code, Next::Error)
        }
    }
}

/// `prompt` and who is there decide together. Where consent has to be given anew, or nobody is signed
/// in, what is remembered is not even looked up.
#[rstest]
#[case::nobody("", false, None, Next::SignIn)]
#[case::nobody_silently("prompt=none", false, None, Next::Error("login_required"))]
#[case::first_time("", true, Some(false), Next::Consent)]
#[case::first_time_silently("prompt=none", true, Some(false), Next::Error("consent_required"))]
#[case::approved_before("", true, Some(true), Next::Code)]
#[case::approved_before_silently("prompt=none", true, Some(true), Next::Code)]
#[case::ask_again("prompt=consent", true, None, Next::Consent)]
#[case::ask_nobody_again("prompt=consent", false, None, Next::SignIn)]
#[case::sign_in_again("prompt=login", true, None, Next::SignIn)]
#[case::signed_in_just_now("max_age=1", true, Some(true), Next::Code)]
#[case::signed_in_too_long_ago("max_age=0", true, None, Next::SignIn)]
#[case::too_long_ago_silently("max_age=0&prompt=none", true, None, Next::Error("login_required"))]
#[case::both_again("prompt=login consent", true, None, Next::SignIn)]
#[case::twice_the_same("prompt=consent consent", true, None, Next::Consent)]
fn prompt_and_presence_decide_the_next_step(
    #[case] changes: &str,
    #[case] is_signed_in: bool,
    #[case] consented: Option<bool>,
    #[case] expected: Next,
) {
    let world = World::with(web());
    let world = match consented {
        None => world,
        Some(false) => remembering_nothing(world),
        Some(true) => remembering(world, "api.read"),
    };
    let world = match expected {
        Next::SignIn | Next::Consent => waiting(world),
        Next::Code => approving(world, Decided::First).records(code_issued(&web())),
        Next::Error(_) => world,
    };
    let owner = is_signed_in.then(signed_in);
    let result = ask(&world, owner.as_ref(), changes);
    assert_eq!(next(result, "https://rp.test/cb"), expected);
}

/// UI-06: more scope than was approved is asked for again; less is not.
#[rstest]
#[case("api.read", "api.read", true)]
#[case("api.read", "api.read api.write", true)]
#[case("api.read api.write", "api.read", false)]
#[case("api.write", "api.read", false)]
fn remembered_consent_covers_its_scope(
    #[case] asked: &str,
    #[case] remembered: &str,
    #[case] covered: bool,
) {
    let world = remembering(World::with(web()), remembered);
    let (world, expected) = if covered {
        let world = approving(world, Decided::First);
        (world.records(code_issued(&web())), Next::Code)
    } else {
        (waiting(world), Next::Consent)
    };
    let result = ask(&world, Some(&signed_in()), &format!("scope={asked}"));
    assert_eq!(next(result, "https://rp.test/cb"), expected);
}

/// UI-05: any program can receive what goes to loopback or a private scheme, so a public client is
/// asked for every time; `prompt=none` says so. Nothing remembered is looked up.
#[rstest]
#[case("http://127.0.0.1:49152/cb")]
#[case("http://[::1]/cb")]
#[case("com.example.app:/cb")]
fn a_public_client_off_the_web_is_asked_for_every_time(#[case] uri: &str) {
    let changes = format!("client_id=pub&redirect_uri={uri}");
    let result = ask(&waiting(World::with(public())), Some(&signed_in()), &changes);
    assert_eq!(next(result, uri), Next::Consent);
    let silently = format!("{changes}&prompt=none");
    let result = ask(&World::with(public()), Some(&signed_in()), &silently);
    assert_eq!(next(result, uri), Next::Error("consent_required"));
}

/// UI-05: a claimed https site receives alone, and a confidential client proves itself later.
#[rstest]
#[case(only_uri(public(), "https://app.test/cb"))]
#[case(only_uri(web(), "http://127.0.0.1/cb"))]
fn consent_is_remembered_where_only_the_client_can_use_the_answer(#[case] client: Client) {
    let uri = client.redirect_uris[0].as_str().to_owned();
    let world = World::with(client.clone()).records(code_issued(&client));
    let world = remembered_for(world, client.id.clone(), "api.read");
    let world = approving(world, Decided::First);
    let changes = format!("client_id={}&redirect_uri={uri}", client.id);
    assert_eq!(next(ask(&world, Some(&signed_in()), &changes), &uri), Next::Code);
}

/// CODE-08, CODE-09, PKCE-08, CODE-04: the code is bound to all that was asked, stored as a digest, and
/// never outlives its grant. Remembered consent is not given again, and answers no interaction.
#[rstest]
#[case::uncapped(None, 60)]
#[case::long_cap(Some(3600), 60)]
#[case::short_cap(Some(20), 20)]
fn an_approval_binds_the_code_to_the_request(#[case] cap: Option<i64>, #[case] lifetime: i64) {
    let world = World::with(web()).mints().records(code_issued(&web()));
    let mut world = remembering(world, "api.read");
    world.policy.grant_lifetime = cap.map(time::Duration::seconds);
    let approve = world.grants.expect_approve().once();
    approve.returning(move |approval| {
        assert_eq!(
            *approval.grant,
            Grant {
                id: minted_grant(1),
                subject: Some(alice().subject),
                client_id: web().id,
                scope: scope("api.read"),
                audience: Audience::default(),
                created_at: NOW,
                expires_at: cap.map(at),
                revoked_at: None,
            }
        );
        let code = AuthorizationCode::presented(&minted_under(minted_grant(1), 2));
        assert_eq!(Some(*approval.code), code.digest());
        assert_eq!(
            *approval.record,
            CodeRecord {
                client_id: web().id,
                redirect_uri: "https://rp.test/cb2?fixed=1".into(),
                redirect_uri_sent: true,
                code_challenge: CodeChallenge::parse(CHALLENGE),
                created_at: NOW,
                expires_at: at(lifetime),
            }
        );
        assert_eq!((approval.interaction, approval.remember), (None, None));
        Ok(Decided::First)
    });
    let changes = "redirect_uri=https://rp.test/cb2?fixed=1&foo=bar&access_token=y";
    let result = ask(&world, Some(&signed_in()), changes);
    // AUTHZ-03, AUTHZ-08, AUTHZ-11, AUTHZ-12, CODE-01: this, and no more, is sent back.
    let answer = answer_to_client(result, "https://rp.test/cb2?fixed=1");
    let code = minted_under(minted_grant(1), 2);
    let expected = [("fixed", "1"), ("code", &code), ("state", "xyz"), ("iss", ISSUER)];
    assert!(answer.iter().eq(expected));
}

/// AUTHZ-04: no state, none back.
#[test]
fn without_a_state_none_is_sent_back() {
    let world = approving(World::with(web()), Decided::First).records(code_issued(&web()));
    let world = remembering(world, "api.read");
    let result = ask(&world, Some(&signed_in()), "state=");
    assert!(!answer_to_client(result, "https://rp.test/cb").has("state"));
}

/// AUTHZ-24: from the proof on, the client hears that it may try again, with its state, and the log
/// hears the rest.
#[test]
fn a_fault_after_proof_goes_to_the_client() {
    let unavailable_answer = |world: World, owner: Option<&AuthenticatedOwner>| {
        let result = ask(&world, owner, "");
        drop(world);
        let answer = answer_to_client(result, "https://rp.test/cb");
        assert_eq!(answer.one("error"), Ok(Some("temporarily_unavailable")));
        assert_eq!(answer.one("state"), Ok(Some("xyz")));
        let description = answer.one("error_description").unwrap().unwrap();
        assert!(!description.contains("down") && !description.contains("dry"));
    };
    let owner = signed_in();

    let mut world = World::with(web()).records(faulted());
    let find = world.consents.expect_find().once();
    find.return_const(Err(unavailable()));
    unavailable_answer(world, Some(&owner));

    let mut world = World::with(web()).mints().records(faulted());
    let insert = world.pending.expect_insert().once();
    insert.return_const(Err(unavailable()));
    unavailable_answer(world, None);

    let mut world = remembering(World::with(web()).mints().records(faulted()), "api.read");
    let approve = world.grants.expect_approve().once();
    approve.returning(|_| Err(unavailable()));
    unavailable_answer(world, Some(&owner));

    let dry = Fault::Entropy(crate::entropy::EntropyError("dry".into()));
    let world = World::with(web()).dry().records(Event::Faulted { fault: dry.clone() });
    unavailable_answer(world, None);
    let world = World::with(web()).dry().records(Event::Faulted { fault: dry });
    unavailable_answer(remembering(world, "api.read"), Some(&owner));
}

//! `resource`: RFC 8707.

use super::*;
use crate::usecase::fixtures::{audience, resources};

fn world() -> World {
    let mut world = World::with(web());
    world.policy.resources = resources();
    world
}

/// RES-01, RES-02, RES-06: the client hears of it, and nothing waits.
#[rstest]
#[case("resource=https://unknown.test/", "invalid_target")]
#[case("resource=", "invalid_target")]
#[case("resource=/relative", "invalid_target")]
#[case("resource=https://a.test/%23fragment", "invalid_target")]
#[case("resource=https://a.test/&resource=javascript:alert(1)", "invalid_target")]
#[case("resource=https://b.test/&scope=api.write", "invalid_scope")]
fn a_wrong_resource_is_the_clients_error(#[case] changes: &str, #[case] expected: &str) {
    let answer = answer_to_client(ask(&world(), Some(&signed_in()), changes), "https://rp.test/cb");
    assert_eq!(answer.one("error"), Ok(Some(expected)));
    assert_eq!(answer.one("state"), Ok(Some("xyz")));
}

/// RES-05, RES-07: what waits for its owner says whom it is for; with no resource named, all that the
/// scope concerns.
#[rstest]
#[case("", "https://a.test/ https://b.test/")]
#[case("resource=HTTPS://A.test", "https://a.test/")]
#[case("resource=https://b.test&resource=https://a.test", "https://a.test/ https://b.test/")]
fn the_request_names_its_audience(#[case] changes: &str, #[case] expected: &str) {
    let expected = audience(expected);
    let kept = expected.clone();
    let mut world = world().mints();
    let insert = world.pending.expect_insert().once();
    insert.withf(move |pending, _, _| pending.request.audience == kept).return_const(Ok(()));
    match ask(&world, None, changes) {
        Ok(Authorize::NeedsSignIn(page)) => assert_eq!(page.request.audience, expected),
        other => panic!("{other:?}"),
    }
}

/// RES-03, RES-04: the grant is for the audience that was asked for, and no other.
#[test]
fn an_approval_is_for_the_audience_of_the_request() {
    let both = audience("https://a.test/ https://b.test/");
    let mut world =
        remembered_at(world(), web().id, "api.read", both).mints().records(code_issued(&web()));
    let approve = world.grants.expect_approve().once();
    approve.returning(|approval| {
        assert_eq!(approval.grant.audience, audience("https://b.test/"));
        Ok(Decided::First)
    });
    let answer = ask(&world, Some(&signed_in()), "resource=https://b.test/");
    assert!(answer_to_client(answer, "https://rp.test/cb").has("code"));
}

/// A remembered consent is for the resources that the owner saw; for another one they are asked.
#[test]
fn consent_to_one_resource_is_none_to_another() {
    let world = remembered_at(world(), web().id, "api.read", audience("https://a.test/"));
    let mut world = world.mints();
    world.pending.expect_insert().once().return_const(Ok(()));
    let answer = ask(&world, Some(&signed_in()), "resource=https://b.test/");
    assert!(matches!(answer, Ok(Authorize::NeedsConsent(_))), "{answer:?}");
}

/// One scope here and another there is neither of them in the other place.
#[test]
fn consents_to_two_resources_do_not_mix() {
    let given = |scopes, at| Consent {
        subject: alice().subject,
        client_id: web().id,
        scope: scope(scopes),
        audience: audience(at),
        given_at: NOW,
    };
    for (params, asked) in [
        ("resource=https://b.test/&scope=api.read", true),
        ("resource=https://a.test/&scope=api.write", true),
        ("resource=https://a.test/&resource=https://b.test/&scope=api.read", true),
        ("resource=https://a.test/&scope=api.read", false),
    ] {
        let mut world = world().mints();
        let both =
            vec![given("api.read", "https://a.test/"), given("api.write", "https://b.test/")];
        world.consents.expect_find().once().return_const(Ok(both));
        world.pending.expect_insert().return_const(Ok(()));
        world.grants.expect_approve().returning(|_| Ok(Decided::First));
        world.events.expect_record().return_const(());
        let answer = ask(&world, Some(&signed_in()), params);
        assert_eq!(matches!(answer, Ok(Authorize::NeedsConsent(_))), asked, "{params}: {answer:?}");
    }
}

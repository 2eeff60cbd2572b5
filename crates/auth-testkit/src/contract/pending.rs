//! Requests that wait for their owner: [`PendingAuthorizationStore`].

use super::world::{World, at};
use super::{Fresh, StoreUnderTest};
use crate::sample;
use auth_core::consent::{
    AuthorizationRequest, PendingAuthorization, PendingAuthorizationStore, Prompt,
};
use auth_core::secret::{InteractionDigest, SessionDigest};

/// Every field of a request is what was validated at the start. `state` is the client's own text: any
/// characters, NUL and line breaks included, byte for byte (AUTHZ-11, AUTHZ-23).
pub fn a_pending_request_comes_back_as_it_was_kept<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let full = PendingAuthorization {
        request: AuthorizationRequest {
            redirect_uri: "https://rp.test/cb2?fixed=1".into(),
            scope: sample::scope("api.read api.write profile"),
            state: Some(format!("+ %20&=#'\"<>\u{e9}\u{6f22}\r\n\t\0{}", "x".repeat(4000))),
            prompt: Prompt { none: false, login: true, consent: true },
            ..world.pending(at(3)).request
        },
        expires_at: at(904),
        ..world.pending(at(3))
    };
    let bare = PendingAuthorization {
        request: AuthorizationRequest {
            redirect_uri_sent: false,
            state: None,
            code_challenge: None,
            prompt: Prompt { none: true, ..Prompt::default() },
            ..world.pending(at(4)).request
        },
        ..world.pending(at(4))
    };
    for pending in [&full, &bare] {
        keep(&world, pending, "2001:db8::1", 10);
        assert_eq!(found(&world, pending), Some(pending.clone()));
    }
    let unknown = InteractionDigest::from_bytes(world.bytes());
    let nothing = PendingAuthorizationStore::find(world.other(), &unknown);
    assert_eq!(nothing, Ok(None));
}

/// Whoever signs in last for an interaction is who it is for.
pub fn the_last_sign_in_for_an_interaction_counts<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let [pending, bystander] = [1, 2].map(|second| world.pending(at(second)));
    keep(&world, &pending, "192.0.2.1", 10);
    keep(&world, &bystander, "192.0.2.1", 10);
    for _ in 0..2 {
        let session = SessionDigest::from_bytes(world.bytes());
        let signed_in = world.one().signed_in(&pending.interaction, &session);
        assert_eq!(signed_in, Ok(()));
        let expected = PendingAuthorization { signed_in: Some(session), ..pending.clone() };
        assert_eq!(found(&world, &pending), Some(expected));
    }
    assert_eq!(found(&world, &bystander), Some(bystander));
    let unknown = InteractionDigest::from_bytes(world.bytes());
    let session = SessionDigest::from_bytes(world.bytes());
    assert_eq!(world.one().signed_in(&unknown, &session), Ok(()));
}

/// XC-07: one address keeps `limit` requests; its oldest are forgotten, and nobody else's.
pub fn pending_requests_are_bounded_per_origin<S: StoreUnderTest>(fresh: Fresh<'_, S>) {
    let world = World::new(fresh);
    let other = world.pending(at(0));
    keep(&world, &other, "198.51.100.7", 3);
    let kept: Vec<_> = (1..=8).map(|second| world.pending(at(second))).collect();
    for (number, pending) in kept.iter().enumerate() {
        keep(&world, pending, "192.0.2.1", 3);
        for (earlier, it) in kept.iter().enumerate() {
            let there = earlier <= number && earlier + 3 > number;
            let message = format!("request {earlier} after request {number}");
            assert_eq!(found(&world, it).is_some(), there, "{message}");
        }
    }
    assert!(found(&world, &other).is_some(), "another origin's request");
    let last = world.pending(at(9));
    keep(&world, &last, "192.0.2.1", 1);
    assert!(found(&world, &last).is_some());
    assert!(!kept.iter().any(|it| found(&world, it).is_some()), "a smaller limit");
}

fn keep<S: StoreUnderTest>(
    world: &World<S>,
    pending: &PendingAuthorization,
    origin: &str,
    limit: usize,
) {
    let kept = PendingAuthorizationStore::insert(world.one(), pending, origin, limit);
    assert_eq!(kept, Ok(()));
}

fn found<S: StoreUnderTest>(
    world: &World<S>,
    pending: &PendingAuthorization,
) -> Option<PendingAuthorization> {
    PendingAuthorizationStore::find(world.other(), &pending.interaction).expect("find")
}

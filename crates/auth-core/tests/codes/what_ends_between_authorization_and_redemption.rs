//! What the owner or an administrator does while a code is on its way.

use super::*;

/// CODE-12
#[rstest]
#[case::owner_disabled(|server: &TestServer| {
    let alice = sample::alice().subject;
    OwnerRegistry::set_disabled(&*server.store, &alice, Some(now(server))).unwrap();
})]
#[case::client_disabled_and_enabled(|server: &TestServer| {
    let web = sample::client_id("web");
    let store = &*server.store;
    ClientRegistry::set_disabled(store, &web, Some(now(server))).unwrap();
    let refused = refusal_in(server.redeem("web", "whatever"));
    assert_eq!(refused, OAuthError::INVALID_CLIENT);
    ClientRegistry::set_disabled(store, &web, None).unwrap();
})]
#[case::password_changed(|server: &TestServer| {
    let alice = sample::alice().subject;
    let hash = sample::password_hash_of("bob");
    server.store.set_password(&alice, &hash, None, now(server)).unwrap();
})]
#[case::consent_withdrawn(|server: &TestServer| {
    let web = sample::client_id("web");
    let alice = sample::alice().subject;
    server.store.withdraw(&alice, Some(&web), now(server)).unwrap();
})]
#[case::owner_gone(|server: &TestServer| {
    server.store.edit(|data| data.owners.clear());
})]
#[case::scope_taken_from_the_client(|server: &TestServer| {
    server.update_client("web", |web| web.scope = sample::scope("profile"));
})]
fn ends_the_code(#[case] happens: fn(&TestServer)) {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let code = server.code("web", &alice);
    happens(&server);
    let refused = refusal_in(server.redeem("web", &code));
    assert_eq!(refused.code, ErrorCode::InvalidGrant);
}

/// TOKEN-10: what is left of the scope is what the tokens carry, and the answer says so.
#[test]
fn narrows_the_scope() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let code = server.code("web", &alice);
    server.update_client("web", |web| web.scope = sample::scope("api.read profile"));
    let tokens = server.redeem("web", &code).unwrap();
    assert_eq!(tokens.scope, sample::scope("api.read"));
}

/// Signing out, and the session's end, leave a code alone.
#[test]
fn does_not_include_the_session() {
    let server = TestServer::new();
    let alice = server.sign_in("alice");
    let code = server.code("web", &alice);
    server.engine.sign_out(&alice).unwrap();
    assert!(server.redeem("web", &code).is_ok());
}

//! Each file below takes a part of the rules; what they share is here.

use super::validate::DEFINED;
use super::*;
use crate::client::{ClientId, GrantType};
use crate::code::CodeRecord;
use crate::consent::{Consent, PendingAuthorization, Prompt};
use crate::grant::{Decided, Grant};
use crate::pkce::CodeChallenge;
use crate::policy::PkceRequiredFor;
use crate::resource::Audience;
use crate::secret::AuthorizationCode;
use crate::secret::BrowserSecret;
use crate::usecase::fixtures::{
    CHALLENGE, ISSUER, NOW, World, alice, at, browser, disabled, evil, minted_grant, minted_secret,
    minted_under, only_uri, overlay, public, scope, session, signed_in, store_fault, unavailable,
    web,
};
use proptest::prelude::*;
use rstest::rstest;

#[path = "authorize_tests/before_proof.rs"]
mod before_proof;
#[path = "authorize_tests/order.rs"]
mod order;
#[path = "authorize_tests/owner.rs"]
mod owner;
#[path = "authorize_tests/request_rules.rs"]
mod request_rules;
#[path = "authorize_tests/resources.rs"]
mod resources;
#[path = "authorize_tests/resume.rs"]
mod resume;

/// A request of `web` in which everything is right.
const GOOD: &str = "client_id=web&redirect_uri=https://rp.test/cb&response_type=code\
    &scope=api.read&state=xyz&code_challenge_method=S256\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The address that requests come from.
const ORIGIN: &str = "192.0.2.7";

/// Sends [`GOOD`] with changes.
fn ask(
    world: &World,
    owner: Option<&AuthenticatedOwner>,
    changes: &str,
) -> Result<Authorize, Fault> {
    ask_params(world, owner, &overlay(GOOD, changes))
}

fn ask_params(
    world: &World,
    owner: Option<&AuthenticatedOwner>,
    params: &Params,
) -> Result<Authorize, Fault> {
    let request = Request {
        params,
        response_type_optional: false,
        browser: &browser(),
        owner,
        origin: ORIGIN,
    };
    authorize(&world.authorize_ports(), &world.policy, &request)
}

/// The page that [`GOOD`] with changes is refused with.
fn refusal(world: &World, changes: &str) -> Refusal {
    match ask(world, None, changes) {
        Ok(Authorize::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// What the client hears: the parameters of the redirect.
fn answer_to_client(result: Result<Authorize, Fault>, redirect_uri: &str) -> Params {
    let Ok(Authorize::Redirect(response)) = result else {
        panic!("{result:?}");
    };
    read_redirect(&response, redirect_uri)
}

/// Reads a redirect, and checks what holds of every one: it leads to the redirect URI with its query
/// kept, and nowhere else (AUTHZ-12); it says who answers (CODE-01); an error is printable and comes
/// without a code (AUTHZ-14); there is never a token (AUTHZ-08).
fn read_redirect(response: &RedirectResponse, redirect_uri: &str) -> Params {
    assert_eq!(response.uri().as_str(), redirect_uri);
    let location = response.location();
    assert!(location.bytes().all(|byte| byte.is_ascii_graphic()));
    let (_, query) = location.split_once('?').unwrap();
    assert!(!query.contains('?') && !location.contains('#'));
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    assert!(location.starts_with(&format!("{redirect_uri}{separator}")));
    let params = overlay("", query);
    assert_eq!(params.one("iss"), Ok(Some(ISSUER)));
    assert!(!params.has("access_token") && !params.has("id_token"));
    assert_ne!(params.has("code"), params.has("error"));
    let error = response.reported_error().map(|error| error.code.as_str());
    assert_eq!(params.one("error"), Ok(error));
    let description = params.one("error_description").unwrap().unwrap_or_default();
    let printable = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    assert!(description.bytes().all(printable), "{description}");
    params
}

/// The error that the client hears of [`GOOD`] with changes, sent by nobody who is signed in.
fn error(client: Client, changes: &str) -> String {
    error_to(World::with(client), None, changes, "https://rp.test/cb")
}

fn error_to(
    world: World,
    owner: Option<&AuthenticatedOwner>,
    changes: &str,
    redirect_uri: &str,
) -> String {
    let result = ask(&world, owner, changes);
    // What was announced has happened by now.
    drop(world);
    let answer = answer_to_client(result, redirect_uri);
    answer.one("error").unwrap().unwrap_or("none").to_owned()
}

/// The page that an accepted request leads to, and the request as it waits.
fn accepted(client: Client, changes: &str) -> AuthorizationRequest {
    match ask(&waiting(World::with(client)), None, changes) {
        Ok(Authorize::NeedsSignIn(prompted)) => prompted.request,
        other => panic!("{other:?}"),
    }
}

/// One request may be stored to wait for its owner.
fn waiting(world: World) -> World {
    let mut world = world.mints();
    let insert = world.pending.expect_insert().once();
    insert.return_const(Ok(()));
    world
}

/// Alice approved this scope for the client before.
fn remembering(world: World, text: &str) -> World {
    remembered_for(world, web().id, text)
}

fn remembered_for(world: World, client_id: ClientId, text: &str) -> World {
    remembered_at(world, client_id, text, Audience::default())
}

fn remembered_at(mut world: World, client_id: ClientId, text: &str, audience: Audience) -> World {
    let subject = alice().subject;
    let consent = Consent {
        subject: subject.clone(),
        client_id: client_id.clone(),
        scope: scope(text),
        audience,
        given_at: at(-100),
    };
    let find = world.consents.expect_find().once();
    find.withf(move |who, what| *who == subject && *what == client_id)
        .return_const(Ok(vec![consent]));
    world
}

/// Alice never approved anything.
fn remembering_nothing(mut world: World) -> World {
    world.consents.expect_find().once().return_const(Ok(Vec::new()));
    world
}

/// One approval is recorded, with this outcome.
fn approving(world: World, decided: Decided) -> World {
    let mut world = world.mints();
    let approve = world.grants.expect_approve().once();
    approve.returning(move |_| Ok(decided));
    world
}

/// The event of a code that the first [`World::mints`] gave a grant for.
fn code_issued(client: &Client) -> Event {
    Event::CodeIssued {
        grant: minted_grant(1),
        client: client.id.clone(),
        subject: alice().subject,
        remembered: true,
    }
}

fn faulted() -> Event {
    Event::Faulted { fault: store_fault() }
}

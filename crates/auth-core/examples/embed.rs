//! An authorization server in one process, without HTTP: register, sign in, approve, redeem, refresh.
//! `cargo run -p auth-core --example embed`

use auth_core::AuthEngine;
use auth_core::client::ClientRegistry;
use auth_core::error::{OAuthError, TokenError};
use auth_core::owner::OwnerRegistry;
use auth_core::params::{ParamLimits, Params};
use auth_core::secret::BrowserSecret;
use auth_core::usecase::authorize::{Authorize, Request};
use auth_core::usecase::{decide_consent::Decision, sign_in::SignIn, token};
use auth_testkit::{CountingEntropy, FixedClock, MemoryStore, PlainPasswords, RecordingEvents};
use auth_testkit::{sample, server::code_in};
use std::sync::Arc;

const AUTHORIZE: &str = "response_type=code&client_id=pub&redirect_uri=http://127.0.0.1:5000/cb\
    &state=xyz&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDEEM: &str = "grant_type=authorization_code&client_id=pub\
    &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&code=";
const REFRESH: &str = "grant_type=refresh_token&client_id=pub&refresh_token=";

fn form(text: &str) -> Result<Params, OAuthError> {
    Ok(Params::parse_form(text.as_bytes(), ParamLimits::QUERY)?)
}

#[expect(clippy::disallowed_macros, reason = "an example may print")]
pub(crate) fn main() -> Result<(), TokenError> {
    let (store, events) = (Arc::new(MemoryStore::new()), Arc::new(RecordingEvents::default()));
    let (clock, entropy) = (Arc::new(FixedClock::default()), Arc::new(CountingEntropy::default()));
    ClientRegistry::insert(&*store, &sample::public())?;
    OwnerRegistry::insert(&*store, &sample::alice(), &sample::password_hash_of("alice"))?;
    let browser = &BrowserSecret::mint(&*entropy)?.digest();
    let (policy, passwords) = (sample::policy(), Arc::new(PlainPasswords));
    let (username, password, origin) = ("alice", &sample::password_of("alice"), "127.0.0.1");

    // ANCHOR: embed
    // Yours: a store, a password hasher, the time, randomness, a log.
    let engine = AuthEngine::new(policy, store, passwords, clock, entropy, events);

    // A browser signs in and brings an authorization request; its owner approves.
    let login = SignIn { username, password, replaces: None, interaction: None };
    let session = engine.sign_in(&login)?.expect("the right password");
    let owner = engine.recognize(&session)?;
    let (owner, params) = (owner.as_ref(), &form(AUTHORIZE)?);
    let request = Request { params, response_type_optional: false, browser, owner, origin };
    let Authorize::NeedsConsent(page) = engine.authorize(&request)? else { panic!("no page") };
    let (interaction, params) = (&page.interaction, &form("decision=approve")?);
    let answer = engine.decide_consent(&Decision { interaction, browser, owner, params })?;

    // The client redeems the code with its verifier, and refreshes.
    let post = |params: &Params| engine.token(&token::Request { authorization: &[], params });
    let first = post(&form(&format!("{REDEEM}{}", code_in(&answer)))?)?;
    let held = first.refresh_token.expect("this client may refresh");
    let next = post(&form(&format!("{REFRESH}{}", held.expose()))?)?;
    // ANCHOR_END: embed

    println!("{} for {} s: {}", next.scope, next.expires_in, next.access_token.expose());
    Ok(())
}

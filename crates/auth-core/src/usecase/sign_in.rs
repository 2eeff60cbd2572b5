//! Signing in and out with a local account, and recognizing who is signed in.
//!
//! 1. An unknown name, a wrong password and a disabled account look the same and cost the same
//!    (UI-18).
//! 2. Signing in starts a new session and ends the browser's old one (UI-15, UI-16).
//! 3. A password that was changed while it was checked starts nothing: whoever changed it ended the
//!    sessions that there were, and wants no new one with the old password.
//! 4. A session signs its browser in until it is idle too long or too old, and only while its owner is
//!    enabled.

use crate::consent::PendingAuthorizationStore;
use crate::entropy::Entropy;
use crate::error::Fault;
use crate::event::{Event, EventSink};
use crate::owner::{Owner, OwnerStore, Username};
use crate::password::{Password, PasswordCheck, PasswordHash, PasswordHasher};
use crate::policy::Policy;
use crate::secret::{InteractionId, SessionDigest, SessionSecret};
use crate::session::{AuthenticatedOwner, Session, SessionId, SessionStore};
use crate::timestamp::Clock;

/// The ports of signing in and out.
pub struct Ports<'a> {
    /// Resource owners.
    pub owners: &'a dyn OwnerStore,
    /// Sessions.
    pub sessions: &'a dyn SessionStore,
    /// Requests that wait for a sign-in.
    pub pending: &'a dyn PendingAuthorizationStore,
    /// Passwords.
    pub passwords: &'a dyn PasswordHasher,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness.
    pub entropy: &'a dyn Entropy,
    /// The security log.
    pub events: &'a dyn EventSink,
}

/// A sign-in form as it arrives.
pub struct SignIn<'a> {
    /// What was typed as the user name.
    pub username: &'a str,
    /// What was typed as the password.
    pub password: &'a Password,
    /// The browser's session so far, which ends.
    pub replaces: Option<&'a SessionSecret>,
    /// The interaction that asked for the sign-in; the caller has checked that it is this browser's.
    pub interaction: Option<&'a InteractionId>,
}

/// Signs an owner in. `None` if name and password do not fit. Slow by design: run it where slowness
/// harms nobody else.
///
/// # Errors
/// The fault of a port.
pub fn sign_in(ports: &Ports<'_>, form: &SignIn<'_>) -> Result<Option<SessionSecret>, Fault> {
    let Some(Proven { owner, hash }) = check_password(ports, form.username, form.password)? else {
        return Ok(None);
    };
    let secret = SessionSecret::mint(ports.entropy)?;
    let now = ports.clock.now();
    let session = Session {
        id: SessionId::mint(ports.entropy)?,
        digest: secret.digest(),
        subject: owner.subject.clone(),
        created_at: now,
        last_seen_at: now,
    };
    ports.sessions.insert(&session, form.replaces.map(SessionSecret::digest).as_ref())?;
    if !still_holds(ports, &owner, form.password, &hash)? {
        ports.sessions.end(&session.digest)?;
        ports.events.record(&Event::SignInRefused { subject: Some(owner.subject) });
        return Ok(None);
    }
    if let Some(interaction) = form.interaction {
        ports.pending.signed_in(&interaction.digest(), &session.digest)?;
    }
    ports.events.record(&Event::SignedIn { subject: owner.subject });
    Ok(Some(secret))
}

/// An owner whose password was right, and the hash that it was right by.
struct Proven {
    owner: Owner,
    hash: PasswordHash,
}

/// Whether the password is right yet, now that the session is there for whoever changes it to end.
fn still_holds(
    ports: &Ports<'_>,
    owner: &Owner,
    password: &Password,
    hash: &PasswordHash,
) -> Result<bool, Fault> {
    Ok(match ports.owners.find_by_username(&owner.username)? {
        Some((owner, _)) if !owner.is_enabled() => false,
        Some((_, stored)) if stored == *hash => true,
        Some((_, stored)) => {
            matches!(ports.passwords.verify(password, &stored)?, PasswordCheck::Match { .. })
        }
        None => false,
    })
}

fn check_password(
    ports: &Ports<'_>,
    username: &str,
    password: &Password,
) -> Result<Option<Proven>, Fault> {
    let found = match Username::parse(username) {
        Some(username) => ports.owners.find_by_username(&username)?,
        None => None,
    };
    let Some((owner, hash)) = found else {
        ports.passwords.verify_nothing(password);
        ports.events.record(&Event::SignInRefused { subject: None });
        return Ok(None);
    };
    match ports.passwords.verify(password, &hash)? {
        PasswordCheck::Match { rehash } if owner.is_enabled() => {
            if !rehash {
                return Ok(Some(Proven { owner, hash }));
            }
            let renewed = ports.passwords.hash(password)?;
            ports.owners.rehash(&owner.subject, &hash, &renewed)?;
            Ok(Some(Proven { owner, hash: renewed }))
        }
        _ => {
            ports.events.record(&Event::SignInRefused { subject: Some(owner.subject) });
            Ok(None)
        }
    }
}

/// Who is signed in with this session cookie, if anybody.
///
/// # Errors
/// The fault of a port.
pub fn recognize(
    sessions: &dyn SessionStore,
    clock: &dyn Clock,
    policy: &Policy,
    secret: &SessionSecret,
) -> Result<Option<AuthenticatedOwner>, Fault> {
    let digest = secret.digest();
    let now = clock.now();
    let Some((session, owner)) = sessions.find(&digest)? else {
        return Ok(None);
    };
    if !owner.is_enabled() || !session.is_live(policy.sessions, now) {
        return Ok(None);
    }
    if session.wants_touch(policy.sessions, now) {
        sessions.touch(&digest, now)?;
    }
    Ok(Some(AuthenticatedOwner { owner, session: digest, signed_in_at: session.created_at }))
}

/// Ends a browser's session. What its owner granted stays.
///
/// # Errors
/// The fault of a port.
pub fn sign_out(
    sessions: &dyn SessionStore,
    events: &dyn EventSink,
    owner: &AuthenticatedOwner,
) -> Result<(), Fault> {
    let digest: &SessionDigest = owner.session();
    sessions.end(digest)?;
    events.record(&Event::SignedOut { subject: owner.owner().subject.clone() });
    Ok(())
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;

//! Moving house: everything out of one database and into another, of either kind.

#[path = "../common/mod.rs"]
mod common;

mod moves;
mod refusals;

use auth_core::client::ClientRegistry;
use auth_core::code::{CodeStore as _, Redeemed, Redemption};
use auth_core::consent::{
    AuthorizationRequest, Consent, PendingAuthorization, PendingAuthorizationStore, Prompt,
};
use auth_core::grant::{Approval, Grant, GrantStore as _};
use auth_core::owner::OwnerRegistry;
use auth_core::pkce::CodeChallenge;
use auth_core::secret::{BrowserSecret, InteractionId, SessionSecret};
use auth_core::session::{Session, SessionId, SessionStore};
use auth_core::token::{Rotated, TokenStore as _};
use auth_store_diesel::{Counts, DieselStore, TransferError, export, import, migrate};
use auth_testkit::sample;
use common::{Scratch, access, approve, at, code, record_of, redeem, rotate};

/// Rows in every table, with every column both NULL and not where it may be.
fn fill(store: &DieselStore) {
    let unicode = "Ёлка \u{1f680} \"quoted\" \\ </script> \u{202e}\u{7f}";
    for mut client in sample::clients() {
        if client.id == sample::client_id("evil") {
            client.name = unicode.into();
            client.disabled_at = Some(at(5));
        }
        ClientRegistry::insert(store, &client).unwrap();
    }
    for mut owner in [sample::alice(), sample::bob()] {
        let hash = sample::password_hash_of(owner.username.as_str());
        if owner == sample::bob() {
            (owner.name, owner.email) = (Some(unicode.into()), None);
            owner.disabled_at = Some(at(6));
        }
        OwnerRegistry::insert(store, &owner, &hash).unwrap();
    }
    SessionStore::insert(store, &session(), None).unwrap();
    for (name, state) in [("one", Some("a\0b\r\n\u{1f680}")), ("two", Some("")), ("three", None)] {
        PendingAuthorizationStore::insert(store, &pending(name, state), "192.0.2.7", 9).unwrap();
    }
    let signed_in = session().digest;
    store.signed_in(&pending("one", None).interaction, &signed_in).unwrap();

    // Live, with a chain of tokens: r1 is spent, r2 is used, r3 is not; and a remembered consent.
    let grant = Grant {
        scope: sample::scope("api.read profile"),
        expires_at: Some(at(90_000)),
        ..common::grant("live")
    };
    let consent = Consent {
        subject: sample::alice().subject,
        client_id: grant.client_id.clone(),
        scope: grant.scope.clone(),
        audience: grant.audience.clone(),
        given_at: at(10),
    };
    let decided = store.approve(&Approval {
        interaction: Some(&pending("two", None).interaction),
        grant: &grant,
        code: &code(&grant.id),
        record: &record_of(&grant),
        remember: Some(&consent),
    });
    decided.unwrap();
    assert_eq!(redeem(store, &grant.id, at(20), "r1"), Redeemed::First);
    assert_eq!(rotate(store, &grant.id, "r1", "r2"), Rotated::Done);
    assert_eq!(rotate(store, &grant.id, "r2", "r3"), Rotated::Done);
    // Revoked, a code that waits, and one whose client may not refresh.
    let revoked = approve(store, "revoked");
    assert_eq!(redeem(store, &revoked, at(20), "of-revoked"), Redeemed::First);
    assert_eq!(store.revoke(&revoked, at(30)), Ok(true));
    approve(store, "waiting");
    let plain = approve(store, "plain");
    let redeemed = store.redeem(&Redemption {
        code: &code(&plain),
        at: at(20),
        access: &access(&plain, "of-plain"),
        refresh: None,
    });
    assert_eq!(redeemed, Ok(Redeemed::First));
    // A client's own, with a token that was taken back.
    let own = Grant { subject: None, ..common::grant("own") };
    let taken_back = access(&own.id, "of-own");
    store.issue(&own, &taken_back).unwrap();
    store.revoke_access(&taken_back.digest).unwrap();
}

fn session() -> Session {
    Session {
        id: SessionId::new("session-1".into()),
        digest: SessionSecret::presented("a session").digest(),
        subject: sample::alice().subject,
        created_at: at(3),
        last_seen_at: at(4),
    }
}

fn pending(name: &str, state: Option<&str>) -> PendingAuthorization {
    PendingAuthorization {
        interaction: InteractionId::presented(name).digest(),
        browser: BrowserSecret::presented("a browser").digest(),
        request: AuthorizationRequest {
            client_id: sample::client_id("web"),
            redirect_uri: "https://rp.test/cb".into(),
            redirect_uri_sent: state.is_some(),
            scope: sample::scope("api.read"),
            audience: sample::audience("https://api.test/ urn:example:api"),
            state: state.map(str::to_owned),
            code_challenge: state.and_then(|_| CodeChallenge::parse(sample::CHALLENGE)),
            prompt: Prompt { login: state.is_none(), ..Prompt::default() },
        },
        created_at: at(8),
        expires_at: at(608),
        signed_in: None,
        decided_at: None,
    }
}

/// Fills a database, and answers what is exported from it.
fn filled(scratch: &Scratch) -> String {
    fill(&scratch.open());
    export_of(scratch)
}

fn export_of(scratch: &Scratch) -> String {
    let mut file = Vec::new();
    export(&scratch.url(), at(1_000), &mut file).unwrap();
    String::from_utf8(file).unwrap()
}

fn import_into(scratch: &Scratch, file: &[u8]) -> Result<Counts, TransferError> {
    migrate(&scratch.url()).unwrap();
    import(&scratch.url(), &mut &*file)
}

//! `grant` and `session`: what people approved, who is signed in, and taking it back.

use crate::world::{World, fields};
use auth_core::client::{ClientId, ClientStore};
use auth_core::code::CodeRecord;
use auth_core::consent::{Consent, ConsentStore};
use auth_core::grant::{Approval, Grant, GrantId, GrantStore as _};
use auth_core::owner::{OwnerStore, SubjectId, Username};
use auth_core::resource::Audience;
use auth_core::scope::Scope;
use auth_core::secret::{CodeDigest, SessionDigest, TokenDigest};
use auth_core::session::{Session, SessionId, SessionStore};
use auth_core::timestamp::Timestamp;
use auth_core::token::{NewAccessToken, TokenStore as _};
use auth_store_diesel::DieselStore;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

const GRANT_1: &str = "01010101010101010101010101010101";
const GRANT_2: &str = "02020202020202020202020202020202";
const GRANT_3: &str = "03030303030303030303030303030303";
const GRANT_4: &str = "04040404040404040404040404040404";

/// A world in which alice and bob signed in and approved something.
struct Approved {
    world: World,
}

fn now() -> Timestamp {
    Timestamp::from_unix(OffsetDateTime::now_utc().unix_timestamp())
}

fn subject(store: &DieselStore, username: &str) -> SubjectId {
    let username = Username::parse(username).unwrap();
    store.find_by_username(&username).unwrap().unwrap().0.subject
}

fn approve(store: &DieselStore, number: u8, username: &str, client: &str, age: Duration) {
    let subject = subject(store, username);
    let client_id = ClientId::parse(client).unwrap();
    let created_at = now().before(age);
    let (scope, audience) = (Scope::parse("read").unwrap(), Audience::default());
    let grant = Grant {
        id: GrantId::from_bytes([number; 16]),
        subject: Some(subject.clone()),
        client_id: client_id.clone(),
        scope: scope.clone(),
        audience: audience.clone(),
        created_at,
        expires_at: None,
        revoked_at: None,
    };
    let record = CodeRecord {
        client_id: client_id.clone(),
        redirect_uri: "https://rp.test/cb".to_owned(),
        redirect_uri_sent: true,
        code_challenge: None,
        created_at,
        expires_at: created_at.after(Duration::hours(1)),
    };
    let approval = Approval {
        interaction: None,
        grant: &grant,
        code: &CodeDigest::new(grant.id, [number; 32]),
        record: &record,
        remember: Some(&Consent { subject, client_id, scope, audience, given_at: created_at }),
    };
    store.approve(&approval).unwrap();
}

fn sign_in(store: &DieselStore, number: u8, username: &str, age: Duration) {
    let session = Session {
        id: SessionId::new(format!("session-{number}")),
        digest: SessionDigest::from_bytes([number; 32]),
        subject: subject(store, username),
        created_at: now().before(age),
        last_seen_at: now().before(age),
    };
    SessionStore::insert(store, &session, None).unwrap();
}

impl Approved {
    /// Grants 1 and 2 are alice's for `web` and `other`, 3 is bob's for `web`, 4 is alice's for `web` and has nothing left; `session-1` and `session-2` are alice's,
    /// `session-3` is bob's, and `session-4` idled too long.
    fn new() -> Self {
        let world = World::new();
        for id in ["web", "other"] {
            world.add_client(id);
        }
        for username in ["alice", "bob"] {
            world.add_user(username);
        }
        let store = world.store();
        approve(&store, 1, "alice", "web", Duration::minutes(1));
        approve(&store, 2, "alice", "other", Duration::minutes(2));
        approve(&store, 3, "bob", "web", Duration::minutes(3));
        approve(&store, 4, "alice", "web", Duration::hours(4));
        sign_in(&store, 1, "alice", Duration::minutes(1));
        sign_in(&store, 2, "alice", Duration::minutes(2));
        sign_in(&store, 3, "bob", Duration::minutes(3));
        sign_in(&store, 4, "alice", Duration::hours(9));
        Self { world }
    }

    fn ids(&self, field: &str, arguments: &[&str]) -> Vec<String> {
        let list = self.world.json(arguments);
        let id = |one: &Value| one[field].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(id).collect()
    }

    fn grants(&self, more: &[&str]) -> Vec<String> {
        self.ids("grant_id", &[&["grant", "list"], more].concat())
    }

    fn sessions(&self, more: &[&str]) -> Vec<String> {
        self.ids("session_id", &[&["session", "list"], more].concat())
    }

    fn remembers(&self, username: &str, client: &str) -> bool {
        let store = self.world.store();
        let client = ClientId::parse(client).unwrap();
        !ConsentStore::find(&store, &subject(&store, username), &client).unwrap().is_empty()
    }

    fn is_revoked(&self, grant: &str) -> bool {
        let all = self.world.json(&["grant", "list", "--all"]);
        let found = all.as_array().unwrap().iter().find(|one| one["grant_id"] == grant);
        found.unwrap()["revoked"].as_bool().unwrap()
    }
}

#[test]
fn grants_are_listed_the_newest_first_by_user_and_by_client() {
    let approved = Approved::new();
    assert_eq!(approved.grants(&[]), [GRANT_1, GRANT_2, GRANT_3]);
    assert_eq!(approved.grants(&["--all"]), [GRANT_1, GRANT_2, GRANT_3, GRANT_4]);
    assert_eq!(approved.grants(&["--user", "alice"]), [GRANT_1, GRANT_2]);
    assert_eq!(approved.grants(&["--client", "web"]), [GRANT_1, GRANT_3]);
    assert_eq!(approved.grants(&["--user", "bob", "--client", "web"]), [GRANT_3]);
    assert!(approved.grants(&["--user", "bob", "--client", "other"]).is_empty());

    let first = &approved.world.json(&["grant", "list"])[0];
    let created_at = first["created_at"].clone();
    assert_eq!(
        *first,
        json!({
            "grant_id": GRANT_1, "username": "alice", "client_id": "web", "scope": "read",
            "created_at": created_at, "revoked": false,
        })
    );
    let table = approved.world.run(&["grant", "list"]).succeeded().stdout;
    assert!(table.starts_with("GRANT ID  ") && table.contains("  CREATED AT"), "{table}");
    assert_eq!(table.lines().count(), 4, "{table}");
}

/// CC-03: what a client got for itself is nobody's approval.
#[test]
fn cc_03_what_clients_get_for_themselves_is_not_listed() {
    let approved = Approved::new();
    let store = approved.world.store();
    let created_at = now();
    let scope = Scope::parse("read").unwrap();
    let grant = Grant {
        id: GrantId::from_bytes([9; 16]),
        subject: None,
        client_id: ClientId::parse("web").unwrap(),
        scope: scope.clone(),
        audience: Audience::default(),
        created_at,
        expires_at: None,
        revoked_at: None,
    };
    let access = NewAccessToken {
        digest: TokenDigest::new(grant.id, [9; 32]),
        scope,
        audience: Audience::default(),
        created_at,
        expires_at: created_at.after(Duration::hours(1)),
    };
    assert!(store.issue(&grant, &access).unwrap());
    assert_eq!(approved.grants(&["--all"]), [GRANT_1, GRANT_2, GRANT_3, GRANT_4]);
}

#[test]
fn a_revoked_grant_is_listed_only_with_all_and_its_consent_stays_remembered() {
    let approved = Approved::new();
    let revoked = approved.world.json(&["grant", "revoke", GRANT_1]);
    assert_eq!(revoked, json!({ "grant_id": GRANT_1, "revoked": true }));
    assert_eq!(approved.grants(&[]), [GRANT_2, GRANT_3]);
    assert!(approved.is_revoked(GRANT_1) && !approved.is_revoked(GRANT_2));
    assert!(approved.remembers("alice", "web"));
    approved.world.json(&["grant", "revoke", GRANT_1]);
    for unknown in ["grant-9", "09090909090909090909090909090909"] {
        let reason = approved.world.refused(&["grant", "revoke", unknown]);
        assert!(reason.contains(&format!("no grant \"{unknown}\"")), "{reason}");
    }
}

#[test]
fn revoking_by_user_and_client_forgets_the_consent_and_touches_no_other() {
    let approved = Approved::new();
    let withdrawn = approved.world.json(&["grant", "revoke", "--user", "alice", "--client", "web"]);
    assert_eq!(withdrawn, json!({ "username": "alice", "client_id": "web", "grants_revoked": 2 }));
    assert_eq!(approved.grants(&[]), [GRANT_2, GRANT_3]);
    assert!(!approved.remembers("alice", "web"));
    assert!(approved.remembers("alice", "other") && approved.remembers("bob", "web"));

    let withdrawn = approved.world.json(&["grant", "revoke", "--user", "alice"]);
    assert_eq!(withdrawn, json!({ "username": "alice", "grants_revoked": 1 }));
    assert_eq!(approved.grants(&[]), [GRANT_3]);
    assert!(!approved.remembers("alice", "other") && approved.remembers("bob", "web"));
    approved.world.refused(&["grant", "revoke", "--user", "alice", "--client", "nobody"]);
}

#[test]
fn sessions_are_listed_the_newest_first_without_those_that_idled_out() {
    let approved = Approved::new();
    assert_eq!(approved.sessions(&[]), ["session-1", "session-2", "session-3"]);
    assert_eq!(approved.sessions(&["--user", "bob"]), ["session-3"]);
    let first = &approved.world.json(&["session", "list"])[0];
    assert_eq!(fields(first), ["created_at", "last_seen_at", "session_id", "username"]);
    assert_eq!(
        (&first["username"], &first["created_at"]),
        (&json!("alice"), &first["last_seen_at"])
    );
    let table = approved.world.run(&["session", "list"]).succeeded().stdout;
    assert!(table.starts_with("SESSION ID  CREATED AT"), "{table}");
}

/// Ending a session signs a browser out; what was approved stays.
#[test]
fn sessions_are_ended_one_by_one_or_all_of_a_user_and_grants_stay() {
    let approved = Approved::new();
    let ended = approved.world.json(&["session", "revoke", "session-1"]);
    assert_eq!(ended, json!({ "session_id": "session-1", "revoked": true }));
    assert_eq!(approved.sessions(&[]), ["session-2", "session-3"]);
    assert!(approved.world.refused(&["session", "revoke", "session-1"]).contains("no session"));
    let ended = approved.world.json(&["session", "revoke", "--user", "alice"]);
    assert_eq!(ended["username"], "alice");
    assert_eq!(approved.sessions(&[]), ["session-3"]);
    assert_eq!(approved.grants(&[]).len(), 3);
}

/// CODE-12: a new password ends sessions and codes that wait for redemption.
#[test]
fn code_12_a_new_password_ends_all_sessions_and_unredeemed_codes() {
    let approved = Approved::new();
    let passwd = ["user", "passwd", "alice", "--password-stdin"];
    approved.world.run_with(b"battery staple\n", &passwd).succeeded();
    assert_eq!(approved.sessions(&[]), ["session-3"]);
    assert!(approved.is_revoked(GRANT_1) && approved.is_revoked(GRANT_2));
    assert!(!approved.is_revoked(GRANT_3));
}

#[test]
fn disabling_a_user_ends_their_sessions_and_grants_and_enabling_brings_none_back() {
    let approved = Approved::new();
    approved.world.json(&["user", "disable", "alice"]);
    approved.world.json(&["user", "enable", "alice"]);
    assert_eq!(approved.sessions(&[]), ["session-3"]);
    assert_eq!(approved.grants(&[]), [GRANT_3]);
}

#[test]
fn disabling_or_deleting_a_client_ends_its_grants_which_stay_on_record() {
    let approved = Approved::new();
    approved.world.json(&["client", "disable", "web"]);
    approved.world.json(&["client", "enable", "web"]);
    assert_eq!(approved.grants(&[]), [GRANT_2]);
    approved.world.json(&["client", "delete", "other"]);
    assert!(approved.grants(&[]).is_empty());
    assert_eq!(approved.grants(&["--client", "other", "--all"]), [GRANT_2]);
    assert!(!approved.remembers("alice", "other"));
    let web = ClientId::parse("web").unwrap();
    assert!(ClientStore::find(&approved.world.store(), &web).unwrap().is_some());
}

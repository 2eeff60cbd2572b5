//! The statements of every request are prepared once per connection.

use super::super::scratch::{
    Scratch, UNPREPARED, grow, is_available, key_columns, plan, reads_a_whole_table, transact,
};
use super::{
    Connection, clients, codes, consents, grants, housekeeping, owners, pending, sessions, tokens,
};
use crate::transition::{Approval, Redemption, Rotation};
use auth_core::client::ClientId;
use auth_core::code::{CodeRecord, Redeemed};
use auth_core::consent::{AuthorizationRequest, Consent, PendingAuthorization, Prompt};
use auth_core::grant::{Decided, Grant, GrantId};
use auth_core::owner::SubjectId;
use auth_core::secret::{BrowserDigest, CodeDigest, InteractionDigest, SessionDigest, TokenDigest};
use auth_core::session::{Session, SessionId};
use auth_core::timestamp::Timestamp;
use auth_core::token::{NewAccessToken, NewRefreshToken, RefreshReuse, Rotated};
use auth_testkit::sample;
use diesel::connection::{Connection as _, InstrumentationEvent};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Statements {
    run: BTreeSet<String>,
    prepared: Vec<String>,
}

/// Runs the flow three times, and answers the statements of it.
fn run_flow(scratch: &Scratch) -> Statements {
    let mut conn = scratch.connect();
    clients::insert(&mut conn, &sample::web()).unwrap();
    owners::insert(&mut conn, &sample::alice(), &sample::password_hash_of("alice")).unwrap();

    let seen = Arc::new(Mutex::new(Statements::default()));
    let sink = Arc::clone(&seen);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        let mut seen = sink.lock().unwrap();
        match event {
            InstrumentationEvent::StartQuery { query, .. } => {
                let text = query.to_string();
                let sql = text.split(" -- binds").next().unwrap_or_default();
                seen.run.insert(sql.to_owned());
            }
            InstrumentationEvent::CacheQuery { sql, .. } => seen.prepared.push(sql.to_owned()),
            _ => {}
        }
    });
    for round in 0..3 {
        transact(&mut conn, round, |conn| flow(conn, round));
    }

    drop(conn);
    Arc::into_inner(seen).expect("the connection is closed").into_inner().unwrap()
}

#[test]
fn the_statements_of_a_flow_are_prepared_once() {
    if !is_available() {
        return;
    }
    let seen = run_flow(&Scratch::new());
    let once: BTreeSet<_> = seen.prepared.iter().cloned().collect();
    assert_eq!(once.len(), seen.prepared.len(), "prepared more than once");
    // One statement of housekeeping names as many grants as its batch met.
    let may_differ = |sql: &str| sql.starts_with("DELETE FROM `grants`");
    let every_time = seen.run.difference(&once).filter(|sql| !UNPREPARED.contains(&sql.as_str()));
    let every_time: Vec<_> = every_time.filter(|sql| !may_differ(sql)).collect();
    assert_eq!(every_time, Vec::<&String>::new(), "prepared each time");
    assert!(seen.run.len() > 30, "{} statements", seen.run.len());
}

/// Everything is found by a key or an index, however much is stored.
#[test]
fn no_statement_of_a_flow_reads_a_whole_table() {
    if !is_available() {
        return;
    }
    let scratch = Scratch::new();
    let run = run_flow(&scratch).run;
    let mut conn = scratch.connect();
    let asks = |sql: &&String| {
        ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].iter().any(|verb| sql.starts_with(verb))
    };
    for sql in run.iter().filter(asks) {
        let plan = plan(&mut conn, sql);
        assert!(!plan.iter().any(|step| reads_a_whole_table(step)), "{sql}: {plan:#?}");
    }
}

/// All that a request asks of codes and tokens is found by their whole keys, and these lie together under
/// the grant. Only where a token was presented more than once are all rows of its grant looked at.
#[test]
fn codes_and_tokens_are_found_by_their_whole_keys() {
    if !is_available() {
        return;
    }
    let scratch = Scratch::new();
    let run = run_flow(&scratch).run;
    let mut conn = scratch.connect();
    grow(&mut conn);
    let (mut whole, mut under_the_grant) = (0, Vec::new());
    for sql in run.iter().filter(|sql| sql.contains("token_digest") || sql.contains("code_digest"))
    {
        for step in plan(&mut conn, sql) {
            match key_columns(&step) {
                Some(2) => whole += 1,
                Some(_) => under_the_grant.push(sql.as_str()),
                None => {}
            }
        }
    }
    assert!(whole >= 8, "{whole} steps");
    let is_rare = |sql: &&str| sql.starts_with("UPDATE tokens SET spent_at") && sql.contains("<>");
    assert!(under_the_grant.iter().all(is_rare), "{under_the_grant:#?}");
}

/// Everything that a sign-in with consent, a redemption and refreshes run.
fn flow(conn: &mut Connection, round: u8) {
    let at = Timestamp::from_unix;
    let (web, alice) = (sample::client_id("web"), sample::alice().subject);
    let session = SessionDigest::from_bytes([round; 32]);
    let interaction = InteractionDigest::from_bytes([round; 32]);
    clients::find(conn, &web).unwrap().unwrap();
    pending::insert(conn, &request(&web, interaction), "192.0.2.1", 2).unwrap();
    pending::find(conn, &interaction).unwrap().unwrap();
    owners::find_by_username(conn, &sample::alice().username).unwrap();
    sessions::insert(conn, &signed_in(&alice, session), Some(&session)).unwrap();
    pending::signed_in(conn, &interaction, &session).unwrap();
    sessions::touch(conn, &session, at(70)).unwrap();
    sessions::find(conn, &session).unwrap().unwrap();
    owners::find(conn, &alice).unwrap().unwrap();
    consents::find(conn, &alice, &web).unwrap();

    let grant = GrantId::from_bytes([round; 16]);
    let code = CodeDigest::new(grant, [round; 32]);
    let approval = approval(grant, code, interaction);
    assert_eq!(grants::approve(conn, &approval).unwrap(), Decided::First);
    codes::find(conn, &code).unwrap().unwrap();
    let redemption =
        Redemption { code, at: at(2), access: access(grant, 0), refresh: Some(refresh(grant, 0)) };
    assert_eq!(codes::redeem(conn, &redemption).unwrap(), Redeemed::First);
    tokens::find(conn, &access(grant, 0).digest).unwrap().unwrap();
    // Each of the first is presented more often than successors are kept, and its last successor is used.
    let uses = 20;
    for step in 0..3 * uses {
        let rotation = Rotation {
            presented: refresh(grant, step / uses * uses).digest,
            at: at(3),
            reuse: RefreshReuse::UntilSuccessorUsed,
            access: access(grant, step + 1),
            successor: Some(refresh(grant, step + 1)),
        };
        tokens::find(conn, &rotation.presented).unwrap().unwrap();
        assert_eq!(tokens::rotate(conn, &rotation).unwrap(), Rotated::Done);
    }
    tokens::revoke_access(conn, &access(grant, 1).digest).unwrap();
    assert_eq!(tokens::find(conn, &access(grant, 1).digest).unwrap(), None);
    let own = GrantId::from_bytes([0x80 | round; 16]);
    let issued = Grant { id: own, subject: None, ..approval.grant };
    assert!(tokens::issue(conn, &issued, &access(own, 0)).unwrap());
    assert_eq!(codes::redeem(conn, &redemption).unwrap(), Redeemed::Replayed);
    let lifetimes = sample::policy().sessions;
    housekeeping::purge(conn, at(100), lifetimes, 100).unwrap();
    sessions::end(conn, &session).unwrap();
}

fn request(client_id: &ClientId, interaction: InteractionDigest) -> PendingAuthorization {
    PendingAuthorization {
        interaction,
        browser: BrowserDigest::from_bytes([9; 32]),
        request: AuthorizationRequest {
            client_id: client_id.clone(),
            redirect_uri: "https://rp.test/cb".into(),
            redirect_uri_sent: true,
            scope: sample::scope("api.read"),
            audience: sample::audience("https://api.test/"),
            state: None,
            code_challenge: None,
            prompt: Prompt::default(),
        },
        created_at: Timestamp::from_unix(0),
        expires_at: Timestamp::from_unix(600),
        signed_in: None,
        decided_at: None,
    }
}

fn signed_in(subject: &SubjectId, digest: SessionDigest) -> Session {
    Session {
        id: SessionId::new("session".into()),
        digest,
        subject: subject.clone(),
        created_at: Timestamp::from_unix(0),
        last_seen_at: Timestamp::from_unix(0),
    }
}

fn approval(id: GrantId, code: CodeDigest, interaction: InteractionDigest) -> Approval {
    let (subject, client_id) = (sample::alice().subject, sample::client_id("web"));
    Approval {
        interaction: Some(interaction),
        grant: Grant {
            id,
            subject: Some(subject.clone()),
            client_id: client_id.clone(),
            scope: sample::scope("api.read"),
            audience: sample::audience("https://api.test/"),
            created_at: Timestamp::from_unix(1),
            expires_at: None,
            revoked_at: None,
        },
        code,
        record: CodeRecord {
            client_id: client_id.clone(),
            redirect_uri: "https://rp.test/cb".into(),
            redirect_uri_sent: true,
            code_challenge: None,
            created_at: Timestamp::from_unix(1),
            expires_at: Timestamp::from_unix(60),
        },
        remember: Some(Consent {
            subject,
            client_id,
            scope: sample::scope("api.read"),
            audience: sample::audience("https://api.test/"),
            given_at: Timestamp::from_unix(1),
        }),
    }
}

fn access(grant: GrantId, step: u8) -> NewAccessToken {
    NewAccessToken {
        digest: TokenDigest::new(grant, [step; 32]),
        scope: sample::scope("api.read"),
        audience: sample::audience("https://api.test/"),
        created_at: Timestamp::from_unix(2),
        expires_at: Timestamp::from_unix(80),
    }
}

fn refresh(grant: GrantId, step: u8) -> NewRefreshToken {
    NewRefreshToken {
        digest: TokenDigest::new(grant, [0x80 | step; 32]),
        created_at: Timestamp::from_unix(2),
        expires_at: Timestamp::from_unix(90),
    }
}

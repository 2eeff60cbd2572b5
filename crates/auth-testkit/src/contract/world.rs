//! The rows that the promises are checked with.

use super::{Fresh, Handles, StoreUnderTest, THREADS_PER_HANDLE};
use crate::{FixedClock, sample};
use auth_core::client::{ClientId, ClientRegistry, Inserted};
use auth_core::code::{CodeRecord, CodeStore, Redeemed, Redemption};
use auth_core::consent::{
    AuthorizationRequest, Consent, ConsentStore, PendingAuthorization, PendingAuthorizationStore,
    Prompt,
};
use auth_core::grant::{Approval, Decided, Grant, GrantId};
use auth_core::owner::{OwnerRegistry, SubjectId};
use auth_core::pkce::CodeChallenge;
use auth_core::scope::Scope;
use auth_core::secret::{BrowserDigest, CodeDigest, InteractionDigest, SessionDigest, TokenDigest};
use auth_core::session::{Session, SessionId, SessionStore};
use auth_core::timestamp::Timestamp;
use auth_core::token::{
    AccessTokenRecord, NewAccessToken, NewRefreshToken, RefreshReuse, RefreshTokenRecord, Rotated,
    Rotation, TokenRecord, TokenStore,
};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use time::Duration;

pub(super) const ALICE: &str = "alice";
pub(super) const BOB: &str = "bob";
pub(super) const WEB: &str = "web";
pub(super) const EVIL: &str = "evil";

pub(super) const CODE_LIFETIME: Duration = Duration::seconds(60);
pub(super) const ACCESS_LIFETIME: Duration = Duration::minutes(10);
pub(super) const REFRESH_LIFETIME: Duration = Duration::days(30);

/// This many seconds after the beginning.
pub(super) fn at(seconds: i64) -> Timestamp {
    FixedClock::START.after(Duration::seconds(seconds))
}

/// Two handles on a store that knows the sample clients `web` and `evil` and the owners alice and bob.
pub(super) struct World<S> {
    handles: Handles<S>,
    count: AtomicU64,
}

/// What an approval left: the grant, and the code that stands for it.
#[derive(Clone)]
pub(super) struct Approved {
    pub grant: GrantId,
    pub code: CodeDigest,
}

/// Tokens that were handed to the store, whether or not it took them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tokens {
    pub access: TokenDigest,
    pub refresh: TokenDigest,
}

impl<S: StoreUnderTest> World<S> {
    pub fn new(fresh: Fresh<'_, S>) -> Self {
        let world = Self::empty(fresh);
        for client in [sample::web(), sample::evil()] {
            let inserted = ClientRegistry::insert(world.one(), &client);
            assert_eq!(inserted, Ok(Inserted::Inserted), "an empty store");
        }
        for name in [ALICE, BOB] {
            let hash = sample::password_hash_of(name);
            let inserted = OwnerRegistry::insert(world.one(), &sample::owner(name), &hash);
            assert_eq!(inserted, Ok(Inserted::Inserted), "an empty store");
        }
        world
    }

    /// Without clients and owners.
    pub fn empty(fresh: Fresh<'_, S>) -> Self {
        let handles = fresh();
        let count = AtomicU64::new(1);
        Self { handles, count }
    }

    pub fn one(&self) -> &S {
        &self.handles.one
    }

    /// The second handle. Reading through it what was written through the first shows that nothing is
    /// kept in a handle.
    pub fn other(&self) -> &S {
        &self.handles.other
    }

    /// Runs this on every thread of both handles at once, with the thread's number.
    pub fn race<T: Send>(&self, run: impl Fn(&S, usize) -> T + Sync) -> Vec<T> {
        let start = Barrier::new(2 * THREADS_PER_HANDLE);
        std::thread::scope(|scope| {
            let (run, start) = (&run, &start);
            let threads: Vec<_> = (0..2 * THREADS_PER_HANDLE)
                .map(|number| {
                    let handles = [&self.handles.one, &self.handles.other];
                    let store: &S = handles[number % 2];
                    scope.spawn(move || {
                        start.wait();
                        run(store, number)
                    })
                })
                .collect();
            let results = threads.into_iter().map(|thread| thread.join());
            results.map(|result| result.expect("a thread of the race panicked")).collect()
        })
    }

    /// 32 bytes that were never given before.
    pub fn bytes(&self) -> [u8; 32] {
        let count = self.count.fetch_add(1, Ordering::SeqCst);
        let mut bytes = [0x5a; 32];
        let spread = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bytes[..8].copy_from_slice(&spread.to_be_bytes());
        bytes
    }

    pub fn name(&self) -> String {
        format!("{:04}", self.count.fetch_add(1, Ordering::SeqCst))
    }

    // Decisions

    pub fn pending(&self, created_at: Timestamp) -> PendingAuthorization {
        PendingAuthorization {
            interaction: InteractionDigest::from_bytes(self.bytes()),
            browser: BrowserDigest::from_bytes(self.bytes()),
            request: AuthorizationRequest {
                client_id: sample::client_id(WEB),
                redirect_uri: "https://rp.test/cb".into(),
                redirect_uri_sent: true,
                scope: sample::scope("api.read"),
                audience: sample::audience("https://a.test/ https://b.test/"),
                state: Some("st".into()),
                code_challenge: CodeChallenge::parse(sample::CHALLENGE),
                prompt: Prompt::default(),
            },
            created_at,
            expires_at: created_at.after(Duration::minutes(15)),
            signed_in: None,
            decided_at: None,
        }
    }

    /// The digest of an interaction that waits.
    pub fn interaction(&self) -> InteractionDigest {
        let pending = self.pending(at(0));
        PendingAuthorizationStore::insert(self.one(), &pending, "192.0.2.1", 100).expect("insert");
        pending.interaction
    }

    /// A grant that was never there.
    pub fn grant_id(&self) -> GrantId {
        let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = self.bytes();
        GrantId::from_bytes(bytes)
    }

    pub fn grant(&self, client: &str, owner: &str, created_at: Timestamp) -> Grant {
        Grant {
            id: self.grant_id(),
            subject: Some(subject(owner)),
            client_id: sample::client_id(client),
            scope: sample::scope("api.read api.write"),
            audience: sample::audience("https://a.test/ https://b.test/"),
            created_at,
            expires_at: None,
            revoked_at: None,
        }
    }

    pub fn code_record(&self, grant: &Grant) -> CodeRecord {
        CodeRecord {
            client_id: grant.client_id.clone(),
            redirect_uri: "https://rp.test/cb".into(),
            redirect_uri_sent: true,
            code_challenge: CodeChallenge::parse(sample::CHALLENGE),
            created_at: grant.created_at,
            expires_at: grant.created_at.after(CODE_LIFETIME),
        }
    }

    /// Tries to record an approval of this grant.
    pub fn decide(
        &self,
        store: &S,
        interaction: Option<&InteractionDigest>,
        grant: &Grant,
        remember: Option<&Scope>,
    ) -> (Decided, Approved) {
        let code = CodeDigest::new(grant.id, self.bytes());
        let consent = remember.map(|scope| Consent {
            subject: grant.subject.clone().expect("an owner approves"),
            client_id: grant.client_id.clone(),
            scope: scope.clone(),
            audience: grant.audience.clone(),
            given_at: grant.created_at,
        });
        let decided = store.approve(&Approval {
            interaction,
            grant,
            code: &code,
            record: &self.code_record(grant),
            remember: consent.as_ref(),
        });
        (decided.expect("approve"), Approved { grant: grant.id, code })
    }

    /// Approves this grant, remembering the consent.
    pub fn approve(&self, grant: &Grant) -> Approved {
        let (decided, approved) = self.decide(self.one(), None, grant, Some(&grant.scope));
        assert_eq!(decided, Decided::First, "no interaction, no second decision");
        approved
    }

    /// A fresh approval by this owner for this client.
    pub fn approved(&self, client: &str, owner: &str) -> Approved {
        self.approve(&self.grant(client, owner, at(0)))
    }

    pub fn grant_of(&self, approved: &Approved) -> Grant {
        let found = CodeStore::find(self.other(), &approved.code).expect("find");
        found.expect("the code and its grant are there").1
    }

    pub fn is_revoked(&self, approved: &Approved) -> bool {
        self.grant_of(approved).revoked_at.is_some()
    }

    /// The consent that is remembered, where there can be but one.
    pub fn consent(&self, owner: &str, client: &str) -> Option<Consent> {
        let mut consents = self.consents(owner, client);
        assert!(consents.len() <= 1, "one audience, one consent: {consents:?}");
        consents.pop()
    }

    /// Every consent that is remembered, ordered by audience.
    pub fn consents(&self, owner: &str, client: &str) -> Vec<Consent> {
        let client = sample::client_id(client);
        let found = ConsentStore::find(self.other(), &subject(owner), &client);
        let mut consents = found.expect("find");
        consents.sort_by(|one, other| one.audience.cmp(&other.audience));
        consents
    }

    // Tokens

    /// A token under this grant that was never there.
    pub fn token_digest(&self, grant: GrantId) -> TokenDigest {
        TokenDigest::new(grant, self.bytes())
    }

    pub fn access_token(&self, grant: GrantId, now: Timestamp) -> NewAccessToken {
        NewAccessToken {
            digest: self.token_digest(grant),
            scope: sample::scope("api.read"),
            audience: sample::audience("https://b.test/"),
            created_at: now,
            expires_at: now.after(ACCESS_LIFETIME),
        }
    }

    pub fn refresh_token(&self, grant: GrantId, now: Timestamp) -> NewRefreshToken {
        NewRefreshToken {
            digest: self.token_digest(grant),
            created_at: now,
            expires_at: now.after(REFRESH_LIFETIME),
        }
    }

    pub fn redeem(&self, store: &S, approved: &Approved, now: Timestamp) -> (Redeemed, Tokens) {
        let grant = approved.grant;
        let (access, refresh) = (self.access_token(grant, now), self.refresh_token(grant, now));
        let redeemed = store.redeem(&Redemption {
            code: &approved.code,
            at: now,
            access: &access,
            refresh: Some(&refresh),
        });
        (redeemed.expect("redeem"), tokens(&access, &refresh))
    }

    /// Approves and redeems.
    pub fn bought(&self, client: &str, owner: &str) -> (Approved, Tokens) {
        let approved = self.approved(client, owner);
        let (redeemed, tokens) = self.redeem(self.one(), &approved, at(0));
        assert_eq!(redeemed, Redeemed::First, "a fresh code under a live grant");
        (approved, tokens)
    }

    /// Presents a refresh token; the refresh token in the answer is the successor that was offered.
    pub fn rotate(
        &self,
        store: &S,
        presented: &TokenDigest,
        now: Timestamp,
        reuse: RefreshReuse,
    ) -> (Rotated, Tokens) {
        let successor = self.refresh_token(presented.grant(), now);
        self.rotate_into(store, presented, reuse, now, &successor)
    }

    pub fn rotate_into(
        &self,
        store: &S,
        presented: &TokenDigest,
        reuse: RefreshReuse,
        now: Timestamp,
        successor: &NewRefreshToken,
    ) -> (Rotated, Tokens) {
        let access = self.access_token(presented.grant(), now);
        let rotated = store.rotate(&Rotation {
            presented,
            at: now,
            reuse,
            access: &access,
            successor: Some(successor),
        });
        (rotated.expect("rotate"), tokens(&access, successor))
    }

    /// Presents a refresh token where that must succeed.
    pub fn refreshed(&self, presented: &TokenDigest) -> Tokens {
        let reuse = RefreshReuse::UntilSuccessorUsed;
        let (rotated, tokens) = self.rotate(self.one(), presented, at(1), reuse);
        assert_eq!(rotated, Rotated::Done, "a token that is not spent");
        tokens
    }

    /// Whether the store took both tokens, or neither; half is never right.
    pub fn took(&self, tokens: &Tokens) -> bool {
        let access = self.access(&tokens.access).is_some();
        let refresh = self.refresh(&tokens.refresh).is_some();
        assert_eq!(access, refresh, "both tokens are stored, or none");
        access
    }

    /// What the store knows of an access token.
    pub fn access(&self, token: &TokenDigest) -> Option<(AccessTokenRecord, Grant)> {
        match TokenStore::find(self.other(), token).expect("find")? {
            (TokenRecord::Access(record), grant) => Some((record, grant)),
            (other, _) => panic!("an access token came back as {other:?}"),
        }
    }

    /// What the store knows of a refresh token.
    pub fn refresh(&self, token: &TokenDigest) -> Option<(RefreshTokenRecord, Grant)> {
        match TokenStore::find(self.other(), token).expect("find")? {
            (TokenRecord::Refresh(record), grant) => Some((record, grant)),
            (other, _) => panic!("a refresh token came back as {other:?}"),
        }
    }

    // Sessions

    /// A session of this owner that is stored.
    pub fn session(&self, owner: &str, created_at: Timestamp) -> Session {
        let session = self.new_session(owner, created_at);
        SessionStore::insert(self.one(), &session, None).expect("insert");
        session
    }

    pub fn new_session(&self, owner: &str, created_at: Timestamp) -> Session {
        Session {
            id: SessionId::new(format!("session-{}", self.name())),
            digest: SessionDigest::from_bytes(self.bytes()),
            subject: subject(owner),
            created_at,
            last_seen_at: created_at,
        }
    }

    pub fn found_session(&self, session: &Session) -> Option<Session> {
        let found = SessionStore::find(self.other(), &session.digest).expect("find");
        found.map(|(session, _)| session)
    }

    pub fn is_signed_in(&self, session: &Session) -> bool {
        self.found_session(session).is_some()
    }
}

pub(super) fn subject(owner: &str) -> SubjectId {
    sample::owner(owner).subject
}

pub(super) fn id(client: &str) -> ClientId {
    sample::client_id(client)
}

fn tokens(access: &NewAccessToken, refresh: &NewRefreshToken) -> Tokens {
    Tokens { access: access.digest, refresh: refresh.digest }
}

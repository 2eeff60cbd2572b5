//! The model: what every flow was given, and what may become of it.

use super::{Redeem, Step};
use auth_core::client::ClientRegistry;
use auth_core::code::CodeStore;
use auth_core::error::{ErrorCode, TokenError};
use auth_core::grant::{GrantId, GrantStore};
use auth_core::housekeeping::Housekeeping;
use auth_core::owner::OwnerRegistry;
use auth_core::policy::Policy;
use auth_core::scope::Scope;
use auth_core::secret::{AccessToken, AuthorizationCode, InteractionId};
use auth_core::timestamp::{Clock, Timestamp};
use auth_core::token::{MAX_SIBLINGS, RefreshReuse};
use auth_core::usecase::authorize::Authorize;
use auth_core::usecase::token::TokenResponse;
use auth_testkit::server::{code_in, request_of};
use auth_testkit::{TestServer, sample};
use time::Duration;

const CLIENTS: [&str; 2] = ["web", "pub"];
const OWNERS: [&str; 2] = ["alice", "bob"];
pub(crate) const SCOPES: [&str; 2] = ["api.read", "api.read api.write"];

/// A consent page that was shown.
struct Asked {
    client: usize,
    owner: usize,
    scope: Scope,
    interaction: InteractionId,
    expires_at: Timestamp,
    decided: bool,
}

/// What one approval led to.
pub(crate) struct Flow {
    client: usize,
    owner: usize,
    scope: Scope,
    grant: GrantId,
    grant_end: Option<Timestamp>,
    code: String,
    code_end: Timestamp,
    redeemed: bool,
    tokens: Vec<Token>,
    access: Vec<AccessToken>,
    /// The refresh token that the client holds.
    held: usize,
    /// The grant was revoked.
    pub(crate) dead: bool,
    /// Something happened to it that an honest client does not do or cannot help.
    disturbed: bool,
}

/// A refresh token that was issued.
struct Token {
    text: String,
    parent: Option<usize>,
    end: Timestamp,
    used: bool,
    /// Forgotten among too many siblings.
    forgotten: bool,
}

pub(crate) struct World {
    server: TestServer,
    reuse: RefreshReuse,
    asked: Vec<Asked>,
    pub(crate) flows: Vec<Flow>,
    /// The latest that it ever was: what expired by then may have been purged.
    latest: Timestamp,
}

impl World {
    pub(crate) fn new(reuse: RefreshReuse, capped: bool) -> Self {
        let server = TestServer::with_policy(Policy {
            refresh_reuse: reuse,
            grant_lifetime: capped.then_some(Duration::days(40)),
            ..sample::policy()
        });
        let latest = server.clock.now();
        Self { server, reuse, asked: Vec::new(), flows: Vec::new(), latest }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.server.clock.now()
    }

    pub(crate) fn take(&mut self, step: &Step) {
        match *step {
            Step::Authorize { client, owner, scope } => {
                self.authorize(client % 2, owner % 2, SCOPES[scope % 2]);
            }
            Step::Decide { interaction, approve } => {
                if let Some(which) = pick(interaction, self.asked.len()) {
                    self.decide(which, approve);
                }
            }
            Step::Redeem { flow, how } => {
                if let Some(flow) = pick(flow, self.flows.len()) {
                    self.redeem(flow, how);
                }
            }
            Step::Refresh { flow, heard } => {
                if let Some(flow) = self.redeemed(flow) {
                    let held = self.flows[flow].held;
                    let new = self.present(flow, held, None);
                    if let (Some(new), true) = (new, heard) {
                        self.flows[flow].held = new;
                    }
                }
            }
            Step::Present { flow, token } => {
                if let Some(flow) = self.redeemed(flow) {
                    let token = token % self.flows[flow].tokens.len();
                    self.flows[flow].disturbed = true;
                    self.present(flow, token, None);
                }
            }
            Step::Misuse { flow, token } => {
                if let Some(flow) = self.redeemed(flow) {
                    let token = token % self.flows[flow].tokens.len();
                    let it = &self.flows[flow];
                    let other = CLIENTS[1 - it.client];
                    refused(self.server.refresh(other, &it.tokens[token].text));
                }
            }
            Step::Narrow { flow, scope } => {
                if let Some(flow) = self.redeemed(flow) {
                    let held = self.flows[flow].held;
                    self.present(flow, held, Some(scope));
                }
            }
            Step::Revoke { flow } => {
                if let Some(flow) = pick(flow, self.flows.len()) {
                    let id = &self.flows[flow].grant;
                    self.server.store.revoke(id, self.now()).unwrap();
                    self.flows[flow].end();
                }
            }
            Step::Withdraw { owner, client } => {
                let subject = sample::owner(OWNERS[owner % 2]).subject;
                let id = sample::client_id(CLIENTS[client % 2]);
                self.server.store.withdraw(&subject, Some(&id), self.now()).unwrap();
                self.end(|flow| flow.owner == owner % 2 && flow.client == client % 2);
            }
            Step::DisableClient { client } => {
                let id = sample::client_id(CLIENTS[client % 2]);
                let store = &*self.server.store;
                for at in [Some(self.now()), None] {
                    ClientRegistry::set_disabled(store, &id, at).unwrap();
                }
                self.end(|flow| flow.client == client % 2);
            }
            Step::DisableOwner { owner } => {
                let subject = sample::owner(OWNERS[owner % 2]).subject;
                let store = &*self.server.store;
                for at in [Some(self.now()), None] {
                    OwnerRegistry::set_disabled(store, &subject, at).unwrap();
                }
                self.end(|flow| flow.owner == owner % 2);
            }
            Step::ChangePassword { owner } => {
                let name = OWNERS[owner % 2];
                let hash = sample::password_hash_of(name);
                let subject = sample::owner(name).subject;
                self.server.store.set_password(&subject, &hash, None, self.now()).unwrap();
                self.end(|flow| flow.owner == owner % 2 && !flow.redeemed);
            }
            Step::Advance { seconds } => {
                self.server.clock.advance(Duration::seconds(seconds));
                self.latest = self.latest.max(self.now());
            }
            Step::Purge { limit } => {
                let sessions = self.server.engine.policy.sessions;
                self.server.store.purge(self.now(), sessions, limit).unwrap();
            }
        }
    }

    /// One of the flows whose code was redeemed.
    fn redeemed(&self, number: usize) -> Option<usize> {
        let flows: Vec<_> = (0..self.flows.len()).filter(|it| self.flows[*it].redeemed).collect();
        pick(number, flows.len()).map(|which| flows[which])
    }

    fn end(&mut self, which: impl Fn(&Flow) -> bool) {
        self.flows.iter_mut().filter(|flow| which(flow)).for_each(Flow::end);
    }

    pub(crate) fn authorize(&mut self, client: usize, owner: usize, scope: &'static str) {
        let mut params = request_of(CLIENTS[client]);
        params.retain(|(name, _)| *name != "scope");
        params.push(("scope", scope));
        let session = self.server.sign_in(OWNERS[owner]);
        let scope = sample::scope(scope);
        match self.server.authorize(&params, Some(&session)) {
            Authorize::NeedsConsent(page) => self.asked.push(Asked {
                client,
                owner,
                scope,
                interaction: page.interaction,
                expires_at: page.expires_at,
                decided: false,
            }),
            answer => {
                assert_eq!(CLIENTS[client], "web", "a native app is asked about every time");
                self.begin(client, owner, scope, code_in(&answer));
            }
        }
    }

    pub(crate) fn decide(&mut self, which: usize, approve: bool) {
        let (now, latest) = (self.now(), self.latest);
        let asked = &mut self.asked[which];
        let session = self.server.sign_in(OWNERS[asked.owner]);
        let decision = if approve { "approve" } else { "deny" };
        let fields = [("decision", decision)];
        let answer = self.server.decide(&asked.interaction, Some(&session), &fields);
        if asked.decided || asked.expires_at.is_expired(now) {
            assert!(matches!(answer, Authorize::Refused(_)), "decided twice, or late");
        } else if matches!(answer, Authorize::Refused(_)) {
            assert!(asked.expires_at.is_expired(latest), "an open interaction was refused");
        } else {
            asked.decided = true;
            if approve {
                let (client, owner, scope) = (asked.client, asked.owner, asked.scope.clone());
                self.begin(client, owner, scope, code_in(&answer));
            }
        }
    }

    fn begin(&mut self, client: usize, owner: usize, scope: Scope, code: String) {
        let digest = AuthorizationCode::presented(&code).digest().unwrap();
        let found = CodeStore::find(&*self.server.store, &digest).unwrap();
        let (record, grant) = found.expect("a fresh code");
        assert_eq!(grant.scope, scope, "what was approved is what was asked for");
        self.flows.push(Flow {
            client,
            owner,
            scope,
            grant: grant.id,
            grant_end: grant.expires_at,
            code,
            code_end: record.expires_at,
            redeemed: false,
            tokens: Vec::new(),
            access: Vec::new(),
            held: 0,
            dead: false,
            disturbed: false,
        });
    }

    pub(crate) fn redeem(&mut self, which: usize, how: Redeem) {
        let (now, latest) = (self.now(), self.latest);
        let flow = &self.flows[which];
        let client = CLIENTS[flow.client];
        let send = |client, verifier: &str, uri| {
            let params = [
                ("grant_type", "authorization_code"),
                ("code", flow.code.as_str()),
                ("code_verifier", verifier),
                ("redirect_uri", uri),
            ];
            self.server.token(client, &params)
        };
        let uri = request_of(client)[1].1;
        let answer = match how {
            Redeem::Rightly => send(client, sample::VERIFIER, uri),
            Redeem::WrongVerifier => return refused(send(client, sample::CHALLENGE, uri)),
            Redeem::WrongRedirectUri => {
                return refused(send(client, sample::VERIFIER, "https://evil.test/cb"));
            }
            Redeem::WrongClient => {
                return refused(send(CLIENTS[1 - flow.client], sample::VERIFIER, uri));
            }
        };
        let (first, gone) = (!flow.redeemed, flow.code_end.is_expired(latest));
        let good = first && !flow.dead && !flow.code_end.is_expired(now);
        match answer {
            Ok(response) => {
                assert!(good, "a code that was redeemed, expired or revoked bought tokens");
                self.flows[which].redeemed = true;
                self.issued(which, None, response, None);
            }
            error => {
                refused(error);
                assert!(!good || gone, "a good code was refused");
                if !first && (!gone || self.is_revoked(which)) {
                    self.flows[which].end();
                }
            }
        }
    }

    /// Presents a refresh token as its client. Answers the successor.
    fn present(&mut self, which: usize, token: usize, scope: Option<&str>) -> Option<usize> {
        let (now, latest) = (self.now(), self.latest);
        let flow = &self.flows[which];
        let presented = &flow.tokens[token];
        let mut params =
            vec![("grant_type", "refresh_token"), ("refresh_token", presented.text.as_str())];
        params.extend(scope.map(|scope| ("scope", scope)));
        let answer = self.server.token(CLIENTS[flow.client], &params);
        let spent = flow.is_spent(token, self.reuse);
        let expired = presented.end.is_expired(now);
        let gone = presented.forgotten || presented.end.is_expired(latest);
        let wide = scope.is_some_and(|scope| !sample::scope(scope).is_within(&flow.scope));
        let honest = token == flow.held && self.reuse == RefreshReuse::UntilSuccessorUsed;
        match answer {
            Ok(response) => {
                assert!(!flow.dead && !spent && !expired && !presented.forgotten && !wide);
                let narrowed = scope.map(sample::scope);
                Some(self.issued(which, Some(token), response, narrowed))
            }
            error => {
                refused(error);
                let signed_out = honest && !flow.disturbed && !gone && !wide;
                assert!(!signed_out, "an honest client was signed out");
                assert!(flow.dead || spent || gone || wide, "a good token was refused");
                if spent && !wide && (!gone || self.is_revoked(which)) {
                    self.flows[which].end();
                }
                None
            }
        }
    }

    /// Notes a response. Answers the number of its refresh token.
    fn issued(
        &mut self,
        which: usize,
        parent: Option<usize>,
        response: TokenResponse,
        narrowed: Option<Scope>,
    ) -> usize {
        let (now, flow) = (self.server.clock.now(), &mut self.flows[which]);
        assert_eq!(response.scope, narrowed.unwrap_or_else(|| flow.scope.clone()));
        if let Some(end) = flow.grant_end {
            let access_end = now.after(Duration::seconds(response.expires_in));
            assert!(access_end <= end, "an access token outlives its grant");
        }
        let end = now.after(self.server.engine.policy.refresh_token_lifetime);
        let token = Token {
            text: response.refresh_token.expect("both clients may refresh").expose().to_owned(),
            parent,
            end: flow.grant_end.map_or(end, |cap| cap.min(end)),
            used: false,
            forgotten: false,
        };
        flow.access.push(response.access_token);
        flow.tokens.push(token);
        if let Some(parent) = parent {
            flow.tokens[parent].used = true;
            flow.forget_surplus(parent);
        }
        flow.tokens.len() - 1
    }

    /// Whether the grant is revoked. A replay of what expired once, under a clock that went back, is
    /// noticed or not, as purging had it.
    fn is_revoked(&self, which: usize) -> bool {
        let grant = &self.flows[which].grant;
        let revoked = |grant: &auth_core::grant::Grant| grant.revoked_at.is_some();
        self.server.store.edit(|data| data.grants.get(grant).is_some_and(revoked))
    }

    /// What must hold at any time.
    pub(crate) fn check(&self) {
        for flow in &self.flows {
            for token in 0..flow.tokens.len() {
                let children = flow.tokens.iter().filter(|it| it.parent == Some(token));
                assert!(children.filter(|it| it.used).count() <= 1, "two lines are alive");
            }
            if flow.dead {
                let alive = flow.access.iter().any(|token| self.server.accepts(token));
                assert!(!alive, "a token outlives its grant");
            }
        }
        self.server.store.edit(|data| {
            let ends = |grant, end| {
                let cap: Option<Timestamp> = data.grants[&grant].expires_at;
                assert!(cap.is_none_or(|cap| end <= cap), "something outlives its grant");
            };
            for (token, record) in &data.access {
                ends(token.grant(), record.expires_at);
                assert!(record.scope.is_within(&data.grants[&token.grant()].scope));
            }
            for (token, row) in &data.refresh {
                ends(token.grant(), row.record.expires_at);
            }
            for (code, row) in &data.codes {
                ends(code.grant(), row.record.expires_at);
            }
        });
        for flow in &self.flows {
            let revoked = self
                .server
                .store
                .edit(|data| data.grants.get(&flow.grant).map(|grant| grant.revoked_at.is_some()));
            assert!(revoked.is_none_or(|revoked| revoked == flow.dead), "unlike the model");
        }
    }

    /// In the end, everything that was ever issued is tried once more.
    pub(crate) fn try_everything(&mut self) {
        for flow in 0..self.flows.len() {
            self.redeem(flow, Redeem::Rightly);
            for token in (0..self.flows[flow].tokens.len()).rev() {
                self.flows[flow].disturbed = true;
                self.present(flow, token, None);
                self.check();
            }
        }
    }
}

impl Flow {
    fn end(&mut self) {
        self.dead = true;
        self.disturbed = true;
    }

    /// By the rules of refresh tokens: a successor was used, or a rival, or it was used itself where
    /// that is enough.
    fn is_spent(&self, token: usize, reuse: RefreshReuse) -> bool {
        let it = &self.tokens[token];
        let successor = self.tokens.iter().any(|other| other.used && other.parent == Some(token));
        let rival = self.tokens.iter().enumerate().any(|(number, other)| {
            number != token && other.used && other.parent.is_some() && other.parent == it.parent
        });
        successor || rival || (reuse == RefreshReuse::Strict && it.used)
    }

    fn forget_surplus(&mut self, parent: usize) {
        let unused = |it: &&mut Token| it.parent == Some(parent) && !it.used && !it.forgotten;
        let count = self.tokens.iter_mut().filter(unused).count();
        let surplus = count.saturating_sub(MAX_SIBLINGS);
        for oldest in self.tokens.iter_mut().filter(unused).take(surplus) {
            oldest.forgotten = true;
        }
    }
}

fn pick(number: usize, count: usize) -> Option<usize> {
    number.checked_rem(count)
}

#[track_caller]
fn refused(answer: Result<TokenResponse, TokenError>) {
    match answer {
        Err(TokenError::Refused(error)) => {
            let codes = [ErrorCode::InvalidGrant, ErrorCode::InvalidScope];
            assert!(codes.contains(&error.code), "{error}");
        }
        other => panic!("not refused: {other:?}"),
    }
}

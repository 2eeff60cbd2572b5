//! The model: what every flow was given, and what may become of it.

use super::access::{Access, CALLERS};
use super::audience::{AT, Uris, narrowed, requested};
use super::flow::{Asked, Flow, Token};
use super::{Redeem, Step};
use auth_core::client::ClientRegistry;
use auth_core::code::CodeStore;
use auth_core::error::{ErrorCode, TokenError};
use auth_core::grant::{Grant, GrantStore};
use auth_core::housekeeping::Housekeeping;
use auth_core::owner::OwnerRegistry;
use auth_core::policy::Policy;
use auth_core::scope::Scope;
use auth_core::secret::AuthorizationCode;
use auth_core::timestamp::{Clock, Timestamp};
use auth_core::token::RefreshReuse;
use auth_core::usecase::authorize::Authorize;
use auth_core::usecase::token::TokenResponse;
use auth_testkit::server::{code_in, redirect_in, request_of};
use auth_testkit::{TestServer, sample};
use std::collections::BTreeMap;
use time::Duration;

/// The clients that owners approve.
pub(crate) const CLIENTS: [&str; 2] = ["web", "pub"];
const OWNERS: [&str; 2] = ["alice", "bob"];
pub(crate) const SCOPES: [&str; 4] =
    ["api.read", "api.read api.write", "api.write profile", "email"];

pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) reuse: RefreshReuse,
    asked: Vec<Asked>,
    pub(crate) flows: Vec<Flow>,
    pub(crate) access: Vec<Access>,
    /// What each owner approved for each client and did not withdraw.
    approved: BTreeMap<(usize, usize, Uris), Scope>,
    /// The latest that it ever was: what expired by then may have been purged.
    pub(crate) latest: Timestamp,
}

impl World {
    pub(crate) fn new(reuse: RefreshReuse, capped: bool) -> Self {
        let server = TestServer::with_policy(Policy {
            refresh_reuse: reuse,
            grant_lifetime: capped.then_some(Duration::days(40)),
            resources: sample::resources(),
            ..sample::policy()
        });
        let latest = server.clock.now();
        Self {
            server,
            reuse,
            asked: Vec::new(),
            flows: Vec::new(),
            access: Vec::new(),
            approved: BTreeMap::new(),
            latest,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.server.clock.now()
    }

    pub(crate) fn take(&mut self, step: &Step) {
        match *step {
            Step::Authorize { client, owner, scope, at } => {
                let (scope, at) = (SCOPES[scope % SCOPES.len()], AT[at % AT.len()]);
                self.authorize(client % 2, owner % 2, scope, at);
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
                    let new = self.present(flow, held, None, &[]);
                    if let (Some(new), true) = (new, heard) {
                        self.flows[flow].held = new;
                    }
                }
            }
            Step::Present { flow, token } => {
                if let Some(flow) = self.redeemed(flow) {
                    let token = token % self.flows[flow].tokens.len();
                    self.flows[flow].disturbed = true;
                    self.present(flow, token, None, &[]);
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
            Step::Narrow { flow, scope, at } => {
                if let Some(flow) = self.redeemed(flow) {
                    let held = self.flows[flow].held;
                    self.present(flow, held, scope, AT[at % AT.len()]);
                }
            }
            Step::GetOwnToken { scope, at } => self.get_own_token(scope, at),
            Step::RevokeAccess { token, by } => self.revoke_access(token, by),
            Step::RevokeRefresh { flow, token, by } => {
                if let Some(flow) = self.redeemed(flow) {
                    self.revoke_refresh(flow, token, by);
                }
            }
            Step::AskAboutAccess { token, caller } => {
                if let Some(token) = pick(token, self.access.len()) {
                    self.ask_about_access(token, CALLERS[caller % CALLERS.len()]);
                }
            }
            Step::AskAboutRefresh { flow, token, caller } => {
                if let Some(flow) = self.redeemed(flow) {
                    let token = token % self.flows[flow].tokens.len();
                    self.ask_about_refresh(flow, token, CALLERS[caller % CALLERS.len()]);
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
                let withdrawn = (owner % 2, client % 2);
                self.approved.retain(|(owner, client, _), _| (*owner, *client) != withdrawn);
                self.end(|flow| flow.owner == owner % 2 && flow.client == client % 2);
            }
            Step::DisableClient { client } => {
                let name = ["web", "pub", "svc"][client % 3];
                let id = sample::client_id(name);
                let store = &*self.server.store;
                for at in [Some(self.now()), None] {
                    ClientRegistry::set_disabled(store, &id, at).unwrap();
                }
                self.approved.retain(|(_, client, _), _| CLIENTS[*client] != name);
                self.end(|flow| CLIENTS[flow.client] == name);
                let own = self.access.iter_mut().filter(|it| it.flow.is_none());
                own.for_each(|it| it.revoked |= it.client == name);
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

    pub(crate) fn authorize(
        &mut self,
        client: usize,
        owner: usize,
        scope: &'static str,
        at: &[&'static str],
    ) {
        let mut params = request_of(CLIENTS[client]);
        params.retain(|(name, _)| *name != "scope");
        params.push(("scope", scope));
        params.extend(at.iter().map(|uri| ("resource", *uri)));
        let session = self.server.sign_in(OWNERS[owner]);
        let scope = sample::scope(scope);
        let answer = self.server.authorize(&params, Some(&session));
        let Some(audience) = requested(&scope, at) else {
            let error = redirect_in(&answer).reported_error().expect("an error").code;
            assert!([ErrorCode::InvalidScope, ErrorCode::InvalidTarget].contains(&error));
            return;
        };
        let covered = self.approved.iter().any(|((whose, whom, uris), scopes)| {
            (*whose, *whom) == (owner, client)
                && scope.is_within(scopes)
                && audience.is_subset(uris)
                && CLIENTS[client] == "web"
        });
        match answer {
            Authorize::NeedsConsent(page) => {
                assert!(!covered, "an owner was asked for what they approved");
                self.asked.push(Asked {
                    client,
                    owner,
                    scope,
                    audience,
                    interaction: page.interaction,
                    expires_at: page.expires_at,
                    decided: false,
                });
            }
            answer => {
                assert!(covered, "an owner was not asked");
                self.begin(client, owner, (scope, audience), code_in(&answer));
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
                let (client, owner) = (asked.client, asked.owner);
                let (scope, audience) = (asked.scope.clone(), asked.audience.clone());
                let key = (owner, client, audience.clone());
                let scopes = self.approved.entry(key).or_default();
                *scopes = scopes.union(&scope);
                self.begin(client, owner, (scope, audience), code_in(&answer));
            }
        }
    }

    fn begin(
        &mut self,
        client: usize,
        owner: usize,
        (scope, audience): (Scope, Uris),
        code: String,
    ) {
        let digest = AuthorizationCode::presented(&code).digest().unwrap();
        let found = CodeStore::find(&*self.server.store, &digest).unwrap();
        let (record, grant) = found.expect("a fresh code");
        let granted: Uris = AT[3].iter().copied().filter(|uri| is_for(&grant, uri)).collect();
        assert_eq!(
            (&grant.scope, granted),
            (&scope, audience.clone()),
            "approved is what was asked for"
        );
        self.flows.push(Flow {
            client,
            owner,
            scope,
            audience,
            grant: grant.id,
            grant_end: grant.expires_at,
            code,
            code_end: record.expires_at,
            redeemed: false,
            tokens: Vec::new(),
            held: 0,
            dead: false,
            disturbed: false,
        });
    }

    pub(crate) fn redeem(&mut self, which: usize, how: Redeem) {
        let (now, latest) = (self.now(), self.latest);
        let flow = &self.flows[which];
        let client = CLIENTS[flow.client];
        let send = |client, verifier: &str, uri, at: &[&str]| {
            let mut params = vec![
                ("grant_type", "authorization_code"),
                ("code", flow.code.as_str()),
                ("code_verifier", verifier),
                ("redirect_uri", uri),
            ];
            params.extend(at.iter().map(|uri| ("resource", *uri)));
            self.server.token(client, &params)
        };
        let uri = request_of(client)[1].1;
        let at = match how {
            Redeem::Rightly => AT[0],
            Redeem::At(at) => AT[at % AT.len()],
            Redeem::WrongVerifier => return refused(send(client, sample::CHALLENGE, uri, &[])),
            Redeem::WrongRedirectUri => {
                return refused(send(client, sample::VERIFIER, "https://evil.test/cb", &[]));
            }
            Redeem::WrongClient => {
                return refused(send(CLIENTS[1 - flow.client], sample::VERIFIER, uri, &[]));
            }
        };
        let answer = send(client, sample::VERIFIER, uri, at);
        let narrowed = narrowed((&flow.scope, &flow.audience), None, at);
        let (first, gone) = (!flow.redeemed, flow.code_end.is_expired(latest));
        let good = first && !flow.dead && !flow.code_end.is_expired(now) && narrowed.is_some();
        match (answer, narrowed) {
            (Ok(response), Some(narrowed)) if good => {
                self.flows[which].redeemed = true;
                self.issued(which, None, response, narrowed);
            }
            (Ok(_), _) => panic!("a code bought tokens twice, late, or for more than was approved"),
            (error, narrowed) => {
                refused(error);
                assert!(!good || gone, "a good code was refused");
                let valid = narrowed.is_some();
                if !first && valid && (!gone || self.is_revoked(which)) {
                    self.flows[which].end();
                }
            }
        }
    }

    /// Presents a refresh token as its client, for this scope at these resources. Answers the successor.
    pub(crate) fn present(
        &mut self,
        which: usize,
        token: usize,
        scope: Option<&str>,
        at: &[&'static str],
    ) -> Option<usize> {
        let (now, latest) = (self.now(), self.latest);
        let flow = &self.flows[which];
        let presented = &flow.tokens[token];
        let mut params =
            vec![("grant_type", "refresh_token"), ("refresh_token", presented.text.as_str())];
        params.extend(scope.map(|scope| ("scope", scope)));
        params.extend(at.iter().map(|uri| ("resource", *uri)));
        let answer = self.server.token(CLIENTS[flow.client], &params);
        let spent = flow.is_spent(token, self.reuse);
        let expired = presented.end.is_expired(now);
        let gone = presented.forgotten || presented.end.is_expired(latest);
        let narrowed = narrowed((&flow.scope, &flow.audience), scope, at);
        let honest = token == flow.held && self.reuse == RefreshReuse::UntilSuccessorUsed;
        match (answer, narrowed) {
            (Ok(response), Some(narrowed)) => {
                assert!(!flow.dead && !spent && !expired && !presented.forgotten);
                Some(self.issued(which, Some(token), response, narrowed))
            }
            (Ok(_), None) => panic!("a token bought more than was approved"),
            (error, narrowed) => {
                refused(error);
                let wide = narrowed.is_none();
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
        (scope, audience): (Scope, Uris),
    ) -> usize {
        let (now, flow) = (self.server.clock.now(), &mut self.flows[which]);
        assert_eq!(response.scope, scope);
        let access_end = now.after(Duration::seconds(response.expires_in));
        let outlives = flow.grant_end.is_some_and(|end| access_end > end);
        assert!(!outlives, "an access token outlives its grant");
        let end = now.after(self.server.engine.policy.refresh_token_lifetime);
        let token = Token {
            text: response.refresh_token.expect("both clients may refresh").expose().to_owned(),
            parent,
            end: flow.grant_end.map_or(end, |cap| cap.min(end)),
            used: false,
            forgotten: false,
        };
        self.access.push(Access {
            token: response.access_token,
            client: CLIENTS[flow.client],
            sub: sample::owner(OWNERS[flow.owner]).subject.to_string(),
            flow: Some(which),
            scope,
            audience,
            issued_at: now,
            end: access_end,
            revoked: false,
        });
        flow.tokens.push(token);
        if let Some(parent) = parent {
            flow.tokens[parent].used = true;
            flow.forget_surplus(parent);
        }
        let number = flow.tokens.len() - 1;
        self.tell_everybody(self.access.len() - 1);
        number
    }
}

fn is_for(grant: &Grant, uri: &str) -> bool {
    grant.audience.iter().any(|it| it.as_str() == uri)
}

pub(crate) fn pick(number: usize, count: usize) -> Option<usize> {
    number.checked_rem(count)
}

#[track_caller]
pub(crate) fn refused(answer: Result<TokenResponse, TokenError>) {
    match answer {
        Err(TokenError::Refused(error)) => {
            let codes =
                [ErrorCode::InvalidGrant, ErrorCode::InvalidScope, ErrorCode::InvalidTarget];
            assert!(codes.contains(&error.code), "{error}");
        }
        other => panic!("not refused: {other:?}"),
    }
}

//! Access tokens, whoever they act for: who may take one back, and who is told what of it.

use super::audience::{AT, RESOURCES, Uris, requested};
use super::model::{CLIENTS, SCOPES, World, pick, refused};
use auth_core::error::{OAuthError, TokenError};
use auth_core::scope::Scope;
use auth_core::secret::AccessToken;
use auth_core::timestamp::Timestamp;
use auth_core::usecase::introspect::ActiveToken;
use auth_testkit::sample;
use time::Duration;

/// Who asks about tokens and takes them back.
pub(crate) const CALLERS: [&str; 6] = ["web", "pub", "evil", "svc", "rs", "rs2"];

/// An access token that was issued.
pub(crate) struct Access {
    pub(crate) token: AccessToken,
    pub(crate) client: &'static str,
    pub(crate) sub: String,
    /// The flow that it is of; `None` if its client acts for itself.
    pub(crate) flow: Option<usize>,
    pub(crate) scope: Scope,
    pub(crate) audience: Uris,
    pub(crate) issued_at: Timestamp,
    pub(crate) end: Timestamp,
    /// It was taken back itself.
    pub(crate) revoked: bool,
}

impl World {
    /// Whether the token opens anything now.
    pub(crate) fn is_live(&self, access: &Access) -> bool {
        let under_a_live_grant = access.flow.is_none_or(|flow| !self.flows[flow].dead);
        !access.revoked && under_a_live_grant && !access.end.is_expired(self.now())
    }

    /// `svc` asks for a token for itself.
    pub(crate) fn get_own_token(&mut self, scope: usize, at: usize) {
        let (scope, at) = (SCOPES[scope % SCOPES.len()], AT[at % AT.len()]);
        let mut params = vec![("scope", scope)];
        params.extend(at.iter().map(|uri| ("resource", *uri)));
        let answer = self.server.client_credentials("svc", &params);
        let scope = sample::scope(scope);
        let audience = requested(&scope, at).filter(|_| scope.is_within(&sample::svc().scope));
        let Some(audience) = audience else {
            return refused(answer);
        };
        let response = answer.expect("a token of its own");
        assert!(response.refresh_token.is_none(), "a client cannot refresh what is its own");
        assert_eq!(response.scope, scope);
        let now = self.now();
        self.access.push(Access {
            token: response.access_token,
            client: "svc",
            sub: "client:svc".into(),
            flow: None,
            scope,
            audience,
            issued_at: now,
            end: now.after(Duration::seconds(response.expires_in)),
            revoked: false,
        });
        self.tell_everybody(self.access.len() - 1);
    }

    /// Somebody takes back an access token. Only its client can.
    pub(crate) fn revoke_access(&mut self, token: usize, by: usize) {
        let Some(which) = pick(token, self.access.len()) else {
            return;
        };
        let by = self.revoker(self.access[which].client, by);
        let answer = self.server.revoke(by, self.access[which].token.expose());
        if by.starts_with("rs") {
            assert!(matches!(answer, Err(TokenError::Refused(_))), "{answer:?}");
            return;
        }
        assert_eq!(answer, Ok(()), "the answer says nothing about the token");
        let now = self.now();
        let it = &mut self.access[which];
        // One that expired is left alone, and may be valid again under a clock that goes back.
        it.revoked |= by == it.client && !it.end.is_expired(now);
    }

    /// Somebody takes back a refresh token. If it is the client, everything ends.
    pub(crate) fn revoke_refresh(&mut self, which: usize, token: usize, by: usize) {
        let flow = &self.flows[which];
        let client = CLIENTS[flow.client];
        let by = self.revoker(client, by);
        let token = &flow.tokens[token % flow.tokens.len()];
        let answer = self.server.revoke(by, &token.text);
        if by.starts_with("rs") {
            assert!(matches!(answer, Err(TokenError::Refused(_))), "{answer:?}");
            return;
        }
        assert_eq!(answer, Ok(()), "the answer says nothing about the token");
        let gone = token.end.is_expired(self.latest);
        if by == client && !token.forgotten && (!gone || self.is_revoked(which)) {
            self.flows[which].end();
        }
    }

    /// Mostly the client itself.
    fn revoker(&self, client: &'static str, by: usize) -> &'static str {
        CALLERS.get(by % (2 * CALLERS.len())).copied().unwrap_or(client)
    }

    /// What a caller is told. A public client, which proves nothing, is told nothing at all.
    fn told(&self, caller: &str, token: &str) -> Option<ActiveToken> {
        let answer = self.server.introspect(caller, token);
        if caller == "pub" {
            assert_eq!(answer, Err(OAuthError::INVALID_CLIENT.into()));
            return None;
        }
        answer.expect("a caller that may ask")
    }

    /// Everybody asks about an access token.
    pub(crate) fn tell_everybody(&self, which: usize) {
        CALLERS.iter().for_each(|caller| self.ask_about_access(which, caller));
    }

    pub(crate) fn ask_about_access(&self, which: usize, caller: &str) {
        let it = &self.access[which];
        let is_for = |&(uri, _, rs): &(&str, _, &str)| rs == caller && it.audience.contains(uri);
        let may_know = caller == it.client || RESOURCES.iter().any(is_for);
        let Some(told) = self.told(caller, it.token.expose()) else {
            let purged = it.end.is_expired(self.latest);
            let hidden = may_know && caller != "pub" && self.is_live(it) && !purged;
            assert!(!hidden, "{caller} was not told of a token that concerns it");
            return;
        };
        assert!(may_know, "{caller} was told of a token that does not concern it");
        assert!(self.is_live(it), "a token that ended is called active");
        assert_eq!((told.client_id.as_str(), &told.sub), (it.client, &it.sub));
        assert_eq!(
            (&told.scope, told.issued_at, told.expires_at),
            (&it.scope, it.issued_at, it.end)
        );
        let mut audience: Vec<&str> = it.audience.iter().copied().collect();
        if audience.is_empty() {
            audience.push(sample::ISSUER);
        }
        assert_eq!(told.access.expect("an access token").audience, audience);
    }

    pub(crate) fn ask_about_refresh(&self, which: usize, token: usize, caller: &str) {
        let flow = &self.flows[which];
        let it = &flow.tokens[token];
        let spent = flow.is_spent(token, self.reuse);
        let good = !flow.dead && !spent && !it.forgotten && !it.end.is_expired(self.now());
        let Some(told) = self.told(caller, &it.text) else {
            let purged = it.end.is_expired(self.latest);
            let hidden = caller == CLIENTS[flow.client] && caller != "pub" && good && !purged;
            assert!(!hidden, "a client was not told of its refresh token");
            return;
        };
        assert_eq!(caller, CLIENTS[flow.client], "a refresh token is its client's affair");
        assert!(good, "a refresh token that ended is called active");
        assert_eq!(told.access, None, "a refresh token passes for an access token");
        assert_eq!((&told.scope, told.expires_at), (&flow.scope, it.end));
    }
}

//! What must hold whatever happens.

use super::Redeem;
use super::access::CALLERS;
use super::model::World;
use auth_core::grant::Grant;
use auth_core::timestamp::Timestamp;

impl World {
    /// Whether the grant is revoked. A replay of what expired once, under a clock that went back, is
    /// noticed or not, as purging had it.
    pub(crate) fn is_revoked(&self, which: usize) -> bool {
        let grant = &self.flows[which].grant;
        let revoked = |grant: &Grant| grant.revoked_at.is_some();
        self.server.store.edit(|data| data.grants.get(grant).is_some_and(revoked))
    }

    /// What must hold at any time.
    pub(crate) fn check(&self) {
        for flow in &self.flows {
            for token in 0..flow.tokens.len() {
                let children = flow.tokens.iter().filter(|it| it.parent == Some(token));
                assert!(children.filter(|it| it.used).count() <= 1, "two lines are alive");
            }
        }
        for it in &self.access {
            let (accepted, live) = (self.server.accepts(&it.token), self.is_live(it));
            assert!(!accepted || live, "a token outlives its grant, or its revocation");
            let purged = it.end.is_expired(self.latest);
            assert!(accepted || !live || purged, "a good token is dead");
        }
        self.server.store.edit(|data| {
            let ends = |grant, end| {
                let cap: Option<Timestamp> = data.grants[&grant].expires_at;
                assert!(cap.is_none_or(|cap| end <= cap), "something outlives its grant");
            };
            for (token, record) in &data.access {
                ends(token.grant(), record.expires_at);
                let grant = &data.grants[&token.grant()];
                assert!(record.scope.is_within(&grant.scope), "a scope is wider than its grant's");
                assert!(record.audience.is_within(&grant.audience), "for more than was approved");
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
            // Where a code may have been purged unredeemed, a new password has nothing to end.
            let idle = flow.dead && !flow.redeemed && flow.code_end.is_expired(self.latest);
            let as_modelled = revoked.is_none_or(|revoked| revoked == flow.dead);
            assert!(as_modelled || idle, "unlike the model");
        }
    }

    /// Everybody asks about every token.
    fn ask_about_everything(&self) {
        (0..self.access.len()).for_each(|token| self.tell_everybody(token));
        for caller in CALLERS {
            for (number, flow) in self.flows.iter().enumerate() {
                for token in 0..flow.tokens.len() {
                    self.ask_about_refresh(number, token, caller);
                }
            }
        }
    }

    /// In the end, everything that was ever issued is tried once more.
    pub(crate) fn try_everything(&mut self) {
        self.ask_about_everything();
        for flow in 0..self.flows.len() {
            self.redeem(flow, Redeem::Rightly);
            for token in (0..self.flows[flow].tokens.len()).rev() {
                self.flows[flow].disturbed = true;
                self.present(flow, token, None, &[]);
                self.check();
            }
        }
        self.ask_about_everything();
    }
}

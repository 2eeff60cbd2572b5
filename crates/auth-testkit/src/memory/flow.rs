//! Pending authorizations, consents and grants.

use super::{CodeRow, Data, MemoryStore, PendingRow};
use auth_core::client::{Client, ClientId};
use auth_core::consent::{Consent, ConsentStore, PendingAuthorization, PendingAuthorizationStore};
use auth_core::error::StoreError;
use auth_core::grant::{Approval, Decided, Grant, GrantFilter, GrantId, GrantStore};
use auth_core::owner::SubjectId;
use auth_core::secret::{InteractionDigest, SessionDigest};
use auth_core::timestamp::Timestamp;
use std::cmp::Reverse;

impl PendingAuthorizationStore for MemoryStore {
    fn insert(
        &self,
        pending: &PendingAuthorization,
        origin: &str,
        limit: usize,
    ) -> Result<(), StoreError> {
        let mut data = self.lock();
        data.pending.push(PendingRow { origin: origin.to_owned(), pending: pending.clone() });
        let of_origin = data.pending.iter().filter(|row| row.origin == origin);
        let mut surplus = of_origin.count().saturating_sub(limit);
        data.pending.retain(|row| {
            let forget = row.origin == origin && surplus > 0;
            surplus -= usize::from(forget);
            !forget
        });
        Ok(())
    }

    fn find(
        &self,
        interaction: &InteractionDigest,
    ) -> Result<Option<PendingAuthorization>, StoreError> {
        Ok(self.lock().pending_mut(interaction).cloned())
    }

    fn signed_in(
        &self,
        interaction: &InteractionDigest,
        session: &SessionDigest,
    ) -> Result<(), StoreError> {
        if let Some(pending) = self.lock().pending_mut(interaction) {
            pending.signed_in = Some(*session);
        }
        Ok(())
    }
}

impl ConsentStore for MemoryStore {
    fn find(&self, subject: &SubjectId, client_id: &ClientId) -> Result<Vec<Consent>, StoreError> {
        let data = self.lock();
        let given = data.consents.values();
        let given = given.filter(|it| it.subject == *subject && it.client_id == *client_id);
        Ok(given.cloned().collect())
    }
}

impl GrantStore for MemoryStore {
    fn approve(&self, approval: &Approval<'_>) -> Result<Decided, StoreError> {
        let mut data = self.lock();
        if let Some(interaction) = approval.interaction
            && !data.decide(interaction, approval.grant.created_at)
        {
            return Ok(Decided::Already);
        }
        let grant = approval.grant.clone();
        if !data.clients.get(&grant.client_id).is_some_and(Client::is_enabled) {
            return Ok(Decided::ClientDisabled);
        }
        data.grants.insert(grant.id, grant);
        let row = CodeRow { record: approval.record.clone(), spent_at: None };
        data.codes.insert(*approval.code, row);
        if let Some(consent) = approval.remember {
            data.remember(consent);
        }
        Ok(Decided::First)
    }

    fn deny(&self, interaction: &InteractionDigest, at: Timestamp) -> Result<Decided, StoreError> {
        Ok(match self.lock().decide(interaction, at) {
            true => Decided::First,
            false => Decided::Already,
        })
    }

    fn revoke(&self, id: &GrantId, at: Timestamp) -> Result<bool, StoreError> {
        let mut data = self.lock();
        data.end_grants(at, |grant| grant.id == *id);
        Ok(data.grants.contains_key(id))
    }

    fn withdraw(
        &self,
        subject: &SubjectId,
        client_id: Option<&ClientId>,
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut data = self.lock();
        let meant = |owner: &SubjectId, client: &ClientId| {
            owner == subject && client_id.is_none_or(|id| client == id)
        };
        data.consents.retain(|(owner, client, _), _| !meant(owner, client));
        let given = |grant: &Grant| {
            grant.subject.as_ref().is_some_and(|owner| meant(owner, &grant.client_id))
        };
        let ended = data.grants.values().filter(|grant| given(grant) && grant.is_live(at)).count();
        data.end_grants(at, given);
        Ok(ended)
    }

    fn list(&self, filter: &GrantFilter, now: Timestamp) -> Result<Vec<Grant>, StoreError> {
        let data = self.lock();
        let meant = |grant: &&Grant| {
            let of = |subject| filter.subject.as_ref().is_none_or(|it| it == subject);
            let to = |client: &ClientId| *client == grant.client_id;
            grant.subject.as_ref().is_some_and(of)
                && filter.client_id.as_ref().is_none_or(to)
                && (filter.ended || data.is_of_use(grant, now))
        };
        let mut grants: Vec<_> = data.grants.values().filter(meant).cloned().collect();
        grants.sort_by_key(|grant| Reverse(grant.created_at));
        Ok(grants)
    }
}

impl Data {
    fn pending_mut(&mut self, digest: &InteractionDigest) -> Option<&mut PendingAuthorization> {
        let mut pending = self.pending.iter_mut().map(|row| &mut row.pending);
        pending.find(|pending| pending.interaction == *digest)
    }

    /// Decides an interaction; answers whether this was the first decision.
    fn decide(&mut self, interaction: &InteractionDigest, at: Timestamp) -> bool {
        match self.pending_mut(interaction) {
            Some(pending) if pending.decided_at.is_none() => {
                pending.decided_at = Some(at);
                true
            }
            _ => false,
        }
    }

    /// Adds to what this owner approved for this client and audience before.
    fn remember(&mut self, consent: &Consent) {
        let Consent { subject, client_id, audience, .. } = consent.clone();
        let key = (subject, client_id, audience);
        let stored = self.consents.entry(key).or_insert_with(|| consent.clone());
        stored.scope = stored.scope.union(&consent.scope);
        stored.given_at = consent.given_at;
    }

    /// Whether a code or token can still be used under this grant.
    fn is_of_use(&self, grant: &Grant, now: Timestamp) -> bool {
        let code = self.codes.iter().any(|(digest, code)| {
            digest.grant() == grant.id
                && code.spent_at.is_none()
                && !code.record.expires_at.is_expired(now)
        });
        let access = self
            .access
            .iter()
            .any(|(digest, token)| digest.grant() == grant.id && !token.expires_at.is_expired(now));
        let refresh = self.refresh.iter().any(|(digest, token)| {
            digest.grant() == grant.id
                && token.spent_at.is_none()
                && !token.record.expires_at.is_expired(now)
        });
        grant.is_live(now) && (code || access || refresh)
    }
}

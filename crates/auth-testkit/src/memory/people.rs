//! Clients, owners and sessions.

use super::{Data, MemoryStore};
use auth_core::client::{
    Changed, Client, ClientId, ClientRegistry, ClientSecretRecord, ClientStore, Inserted, Retired,
};
use auth_core::error::StoreError;
use auth_core::owner::{Owner, OwnerRegistry, OwnerStore, SubjectId, Username};
use auth_core::password::PasswordHash;
use auth_core::secret::SessionDigest;
use auth_core::session::{Session, SessionId, SessionRegistry, SessionStore};
use auth_core::timestamp::Timestamp;
use std::cmp::Reverse;
use std::collections::btree_map::Entry;

impl ClientStore for MemoryStore {
    fn find(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        Ok(self.lock().clients.get(id).cloned())
    }
}

impl ClientRegistry for MemoryStore {
    fn list(&self) -> Result<Vec<Client>, StoreError> {
        Ok(self.lock().clients.values().cloned().collect())
    }

    fn insert(&self, client: &Client) -> Result<Inserted, StoreError> {
        match self.lock().clients.entry(client.id.clone()) {
            Entry::Occupied(_) => Ok(Inserted::NameTaken),
            Entry::Vacant(place) => {
                let client = place.insert(client.clone());
                client.secrets.sort_by_key(|secret| Reverse(secret.created_at));
                Ok(Inserted::Inserted)
            }
        }
    }

    fn update(&self, client: &Client) -> Result<Changed, StoreError> {
        let mut data = self.lock();
        let Some(stored) = data.clients.get_mut(&client.id) else {
            return Ok(Changed::NotFound);
        };
        *stored = Client {
            secrets: std::mem::take(&mut stored.secrets),
            created_at: stored.created_at,
            disabled_at: stored.disabled_at,
            ..client.clone()
        };
        Ok(Changed::Changed)
    }

    fn set_disabled(&self, id: &ClientId, at: Option<Timestamp>) -> Result<Changed, StoreError> {
        let mut data = self.lock();
        let Some(client) = data.clients.get_mut(id) else {
            return Ok(Changed::NotFound);
        };
        client.disabled_at = at.map(|at| client.disabled_at.unwrap_or(at));
        if let Some(at) = at {
            data.consents.retain(|(_, client, _), _| client != id);
            data.end_grants(at, |grant| grant.client_id == *id);
        }
        Ok(Changed::Changed)
    }

    fn delete(&self, id: &ClientId, at: Timestamp) -> Result<Changed, StoreError> {
        let mut data = self.lock();
        if data.clients.remove(id).is_none() {
            return Ok(Changed::NotFound);
        }
        data.consents.retain(|(_, client, _), _| client != id);
        data.end_grants(at, |grant| grant.client_id == *id);
        Ok(Changed::Changed)
    }

    fn add_secret(
        &self,
        id: &ClientId,
        secret: &ClientSecretRecord,
        keep: usize,
    ) -> Result<Changed, StoreError> {
        let mut data = self.lock();
        let Some(client) = data.clients.get_mut(id) else {
            return Ok(Changed::NotFound);
        };
        client.secrets.truncate(keep);
        client.secrets.insert(0, secret.clone());
        Ok(Changed::Changed)
    }

    fn retire_secret(&self, id: &ClientId, secret_id: &str) -> Result<Retired, StoreError> {
        let mut data = self.lock();
        let secrets = data.clients.get_mut(id).map(|client| &mut client.secrets);
        let Some(secrets) = secrets.filter(|live| live.iter().any(|one| one.id == secret_id))
        else {
            return Ok(Retired::NotFound);
        };
        if secrets.len() == 1 {
            return Ok(Retired::LastOne);
        }
        secrets.retain(|secret| secret.id != secret_id);
        Ok(Retired::Retired)
    }
}

impl OwnerStore for MemoryStore {
    fn find_by_username(
        &self,
        username: &Username,
    ) -> Result<Option<(Owner, PasswordHash)>, StoreError> {
        let data = self.lock();
        let found = data.owners.values().find(|(owner, _)| owner.username == *username);
        Ok(found.cloned())
    }

    fn find(&self, subject: &SubjectId) -> Result<Option<Owner>, StoreError> {
        Ok(self.lock().owner(subject))
    }

    fn rehash(
        &self,
        subject: &SubjectId,
        before: &PasswordHash,
        hash: &PasswordHash,
    ) -> Result<(), StoreError> {
        if let Some((_, stored)) = self.lock().owners.get_mut(subject)
            && stored == before
        {
            *stored = hash.clone();
        }
        Ok(())
    }
}

impl OwnerRegistry for MemoryStore {
    fn list(&self) -> Result<Vec<Owner>, StoreError> {
        let data = self.lock();
        let mut owners: Vec<_> = data.owners.values().map(|(owner, _)| owner).collect();
        owners.sort_by_key(|owner| owner.username.key());
        Ok(owners.into_iter().cloned().collect())
    }

    fn insert(&self, owner: &Owner, hash: &PasswordHash) -> Result<Inserted, StoreError> {
        let mut data = self.lock();
        let taken = |(other, _): &(Owner, PasswordHash)| {
            other.username == owner.username || other.subject == owner.subject
        };
        if data.owners.values().any(taken) {
            return Ok(Inserted::NameTaken);
        }
        data.owners.insert(owner.subject.clone(), (owner.clone(), hash.clone()));
        Ok(Inserted::Inserted)
    }

    fn set_password(
        &self,
        subject: &SubjectId,
        hash: &PasswordHash,
        keep: Option<&SessionDigest>,
        at: Timestamp,
    ) -> Result<Changed, StoreError> {
        let mut data = self.lock();
        let Some((_, stored)) = data.owners.get_mut(subject) else {
            return Ok(Changed::NotFound);
        };
        *stored = hash.clone();
        data.sessions.retain(|digest, session| session.subject != *subject || Some(digest) == keep);
        let unredeemed: Vec<_> = data
            .codes
            .iter()
            .filter(|(_, code)| code.spent_at.is_none())
            .map(|(digest, _)| digest.grant())
            .collect();
        data.end_grants(at, |grant| {
            grant.subject.as_ref() == Some(subject) && unredeemed.contains(&grant.id)
        });
        Ok(Changed::Changed)
    }

    fn set_disabled(
        &self,
        subject: &SubjectId,
        at: Option<Timestamp>,
    ) -> Result<Changed, StoreError> {
        let mut data = self.lock();
        let Some((owner, _)) = data.owners.get_mut(subject) else {
            return Ok(Changed::NotFound);
        };
        owner.disabled_at = at.map(|at| owner.disabled_at.unwrap_or(at));
        if let Some(at) = at {
            data.sessions.retain(|_, session| session.subject != *subject);
            data.end_grants(at, |grant| grant.subject.as_ref() == Some(subject));
        }
        Ok(Changed::Changed)
    }
}

impl SessionStore for MemoryStore {
    fn find(&self, digest: &SessionDigest) -> Result<Option<(Session, Owner)>, StoreError> {
        let data = self.lock();
        let session = data.sessions.get(digest).cloned();
        Ok(session.and_then(|session| data.with_owner(session)))
    }

    fn insert(
        &self,
        session: &Session,
        replaces: Option<&SessionDigest>,
    ) -> Result<(), StoreError> {
        let mut data = self.lock();
        if let Some(replaced) = replaces {
            data.sessions.remove(replaced);
        }
        data.sessions.insert(session.digest, session.clone());
        Ok(())
    }

    fn touch(&self, digest: &SessionDigest, at: Timestamp) -> Result<(), StoreError> {
        if let Some(session) = self.lock().sessions.get_mut(digest) {
            session.last_seen_at = session.last_seen_at.max(at);
        }
        Ok(())
    }

    fn end(&self, digest: &SessionDigest) -> Result<(), StoreError> {
        self.lock().sessions.remove(digest);
        Ok(())
    }
}

impl SessionRegistry for MemoryStore {
    fn list(&self, subject: Option<&SubjectId>) -> Result<Vec<(Session, Owner)>, StoreError> {
        let data = self.lock();
        let meant = |session: &&Session| subject.is_none_or(|it| session.subject == *it);
        let sessions = data.sessions.values().filter(meant).cloned();
        let mut listed: Vec<_> = sessions.filter_map(|session| data.with_owner(session)).collect();
        listed.sort_by_key(|(session, _)| Reverse(session.created_at));
        Ok(listed)
    }

    fn end_by_id(&self, id: &SessionId) -> Result<bool, StoreError> {
        Ok(self.lock().end_sessions(|session| session.id == *id) > 0)
    }

    fn end_by_subject(&self, subject: &SubjectId) -> Result<usize, StoreError> {
        Ok(self.lock().end_sessions(|session| session.subject == *subject))
    }
}

impl Data {
    fn owner(&self, subject: &SubjectId) -> Option<Owner> {
        self.owners.get(subject).map(|(owner, _)| owner.clone())
    }

    fn with_owner(&self, session: Session) -> Option<(Session, Owner)> {
        let owner = self.owner(&session.subject)?;
        Some((session, owner))
    }

    fn end_sessions(&mut self, which: impl Fn(&Session) -> bool) -> usize {
        let before = self.sessions.len();
        self.sessions.retain(|_, session| !which(session));
        before - self.sessions.len()
    }
}

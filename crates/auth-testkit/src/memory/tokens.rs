//! Codes, tokens, and removing what expired.

use super::{Data, MemoryStore, RefreshRow};
use auth_core::client::Client;
use auth_core::code::{CodeRecord, CodeStore, Redeemed, Redemption};
use auth_core::error::StoreError;
use auth_core::grant::Grant;
use auth_core::housekeeping::Housekeeping;
use auth_core::secret::{CodeDigest, TokenDigest};
use auth_core::session::SessionLifetimes;
use auth_core::timestamp::Timestamp;
use auth_core::token::{
    AccessTokenRecord, MAX_SIBLINGS, NewAccessToken, NewRefreshToken, RefreshReuse,
    RefreshTokenRecord, Rotated, Rotation, TokenRecord, TokenStore,
};
use std::collections::{BTreeMap, BTreeSet};

impl CodeStore for MemoryStore {
    fn find(&self, code: &CodeDigest) -> Result<Option<(CodeRecord, Grant)>, StoreError> {
        let data = self.lock();
        let record = data.codes.get(code).map(|row| row.record.clone());
        Ok(record.and_then(|record| data.with_grant(record, &code.grant())))
    }

    fn redeem(&self, redemption: &Redemption<'_>) -> Result<Redeemed, StoreError> {
        let (grant, at) = (redemption.code.grant(), redemption.at);
        let mut data = self.lock();
        let live = data.is_live(&grant, at);
        let Some(code) = data.codes.get_mut(redemption.code) else {
            return Ok(Redeemed::GrantEnded);
        };
        if code.spent_at.is_some() {
            data.end_grants(at, |it| it.id == grant);
            return Ok(Redeemed::Replayed);
        }
        if !live {
            return Ok(Redeemed::GrantEnded);
        }
        code.spent_at = Some(at);
        data.insert_access(redemption.access);
        if let Some(refresh) = redemption.refresh {
            data.insert_refresh(None, refresh);
        }
        Ok(Redeemed::First)
    }
}

impl TokenStore for MemoryStore {
    fn find(&self, token: &TokenDigest) -> Result<Option<(TokenRecord, Grant)>, StoreError> {
        let data = self.lock();
        let access = data.access.get(token).cloned().map(TokenRecord::Access);
        let refresh = data.refresh.get(token).map(|row| {
            let is_spent = row.spent_at.is_some();
            TokenRecord::Refresh(RefreshTokenRecord { is_spent, ..row.record.clone() })
        });
        Ok(access.or(refresh).and_then(|record| data.with_grant(record, &token.grant())))
    }

    fn issue(&self, grant: &Grant, access: &NewAccessToken) -> Result<bool, StoreError> {
        let mut data = self.lock();
        if !data.clients.get(&grant.client_id).is_some_and(Client::is_enabled) {
            return Ok(false);
        }
        data.grants.insert(grant.id, grant.clone());
        data.insert_access(access);
        Ok(true)
    }

    fn revoke_access(&self, token: &TokenDigest) -> Result<(), StoreError> {
        self.lock().access.remove(token);
        Ok(())
    }

    fn rotate(&self, rotation: &Rotation<'_>) -> Result<Rotated, StoreError> {
        let (grant, at) = (rotation.presented.grant(), rotation.at);
        let mut data = self.lock();
        let live = data.is_live(&grant, at);
        let Some(presented) = data.refresh.get_mut(rotation.presented) else {
            return Ok(Rotated::GrantEnded);
        };
        if presented.spent_at.is_some() {
            data.end_grants(at, |it| it.id == grant);
            return Ok(Rotated::Replayed);
        }
        if !live {
            return Ok(Rotated::GrantEnded);
        }
        let received = presented.used_at.is_none();
        presented.used_at.get_or_insert(at);
        // A token that does not rotate has no successor to make way for.
        if rotation.reuse == RefreshReuse::Strict && rotation.successor.is_some() {
            presented.spent_at = Some(at);
        }
        if let (true, Some(parent)) = (received, presented.parent) {
            data.settle(&parent, rotation.presented, at);
        }
        data.insert_access(rotation.access);
        if let Some(successor) = rotation.successor {
            data.insert_refresh(Some(*rotation.presented), successor);
            data.forget_surplus_successors(rotation.presented);
        }
        Ok(Rotated::Done)
    }
}

impl Data {
    fn insert_access(&mut self, token: &NewAccessToken) {
        let record = AccessTokenRecord {
            scope: token.scope.clone(),
            audience: token.audience.clone(),
            created_at: token.created_at,
            expires_at: token.expires_at,
        };
        self.access.insert(token.digest, record);
    }

    fn insert_refresh(&mut self, parent: Option<TokenDigest>, token: &NewRefreshToken) {
        let siblings = self.refresh.values().filter(|row| row.parent == parent);
        let serial = siblings.map(|row| row.serial + 1).max().unwrap_or(0);
        let row = RefreshRow {
            record: RefreshTokenRecord {
                created_at: token.created_at,
                expires_at: token.expires_at,
                is_spent: false,
            },
            parent,
            serial,
            used_at: None,
            spent_at: None,
        };
        self.refresh.insert(token.digest, row);
    }

    /// The first successor of `parent` was presented: the parent and the other successors are spent.
    /// Each row says so itself, because any of the others may be purged before it.
    fn settle(&mut self, parent: &TokenDigest, winner: &TokenDigest, at: Timestamp) {
        for (digest, row) in &mut self.refresh {
            let loser = row.parent.as_ref() == Some(parent) && digest != winner;
            if loser || digest == parent {
                row.spent_at.get_or_insert(at);
            }
        }
    }

    fn forget_surplus_successors(&mut self, parent: &TokenDigest) {
        let mut unused: Vec<_> = self
            .refresh
            .iter()
            .filter(|(_, row)| row.parent.as_ref() == Some(parent) && row.used_at.is_none())
            .map(|(digest, row)| (row.serial, *digest))
            .collect();
        unused.sort_unstable();
        let surplus = unused.len().saturating_sub(MAX_SIBLINGS);
        for (_, digest) in unused.into_iter().take(surplus) {
            self.refresh.remove(&digest);
        }
    }
}

impl Housekeeping for MemoryStore {
    fn purge(
        &self,
        now: Timestamp,
        sessions: SessionLifetimes,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let mut data = self.lock();
        let expired = |at: Timestamp| at.is_expired(now);
        let mut removed = take_pending(&mut data, now, limit);
        removed += take(&mut data.codes, limit, |it| expired(it.record.expires_at));
        removed += take(&mut data.access, limit, |it| expired(it.expires_at));
        removed += take(&mut data.refresh, limit, |it| expired(it.record.expires_at));
        removed += take(&mut data.sessions, limit, |it| !it.is_live(sessions, now));
        let tokens = data.access.keys().chain(data.refresh.keys()).map(TokenDigest::grant);
        let needed: BTreeSet<_> = data.codes.keys().map(CodeDigest::grant).chain(tokens).collect();
        removed += take(&mut data.grants, limit, |it| !needed.contains(&it.id));
        Ok(removed)
    }
}

fn take_pending(data: &mut Data, now: Timestamp, limit: usize) -> usize {
    let mut left = limit;
    data.pending.retain(|row| {
        let remove = left > 0 && row.pending.expires_at.is_expired(now);
        left -= usize::from(remove);
        !remove
    });
    limit - left
}

fn take<K: Ord + Clone, V>(
    rows: &mut BTreeMap<K, V>,
    limit: usize,
    expired: impl Fn(&V) -> bool,
) -> usize {
    let keys: Vec<K> = rows
        .iter()
        .filter(|(_, row)| expired(row))
        .map(|(key, _)| key.clone())
        .take(limit)
        .collect();
    for key in &keys {
        rows.remove(key);
    }
    keys.len()
}

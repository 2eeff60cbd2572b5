//! Codes, tokens, and removing what expired.

use super::{AccessRow, Data, MemoryStore, RefreshRow};
use auth_core::code::{CodeRecord, CodeStore, Redeemed, Redemption};
use auth_core::error::StoreError;
use auth_core::grant::{Grant, GrantId};
use auth_core::housekeeping::Housekeeping;
use auth_core::secret::{AccessTokenDigest, CodeDigest, RefreshTokenDigest};
use auth_core::session::SessionLifetimes;
use auth_core::timestamp::Timestamp;
use auth_core::token::{
    AccessTokenRecord, MAX_SIBLINGS, NewAccessToken, NewRefreshToken, RefreshReuse,
    RefreshTokenRecord, Rotated, Rotation, TokenStore,
};
use std::collections::{BTreeMap, BTreeSet};

impl CodeStore for MemoryStore {
    fn find(&self, code: &CodeDigest) -> Result<Option<(CodeRecord, Grant)>, StoreError> {
        let data = self.lock();
        let record = data.codes.get(code).map(|row| row.record.clone());
        Ok(record.and_then(|record| {
            let grant = record.grant_id.clone();
            data.with_grant(record, &grant)
        }))
    }

    fn redeem(&self, redemption: &Redemption<'_>) -> Result<Redeemed, StoreError> {
        let Redemption { grant_id, at, .. } = *redemption;
        let mut data = self.lock();
        let live = data.is_live(grant_id, at);
        let Some(code) = data.codes.get_mut(redemption.code) else {
            return Ok(Redeemed::GrantEnded);
        };
        if code.spent_at.is_some() {
            data.end_grants(at, |grant| grant.id == *grant_id);
            return Ok(Redeemed::Replayed);
        }
        if !live {
            return Ok(Redeemed::GrantEnded);
        }
        code.spent_at = Some(at);
        data.insert_access(grant_id, redemption.access);
        if let Some(refresh) = redemption.refresh {
            data.insert_refresh(grant_id, None, refresh);
        }
        Ok(Redeemed::First)
    }
}

impl TokenStore for MemoryStore {
    fn find_access(
        &self,
        token: &AccessTokenDigest,
    ) -> Result<Option<(AccessTokenRecord, Grant)>, StoreError> {
        let data = self.lock();
        let row = data.access.get(token);
        Ok(row.and_then(|row| data.with_grant(row.record.clone(), &row.grant_id)))
    }

    fn find_refresh(
        &self,
        token: &RefreshTokenDigest,
    ) -> Result<Option<(RefreshTokenRecord, Grant)>, StoreError> {
        let data = self.lock();
        let row = data.refresh.get(token);
        Ok(row.and_then(|row| data.with_grant(row.record.clone(), &row.grant_id)))
    }

    fn rotate(&self, rotation: &Rotation<'_>) -> Result<Rotated, StoreError> {
        let Rotation { grant_id, at, .. } = *rotation;
        let mut data = self.lock();
        let live = data.is_live(grant_id, at);
        let Some(presented) = data.refresh.get_mut(rotation.presented) else {
            return Ok(Rotated::GrantEnded);
        };
        if presented.spent_at.is_some() {
            data.end_grants(at, |grant| grant.id == *grant_id);
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
        data.insert_access(grant_id, rotation.access);
        if let Some(successor) = rotation.successor {
            data.insert_refresh(grant_id, Some(*rotation.presented), successor);
            data.forget_surplus_successors(rotation.presented);
        }
        Ok(Rotated::Done)
    }
}

impl Data {
    fn insert_access(&mut self, grant_id: &GrantId, token: &NewAccessToken) {
        let row = AccessRow {
            record: AccessTokenRecord {
                scope: token.scope.clone(),
                created_at: token.created_at,
                expires_at: token.expires_at,
            },
            grant_id: grant_id.clone(),
        };
        self.access.insert(token.digest, row);
    }

    fn insert_refresh(
        &mut self,
        grant_id: &GrantId,
        parent: Option<RefreshTokenDigest>,
        token: &NewRefreshToken,
    ) {
        let siblings = self.refresh.values().filter(|row| row.parent == parent);
        let serial = siblings.map(|row| row.serial + 1).max().unwrap_or(0);
        let row = RefreshRow {
            record: RefreshTokenRecord {
                created_at: token.created_at,
                expires_at: token.expires_at,
            },
            grant_id: grant_id.clone(),
            parent,
            serial,
            used_at: None,
            spent_at: None,
        };
        self.refresh.insert(token.digest, row);
    }

    /// The first successor of `parent` was presented: the parent and the other successors are spent.
    /// Each row says so itself, because any of the others may be purged before it.
    fn settle(&mut self, parent: &RefreshTokenDigest, winner: &RefreshTokenDigest, at: Timestamp) {
        for (digest, row) in &mut self.refresh {
            let loser = row.parent.as_ref() == Some(parent) && digest != winner;
            if loser || digest == parent {
                row.spent_at.get_or_insert(at);
            }
        }
    }

    fn forget_surplus_successors(&mut self, parent: &RefreshTokenDigest) {
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
        removed += take(&mut data.access, limit, |it| expired(it.record.expires_at));
        removed += take(&mut data.refresh, limit, |it| expired(it.record.expires_at));
        removed += take(&mut data.sessions, limit, |it| !it.is_live(sessions, now));
        let codes = data.codes.values().map(|row| &row.record.grant_id);
        let access = data.access.values().map(|row| &row.grant_id);
        let refresh = data.refresh.values().map(|row| &row.grant_id);
        let needed: BTreeSet<_> = codes.chain(access).chain(refresh).cloned().collect();
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

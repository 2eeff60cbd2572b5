//! The ports of [`auth_core`], each method one read or one job of the writer.

use crate::DieselStore;
use crate::pool::snapshot;
use crate::repository::grants as grant_rows;
use crate::repository::{
    clients, codes, consents, housekeeping, owners, pending, sessions, tokens,
};
use auth_core::client::{
    Changed, Client, ClientId, ClientRegistry, ClientSecretRecord, ClientStore, Inserted, Retired,
};
use auth_core::code::{CodeRecord, CodeStore, Redeemed, Redemption};
use auth_core::consent::{Consent, ConsentStore, PendingAuthorization, PendingAuthorizationStore};
use auth_core::error::StoreError;
use auth_core::grant::{Approval, Decided, Grant, GrantFilter, GrantId, GrantStore};
use auth_core::housekeeping::Housekeeping;
use auth_core::owner::{Owner, OwnerRegistry, OwnerStore, SubjectId, Username};
use auth_core::password::PasswordHash;
use auth_core::secret::{
    AccessTokenDigest, CodeDigest, InteractionDigest, RefreshTokenDigest, SessionDigest,
};
use auth_core::session::{Session, SessionId, SessionLifetimes, SessionRegistry, SessionStore};
use auth_core::timestamp::Timestamp;
use auth_core::token::{AccessTokenRecord, RefreshTokenRecord, Rotated, Rotation, TokenStore};

type Result<T> = std::result::Result<T, StoreError>;

impl ClientStore for DieselStore {
    fn find(&self, id: &ClientId) -> Result<Option<Client>> {
        self.read(|conn| snapshot(conn, |conn| clients::find(conn, id)))
    }
}

impl ClientRegistry for DieselStore {
    fn list(&self) -> Result<Vec<Client>> {
        self.read(|conn| snapshot(conn, clients::list))
    }

    fn insert(&self, client: &Client) -> Result<Inserted> {
        let client = client.clone();
        self.write(move |conn| clients::insert(conn, &client))
    }

    fn update(&self, client: &Client) -> Result<Changed> {
        let client = client.clone();
        self.write(move |conn| clients::update(conn, &client))
    }

    fn set_disabled(&self, id: &ClientId, at: Option<Timestamp>) -> Result<Changed> {
        let id = id.clone();
        self.write(move |conn| clients::set_disabled(conn, &id, at))
    }

    fn delete(&self, id: &ClientId, at: Timestamp) -> Result<Changed> {
        let id = id.clone();
        self.write(move |conn| clients::delete(conn, &id, at))
    }

    fn add_secret(
        &self,
        id: &ClientId,
        secret: &ClientSecretRecord,
        keep: usize,
    ) -> Result<Changed> {
        let (id, secret) = (id.clone(), secret.clone());
        self.write(move |conn| clients::add_secret(conn, &id, &secret, keep))
    }

    fn retire_secret(&self, id: &ClientId, secret_id: &str) -> Result<Retired> {
        let (id, secret_id) = (id.clone(), secret_id.to_owned());
        self.write(move |conn| clients::retire_secret(conn, &id, &secret_id))
    }
}

impl OwnerStore for DieselStore {
    fn find_by_username(&self, username: &Username) -> Result<Option<(Owner, PasswordHash)>> {
        self.read(|conn| owners::find_by_username(conn, username))
    }

    fn find(&self, subject: &SubjectId) -> Result<Option<Owner>> {
        self.read(|conn| owners::find(conn, subject))
    }

    fn rehash(&self, subject: &SubjectId, hash: &PasswordHash) -> Result<()> {
        let (subject, hash) = (subject.clone(), hash.clone());
        self.write(move |conn| owners::rehash(conn, &subject, &hash).map(drop))
    }
}

impl OwnerRegistry for DieselStore {
    fn list(&self) -> Result<Vec<Owner>> {
        self.read(owners::list)
    }

    fn insert(&self, owner: &Owner, hash: &PasswordHash) -> Result<Inserted> {
        let (owner, hash) = (owner.clone(), hash.clone());
        self.write(move |conn| owners::insert(conn, &owner, &hash))
    }

    fn set_password(
        &self,
        subject: &SubjectId,
        hash: &PasswordHash,
        keep: Option<&SessionDigest>,
        at: Timestamp,
    ) -> Result<Changed> {
        let (subject, hash, keep) = (subject.clone(), hash.clone(), keep.copied());
        self.write(move |conn| owners::set_password(conn, &subject, &hash, keep.as_ref(), at))
    }

    fn set_disabled(&self, subject: &SubjectId, at: Option<Timestamp>) -> Result<Changed> {
        let subject = subject.clone();
        self.write(move |conn| owners::set_disabled(conn, &subject, at))
    }
}

impl SessionStore for DieselStore {
    fn find(&self, digest: &SessionDigest) -> Result<Option<(Session, Owner)>> {
        self.read(|conn| sessions::find(conn, digest))
    }

    fn insert(&self, session: &Session, replaces: Option<&SessionDigest>) -> Result<()> {
        let (session, replaces) = (session.clone(), replaces.copied());
        self.write(move |conn| sessions::insert(conn, &session, replaces.as_ref()))
    }

    fn touch(&self, digest: &SessionDigest, at: Timestamp) -> Result<()> {
        let digest = *digest;
        self.write(move |conn| sessions::touch(conn, &digest, at))
    }

    fn end(&self, digest: &SessionDigest) -> Result<()> {
        let digest = *digest;
        self.write(move |conn| sessions::end(conn, &digest))
    }
}

impl SessionRegistry for DieselStore {
    fn list(&self, subject: Option<&SubjectId>) -> Result<Vec<(Session, Owner)>> {
        self.read(|conn| sessions::list(conn, subject))
    }

    fn end_by_id(&self, id: &SessionId) -> Result<bool> {
        let id = id.clone();
        self.write(move |conn| sessions::end_by_id(conn, &id))
    }

    fn end_by_subject(&self, subject: &SubjectId) -> Result<usize> {
        let subject = subject.clone();
        self.write(move |conn| sessions::end_others(conn, &subject, None))
    }
}

impl PendingAuthorizationStore for DieselStore {
    fn insert(&self, request: &PendingAuthorization, origin: &str, limit: usize) -> Result<()> {
        let (request, origin) = (request.clone(), origin.to_owned());
        self.write(move |conn| pending::insert(conn, &request, &origin, limit))
    }

    fn find(&self, interaction: &InteractionDigest) -> Result<Option<PendingAuthorization>> {
        self.read(|conn| pending::find(conn, interaction))
    }

    fn signed_in(&self, interaction: &InteractionDigest, session: &SessionDigest) -> Result<()> {
        let (interaction, session) = (*interaction, *session);
        self.write(move |conn| pending::signed_in(conn, &interaction, &session))
    }
}

impl ConsentStore for DieselStore {
    fn find(&self, subject: &SubjectId, client_id: &ClientId) -> Result<Option<Consent>> {
        self.read(|conn| consents::find(conn, subject, client_id))
    }
}

impl GrantStore for DieselStore {
    fn approve(&self, approval: &Approval<'_>) -> Result<Decided> {
        let approval = grant_rows::Approval {
            interaction: approval.interaction.copied(),
            grant: approval.grant.clone(),
            code: *approval.code,
            record: approval.record.clone(),
            remember: approval.remember.cloned(),
        };
        self.write(move |conn| grant_rows::approve(conn, &approval))
    }

    fn deny(&self, interaction: &InteractionDigest, at: Timestamp) -> Result<Decided> {
        let interaction = *interaction;
        self.write(move |conn| grant_rows::deny(conn, &interaction, at))
    }

    fn revoke(&self, id: &GrantId, at: Timestamp) -> Result<bool> {
        let id = id.clone();
        self.write(move |conn| grant_rows::revoke(conn, &id, at))
    }

    fn withdraw(
        &self,
        subject: &SubjectId,
        client_id: Option<&ClientId>,
        at: Timestamp,
    ) -> Result<usize> {
        let (subject, client_id) = (subject.clone(), client_id.cloned());
        self.write(move |conn| grant_rows::withdraw(conn, &subject, client_id.as_ref(), at))
    }

    fn list(&self, filter: &GrantFilter, now: Timestamp) -> Result<Vec<Grant>> {
        self.read(|conn| grant_rows::list(conn, filter, now))
    }
}

impl CodeStore for DieselStore {
    fn find(&self, code: &CodeDigest) -> Result<Option<(CodeRecord, Grant)>> {
        self.read(|conn| codes::find(conn, code))
    }

    fn redeem(&self, redemption: &Redemption<'_>) -> Result<Redeemed> {
        let redemption = codes::Redemption {
            code: *redemption.code,
            grant_id: redemption.grant_id.clone(),
            at: redemption.at,
            access: redemption.access.clone(),
            refresh: redemption.refresh.cloned(),
        };
        self.write(move |conn| codes::redeem(conn, &redemption))
    }
}

impl TokenStore for DieselStore {
    fn find_access(&self, token: &AccessTokenDigest) -> Result<Option<(AccessTokenRecord, Grant)>> {
        self.read(|conn| tokens::find_access(conn, token))
    }

    fn find_refresh(
        &self,
        token: &RefreshTokenDigest,
    ) -> Result<Option<(RefreshTokenRecord, Grant)>> {
        self.read(|conn| tokens::find_refresh(conn, token))
    }

    fn rotate(&self, rotation: &Rotation<'_>) -> Result<Rotated> {
        let rotation = tokens::Rotation {
            presented: *rotation.presented,
            grant_id: rotation.grant_id.clone(),
            at: rotation.at,
            reuse: rotation.reuse,
            access: rotation.access.clone(),
            successor: rotation.successor.cloned(),
        };
        self.write(move |conn| tokens::rotate(conn, &rotation))
    }
}

impl Housekeeping for DieselStore {
    fn purge(&self, now: Timestamp, sessions: SessionLifetimes, limit: usize) -> Result<usize> {
        self.write(move |conn| housekeeping::purge(conn, now, sessions, limit))
    }
}

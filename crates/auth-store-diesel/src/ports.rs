//! The ports of [`auth_core`], each method one read or one transition of the repository.

use crate::transition;
use crate::{Backend, DieselStore};
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
use auth_core::secret::{CodeDigest, InteractionDigest, SessionDigest, TokenDigest};
use auth_core::session::{Session, SessionId, SessionLifetimes, SessionRegistry, SessionStore};
use auth_core::timestamp::Timestamp;
use auth_core::token::{NewAccessToken, Rotated, Rotation, TokenRecord, TokenStore};

type Result<T> = std::result::Result<T, StoreError>;

/// Calls a function of the open backend's repository: `store.how(|conn| function(conn, arguments…))`.
macro_rules! call {
    ($self:ident.$how:ident, $module:ident::$function:ident($($argument:expr),*)) => {
        match &$self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite(store) => store.$how(move |conn| {
                crate::sqlite::repository::$module::$function(conn, $($argument),*)
            }),
            #[cfg(feature = "postgres")]
            Backend::Postgres(store) => store.$how(move |conn| {
                crate::postgres::repository::$module::$function(conn, $($argument),*)
            }),
        }
    };
}

impl ClientStore for DieselStore {
    fn find(&self, id: &ClientId) -> Result<Option<Client>> {
        call!(self.read, clients::find(id))
    }
}

impl ClientRegistry for DieselStore {
    fn list(&self) -> Result<Vec<Client>> {
        call!(self.read, clients::list())
    }

    fn insert(&self, client: &Client) -> Result<Inserted> {
        let client = client.clone();
        call!(self.write, clients::insert(&client))
    }

    fn update(&self, client: &Client) -> Result<Changed> {
        let client = client.clone();
        call!(self.write, clients::update(&client))
    }

    fn set_disabled(&self, id: &ClientId, at: Option<Timestamp>) -> Result<Changed> {
        match at {
            Some(at) => {
                let changed = self.disable(id, at)?;
                self.end_grants_of_disabled(id)?;
                Ok(changed)
            }
            None => {
                // Whoever disabled it may not have come to the end.
                self.end_grants_of_disabled(id)?;
                let id = id.clone();
                call!(self.write_one, clients::enable(&id))
            }
        }
    }

    fn delete(&self, id: &ClientId, at: Timestamp) -> Result<Changed> {
        self.disable(id, at)?;
        self.end_grants_of_disabled(id)?;
        let id = id.clone();
        call!(self.write, clients::delete(&id))
    }

    fn add_secret(
        &self,
        id: &ClientId,
        secret: &ClientSecretRecord,
        keep: usize,
    ) -> Result<Changed> {
        let (id, secret) = (id.clone(), secret.clone());
        call!(self.write, clients::add_secret(&id, &secret, keep))
    }

    fn retire_secret(&self, id: &ClientId, secret_id: &str) -> Result<Retired> {
        let (id, secret_id) = (id.clone(), secret_id.to_owned());
        call!(self.write, clients::retire_secret(&id, &secret_id))
    }
}

/// Ending all that a client has takes several transactions, because it may have a million grants, and
/// because nobody may hold it up by asking for more: first the client is disabled, then it gets no new
/// ones, then those that it has are ended in batches.
impl DieselStore {
    /// How many rows one transaction ends at most.
    const END_BATCH: i64 = 4000;

    fn disable(&self, id: &ClientId, at: Timestamp) -> Result<Changed> {
        let id = id.clone();
        call!(self.write_one, clients::disable(&id, at))
    }

    fn end_grants_of_disabled(&self, id: &ClientId) -> Result<()> {
        let client = id.clone();
        let Some(at) = call!(self.write, clients::disabled_at(&client))? else {
            return Ok(());
        };
        let revoke = || {
            let client = id.clone();
            call!(self.write, grants::revoke_by_client(&client, at, Self::END_BATCH))
        };
        let forget = || {
            let client = id.clone();
            call!(self.write, consents::forget_client(&client, Self::END_BATCH))
        };
        while revoke()? > 0 {}
        while forget()? > 0 {}
        Ok(())
    }
}

impl OwnerStore for DieselStore {
    fn find_by_username(&self, username: &Username) -> Result<Option<(Owner, PasswordHash)>> {
        call!(self.read, owners::find_by_username(username))
    }

    fn find(&self, subject: &SubjectId) -> Result<Option<Owner>> {
        call!(self.read, owners::find(subject))
    }

    fn rehash(
        &self,
        subject: &SubjectId,
        before: &PasswordHash,
        hash: &PasswordHash,
    ) -> Result<()> {
        let (subject, before, hash) = (subject.clone(), before.clone(), hash.clone());
        call!(self.write_one, owners::rehash(&subject, &before, &hash))
    }
}

impl OwnerRegistry for DieselStore {
    fn list(&self) -> Result<Vec<Owner>> {
        call!(self.read, owners::list())
    }

    fn insert(&self, owner: &Owner, hash: &PasswordHash) -> Result<Inserted> {
        let (owner, hash) = (owner.clone(), hash.clone());
        call!(self.write_one, owners::insert(&owner, &hash))
    }

    fn set_password(
        &self,
        subject: &SubjectId,
        hash: &PasswordHash,
        keep: Option<&SessionDigest>,
        at: Timestamp,
    ) -> Result<Changed> {
        let (subject, hash, keep) = (subject.clone(), hash.clone(), keep.copied());
        call!(self.write, owners::set_password(&subject, &hash, keep.as_ref(), at))
    }

    fn set_disabled(&self, subject: &SubjectId, at: Option<Timestamp>) -> Result<Changed> {
        let subject = subject.clone();
        call!(self.write, owners::set_disabled(&subject, at))
    }
}

impl SessionStore for DieselStore {
    fn find(&self, digest: &SessionDigest) -> Result<Option<(Session, Owner)>> {
        call!(self.read, sessions::find(digest))
    }

    fn insert(&self, session: &Session, replaces: Option<&SessionDigest>) -> Result<()> {
        let (session, replaces) = (session.clone(), replaces.copied());
        call!(self.write, sessions::insert(&session, replaces.as_ref()))
    }

    fn touch(&self, digest: &SessionDigest, at: Timestamp) -> Result<()> {
        let digest = *digest;
        call!(self.write_one, sessions::touch(&digest, at))
    }

    fn end(&self, digest: &SessionDigest) -> Result<()> {
        let digest = *digest;
        call!(self.write_one, sessions::end(&digest))
    }
}

impl SessionRegistry for DieselStore {
    fn list(&self, subject: Option<&SubjectId>) -> Result<Vec<(Session, Owner)>> {
        call!(self.read, sessions::list(subject))
    }

    fn end_by_id(&self, id: &SessionId) -> Result<bool> {
        let id = id.clone();
        call!(self.write_one, sessions::end_by_id(&id))
    }

    fn end_by_subject(&self, subject: &SubjectId) -> Result<usize> {
        let subject = subject.clone();
        call!(self.write_one, sessions::end_others(&subject, None))
    }
}

impl PendingAuthorizationStore for DieselStore {
    fn insert(&self, request: &PendingAuthorization, origin: &str, limit: usize) -> Result<()> {
        let (request, origin) = (request.clone(), origin.to_owned());
        call!(self.write, pending::insert(&request, &origin, limit))
    }

    fn find(&self, interaction: &InteractionDigest) -> Result<Option<PendingAuthorization>> {
        call!(self.read, pending::find(interaction))
    }

    fn signed_in(&self, interaction: &InteractionDigest, session: &SessionDigest) -> Result<()> {
        let (interaction, session) = (*interaction, *session);
        call!(self.write_one, pending::signed_in(&interaction, &session))
    }
}

impl ConsentStore for DieselStore {
    fn find(&self, subject: &SubjectId, client_id: &ClientId) -> Result<Vec<Consent>> {
        call!(self.read, consents::find(subject, client_id))
    }
}

impl GrantStore for DieselStore {
    fn approve(&self, approval: &Approval<'_>) -> Result<Decided> {
        let approval = transition::Approval::from(approval);
        call!(self.write, grants::approve(&approval))
    }

    fn deny(&self, interaction: &InteractionDigest, at: Timestamp) -> Result<Decided> {
        let interaction = *interaction;
        call!(self.write_one, grants::deny(&interaction, at))
    }

    fn revoke(&self, id: &GrantId, at: Timestamp) -> Result<bool> {
        let id = *id;
        call!(self.write_one, grants::revoke(&id, at))
    }

    fn withdraw(
        &self,
        subject: &SubjectId,
        client_id: Option<&ClientId>,
        at: Timestamp,
    ) -> Result<usize> {
        let (subject, client_id) = (subject.clone(), client_id.cloned());
        call!(self.write, grants::withdraw(&subject, client_id.as_ref(), at))
    }

    fn list(&self, filter: &GrantFilter, now: Timestamp) -> Result<Vec<Grant>> {
        call!(self.read, grants::list(filter, now))
    }
}

impl CodeStore for DieselStore {
    fn find(&self, code: &CodeDigest) -> Result<Option<(CodeRecord, Grant)>> {
        call!(self.read, codes::find(code))
    }

    fn redeem(&self, redemption: &Redemption<'_>) -> Result<Redeemed> {
        let redemption = transition::Redemption::from(redemption);
        call!(self.write, codes::redeem(&redemption))
    }
}

impl TokenStore for DieselStore {
    fn find(&self, token: &TokenDigest) -> Result<Option<(TokenRecord, Grant)>> {
        call!(self.read, tokens::find(token))
    }

    fn issue(&self, grant: &Grant, access: &NewAccessToken) -> Result<bool> {
        let (grant, access) = (grant.clone(), access.clone());
        call!(self.write, tokens::issue(&grant, &access))
    }

    fn revoke_access(&self, token: &TokenDigest) -> Result<()> {
        let token = *token;
        call!(self.write_one, tokens::revoke_access(&token))
    }

    fn rotate(&self, rotation: &Rotation<'_>) -> Result<Rotated> {
        let rotation = transition::Rotation::from(rotation);
        call!(self.write, tokens::rotate(&rotation))
    }
}

impl Housekeeping for DieselStore {
    fn purge(&self, now: Timestamp, sessions: SessionLifetimes, limit: usize) -> Result<usize> {
        call!(self.write, housekeeping::purge(now, sessions, limit))
    }
}

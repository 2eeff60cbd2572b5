//! Clients, their redirect URIs and their secrets.

use super::Connection;
use super::{instant, parse_scope};
use crate::failure::{Failure, Key, Reading as _, Row};
use crate::schema::{client_redirect_uris, client_secrets, clients};
use crate::text::{kind_name, parse_grant_types, parse_kind};
use auth_core::client::{
    Changed, Client, ClientAuthMethod, ClientId, ClientSecretRecord, Inserted, Retired,
};
use auth_core::error::StoreError;
use auth_core::redirect_uri::RegisteredRedirectUri;
use auth_core::resource::ResourceUri;
use auth_core::secret::ClientSecretDigest;
use auth_core::timestamp::Timestamp;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use std::collections::BTreeMap;

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = clients, treat_none_as_default_value = false, treat_none_as_null = true)]
struct ClientRow {
    id: String,
    name: String,
    kind: String,
    scope: String,
    grant_types: String,
    require_pkce: i64,
    auth_method: Option<String>,
    rotate_refresh_tokens: i64,
    resource_server: Option<String>,
    created_at: i64,
    disabled_at: Option<i64>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = client_secrets, treat_none_as_default_value = false)]
struct SecretRow {
    client_id: String,
    id: String,
    ordinal: i64,
    secret_digest: Vec<u8>,
    created_at: i64,
}

impl From<&Client> for ClientRow {
    fn from(client: &Client) -> Self {
        let grant_types: Vec<_> = client.grant_types.iter().map(|it| it.as_str()).collect();
        Self {
            id: client.id.as_str().to_owned(),
            name: client.name.clone(),
            kind: kind_name(client.kind).to_owned(),
            scope: client.scope.to_string(),
            grant_types: grant_types.join(" "),
            require_pkce: client.require_pkce.into(),
            auth_method: client.auth_method.map(|method| method.as_str().to_owned()),
            rotate_refresh_tokens: client.rotate_refresh_tokens.into(),
            resource_server: client.resource_server.as_ref().map(|uri| uri.as_str().to_owned()),
            created_at: client.created_at.unix(),
            disabled_at: client.disabled_at.map(Timestamp::unix),
        }
    }
}

impl ClientRow {
    fn read(self, uris: &[String], secrets: &[SecretRow]) -> Result<Client, StoreError> {
        let row = Row { table: "clients", key: Key::Name(&self.id) };
        let uri_row = Row { table: "client_redirect_uris", ..row };
        let uri = |text: &String| uri_row.parsed("uri", RegisteredRedirectUri::parse(text).ok());
        let method = |text: String| ClientAuthMethod::parse(&text);
        let resource = |text: String| ResourceUri::parse(&text).ok();
        Ok(Client {
            id: row.parsed("id", ClientId::parse(&self.id))?,
            kind: row.parsed("kind", parse_kind(&self.kind))?,
            redirect_uris: uris.iter().map(uri).collect::<Result<_, _>>()?,
            scope: row.parsed("scope", parse_scope(&self.scope))?,
            grant_types: row.parsed("grant_types", parse_grant_types(&self.grant_types))?,
            require_pkce: row.flag("require_pkce", self.require_pkce)?,
            auth_method: row.optional("auth_method", self.auth_method, method)?,
            rotate_refresh_tokens: row.flag("rotate_refresh_tokens", self.rotate_refresh_tokens)?,
            resource_server: row.optional("resource_server", self.resource_server, resource)?,
            secrets: secrets.iter().map(SecretRow::read).collect::<Result<_, _>>()?,
            created_at: Timestamp::from_unix(self.created_at),
            disabled_at: instant(self.disabled_at),
            name: self.name,
        })
    }
}

impl SecretRow {
    fn new(client_id: &ClientId, ordinal: i64, secret: &ClientSecretRecord) -> Self {
        Self {
            client_id: client_id.as_str().to_owned(),
            id: secret.id.clone(),
            ordinal,
            secret_digest: secret.digest.as_bytes().to_vec(),
            created_at: secret.created_at.unix(),
        }
    }

    fn read(&self) -> Result<ClientSecretRecord, StoreError> {
        let row = Row { table: "client_secrets", key: Key::Name(&self.client_id) };
        let digest = row.digest("secret_digest", &self.secret_digest)?;
        Ok(ClientSecretRecord {
            id: self.id.clone(),
            digest: ClientSecretDigest::from_bytes(digest),
            created_at: Timestamp::from_unix(self.created_at),
        })
    }
}

/// A client with one of its redirect URIs and one of its secrets: what one statement can answer.
type Joined = (ClientRow, Option<(i64, String)>, Option<SecretRow>);

/// Puts clients together again from every combination of their redirect URIs and secrets.
fn assemble(rows: Vec<Joined>) -> Result<Vec<Client>, StoreError> {
    type Parts = (ClientRow, BTreeMap<i64, String>, BTreeMap<i64, SecretRow>);
    let mut clients: BTreeMap<String, Parts> = BTreeMap::new();
    for (row, uri, secret) in rows {
        let id = row.id.clone();
        let (_, uris, secrets) =
            clients.entry(id).or_insert_with(|| (row, BTreeMap::new(), BTreeMap::new()));
        uris.extend(uri);
        secrets.extend(secret.map(|secret| (secret.ordinal, secret)));
    }
    let read = |(row, uris, secrets): Parts| {
        let uris: Vec<_> = uris.into_values().collect();
        // The newest first.
        let secrets: Vec<_> = secrets.into_values().rev().collect();
        row.read(&uris, &secrets)
    };
    clients.into_values().map(read).collect()
}

/// One statement, so that what it answers was true at one moment, and one round trip.
pub(crate) fn find(conn: &mut Connection, id: &ClientId) -> Result<Option<Client>, Failure> {
    let rows: Vec<Joined> = clients::table
        .left_join(client_redirect_uris::table)
        .left_join(client_secrets::table)
        .filter(clients::id.eq(id.as_str()))
        .select((
            ClientRow::as_select(),
            (client_redirect_uris::position, client_redirect_uris::uri).nullable(),
            Option::<SecretRow>::as_select(),
        ))
        .load(conn)
        .reading("clients", Key::Name(id.as_str()))?;
    Ok(assemble(rows)?.pop())
}

/// All clients, in the order of their identifiers.
pub(crate) fn list(conn: &mut Connection) -> Result<Vec<Client>, Failure> {
    let rows: Vec<Joined> = clients::table
        .left_join(client_redirect_uris::table)
        .left_join(client_secrets::table)
        .select((
            ClientRow::as_select(),
            (client_redirect_uris::position, client_redirect_uris::uri).nullable(),
            Option::<SecretRow>::as_select(),
        ))
        .load(conn)
        .reading("clients", Key::Listed)?;
    Ok(assemble(rows)?)
}

pub(crate) fn insert(conn: &mut Connection, client: &Client) -> Result<Inserted, Failure> {
    let inserted = diesel::insert_into(clients::table)
        .values(ClientRow::from(client))
        .on_conflict_do_nothing()
        .execute(conn)?;
    if inserted == 0 {
        return Ok(Inserted::NameTaken);
    }
    insert_redirect_uris(conn, client)?;
    let mut secrets: Vec<_> = client.secrets.iter().rev().collect();
    secrets.sort_by_key(|secret| secret.created_at);
    for (ordinal, secret) in (0..).zip(secrets) {
        diesel::insert_into(client_secrets::table)
            .values(SecretRow::new(&client.id, ordinal, secret))
            .execute(conn)?;
    }
    Ok(Inserted::Inserted)
}

fn insert_redirect_uris(conn: &mut Connection, client: &Client) -> Result<(), Failure> {
    for (position, uri) in (0i64..).zip(&client.redirect_uris) {
        diesel::insert_into(client_redirect_uris::table)
            .values((
                client_redirect_uris::client_id.eq(client.id.as_str()),
                client_redirect_uris::position.eq(position),
                client_redirect_uris::uri.eq(uri.as_str()),
            ))
            .execute(conn)?;
    }
    Ok(())
}

statement! {
    Lock { id: String } -> (BigInt, Nullable<BigInt>);
    "SELECT created_at, disabled_at FROM clients WHERE id = " id [super::FOR_NO_KEY_UPDATE]
}

pub(crate) fn update(conn: &mut Connection, client: &Client) -> Result<Changed, Failure> {
    let Some((created_at, disabled_at)) = lock(conn, &client.id)? else {
        return Ok(Changed::NotFound);
    };
    let row = ClientRow { created_at, disabled_at, ..ClientRow::from(client) };
    diesel::update(clients::table.find(client.id.as_str())).set(row).execute(conn)?;
    let uris =
        client_redirect_uris::table.filter(client_redirect_uris::client_id.eq(client.id.as_str()));
    diesel::delete(uris).execute(conn)?;
    insert_redirect_uris(conn, client)?;
    Ok(Changed::Changed)
}

statement! {
    Disable { at: i64, id: String };
    "UPDATE clients SET disabled_at = COALESCE(disabled_at, " at ") WHERE id = " id
}

statement! {
    Enable { id: String };
    "UPDATE clients SET disabled_at = NULL WHERE id = " id
}

statement! {
    DisabledAt { id: String } -> Nullable<BigInt>;
    "SELECT disabled_at FROM clients WHERE id = " id " AND disabled_at IS NOT NULL" [super::FOR_UPDATE]
}

/// Once this is committed, nobody begins to give the client a grant.
pub(crate) fn disable(
    conn: &mut Connection,
    id: &ClientId,
    at: Timestamp,
) -> Result<Changed, Failure> {
    let disable = Disable { at: at.unix(), id: id.as_str().to_owned() };
    Ok(changed_if(disable.execute(conn)? > 0))
}

/// Waits for those who had begun to give a disabled client a grant. Answers since when it is disabled;
/// `None` if it is not, or gone.
pub(crate) fn disabled_at(
    conn: &mut Connection,
    id: &ClientId,
) -> Result<Option<Timestamp>, Failure> {
    let stored: Option<Option<i64>> =
        DisabledAt { id: id.as_str().to_owned() }.get_result(conn).optional()?;
    Ok(super::instant(stored.flatten()))
}

pub(crate) fn enable(conn: &mut Connection, id: &ClientId) -> Result<Changed, Failure> {
    Ok(changed_if(Enable { id: id.as_str().to_owned() }.execute(conn)? > 0))
}

pub(crate) fn delete(conn: &mut Connection, id: &ClientId) -> Result<Changed, Failure> {
    // Its redirect URIs and secrets go with it: their rows cascade.
    let deleted = diesel::delete(clients::table.find(id.as_str())).execute(conn)?;
    Ok(changed_if(deleted > 0))
}

pub(crate) fn add_secret(
    conn: &mut Connection,
    id: &ClientId,
    secret: &ClientSecretRecord,
    keep: usize,
) -> Result<Changed, Failure> {
    if lock(conn, id)?.is_none() {
        return Ok(Changed::NotFound);
    }
    let live = secrets(conn, id)?;
    for (secret_id, _) in live.iter().skip(keep) {
        remove_secret(conn, id, secret_id)?;
    }
    let ordinal = live.first().map_or(0, |(_, newest)| newest + 1);
    diesel::insert_into(client_secrets::table)
        .values(SecretRow::new(id, ordinal, secret))
        .execute(conn)?;
    Ok(Changed::Changed)
}

pub(crate) fn retire_secret(
    conn: &mut Connection,
    id: &ClientId,
    secret_id: &str,
) -> Result<Retired, Failure> {
    // Two that retire different secrets must not both find the other one left.
    lock(conn, id)?;
    let live = secrets(conn, id)?;
    if !live.iter().any(|(live_id, _)| live_id == secret_id) {
        return Ok(Retired::NotFound);
    }
    if live.len() == 1 {
        return Ok(Retired::LastOne);
    }
    remove_secret(conn, id, secret_id)?;
    Ok(Retired::Retired)
}

/// Locks the client, and with it its redirect URIs and secrets. Answers when it was made and disabled.
fn lock(conn: &mut Connection, id: &ClientId) -> Result<Option<(i64, Option<i64>)>, Failure> {
    Ok(Lock { id: id.as_str().to_owned() }.get_result(conn).optional()?)
}

/// The names and ordinals of this client's secrets, the newest first.
fn secrets(conn: &mut Connection, id: &ClientId) -> Result<Vec<(String, i64)>, Failure> {
    client_secrets::table
        .filter(client_secrets::client_id.eq(id.as_str()))
        .order(client_secrets::ordinal.desc())
        .select((client_secrets::id, client_secrets::ordinal))
        .load(conn)
        .reading("client_secrets", Key::Name(id.as_str()))
}

fn remove_secret(conn: &mut Connection, id: &ClientId, secret_id: &str) -> Result<(), Failure> {
    diesel::delete(client_secrets::table.find((id.as_str(), secret_id))).execute(conn)?;
    Ok(())
}

fn changed_if(changed: bool) -> Changed {
    match changed {
        true => Changed::Changed,
        false => Changed::NotFound,
    }
}

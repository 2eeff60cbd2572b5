//! `auth-server client secret`: the secrets of a confidential client (CAUTH-13, CAUTH-14).

use super::Admin;
use super::names::no_client;
use super::output::{Answer, card, quoted, table};
use super::registration::mint_id;
use crate::system::OsEntropy;
use anyhow::{Result, bail};
use auth_core::client::{Changed, ClientRegistry as _, ClientSecretRecord, Retired};
use auth_core::entropy::EntropyError;
use auth_core::secret::ClientSecret;
use auth_core::timestamp::Timestamp;
use serde::Serialize;

pub(super) const EXAMPLE: &str = "\
Example:
  auth-server client secret rotate my-app
  auth-server client secret list my-app";

/// Said wherever a secret was just made.
pub(super) const SHOWN_ONCE: &str =
    "Keep the client_secret now: only its hash is stored, and it is never shown again.";

/// `client secret …`
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a new secret; the newest old one stays valid beside it
    #[command(after_help = "\
Example:
  Change a secret without interrupting the client:
    auth-server client secret rotate my-app
    auth-server client secret list my-app
    auth-server client secret retire my-app SECRET_ID

  Replace one that leaked, at once:
    auth-server client secret rotate my-app --revoke-old")]
    Rotate {
        /// The client_id
        id: String,
        /// Let no old secret stay valid
        #[arg(long)]
        revoke_old: bool,
    },
    /// List the live secrets by name and age, the newest first
    #[command(after_help = "\
Example:
  auth-server client secret list my-app")]
    List {
        /// The client_id
        id: String,
    },
    /// End one secret, unless it is the only one
    #[command(after_help = "\
Example:
  auth-server client secret retire my-app 3f2a9c0d5b1e4876a0c1d2e3f4a5b6c7")]
    Retire {
        /// The client_id
        id: String,
        /// The secret's name, from `client secret list`
        secret_id: String,
    },
}

/// A fresh secret, and the record by which it is recognized.
pub(super) fn mint(now: Timestamp) -> Result<(ClientSecret, ClientSecretRecord), EntropyError> {
    let secret = ClientSecret::mint(&OsEntropy)?;
    let digest = secret.digest();
    Ok((secret, ClientSecretRecord { id: mint_id()?, digest, created_at: now }))
}

pub(super) fn run(command: Command, admin: &Admin) -> Result<Answer> {
    match command {
        Command::Rotate { id, revoke_old } => rotate(&id, revoke_old, admin),
        Command::List { id } => list(&id, admin),
        Command::Retire { id, secret_id } => retire(&id, &secret_id, admin),
    }
}

#[derive(Serialize)]
struct Rotated<'a> {
    client_id: &'a str,
    client_secret: &'a str,
    secret_id: &'a str,
    created_at: String,
}

fn rotate(id: &str, revoke_old: bool, admin: &Admin) -> Result<Answer> {
    let client = admin.client(id)?;
    if client.is_public() {
        bail!("the client {} is public: it cannot keep a secret", quoted(id));
    }
    let (secret, record) = mint(admin.now())?;
    let keep = usize::from(!revoke_old);
    if admin.store.add_secret(&client.id, &record, keep)? == Changed::NotFound {
        return Err(no_client(id));
    }
    let json = Rotated {
        client_id: client.id.as_str(),
        client_secret: secret.expose(),
        secret_id: &record.id,
        created_at: record.created_at.to_string(),
    };
    let text = card(&[
        ("client_id", vec![json.client_id.to_owned()]),
        ("client_secret", vec![json.client_secret.to_owned()]),
        ("secret_id", vec![json.secret_id.to_owned()]),
        ("created_at", vec![json.created_at.clone()]),
    ]);
    let answer = Answer::new(&json, text)?.note(SHOWN_ONCE);
    if revoke_old {
        return Ok(answer.note("No older secret is valid any more."));
    }
    let kept = client.secrets.iter().take(keep).map(|old| {
        format!("The secret {} stays valid until `auth-server client secret retire`.", old.id)
    });
    let ended = client.secrets.iter().skip(keep);
    let ended = ended.map(|old| format!("The secret {} is not valid any more.", old.id));
    Ok(kept.chain(ended).fold(answer, Answer::note))
}

#[derive(Serialize)]
struct Listed<'a> {
    secret_id: &'a str,
    created_at: String,
}

fn list(id: &str, admin: &Admin) -> Result<Answer> {
    let client = admin.client(id)?;
    let json: Vec<_> = client
        .secrets
        .iter()
        .map(|one| Listed { secret_id: &one.id, created_at: one.created_at.to_string() })
        .collect();
    let rows: Vec<_> =
        json.iter().map(|one| [one.secret_id.to_owned(), one.created_at.clone()]).collect();
    let answer = Answer::new(&json, table(["SECRET ID", "CREATED AT"], &rows))?;
    Ok(match client.is_public() {
        true => answer.note("A public client has no secrets."),
        false => answer,
    })
}

fn retire(id: &str, secret_id: &str, admin: &Admin) -> Result<Answer> {
    #[derive(Serialize)]
    struct Gone<'a> {
        client_id: &'a str,
        secret_id: &'a str,
        retired: bool,
    }
    let client = admin.client(id)?;
    match admin.store.retire_secret(&client.id, secret_id)? {
        Retired::Retired => {
            let json = Gone { client_id: client.id.as_str(), secret_id, retired: true };
            Ok(Answer::new(&json, String::new())?.note("The secret is not valid any more."))
        }
        Retired::LastOne => bail!(
            "this is the client's only secret; `auth-server client secret rotate` makes another"
        ),
        Retired::NotFound => bail!(
            "the client {} has no secret {}; `auth-server client secret list` shows them",
            quoted(id),
            quoted(secret_id)
        ),
    }
}

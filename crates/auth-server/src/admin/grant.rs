//! `auth-server grant`: what people approved, and taking it back.

use super::Admin;
use super::names::client_id;
use super::output::{Answer, quoted, table};
use anyhow::{Result, bail};
use auth_core::client::ClientId;
use auth_core::grant::{Grant, GrantFilter, GrantId, GrantStore as _};
use auth_core::owner::{OwnerStore as _, SubjectId};
use auth_core::timestamp::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) const EXAMPLE: &str = "\
Example:
  auth-server grant list --user alice
  auth-server grant revoke --user alice --client my-app";

/// `grant …`
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the grants that are in use, the newest first
    #[command(after_help = "\
Example:
  auth-server grant list --client my-app
  auth-server grant list --user alice --all --json")]
    List {
        /// Only what this user approved
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
        /// Only what was approved for this client
        #[arg(long, value_name = "CLIENT_ID")]
        client: Option<String>,
        /// Also grants that are revoked, expired, or have no live token left
        #[arg(long)]
        all: bool,
    },
    /// End a grant and its tokens, or all of a user's and the consents remembered with them
    #[command(
        override_usage = "auth-server grant revoke <GRANT_ID>\n       \
                          auth-server grant revoke --user <USERNAME> [--client <CLIENT_ID>]",
        after_help = "\
Example:
  auth-server grant revoke 0d4be6f1c8a94b7f9b0a6d1f2c3e4a5b
  auth-server grant revoke --user alice --client my-app"
    )]
    Revoke {
        /// The grant's name, from `grant list`
        #[arg(required_unless_present = "user", conflicts_with_all = ["user", "client"])]
        grant_id: Option<String>,
        /// All that this user approved
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
        /// Of these, what was approved for this client
        #[arg(long, value_name = "CLIENT_ID", requires = "user")]
        client: Option<String>,
    },
}

pub(super) fn run(command: Command, admin: &Admin) -> Result<Answer> {
    match command {
        Command::List { user, client, all } => list(user.as_deref(), client.as_deref(), all, admin),
        Command::Revoke { grant_id, user, client } => match (grant_id, user) {
            (_, Some(user)) => withdraw(&user, client, admin),
            (grant_id, None) => revoke(&grant_id.unwrap_or_default(), admin),
        },
    }
}

#[derive(Serialize)]
struct View<'a> {
    grant_id: String,
    username: &'a str,
    client_id: &'a str,
    scope: String,
    created_at: String,
    revoked: bool,
}

fn list(user: Option<&str>, client: Option<&str>, all: bool, admin: &Admin) -> Result<Answer> {
    let now = admin.now();
    let filter = GrantFilter {
        subject: user.map(|name| admin.user(name)).transpose()?.map(|owner| owner.subject),
        client_id: client.map(client_id).transpose()?,
        ended: all,
    };
    let grants = admin.store.list(&filter, now)?;
    if let (Some(id), true) = (client, grants.is_empty()) {
        // Grants outlive a deleted client, so only an empty answer can be a typing error.
        admin.client(id)?;
    }
    let usernames = usernames(&grants, admin)?;
    let view = |grant: &'_ Grant| -> [String; 6] {
        [
            grant.id.to_string(),
            grant.created_at.to_string(),
            state(grant, now).to_owned(),
            grant.client_id.to_string(),
            username(grant, &usernames).to_owned(),
            grant.scope.to_string(),
        ]
    };
    let rows: Vec<_> = grants.iter().map(view).collect();
    let headings = ["GRANT ID", "CREATED AT", "STATE", "CLIENT ID", "USERNAME", "SCOPE"];
    let json: Vec<_> = grants
        .iter()
        .map(|grant| View {
            grant_id: grant.id.to_string(),
            username: username(grant, &usernames),
            client_id: grant.client_id.as_str(),
            scope: grant.scope.to_string(),
            created_at: grant.created_at.to_string(),
            revoked: grant.revoked_at.is_some(),
        })
        .collect();
    let answer = Answer::new(&json, table(headings, &rows))?;
    Ok(match (grants.is_empty(), all) {
        (true, true) => answer.note("There is no such grant."),
        (true, false) => answer.note("No such grant is in use; --all shows those that ended, too."),
        (false, _) => answer,
    })
}

/// The user name of everybody who approved one of these.
fn usernames(grants: &[Grant], admin: &Admin) -> Result<BTreeMap<SubjectId, String>> {
    let mut names = BTreeMap::new();
    for subject in grants.iter().filter_map(|grant| grant.subject.as_ref()) {
        if !names.contains_key(subject) {
            let owner = admin.store.find(subject)?;
            let name = owner.map_or(subject.to_string(), |owner| owner.username.to_string());
            names.insert(subject.clone(), name);
        }
    }
    Ok(names)
}

/// The user name of whoever approved this one; only owners' grants are listed.
fn username<'a>(grant: &Grant, names: &'a BTreeMap<SubjectId, String>) -> &'a str {
    grant.subject.as_ref().and_then(|subject| names.get(subject)).map_or("", String::as_str)
}

fn state(grant: &Grant, now: Timestamp) -> &'static str {
    match grant.revoked_at {
        Some(_) => "revoked",
        None if grant.is_live(now) => "approved",
        None => "expired",
    }
}

fn revoke(grant_id: &str, admin: &Admin) -> Result<Answer> {
    #[derive(Serialize)]
    struct Revoked<'a> {
        grant_id: &'a str,
        revoked: bool,
    }
    let known = match GrantId::parse(grant_id) {
        Some(id) => admin.store.revoke(&id, admin.now())?,
        None => false,
    };
    if !known {
        let id = quoted(grant_id);
        bail!("there is no grant {id}; `auth-server grant list --all` shows all");
    }
    let json = Revoked { grant_id, revoked: true };
    Ok(Answer::new(&json, String::new())?.note("The grant is revoked; its tokens are not valid."))
}

fn withdraw(user: &str, client: Option<String>, admin: &Admin) -> Result<Answer> {
    #[derive(Serialize)]
    struct Withdrawn<'a> {
        username: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a str>,
        grants_revoked: usize,
    }
    let owner = admin.user(user)?;
    let client = client.map(|id| admin.client(&id)).transpose()?.map(|client| client.id);
    let ended = admin.store.withdraw(&owner.subject, client.as_ref(), admin.now())?;
    let json = Withdrawn {
        username: owner.username.as_str(),
        client_id: client.as_ref().map(ClientId::as_str),
        grants_revoked: ended,
    };
    let note = format!("Grants revoked: {ended}. The consents remembered with them are forgotten.");
    Ok(Answer::new(&json, String::new())?.note(note))
}

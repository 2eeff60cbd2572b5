//! `auth-server client`: registered clients.

use super::names::no_client;
use super::output::{Answer, card, quoted, table};
use super::registration::{Changes, New};
use super::{Admin, secret};
use anyhow::{Result, bail};
use auth_core::client::{
    Changed, Client, ClientAuthMethod, ClientRegistry as _, GrantType, Inserted,
};
use auth_core::redirect_uri::RegisteredRedirectUri;
use auth_core::resource::ResourceUri;
use auth_core::secret::ClientSecret;
use serde::Serialize;

pub(super) const EXAMPLE: &str = "\
Example:
  auth-server client add --name 'My app' --redirect-uri https://app.example/callback
  auth-server client list";

/// `client …`
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Register a client; its secret is shown once
    #[command(after_help = "\
Example:
  A web application with a server of its own:
    auth-server client add --name 'My app' --redirect-uri https://app.example/callback

  A desktop application, on any free port:
    auth-server client add --name 'My tool' --public --redirect-uri http://127.0.0.1/callback

  A program that acts for itself, without a person:
    auth-server client add --name 'My job' --grant client_credentials --scope projects:read

  An API of [[resources]] that asks about the tokens it is sent:
    auth-server client add --resource-server https://api.example.com/")]
    Add(New),
    /// List all clients, the disabled too
    #[command(after_help = "\
Example:
  auth-server client list --json")]
    List,
    /// Show one client
    #[command(after_help = "\
Example:
  auth-server client show my-app")]
    Show {
        /// Its client_id
        id: String,
    },
    /// Replace what is named of a client, and nothing else
    #[command(
        override_usage = "auth-server client update <ID> [OPTIONS]",
        after_help = "\
Example:
  auth-server client update my-app --name 'My better app'
  auth-server client update my-app --scope 'projects:read' --require-pkce
  auth-server client update my-app --require-pkce=false --auth-method any"
    )]
    Update {
        /// Its client_id
        id: String,
        #[command(flatten)]
        changes: Changes,
    },
    /// Refuse a client everything, and end its grants
    #[command(after_help = "\
Example:
  auth-server client disable my-app")]
    Disable {
        /// Its client_id
        id: String,
    },
    /// Let a disabled client work again; people approve it anew
    #[command(after_help = "\
Example:
  auth-server client enable my-app")]
    Enable {
        /// Its client_id
        id: String,
    },
    /// Remove a client, its secrets and grants, and the consents remembered for it
    #[command(after_help = "\
Example:
  auth-server client delete my-app")]
    Delete {
        /// Its client_id
        id: String,
    },
    /// Replace the secret of a confidential client
    #[command(subcommand, after_help = secret::EXAMPLE)]
    Secret(secret::Command),
}

pub(super) fn run(command: Command, admin: &Admin) -> Result<Answer> {
    match command {
        Command::Add(new) => add(&new, admin),
        Command::List => list(admin),
        Command::Show { id } => show(admin, &admin.client(&id)?, None),
        Command::Update { id, changes } => {
            let mut client = admin.client(&id)?;
            changes.apply(&mut client, &admin.policy)?;
            found(admin.store.update(&client)?, &id)?;
            show(admin, &admin.client(&id)?, None)
        }
        Command::Disable { id } => {
            let client = admin.client(&id)?;
            found(admin.store.set_disabled(&client.id, Some(admin.now()))?, &id)?;
            let shown = show(admin, &admin.client(&id)?, None)?;
            Ok(shown.note("The client is disabled; its grants ended."))
        }
        Command::Enable { id } => {
            let client = admin.client(&id)?;
            found(admin.store.set_disabled(&client.id, None)?, &id)?;
            Ok(show(admin, &admin.client(&id)?, None)?.note("The client is enabled."))
        }
        Command::Delete { id } => {
            let client = admin.client(&id)?;
            found(admin.store.delete(&client.id, admin.now())?, &id)?;
            #[derive(Serialize)]
            struct Deleted<'a> {
                client_id: &'a str,
                deleted: bool,
            }
            let json = Deleted { client_id: client.id.as_str(), deleted: true };
            let note = format!("The client {} is deleted; its grants ended.", quoted(&id));
            Ok(Answer::new(&json, String::new())?.note(note))
        }
        Command::Secret(command) => secret::run(command, admin),
    }
}

fn add(new: &New, admin: &Admin) -> Result<Answer> {
    let (client, secret) = new.client(admin)?;
    match admin.store.insert(&client)? {
        Inserted::Inserted => show(admin, &client, secret.as_ref()),
        Inserted::NameTaken => {
            bail!("there is already a client {}; choose another --id", quoted(client.id.as_str()))
        }
    }
}

fn list(admin: &Admin) -> Result<Answer> {
    let clients = admin.store.list()?;
    let row = |client: &Client| {
        [
            client.id.to_string(),
            kind(client).to_owned(),
            state(admin, client).to_owned(),
            client.created_at.to_string(),
            client.name.clone(),
        ]
    };
    let rows: Vec<_> = clients.iter().map(row).collect();
    let text = table(["CLIENT ID", "KIND", "STATE", "CREATED AT", "NAME"], &rows);
    let json: Vec<View<'_>> = clients.iter().map(|client| View::new(client, None)).collect();
    let answer = Answer::new(&json, text)?;
    Ok(match clients.is_empty() {
        true => answer.note("There is no client; `auth-server client add` registers one."),
        false => answer,
    })
}

fn found(changed: Changed, id: &str) -> Result<()> {
    match changed {
        Changed::Changed => Ok(()),
        Changed::NotFound => Err(no_client(id)),
    }
}

/// A client in the field names of its registration (RFC 7591 §2).
#[derive(Serialize)]
struct View<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    name: &'a str,
    public: bool,
    /// The API whose credentials these are.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_server: Option<&'a str>,
    redirect_uris: Vec<&'a str>,
    scope: String,
    grant_types: Vec<&'static str>,
    require_pkce: bool,
    /// Null where the client may choose.
    token_endpoint_auth_method: Option<&'static str>,
    disabled: bool,
    created_at: String,
}

impl<'a> View<'a> {
    fn new(client: &'a Client, secret: Option<&'a ClientSecret>) -> Self {
        let public = client.is_public();
        Self {
            client_id: client.id.as_str(),
            client_secret: secret.map(ClientSecret::expose),
            name: &client.name,
            public,
            resource_server: client.resource_server.as_ref().map(ResourceUri::as_str),
            redirect_uris: client.redirect_uris.iter().map(RegisteredRedirectUri::as_str).collect(),
            scope: client.scope.to_string(),
            grant_types: client.grant_types.iter().map(|grant| GrantType::as_str(*grant)).collect(),
            require_pkce: client.require_pkce || public,
            token_endpoint_auth_method: match client.auth_method {
                _ if public => Some("none"),
                method => method.map(ClientAuthMethod::as_str),
            },
            disabled: !client.is_enabled(),
            created_at: client.created_at.to_string(),
        }
    }
}

fn show(admin: &Admin, client: &Client, secret: Option<&ClientSecret>) -> Result<Answer> {
    let view = View::new(client, secret);
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let [basic, post] = ClientAuthMethod::ALL.map(ClientAuthMethod::as_str);
    let method = view.token_endpoint_auth_method;
    let optional = |value: Option<&str>| value.map(str::to_owned).into_iter().collect();
    // What a resource server never has is left out.
    let of_tokens = |value: String| match client.resource_server {
        Some(_) => Vec::new(),
        None => vec![value],
    };
    let text = card(&[
        ("client_id", vec![view.client_id.to_owned()]),
        ("client_secret", optional(view.client_secret)),
        ("name", vec![view.name.to_owned()]),
        ("kind", vec![kind(client).to_owned()]),
        ("resource_server", optional(view.resource_server)),
        ("redirect_uris", view.redirect_uris.iter().map(|uri| (*uri).to_owned()).collect()),
        ("scope", of_tokens(view.scope.clone())),
        ("grant_types", of_tokens(view.grant_types.join(" "))),
        ("require_pkce", of_tokens(yes_no(view.require_pkce))),
        ("auth_method", vec![method.map_or(format!("{basic} or {post}"), str::to_owned)]),
        ("rotation", of_tokens(yes_no(client.rotate_refresh_tokens))),
        ("state", vec![state(admin, client).to_owned()]),
        ("created_at", vec![view.created_at.clone()]),
    ]);
    let answer = Answer::new(&view, text)?;
    Ok(match secret {
        Some(_) => answer.note(secret::SHOWN_ONCE),
        None => answer,
    })
}

fn kind(client: &Client) -> &'static str {
    match client.resource_server {
        Some(_) => "resource server",
        None if client.is_public() => "public",
        None => "confidential",
    }
}

fn state(admin: &Admin, client: &Client) -> &'static str {
    let is_gone = |uri| !admin.policy.resources.contains(uri);
    match &client.resource_server {
        _ if !client.is_enabled() => "disabled",
        Some(uri) if is_gone(uri) => "not in [[resources]]",
        _ => "enabled",
    }
}

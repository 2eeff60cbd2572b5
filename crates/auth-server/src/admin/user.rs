//! `auth-server user`: local accounts.

use super::output::{Answer, card, quoted, say, table};
use super::{Admin, names};
use crate::system::OsEntropy;
use anyhow::{Context as _, Result, anyhow, bail};
use auth_core::client::{Changed, Inserted};
use auth_core::owner::{Owner, OwnerRegistry as _, Role, SubjectId};
use auth_core::password::{Password, PasswordHash, PasswordHasher as _};
use auth_password_argon2::{Argon2Hasher, Cost};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use std::io::{BufRead as _, IsTerminal as _, Read as _};

pub(super) const EXAMPLE: &str = "\
Example:
  echo 'correct horse battery staple' | auth-server user add --username alice --password-stdin
  auth-server user list";

/// `user …`
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make an account
    #[command(after_help = "\
Example:
  auth-server user add --username alice --email alice@example.com --name 'Alice Example' \\
    --role admin --password-stdin < password.txt")]
    Add(New),
    /// List all accounts, the disabled too
    #[command(after_help = "\
Example:
  auth-server user list --json")]
    List,
    /// Set a new password; ends all sessions, and codes that are not redeemed
    #[command(after_help = "\
Example:
  auth-server user passwd alice --password-stdin < password.txt")]
    Passwd {
        /// The user name
        username: String,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Let nobody sign in with an account, and end its sessions and grants
    #[command(after_help = "\
Example:
  auth-server user disable alice")]
    Disable {
        /// The user name
        username: String,
    },
    /// Let the owner of a disabled account sign in again
    #[command(after_help = "\
Example:
  auth-server user enable alice")]
    Enable {
        /// The user name
        username: String,
    },
}

/// An account to make.
#[derive(Debug, clap::Args)]
pub(crate) struct New {
    /// What its owner signs in with; letter case does not matter
    #[arg(long)]
    username: String,
    /// Its owner's e-mail address
    #[arg(long)]
    email: Option<String>,
    /// Its owner's name
    #[arg(long)]
    name: Option<String>,
    /// What its owner may do on this server
    #[arg(long, default_value = Role::User.as_str(), value_parser = role())]
    role: Role,
    #[command(flatten)]
    password: NewPassword,
}

fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::as_str))
        .try_map(|name| Role::parse(&name).ok_or("no role"))
}

/// Where a new password comes from: never from the command line, which other users can see.
#[derive(Debug, clap::Args)]
pub(crate) struct NewPassword {
    /// Read the password from the first line of standard input; at least 8 characters
    #[arg(long, required = true)]
    password_stdin: bool,
}

impl NewPassword {
    /// Reads, judges and hashes the password.
    fn hash(&self) -> Result<PasswordHash> {
        if std::io::stdin().is_terminal() {
            say("Password (it will be visible):");
        }
        let mut line = String::new();
        // More than any password has, so that a longer one is refused rather than cut.
        let longest = 2 * Password::MAX_BYTES as u64;
        std::io::stdin()
            .lock()
            .take(longest)
            .read_line(&mut line)
            .context("cannot read the password from standard input")?;
        if line.ends_with('\n') {
            line.pop();
            if line.ends_with('\r') {
                line.pop();
            }
        }
        let password = Password::presented(line);
        if !password.is_acceptable() {
            let (least, most) = (Password::MIN_CHARS, Password::MAX_BYTES);
            bail!("the password must have at least {least} characters, and at most {most} bytes");
        }
        Ok(Argon2Hasher::new(Cost::default())?.hash(&password)?)
    }
}

pub(super) fn run(command: Command, admin: &Admin) -> Result<Answer> {
    match command {
        Command::Add(new) => add(&new, admin),
        Command::List => list(admin),
        Command::Passwd { username, password } => {
            let owner = admin.user(&username)?;
            let hash = password.hash()?;
            let set = admin.store.set_password(&owner.subject, &hash, None, admin.now())?;
            found(set, &username)?;
            Ok(show(&admin.user(&username)?)?.note("The password is changed; all sessions ended."))
        }
        Command::Disable { username } => {
            let owner = admin.user(&username)?;
            found(admin.store.set_disabled(&owner.subject, Some(admin.now()))?, &username)?;
            let note = "The account is disabled; its sessions and grants ended.";
            Ok(show(&admin.user(&username)?)?.note(note))
        }
        Command::Enable { username } => {
            let owner = admin.user(&username)?;
            found(admin.store.set_disabled(&owner.subject, None)?, &username)?;
            Ok(show(&admin.user(&username)?)?.note("The account is enabled."))
        }
    }
}

fn add(new: &New, admin: &Admin) -> Result<Answer> {
    let owner = Owner {
        subject: SubjectId::mint(&OsEntropy)?,
        username: names::username(&new.username)?,
        name: new.name.as_deref().map(names::person_name).transpose()?,
        email: new.email.as_deref().map(names::email).transpose()?,
        role: new.role,
        created_at: admin.now(),
        disabled_at: None,
    };
    match admin.store.insert(&owner, &new.password.hash()?)? {
        Inserted::Inserted => show(&owner),
        Inserted::NameTaken => bail!("there is already a user {}", quoted(owner.username.as_str())),
    }
}

fn list(admin: &Admin) -> Result<Answer> {
    let owners = admin.store.list()?;
    let row = |owner: &Owner| {
        [
            owner.role.as_str().to_owned(),
            state(owner).to_owned(),
            owner.created_at.to_string(),
            owner.username.to_string(),
            owner.email.clone().unwrap_or_default(),
            owner.name.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = owners.iter().map(row).collect();
    let text = table(["ROLE", "STATE", "CREATED AT", "USERNAME", "EMAIL", "NAME"], &rows);
    let json: Vec<View<'_>> = owners.iter().map(View::new).collect();
    let answer = Answer::new(&json, text)?;
    Ok(match owners.is_empty() {
        true => answer.note("There is no user; `auth-server user add` makes one."),
        false => answer,
    })
}

fn found(changed: Changed, username: &str) -> Result<()> {
    match changed {
        Changed::Changed => Ok(()),
        Changed::NotFound => Err(anyhow!("there is no user {} any more", quoted(username))),
    }
}

#[derive(Serialize)]
struct View<'a> {
    user_id: &'a str,
    username: &'a str,
    email: Option<&'a str>,
    name: Option<&'a str>,
    role: &'static str,
    disabled: bool,
    created_at: String,
}

impl<'a> View<'a> {
    fn new(owner: &'a Owner) -> Self {
        Self {
            user_id: owner.subject.as_str(),
            username: owner.username.as_str(),
            email: owner.email.as_deref(),
            name: owner.name.as_deref(),
            role: owner.role.as_str(),
            disabled: !owner.is_enabled(),
            created_at: owner.created_at.to_string(),
        }
    }
}

fn show(owner: &Owner) -> Result<Answer> {
    let view = View::new(owner);
    let text = card(&[
        ("user_id", vec![view.user_id.to_owned()]),
        ("username", vec![view.username.to_owned()]),
        ("email", owner.email.iter().cloned().collect()),
        ("name", owner.name.iter().cloned().collect()),
        ("role", vec![view.role.to_owned()]),
        ("state", vec![state(owner).to_owned()]),
        ("created_at", vec![view.created_at.clone()]),
    ]);
    Answer::new(&view, text)
}

fn state(owner: &Owner) -> &'static str {
    if owner.is_enabled() { "enabled" } else { "disabled" }
}

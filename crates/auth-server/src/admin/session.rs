//! `auth-server session`: who is signed in, and signing them out.

use super::Admin;
use super::output::{Answer, quoted, table};
use anyhow::{Result, bail};
use auth_core::session::{SessionId, SessionRegistry as _};
use serde::Serialize;

pub(super) const EXAMPLE: &str = "\
Example:
  auth-server session list
  auth-server session revoke --user alice";

/// `session …`
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the browsers that are signed in, the newest session first
    #[command(after_help = "\
Example:
  auth-server session list --user alice")]
    List {
        /// Only this user's
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
    },
    /// Sign a browser out, or all of a user's; grants and tokens stay
    #[command(
        override_usage = "auth-server session revoke <SESSION_ID>\n       \
                          auth-server session revoke --user <USERNAME>",
        after_help = "\
Example:
  auth-server session revoke 7c1e5a90b3d24f68a1b2c3d4e5f60718
  auth-server session revoke --user alice"
    )]
    Revoke {
        /// The session's name, from `session list`
        #[arg(required_unless_present = "user", conflicts_with = "user")]
        session_id: Option<String>,
        /// All sessions of this user
        #[arg(long, value_name = "USERNAME")]
        user: Option<String>,
    },
}

pub(super) fn run(command: Command, admin: &Admin) -> Result<Answer> {
    match command {
        Command::List { user } => list(user, admin),
        Command::Revoke { session_id, user } => match (session_id, user) {
            (_, Some(user)) => revoke_all(&user, admin),
            (session_id, None) => revoke(session_id.unwrap_or_default(), admin),
        },
    }
}

#[derive(Serialize)]
struct View<'a> {
    session_id: &'a str,
    username: &'a str,
    created_at: String,
    last_seen_at: String,
}

fn list(user: Option<String>, admin: &Admin) -> Result<Answer> {
    let owner = user.map(|name| admin.user(&name)).transpose()?;
    let mut sessions = admin.store.list(owner.as_ref().map(|owner| &owner.subject))?;
    let now = admin.now();
    sessions.retain(|(session, _)| session.is_live(admin.policy.sessions, now));
    let json: Vec<_> = sessions
        .iter()
        .map(|(session, owner)| View {
            session_id: session.id.as_str(),
            username: owner.username.as_str(),
            created_at: session.created_at.to_string(),
            last_seen_at: session.last_seen_at.to_string(),
        })
        .collect();
    let row = |view: &View<'_>| {
        let View { session_id, username, created_at, last_seen_at } = view;
        [(*session_id).to_owned(), created_at.clone(), last_seen_at.clone(), (*username).to_owned()]
    };
    let rows: Vec<_> = json.iter().map(row).collect();
    let text = table(["SESSION ID", "CREATED AT", "LAST SEEN AT", "USERNAME"], &rows);
    let answer = Answer::new(&json, text)?;
    Ok(match json.is_empty() {
        true => answer.note("Nobody is signed in."),
        false => answer,
    })
}

fn revoke(session_id: String, admin: &Admin) -> Result<Answer> {
    #[derive(Serialize)]
    struct Revoked<'a> {
        session_id: &'a str,
        revoked: bool,
    }
    let session_id = SessionId::new(session_id);
    if !admin.store.end_by_id(&session_id)? {
        let id = quoted(session_id.as_str());
        bail!("there is no session {id}; `auth-server session list` shows all");
    }
    let json = Revoked { session_id: session_id.as_str(), revoked: true };
    Ok(Answer::new(&json, String::new())?.note("The session ended."))
}

fn revoke_all(user: &str, admin: &Admin) -> Result<Answer> {
    #[derive(Serialize)]
    struct Ended<'a> {
        username: &'a str,
        sessions_revoked: usize,
    }
    let owner = admin.user(user)?;
    let ended = admin.store.end_by_subject(&owner.subject)?;
    let json = Ended { username: owner.username.as_str(), sessions_revoked: ended };
    Ok(Answer::new(&json, String::new())?.note(format!("Sessions ended: {ended}.")))
}

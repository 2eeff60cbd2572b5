//! The security log: one line per event, with identifiers and never with secrets (CODE-14).

use auth_core::client::ClientId;
use auth_core::event::{Event, EventSink};
use auth_core::grant::GrantId;
use auth_core::owner::SubjectId;
use tracing::{error, info, warn};

/// Writes events to the log, under the target `security`.
pub(crate) struct LoggedEvents;

impl EventSink for LoggedEvents {
    fn record(&self, event: &Event) {
        let subject_text = |subject: &SubjectId| subject.to_string();
        let pair = |grant: &GrantId, client: &ClientId| (grant.to_string(), client.to_string());
        match event {
            Event::SignedIn { subject } => {
                info!(target: "security", subject = subject_text(subject), "signed in");
            }
            Event::SignInRefused { subject } => {
                let subject = subject.as_ref().map(subject_text);
                warn!(target: "security", subject, "sign-in refused");
            }
            Event::SignedOut { subject } => {
                info!(target: "security", subject = subject_text(subject), "signed out");
            }
            Event::CodeIssued { grant, client, subject, remembered } => {
                let (grant, client) = pair(grant, client);
                let subject = subject_text(subject);
                info!(target: "security", grant, client, subject, remembered, "code issued");
            }
            Event::Denied { client, subject } => {
                let (client, subject) = (client.to_string(), subject_text(subject));
                info!(target: "security", client, subject, "consent denied");
            }
            Event::CodeRedeemed { grant, client } => {
                let (grant, client) = pair(grant, client);
                info!(target: "security", grant, client, "code redeemed");
            }
            Event::CodeReplayed { grant, client } => {
                let (grant, client) = pair(grant, client);
                warn!(target: "security", grant, client, "code replayed; the grant is revoked");
            }
            Event::Refreshed { grant, client } => {
                let (grant, client) = pair(grant, client);
                info!(target: "security", grant, client, "refreshed");
            }
            Event::RefreshReplayed { grant, client } => {
                let (grant, client) = pair(grant, client);
                warn!(
                    target: "security", grant, client,
                    "refresh token replayed; the grant is revoked"
                );
            }
            Event::ClientTokenIssued { grant, client } => {
                let (grant, client) = pair(grant, client);
                info!(target: "security", grant, client, "token issued to the client itself");
            }
            Event::TokenRevoked { grant, client, whole_grant } => {
                let (grant, client) = pair(grant, client);
                info!(target: "security", grant, client, whole_grant, "token revoked");
            }
            Event::ResourceGone { client } => {
                let client = client.to_string();
                warn!(target: "security", client, "introspection for an API not in [[resources]]");
            }
            Event::TokenRefused { client, error } => {
                let client = client.as_ref().map(ToString::to_string);
                info!(target: "security", client, %error, "client's request refused");
            }
            Event::Faulted { fault } => error!(%fault, "fault"),
        }
    }
}

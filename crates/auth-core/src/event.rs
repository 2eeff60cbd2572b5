//! What a security log should know.

use crate::client::ClientId;
use crate::error::{Fault, OAuthError};
use crate::grant::GrantId;
use crate::owner::SubjectId;

/// Something that happened. It carries identifiers, never secrets (CODE-14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// An owner signed in.
    SignedIn {
        /// Who.
        subject: SubjectId,
    },
    /// A user name and password were refused.
    SignInRefused {
        /// Whose, if the name is anybody's. What was typed is not kept: people type passwords there.
        subject: Option<SubjectId>,
    },
    /// An owner signed out.
    SignedOut {
        /// Who.
        subject: SubjectId,
    },
    /// An owner approved, now or earlier, and a code was issued.
    CodeIssued {
        /// The grant.
        grant: GrantId,
        /// For which client.
        client: ClientId,
        /// By whom.
        subject: SubjectId,
        /// Whether remembered consent made the page needless.
        remembered: bool,
    },
    /// An owner said no.
    Denied {
        /// To which client.
        client: ClientId,
        /// Who.
        subject: SubjectId,
    },
    /// A code was redeemed.
    CodeRedeemed {
        /// The grant.
        grant: GrantId,
        /// By which client.
        client: ClientId,
    },
    /// A spent code was presented in an otherwise valid request; the grant is revoked.
    CodeReplayed {
        /// The grant.
        grant: GrantId,
        /// By which client.
        client: ClientId,
    },
    /// A refresh token was used.
    Refreshed {
        /// The grant.
        grant: GrantId,
        /// By which client.
        client: ClientId,
    },
    /// A spent refresh token was presented in an otherwise valid request; the grant is revoked.
    RefreshReplayed {
        /// The grant.
        grant: GrantId,
        /// By which client.
        client: ClientId,
    },
    /// A client got an access token for itself.
    ClientTokenIssued {
        /// The grant.
        grant: GrantId,
        /// The client.
        client: ClientId,
    },
    /// A client took a token back.
    TokenRevoked {
        /// The grant that the token is under.
        grant: GrantId,
        /// The client.
        client: ClientId,
        /// Whether that ended the grant, with all its tokens.
        whole_grant: bool,
    },
    /// An API asked about a token with credentials whose resource is none of the operator's any more, and
    /// was told nothing.
    ResourceGone {
        /// The API's credentials.
        client: ClientId,
    },
    /// The token, revocation or introspection endpoint refused a request.
    TokenRefused {
        /// The client that the request claimed to come from, if that can be a client and no secret.
        client: Option<ClientId>,
        /// Why.
        error: OAuthError,
    },
    /// A fault struck where the answer had to go through the browser to a client, which hears no more than
    /// [`Fault::code`].
    Faulted {
        /// What failed.
        fault: Fault,
    },
}

/// Receives events. It cannot fail: a full log must not stop the server.
#[cfg_attr(test, mockall::automock)]
pub trait EventSink: Send + Sync {
    /// Takes note of an event.
    fn record(&self, event: &Event);
}

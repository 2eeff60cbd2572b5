//! What one approval led to.

use super::audience::Uris;
use auth_core::grant::GrantId;
use auth_core::scope::Scope;
use auth_core::secret::InteractionId;
use auth_core::timestamp::Timestamp;
use auth_core::token::{MAX_SIBLINGS, RefreshReuse};

/// A consent page that was shown.
pub(crate) struct Asked {
    pub(crate) client: usize,
    pub(crate) owner: usize,
    pub(crate) scope: Scope,
    pub(crate) audience: Uris,
    pub(crate) interaction: InteractionId,
    pub(crate) expires_at: Timestamp,
    pub(crate) decided: bool,
}

/// What one approval led to.
pub(crate) struct Flow {
    pub(crate) client: usize,
    pub(crate) owner: usize,
    pub(crate) scope: Scope,
    pub(crate) audience: Uris,
    pub(crate) grant: GrantId,
    pub(crate) grant_end: Option<Timestamp>,
    pub(crate) code: String,
    pub(crate) code_end: Timestamp,
    pub(crate) redeemed: bool,
    pub(crate) tokens: Vec<Token>,
    /// The refresh token that the client holds.
    pub(crate) held: usize,
    /// The grant was revoked.
    pub(crate) dead: bool,
    /// Something happened to it that an honest client does not do or cannot help.
    pub(crate) disturbed: bool,
}

/// A refresh token that was issued.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) parent: Option<usize>,
    pub(crate) end: Timestamp,
    pub(crate) used: bool,
    /// Forgotten among too many siblings.
    pub(crate) forgotten: bool,
}

impl Flow {
    pub(crate) fn end(&mut self) {
        self.dead = true;
        self.disturbed = true;
    }

    /// By the rules of refresh tokens: a successor was used, or a rival, or it was used itself where
    /// that is enough.
    pub(crate) fn is_spent(&self, token: usize, reuse: RefreshReuse) -> bool {
        let it = &self.tokens[token];
        let successor = self.tokens.iter().any(|other| other.used && other.parent == Some(token));
        let rival = self.tokens.iter().enumerate().any(|(number, other)| {
            number != token && other.used && other.parent.is_some() && other.parent == it.parent
        });
        successor || rival || (reuse == RefreshReuse::Strict && it.used)
    }

    pub(crate) fn forget_surplus(&mut self, parent: usize) {
        let unused = |it: &&mut Token| it.parent == Some(parent) && !it.used && !it.forgotten;
        let count = self.tokens.iter_mut().filter(unused).count();
        let surplus = count.saturating_sub(MAX_SIBLINGS);
        for oldest in self.tokens.iter_mut().filter(unused).take(surplus) {
            oldest.forgotten = true;
        }
    }
}

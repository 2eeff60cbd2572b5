//! Authorization codes: OAuth 2.1 §4.1.2, §4.1.3.

use crate::client::ClientId;
use crate::error::StoreError;
use crate::grant::Grant;
use crate::pkce::CodeChallenge;
use crate::secret::CodeDigest;
use crate::timestamp::Timestamp;
use crate::token::{NewAccessToken, NewRefreshToken};

/// What a code was issued for. Whether it is spent is no part of it: only [`CodeStore::redeem`]
/// decides that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRecord {
    /// The only client that may redeem it (CODE-08).
    pub client_id: ClientId,
    /// Where it was sent (CODE-09, REDIR-14).
    pub redirect_uri: String,
    /// Whether the authorization request named that URI itself (REDIR-13).
    pub redirect_uri_sent: bool,
    /// What the verifier must meet (PKCE-08).
    pub code_challenge: Option<CodeChallenge>,
    /// When it was issued.
    pub created_at: Timestamp,
    /// From when on it buys nothing (CODE-04).
    pub expires_at: Timestamp,
}

/// A redemption to record: the code, and the tokens that it buys.
#[derive(Debug)]
pub struct Redemption<'a> {
    /// The code. It names the grant that it stands for.
    pub code: &'a CodeDigest,
    /// When.
    pub at: Timestamp,
    /// The access token.
    pub access: &'a NewAccessToken,
    /// The refresh token, for clients that may refresh.
    pub refresh: Option<&'a NewRefreshToken>,
}

/// What redeeming came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redeemed {
    /// This redemption spent the code; its tokens are stored.
    First,
    /// The code was spent before. Its grant is now revoked (CODE-06); nothing else was stored. Where
    /// the grant had ended anyway, [`Redeemed::GrantEnded`] is as good an answer.
    Replayed,
    /// The grant ended, or the code is gone. Nothing was stored.
    GrantEnded,
}

/// Authorization codes between consent and the token endpoint.
#[cfg_attr(test, mockall::automock)]
pub trait CodeStore: Send + Sync {
    /// The code with this digest and the grant it stands for, spent or not.
    fn find(&self, code: &CodeDigest) -> Result<Option<(CodeRecord, Grant)>, StoreError>;

    /// Spends the code and stores what it bought, atomically. Exactly one call per code answers
    /// [`Redeemed::First`], however many run at once, in however many processes (CODE-05, CODE-11); a
    /// later one revokes the grant in the same transition that finds the code spent.
    fn redeem<'a>(&self, redemption: &Redemption<'a>) -> Result<Redeemed, StoreError>;
}

//! The transitions with more than a few parameters, owned: SQLite's writer runs them on its own thread.

use auth_core::code::CodeRecord;
use auth_core::consent::Consent;
use auth_core::grant::Grant;
use auth_core::secret::{CodeDigest, InteractionDigest, TokenDigest};
use auth_core::timestamp::Timestamp;
use auth_core::token::{NewAccessToken, NewRefreshToken, RefreshReuse};

/// What [`auth_core::grant::Approval`] borrows.
pub(crate) struct Approval {
    pub(crate) interaction: Option<InteractionDigest>,
    pub(crate) grant: Grant,
    pub(crate) code: CodeDigest,
    pub(crate) record: CodeRecord,
    pub(crate) remember: Option<Consent>,
}

impl From<&auth_core::grant::Approval<'_>> for Approval {
    fn from(approval: &auth_core::grant::Approval<'_>) -> Self {
        Self {
            interaction: approval.interaction.copied(),
            grant: approval.grant.clone(),
            code: *approval.code,
            record: approval.record.clone(),
            remember: approval.remember.cloned(),
        }
    }
}

/// What [`auth_core::code::Redemption`] borrows.
pub(crate) struct Redemption {
    pub(crate) code: CodeDigest,
    pub(crate) at: Timestamp,
    pub(crate) access: NewAccessToken,
    pub(crate) refresh: Option<NewRefreshToken>,
}

impl From<&auth_core::code::Redemption<'_>> for Redemption {
    fn from(redemption: &auth_core::code::Redemption<'_>) -> Self {
        Self {
            code: *redemption.code,
            at: redemption.at,
            access: redemption.access.clone(),
            refresh: redemption.refresh.cloned(),
        }
    }
}

/// What [`auth_core::token::Rotation`] borrows.
pub(crate) struct Rotation {
    pub(crate) presented: TokenDigest,
    pub(crate) at: Timestamp,
    pub(crate) reuse: RefreshReuse,
    pub(crate) access: NewAccessToken,
    pub(crate) successor: Option<NewRefreshToken>,
}

impl From<&auth_core::token::Rotation<'_>> for Rotation {
    fn from(rotation: &auth_core::token::Rotation<'_>) -> Self {
        Self {
            presented: *rotation.presented,
            at: rotation.at,
            reuse: rotation.reuse,
            access: rotation.access.clone(),
            successor: rotation.successor.cloned(),
        }
    }
}

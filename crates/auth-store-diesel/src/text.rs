//! How values of the core stand in text columns.

use auth_core::client::{ClientKind, GrantType};
use auth_core::consent::Prompt;
use auth_core::scope::Scope;
use std::collections::BTreeSet;

/// `tokens.kind` of an access token.
pub(crate) const ACCESS: &str = "access";
/// `tokens.kind` of a refresh token.
pub(crate) const REFRESH: &str = "refresh";

pub(crate) fn parse_scope(text: &str) -> Option<Scope> {
    match text {
        "" => Some(Scope::default()),
        text => Scope::parse(text),
    }
}

pub(crate) const fn kind_name(kind: ClientKind) -> &'static str {
    match kind {
        ClientKind::Public => "public",
        ClientKind::Confidential => "confidential",
    }
}

pub(crate) fn parse_kind(text: &str) -> Option<ClientKind> {
    [ClientKind::Public, ClientKind::Confidential].into_iter().find(|kind| kind_name(*kind) == text)
}

pub(crate) fn parse_grant_types(text: &str) -> Option<BTreeSet<GrantType>> {
    text.split_terminator(' ').map(GrantType::parse).collect()
}

pub(crate) fn write_prompt(prompt: Prompt) -> String {
    let mut values = Vec::new();
    if prompt.none {
        values.push("none");
    }
    if prompt.login {
        values.push("login");
    }
    if prompt.consent {
        values.push("consent");
    }
    values.join(" ")
}

pub(crate) fn parse_prompt(text: &str) -> Option<Prompt> {
    let mut prompt = Prompt::default();
    for value in text.split_terminator(' ') {
        match value {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return None,
        }
    }
    Some(prompt)
}

//! Values that the core knows how to read.

use auth_core::resource::ResourceUri;
use auth_core::scope::{Scope, ScopeToken};
use serde::de::{Deserialize, Deserializer, Error};

/// A scope's name.
pub(super) fn scope_token<'de, D: Deserializer<'de>>(from: D) -> Result<ScopeToken, D::Error> {
    let text = String::deserialize(from)?;
    ScopeToken::parse(&text).ok_or_else(|| D::Error::custom("is no scope name"))
}

/// A list of scopes' names.
pub(super) fn scope<'de, D: Deserializer<'de>>(from: D) -> Result<Scope, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    let tokens = names.iter().map(|name| ScopeToken::parse(name));
    tokens.collect::<Option<_>>().ok_or_else(|| D::Error::custom("has what is no scope name"))
}

/// A resource's URI.
pub(super) fn resource_uri<'de, D: Deserializer<'de>>(from: D) -> Result<ResourceUri, D::Error> {
    ResourceUri::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

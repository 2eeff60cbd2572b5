//! Authorization server metadata (RFC 8414 §2), as far as it follows from what the core does. Where
//! the endpoints are is the transport's to add.
//!
//! Everything that is said here works, and nothing that is not said does (META-06).

use crate::client::{ClientAuthMethod, GrantType};
use crate::policy::Policy;
use crate::scope::ScopeToken;

/// What the server can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// `issuer`
    pub issuer: String,
    /// `scopes_supported`, in the operator's order.
    pub scopes_supported: Vec<String>,
    /// `response_types_supported`
    pub response_types_supported: Vec<&'static str>,
    /// `response_modes_supported`
    pub response_modes_supported: Vec<&'static str>,
    /// `grant_types_supported`
    pub grant_types_supported: Vec<&'static str>,
    /// `token_endpoint_auth_methods_supported`; `none` stands for public clients.
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// `revocation_endpoint_auth_methods_supported`: as at the token endpoint (REVOKE-02).
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    /// `introspection_endpoint_auth_methods_supported`: no public client may ask (INTRO-01).
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    /// `code_challenge_methods_supported` (PKCE-09)
    pub code_challenge_methods_supported: Vec<&'static str>,
    /// `prompt_values_supported`
    pub prompt_values_supported: Vec<&'static str>,
}

/// What the server can do under this policy.
pub fn metadata(policy: &Policy) -> Metadata {
    let with_secret = ClientAuthMethod::ALL.map(ClientAuthMethod::as_str);
    let with_or_without: Vec<_> = with_secret.into_iter().chain(["none"]).collect();
    let token = |token: &ScopeToken| token.as_str().to_owned();
    Metadata {
        issuer: policy.issuer.clone(),
        scopes_supported: policy.scopes.iter().map(|scope| token(&scope.token)).collect(),
        response_types_supported: vec!["code"],
        response_modes_supported: vec!["query"],
        grant_types_supported: GrantType::ALL.iter().map(|grant| grant.as_str()).collect(),
        token_endpoint_auth_methods_supported: with_or_without.clone(),
        revocation_endpoint_auth_methods_supported: with_or_without,
        introspection_endpoint_auth_methods_supported: with_secret.to_vec(),
        code_challenge_methods_supported: vec!["S256"],
        prompt_values_supported: vec!["none", "login", "consent"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::{ScopeCatalog, ScopeDefinition};

    /// META-05, META-07, PKCE-09, TOKEN-05, REVOKE-02, INTRO-01
    #[test]
    fn it_says_what_works() {
        let scope = ScopeDefinition {
            token: ScopeToken::parse("api.read").unwrap(),
            description: "Read.".into(),
            default: true,
        };
        let policy = Policy::new("https://as.test", ScopeCatalog::new(vec![scope]));
        let said = metadata(&policy);
        assert_eq!(said.issuer, "https://as.test");
        assert_eq!(said.scopes_supported, ["api.read"]);
        let grants = ["authorization_code", "refresh_token", "client_credentials"];
        assert_eq!(said.grant_types_supported, grants);
        assert_eq!(said.code_challenge_methods_supported, ["S256"]);
        let methods = ["client_secret_basic", "client_secret_post", "none"];
        assert_eq!(said.token_endpoint_auth_methods_supported, methods);
        assert_eq!(said.revocation_endpoint_auth_methods_supported, methods);
        assert_eq!(said.introspection_endpoint_auth_methods_supported, methods[..2]);
    }
}

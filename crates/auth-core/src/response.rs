//! Authorization responses: OAuth 2.1 §4.1.2, RFC 9207.

use crate::error::OAuthError;
use crate::params::push_pair;
use crate::redirect_uri::ValidatedRedirectUri;
use crate::secret::AuthorizationCode;

/// An answer that goes through the browser to a proven redirect URI. There is no other way to build a
/// redirect to a client, so an open redirect does not compile.
#[derive(Debug)]
pub struct RedirectResponse {
    uri: ValidatedRedirectUri,
    query: String,
    error: Option<OAuthError>,
}

impl RedirectResponse {
    pub(crate) fn success(
        uri: ValidatedRedirectUri,
        issuer: &str,
        state: Option<&str>,
        code: &AuthorizationCode,
    ) -> Self {
        Self::new(uri, issuer, state, &[("code", code.expose())], None)
    }

    pub(crate) fn error(
        uri: ValidatedRedirectUri,
        issuer: &str,
        state: Option<&str>,
        error: OAuthError,
    ) -> Self {
        let params = [("error", error.code.as_str()), ("error_description", error.description)];
        Self::new(uri, issuer, state, &params, Some(error))
    }

    /// `state` comes back byte for byte (AUTHZ-11), `iss` is always there (CODE-01).
    fn new(
        uri: ValidatedRedirectUri,
        issuer: &str,
        state: Option<&str>,
        params: &[(&str, &str)],
        error: Option<OAuthError>,
    ) -> Self {
        let state = state.map(|state| ("state", state));
        let mut query = String::new();
        for (name, value) in params.iter().copied().chain(state).chain([("iss", issuer)]) {
            push_pair(&mut query, name, value);
        }
        Self { uri, query, error }
    }

    /// The `Location` header: the redirect URI with its own query kept and the answer appended
    /// (AUTHZ-12). Visible ASCII only. It may hold a code: never log it.
    pub fn location(&self) -> String {
        let uri = self.uri.as_str();
        let separator = match uri.find('?') {
            None => "?",
            Some(_) if uri.ends_with(['?', '&']) => "",
            Some(_) => "&",
        };
        format!("{uri}{separator}{}", self.query)
    }

    /// Where the browser goes.
    pub fn uri(&self) -> &ValidatedRedirectUri {
        &self.uri
    }

    /// The error that it reports, if it does.
    pub fn reported_error(&self) -> Option<&OAuthError> {
        self.error.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redirect_uri::{RegisteredRedirectUri, match_redirect_uri};
    use rstest::rstest;

    fn location(uri: &str, state: Option<&str>) -> String {
        let registered = [RegisteredRedirectUri::parse(uri).unwrap()];
        let uri = match_redirect_uri(&registered, None, true).unwrap();
        let code = AuthorizationCode::presented("c0de");
        RedirectResponse::success(uri, "https://as.test", state, &code).location()
    }

    /// AUTHZ-12, CODE-01
    #[rstest]
    #[case("https://rp.test/cb", "https://rp.test/cb?code=c0de&iss=https%3A%2F%2Fas.test")]
    #[case("https://rp.test/cb?a=1", "https://rp.test/cb?a=1&code=c0de&iss=https%3A%2F%2Fas.test")]
    #[case("https://rp.test/cb?", "https://rp.test/cb?code=c0de&iss=https%3A%2F%2Fas.test")]
    #[case("com.example:/cb", "com.example:/cb?code=c0de&iss=https%3A%2F%2Fas.test")]
    fn the_answer_is_appended_to_the_registered_query(#[case] uri: &str, #[case] expected: &str) {
        assert_eq!(location(uri, None), expected);
    }

    /// AUTHZ-11: no header can be split, whatever the state.
    #[test]
    fn state_is_encoded_byte_for_byte() {
        let location = location("https://rp.test/cb", Some("a+b c\r\nSet-Cookie: x&é\"<"));
        assert!(location.contains("&state=a%2Bb%20c%0D%0ASet-Cookie%3A%20x%26%C3%A9%22%3C&iss="));
    }
}

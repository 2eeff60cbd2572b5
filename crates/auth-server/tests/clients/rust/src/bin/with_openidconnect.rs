//! The code flow with the crate `openidconnect`, as a plain OAuth client.

use clients::{Result, browse, endpoint, http, metadata, report, secret, setting};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreErrorResponseType};
use openidconnect::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl,
    JsonWebKeySet, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, TokenUrl,
};

fn main() -> Result<()> {
    let http = http()?;
    let metadata = metadata(&http)?;
    let issuer = IssuerUrl::new(setting("AUTH_ISSUER")?)?;
    let id = ClientId::new(setting("AUTH_CLIENT_ID")?);
    let mut client = CoreClient::new(id, issuer, JsonWebKeySet::default())
        .set_auth_uri(AuthUrl::new(endpoint(&metadata, "authorization_endpoint")?)?)
        .set_token_uri(TokenUrl::new(endpoint(&metadata, "token_endpoint")?)?)
        .set_redirect_uri(RedirectUrl::new(setting("AUTH_REDIRECT_URI")?)?)
        .set_auth_type(match setting("AUTH_METHOD")?.as_str() {
            "client_secret_basic" => AuthType::BasicAuth,
            _ => AuthType::RequestBody,
        })
        .disable_openid_scope();
    if let Some(secret) = secret() {
        client = client.set_client_secret(ClientSecret::new(secret));
    }

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let (address, state, _) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new(setting("AUTH_SCOPE")?))
        .set_pkce_challenge(challenge)
        .url();
    let code = browse(&address, state.secret())?;
    let redeem = |verifier: PkceCodeVerifier| {
        let code = AuthorizationCode::new(code.clone());
        client.exchange_code(code).set_pkce_verifier(verifier).request(&http)
    };

    let (_, wrong) = PkceCodeChallenge::new_random_sha256();
    let refused = match redeem(wrong) {
        Err(RequestTokenError::ServerResponse(refusal)) => refusal.error().clone(),
        other => return Err(format!("no refusal: {other:?}").into()),
    };
    if refused != CoreErrorResponseType::InvalidGrant {
        return Err(format!("refused with {refused:?}").into());
    }
    let tokens = redeem(verifier)?;
    let refresh_token = tokens.refresh_token().ok_or("no refresh token")?;
    let fresh = client.exchange_refresh_token(refresh_token).request(&http)?;
    report(refused.as_ref(), &tokens, &fresh);
    Ok(())
}

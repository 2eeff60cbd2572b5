//! The code flow with the crate `oauth2`, for one client.

use clients::{Result, browse, endpoint, http, metadata, report, secret, setting};
use oauth2::basic::{BasicClient, BasicErrorResponseType};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse, TokenUrl,
};

fn main() -> Result<()> {
    let http = http()?;
    let metadata = metadata(&http)?;
    let mut client = BasicClient::new(ClientId::new(setting("AUTH_CLIENT_ID")?))
        .set_auth_uri(AuthUrl::new(endpoint(&metadata, "authorization_endpoint")?)?)
        .set_token_uri(TokenUrl::new(endpoint(&metadata, "token_endpoint")?)?)
        .set_redirect_uri(RedirectUrl::new(setting("AUTH_REDIRECT_URI")?)?)
        .set_auth_type(match setting("AUTH_METHOD")?.as_str() {
            "client_secret_basic" => AuthType::BasicAuth,
            _ => AuthType::RequestBody,
        });
    if let Some(secret) = secret() {
        client = client.set_client_secret(ClientSecret::new(secret));
    }

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (address, state) = client
        .authorize_url(CsrfToken::new_random)
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
    if refused != BasicErrorResponseType::InvalidGrant {
        return Err(format!("refused with {refused:?}").into());
    }
    let tokens = redeem(verifier)?;
    let refresh_token = tokens.refresh_token().ok_or("no refresh token")?;
    let fresh = client.exchange_refresh_token(refresh_token).request(&http)?;
    report(refused.as_ref(), &tokens, &fresh);
    Ok(())
}

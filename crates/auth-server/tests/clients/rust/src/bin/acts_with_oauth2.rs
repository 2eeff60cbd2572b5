//! A client that acts for itself, with the crate `oauth2`. It revokes over https only, so it does not here.

use clients::{Result, endpoint, http, metadata, secret, setting};
use oauth2::basic::BasicClient;
use oauth2::{AuthType, ClientId, ClientSecret, IntrospectionUrl, Scope, TokenResponse, TokenUrl};
use serde_json::json;

fn main() -> Result<()> {
    let http = http()?;
    let metadata = metadata(&http)?;
    let introspection = endpoint(&metadata, "introspection_endpoint")?;
    let client = BasicClient::new(ClientId::new(setting("AUTH_CLIENT_ID")?))
        .set_client_secret(ClientSecret::new(secret().ok_or("no secret")?))
        .set_token_uri(TokenUrl::new(endpoint(&metadata, "token_endpoint")?)?)
        .set_introspection_url(IntrospectionUrl::new(introspection)?)
        .set_auth_type(match setting("AUTH_METHOD")?.as_str() {
            "client_secret_basic" => AuthType::BasicAuth,
            _ => AuthType::RequestBody,
        });
    let tokens = client
        .exchange_client_credentials()
        .add_scope(Scope::new(setting("AUTH_SCOPE")?))
        .add_extra_param("resource", setting("AUTH_RESOURCE")?)
        .request(&http)?;
    let before = client.introspect(tokens.access_token()).request(&http)?;
    println!("{}", json!({ "tokens": tokens, "before": before }));
    Ok(())
}

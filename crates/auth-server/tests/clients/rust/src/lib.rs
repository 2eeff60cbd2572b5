//! What the test tells a program, its way to the browser, and what it tells the test.

use std::env;
use std::error::Error;
use std::io::stdin;

use oauth2::reqwest::blocking::Client;
use oauth2::reqwest::redirect::Policy;
use oauth2::url::Url;
use serde_json::{Value, json};

/// What can go wrong ends the program.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A setting of the test.
pub fn setting(name: &str) -> Result<String> {
    env::var(name).map_err(|error| format!("{name}: {error}").into())
}

/// The secret; a public client has none.
pub fn secret() -> Option<String> {
    env::var("AUTH_CLIENT_SECRET").ok()
}

/// An HTTP client that follows no redirect, as both libraries advise.
pub fn http() -> Result<Client> {
    Ok(Client::builder().redirect(Policy::none()).build()?)
}

/// The server's metadata (RFC 8414), which neither library reads by itself.
pub fn metadata(http: &Client) -> Result<Value> {
    let issuer = setting("AUTH_ISSUER")?;
    let response = http.get(format!("{issuer}/.well-known/oauth-authorization-server")).send()?;
    let metadata: Value = serde_json::from_slice(&response.error_for_status()?.bytes()?)?;
    if metadata["issuer"] != issuer {
        return Err("the metadata is of another issuer".into());
    }
    Ok(metadata)
}

/// An endpoint that the metadata names.
pub fn endpoint(metadata: &Value, name: &str) -> Result<String> {
    Ok(metadata[name].as_str().ok_or_else(|| format!("no {name}"))?.to_owned())
}

/// Opens an address in the browser, and answers the code that the person came back with.
pub fn browse(address: &Url, state: &str) -> Result<String> {
    println!("{address}");
    let mut back = String::new();
    stdin().read_line(&mut back)?;
    let back = Url::parse(back.trim_end())?;
    let parameter = |name: &str| {
        let found = back.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    };
    if parameter("state").as_deref() != Some(state) {
        return Err("the answer has another state".into());
    }
    parameter("code").ok_or_else(|| format!("no code: {back}").into())
}

/// Tells the test what was refused and which tokens came.
pub fn report(refused: &str, first: &impl serde::Serialize, second: &impl serde::Serialize) {
    println!("{}", json!({ "refused": refused, "first": first, "second": second }));
}

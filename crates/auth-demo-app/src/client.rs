//! The requests that the demo sends to the authorization server, each kept as it went over the wire.

use std::time::Duration;

use serde::Deserialize;

use crate::DemoApp;
use crate::encoding::{basic, code_challenge, form};

const LARGEST_ANSWER: u64 = 64 * 1024;

/// What the demo needs of the server's metadata (RFC 8414 §2).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: String,
    pub(crate) token_endpoint: String,
    pub(crate) revocation_endpoint: Option<String>,
    pub(crate) introspection_endpoint: Option<String>,
    /// RFC 9207 §3: then an answer without `iss` must be refused.
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

/// What the demo needs of a token response (RFC 6749 §5.1).
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    pub(crate) token_type: String,
    pub(crate) expires_in: Option<u64>,
    pub(crate) refresh_token: Option<String>,
    pub(crate) scope: Option<String>,
}

/// A request as it was sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn json<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(&self.body).ok()
    }

    /// The error code of a refusal (RFC 6749 §5.2), or its status.
    pub(crate) fn refusal(&self) -> String {
        #[derive(Deserialize)]
        struct Refusal {
            error: String,
        }
        match self.json::<Refusal>() {
            Some(refusal) => refusal.error,
            None => format!("{} {}", self.status, self.reason),
        }
    }

    /// The tokens of a successful answer.
    pub(crate) fn tokens(&self) -> Option<Tokens> {
        let tokens: Tokens = (self.status == 200).then(|| self.json())??;
        // A client must not use a token whose type it does not understand (RFC 6749 §7.1).
        tokens.token_type.eq_ignore_ascii_case("bearer").then_some(tokens)
    }

    /// The value of a header, whose name is lower-case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A request with its answer, or with the reason why there is none.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) request: Request,
    pub(crate) answer: Result<Answer, String>,
}

/// An authorization request that is about to be sent by the browser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authorization<'a> {
    pub(crate) state: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) prompt: Option<&'a str>,
}

/// The client's side of the protocol. It blocks: call it from the blocking pool.
#[derive(Debug)]
pub(crate) struct Client {
    agent: ureq::Agent,
}

impl Client {
    pub(crate) fn new() -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // The server is on loopback; a proxy of the environment has no business here.
            .proxy(None)
            .accept_encoding(ureq::config::AutoHeaderValue::None)
            // Every request opens its connection: a server restarted in between is not noticed.
            .max_idle_connections(0)
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .new_agent();
        Self { agent }
    }

    /// Reads the server's metadata (RFC 8414 §3). The second half is the metadata, or what is wrong
    /// with the answer.
    pub(crate) fn metadata(&self, app: &DemoApp) -> (Exchange, Result<Metadata, String>) {
        let request = Request {
            method: "GET",
            url: metadata_url(&app.issuer),
            headers: Vec::new(),
            body: None,
        };
        let exchange = self.send(request);
        let metadata = read_metadata(&app.issuer, exchange.answer.as_ref());
        (exchange, metadata)
    }

    /// Sends a form to one of the server's endpoints, authenticated as the demo's client.
    pub(crate) fn post(&self, app: &DemoApp, url: &str, fields: &[(&str, &str)]) -> Exchange {
        let mut fields = fields.to_vec();
        let mut headers = Vec::new();
        match &app.client_secret {
            Some(secret) => headers.push(("authorization", basic(&app.client_id, secret))),
            None => fields.push(("client_id", &app.client_id)),
        }
        headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        self.send(Request {
            method: "POST",
            url: url.to_owned(),
            headers,
            body: Some(form(&fields)),
        })
    }

    /// Calls an API with an access token (RFC 6750 §2.1).
    pub(crate) fn call(&self, url: String, access_token: &str) -> Exchange {
        let headers = vec![("authorization", format!("Bearer {access_token}"))];
        self.send(Request { method: "GET", url, headers, body: None })
    }

    fn send(&self, mut request: Request) -> Exchange {
        // All headers are set here, so that what the page shows is what was sent.
        request.headers.insert(0, ("host", authority(&request.url).to_owned()));
        request.headers.push(("accept", "application/json".to_owned()));
        request.headers.push(("user-agent", "auth-demo-app".to_owned()));
        if let Some(body) = &request.body {
            request.headers.push(("content-length", body.len().to_string()));
        }
        let answer = self.answer(&request).map_err(|error| error.to_string());
        Exchange { request, answer }
    }

    fn answer(&self, request: &Request) -> Result<Answer, ureq::Error> {
        let mut response = match &request.body {
            Some(body) => {
                let mut builder = self.agent.post(&request.url);
                for (name, value) in &request.headers {
                    builder = builder.header(*name, value);
                }
                builder.send(body)?
            }
            None => {
                let mut builder = self.agent.get(&request.url);
                for (name, value) in &request.headers {
                    builder = builder.header(*name, value);
                }
                builder.call()?
            }
        };
        let status = response.status();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let body = response
            .body_mut()
            .with_config()
            .limit(LARGEST_ANSWER)
            .lossy_utf8(true)
            .read_to_string()?;
        Ok(Answer {
            status: status.as_u16(),
            reason: status.canonical_reason().unwrap_or_default().to_owned(),
            headers,
            body,
        })
    }
}

/// The address of the authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2.1).
pub(crate) fn authorization_url(
    app: &DemoApp,
    metadata: &Metadata,
    authorization: Authorization<'_>,
) -> String {
    let challenge = code_challenge(authorization.verifier);
    let (redirect_uri, api_uri) = (app.redirect_uri(), app.api_uri());
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", &app.client_id),
        ("redirect_uri", &redirect_uri),
    ];
    if !app.scope.is_empty() {
        fields.push(("scope", &app.scope));
    }
    fields.push(("resource", &api_uri));
    fields.push(("state", authorization.state));
    fields.push(("code_challenge", &challenge));
    fields.push(("code_challenge_method", "S256"));
    fields.extend(authorization.prompt.map(|prompt| ("prompt", prompt)));
    // The endpoint may carry a query of its own, which must be kept (RFC 6749 §3.1).
    let endpoint = &metadata.authorization_endpoint;
    let joint = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{joint}{}", form(&fields))
}

/// Where the metadata of an issuer is: the well-known path goes before the issuer's own path
/// (RFC 8414 §3.1).
fn metadata_url(issuer: &str) -> String {
    const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";
    let authority = authority(issuer);
    let border = issuer.find(authority).map_or(issuer.len(), |start| start + authority.len());
    let (origin, path) = issuer.split_at(border);
    format!("{origin}{WELL_KNOWN}{}", path.trim_end_matches('/'))
}

/// Host and port of an absolute URL.
pub(crate) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn read_metadata(issuer: &str, answer: Result<&Answer, &String>) -> Result<Metadata, String> {
    let answer = answer.map_err(|reason| format!("The server did not answer: {reason}."))?;
    if answer.status != 200 {
        return Err(format!("It answered {} {}.", answer.status, answer.reason));
    }
    let metadata: Metadata = serde_json::from_str(&answer.body)
        .map_err(|error| format!("The answer is not usable metadata: {error}."))?;
    // RFC 8414 §3.3: metadata of somebody else must not be used.
    if metadata.issuer != issuer {
        return Err(format!("The metadata names another issuer: {}", metadata.issuer));
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, reason: String::new(), headers: Vec::new(), body: body.to_owned() }
    }

    #[test]
    fn the_well_known_path_goes_before_the_path_of_the_issuer() {
        let well_known = "http://127.0.0.1:8080/.well-known/oauth-authorization-server";
        assert_eq!(metadata_url("http://127.0.0.1:8080"), well_known);
        assert_eq!(metadata_url("http://127.0.0.1:8080/"), well_known);
        assert_eq!(metadata_url("http://127.0.0.1:8080/a"), format!("{well_known}/a"));
    }

    #[test]
    fn metadata_of_another_issuer_is_refused() {
        let body =
            r#"{"issuer":"http://evil.test","authorization_endpoint":"a","token_endpoint":"t"}"#;
        let refused = read_metadata("http://127.0.0.1:8080", Ok(&answer(200, body)));
        assert!(refused.unwrap_err().contains("another issuer"));
        assert!(read_metadata("http://evil.test", Ok(&answer(200, body))).is_ok());
    }

    #[test]
    fn only_bearer_tokens_are_taken() {
        let mac = r#"{"access_token":"a","token_type":"mac"}"#;
        let bearer = r#"{"access_token":"a","token_type":"bearer"}"#;
        assert!(answer(200, mac).tokens().is_none());
        assert!(answer(200, bearer).tokens().is_some());
        assert!(answer(400, bearer).tokens().is_none());
    }

    #[test]
    fn a_query_of_the_authorization_endpoint_is_kept() {
        let app = crate::tests::app();
        let metadata = Metadata {
            issuer: app.issuer.clone(),
            authorization_endpoint: "http://127.0.0.1:8080/a?tenant=1".to_owned(),
            token_endpoint: String::new(),
            revocation_endpoint: None,
            introspection_endpoint: None,
            authorization_response_iss_parameter_supported: false,
        };
        let authorization = Authorization { state: "s", verifier: "v", prompt: Some("none") };
        let url = authorization_url(&app, &metadata, authorization);
        assert!(url.starts_with("http://127.0.0.1:8080/a?tenant=1&response_type=code&"), "{url}");
        assert!(url.ends_with("&code_challenge_method=S256&prompt=none"), "{url}");
    }
}

//! An API for programs that bring a good access token. What a token is good for, it asks the
//! authorization server at every request (RFC 7662), so that one that was taken back opens nothing.

use actix_web::http::{StatusCode, header};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, error, middleware, web};
use serde_json::{Value, json};
use std::{env, io, sync::OnceLock, time::Duration};

/// Who this API is, and whom it asks.
pub struct Api {
    /// As it stands in `[[resources]]`.
    pub uri: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    /// Found at the first request.
    pub introspection_endpoint: OnceLock<String>,
}

pub fn routes(api: web::Data<Api>) -> impl FnOnce(&mut web::ServiceConfig) {
    let private = middleware::DefaultHeaders::new().add(("Cache-Control", "no-store"));
    let projects = web::resource("/projects").get(list_projects).post(create_project);
    |app| _ = app.service(web::scope("/api").wrap(private).app_data(api).service(projects))
}

async fn list_projects(api: web::Data<Api>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let token = admit(api, &request, "projects:read").await?;
    Ok(HttpResponse::Ok().json(json!({ "projects": ["Bridge", "Tunnel"], "for": token["sub"] })))
}

async fn create_project(api: web::Data<Api>, request: HttpRequest) -> Result<HttpResponse, Error> {
    let token = admit(api, &request, "projects:write").await?;
    Ok(HttpResponse::Created().json(json!({ "created": "Road", "for": token["sub"] })))
}

/// What is known of the request's token, if it is active, for this API, and has this scope.
async fn admit(api: web::Data<Api>, request: &HttpRequest, scope: &str) -> Result<Value, Error> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let (scheme, token) = header.and_then(|it| it.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refuse(StatusCode::UNAUTHORIZED, ""));
    }
    let (us, token) = (json!(api.uri), token.trim().to_owned());
    let known = web::block(move || introspect(&api, &token)).await?.map_err(|error| {
        eprintln!("cannot ask about a token: {error}");
        error::ErrorServiceUnavailable("the authorization server cannot be asked")
    })?;
    let ours = known["aud"] == us || known["aud"].as_array().is_some_and(|it| it.contains(&us));
    if known["active"] != true || !ours {
        return Err(refuse(StatusCode::UNAUTHORIZED, ", error=\"invalid_token\""));
    }
    if !known["scope"].as_str().is_some_and(|all| all.split(' ').any(|one| one == scope)) {
        let why = format!(", error=\"insufficient_scope\", scope=\"{scope}\"");
        return Err(refuse(StatusCode::FORBIDDEN, &why));
    }
    Ok(known)
}

/// A refusal with the challenge of RFC 6750 §3.
fn refuse(status: StatusCode, why: &str) -> Error {
    let challenge = (header::WWW_AUTHENTICATE, format!("Bearer realm=\"api\"{why}"));
    let response = HttpResponse::build(status).insert_header(challenge).finish();
    error::InternalError::from_response("refused", response).into()
}

/// Asks about a token, with the API's own credentials.
fn introspect(api: &Api, token: &str) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let agent = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5)));
    let agent = agent.proxy(None).build().new_agent();
    let endpoint = match api.introspection_endpoint.get() {
        Some(endpoint) => endpoint,
        None => {
            let host = api.issuer.match_indices('/').nth(2).map_or(api.issuer.len(), |(at, _)| at);
            let (origin, path) = api.issuer.split_at(host);
            let metadata = format!("{origin}/.well-known/oauth-authorization-server{path}");
            let metadata = agent.get(metadata).call()?.body_mut().read_to_string()?;
            let metadata: Value = serde_json::from_str(&metadata)?;
            let found = metadata["introspection_endpoint"].as_str().ok_or("nowhere to ask")?;
            api.introspection_endpoint.get_or_init(|| found.to_owned())
        }
    };
    let (id, secret) = (api.client_id.as_str(), api.client_secret.as_str());
    let form = [("token", token), ("client_id", id), ("client_secret", secret)];
    Ok(serde_json::from_str(&agent.post(endpoint).send_form(form)?.body_mut().read_to_string()?)?)
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let setting = |name| env::var(name).map_err(|_| io::Error::other(format!("set {name}")));
    let api = web::Data::new(Api {
        uri: setting("API_URI")?,
        issuer: setting("AUTH_ISSUER")?,
        client_id: setting("API_CLIENT_ID")?,
        client_secret: setting("API_CLIENT_SECRET")?,
        introspection_endpoint: OnceLock::new(),
    });
    let server = HttpServer::new(move || App::new().configure(routes(api.clone())));
    server.bind(setting("API_LISTEN")?)?.run().await
}

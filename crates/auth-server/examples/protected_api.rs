//! An API for programs that bring a good access token. What a token is good for, it asks the
//! authorization server at every request (RFC 7662), so that one that was taken back opens nothing.

use actix_web::http::{StatusCode, header};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, error, middleware, web};
use serde_json::{Value, json};
use std::{env, io, time::Duration};

/// Who this API is, and whom it asks.
pub struct Api {
    /// As it stands in `[[resources]]`.
    pub uri: String,
    /// `introspection_endpoint` of the authorization server's metadata.
    pub introspection_endpoint: String,
    pub client_id: String,
    pub client_secret: String,
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
    let mut sent = request.headers().get_all(header::AUTHORIZATION).map(|it| it.to_str());
    let header = sent.next().and_then(Result::ok).filter(|_| sent.next().is_none());
    let (scheme, token) = header.and_then(|it| it.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refuse(StatusCode::UNAUTHORIZED, ""));
    }
    let invalid = || refuse(StatusCode::UNAUTHORIZED, ", error=\"invalid_token\"");
    if token.len() > 1000 {
        return Err(invalid()); // No token is so long, and a form may not be either.
    }
    let (us, token) = (json!(api.uri), token.trim().to_owned());
    let known = web::block(move || introspect(&api, &token)).await?.map_err(|error| {
        eprintln!("cannot ask about a token: {error}");
        error::ErrorServiceUnavailable("the authorization server cannot be asked")
    })?;
    if known["active"] != true {
        return Err(invalid());
    }
    if known["aud"] != us && !known["aud"].as_array().is_some_and(|it| it.contains(&us)) {
        eprintln!("a token is for {}, and this is {us}", known["aud"]);
        return Err(invalid());
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
    let agent = agent.http_status_as_error(false).proxy(None).build().new_agent();
    let (id, secret) = (api.client_id.as_str(), api.client_secret.as_str());
    let form = [("token", token), ("client_id", id), ("client_secret", secret)];
    let mut answer = agent.post(&api.introspection_endpoint).send_form(form)?;
    let (status, body) = (answer.status(), answer.body_mut().read_to_string()?);
    if status != 200 {
        return Err(format!("{}: {status}: {body}", api.introspection_endpoint).into());
    }
    Ok(serde_json::from_str(&body)?)
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let setting = |name| env::var(name).map_err(|_| io::Error::other(format!("set {name}")));
    let api = web::Data::new(Api {
        uri: setting("API_URI")?,
        introspection_endpoint: setting("AUTH_INTROSPECTION")?,
        client_id: setting("API_CLIENT_ID")?,
        client_secret: setting("API_CLIENT_SECRET")?,
    });
    let server = HttpServer::new(move || App::new().configure(routes(api.clone())));
    server.bind(setting("API_LISTEN")?)?.run().await
}

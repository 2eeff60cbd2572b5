//! A demo under test, an authorization server that answers what it is told to, and a browser.
#![allow(dead_code)] // each test file uses its part

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use auth_demo_app::{Account, DemoApp};
use scraper::{Html, Selector};

pub(crate) const CLIENT_ID: &str = "demo:app";
pub(crate) const CLIENT_SECRET: &str = "s e/c%r+t";
pub(crate) const API_CLIENT_ID: &str = "demo:api";
pub(crate) const API_CLIENT_SECRET: &str = "a+p&i";

/// What the authorization server received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Received {
    /// The decoded value of a body parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        parameters(&self.body).remove(name)
    }
}

pub(crate) fn parameters(form: &str) -> HashMap<String, String> {
    web::Query::<HashMap<String, String>>::from_query(form).unwrap().into_inner()
}

#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<HashMap<String, (u16, String)>>>,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A demo with the authorization server it is configured for.
pub(crate) struct World {
    pub(crate) issuer: String,
    pub(crate) demo: String,
    script: Script,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A world whose demo is configured differently.
    pub(crate) fn with(change: impl FnOnce(&mut DemoApp)) -> Self {
        let script = Script::default();
        let issuer = serve_script(script.clone());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let demo = format!("http://{}", listener.local_addr().unwrap());
        let mut app = DemoApp {
            issuer: issuer.clone(),
            base_url: demo.clone(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: Some(CLIENT_SECRET.to_owned()),
            scope: "projects:read models:read".to_owned(),
            accounts: vec![Account {
                role: "user".to_owned(),
                username: "alice".to_owned(),
                password: "<b>&\"'".to_owned(),
            }],
            api_client_id: API_CLIENT_ID.to_owned(),
            api_client_secret: API_CLIENT_SECRET.to_owned(),
        };
        change(&mut app);
        std::thread::spawn(move || {
            rt::System::new()
                .block_on(async { auth_demo_app::server(app, listener).unwrap().await })
        });
        let world = Self { issuer, demo, script };
        world.metadata(true);
        world.answer("/token", 200, &tokens("at-1", "rt-1"));
        world
    }

    /// Publishes metadata, with or without the endpoints for revocation and introspection.
    pub(crate) fn metadata(&self, all: bool) {
        let issuer = &self.issuer;
        let more = if all {
            format!(
                r#","revocation_endpoint":"{issuer}/revoke","introspection_endpoint":"{issuer}/oauth/introspect""#
            )
        } else {
            String::new()
        };
        let metadata = format!(
            r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/authorize","token_endpoint":"{issuer}/token","authorization_response_iss_parameter_supported":true{more}}}"#
        );
        self.answer("/.well-known/oauth-authorization-server", 200, &metadata);
    }

    /// What the authorization server answers at a path from now on.
    pub(crate) fn answer(&self, path: &str, status: u16, body: &str) {
        let mut answers = self.script.answers.lock().unwrap();
        answers.insert(path.to_owned(), (status, body.to_owned()));
    }

    /// The requests that the server received at a path.
    pub(crate) fn received(&self, path: &str) -> Vec<Received> {
        let received = self.script.received.lock().unwrap();
        received.iter().filter(|it| it.path == path).cloned().collect()
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { world: self, cookie: None }
    }
}

pub(crate) fn tokens(access: &str, refresh: &str) -> String {
    format!(
        r#"{{"token_type":"Bearer","access_token":"{access}","refresh_token":"{refresh}","expires_in":600,"scope":"projects:read"}}"#
    )
}

fn serve_script(script: Script) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let app = move || {
            App::new()
                .app_data(web::Data::new(script.clone()))
                .default_service(web::to(scripted_answer))
        };
        rt::System::new().block_on(async {
            HttpServer::new(app).workers(1).listen(listener).unwrap().run().await
        })
    });
    url
}

async fn scripted_answer(
    request: HttpRequest,
    body: String,
    script: web::Data<Script>,
) -> HttpResponse {
    let headers = request.headers().iter();
    script.received.lock().unwrap().push(Received {
        path: request.path().to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        body,
    });
    match script.answers.lock().unwrap().get(request.path()) {
        Some((status, body)) => HttpResponse::build((*status).try_into().unwrap())
            .insert_header(("Content-Type", "application/json"))
            .insert_header(("Cache-Control", "no-store"))
            .body(body.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}

/// A browser that keeps the demo's cookie and follows nothing by itself.
pub(crate) struct Browser<'a> {
    world: &'a World,
    pub(crate) cookie: Option<String>,
}

/// An answer to the browser.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) html: String,
}

impl Browser<'_> {
    pub(crate) fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, "", &[])
    }

    pub(crate) fn post(&mut self, path: &str, body: &str) -> Page {
        self.send("POST", path, body, &[])
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
        extra: &[(&str, &str)],
    ) -> Page {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .new_agent();
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.world.demo));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        let mut response = if method == "POST" {
            let form = request.header("content-type", "application/x-www-form-urlencoded");
            agent.run(form.body(body.to_owned()).unwrap()).unwrap()
        } else {
            agent.run(request.body(()).unwrap()).unwrap()
        };
        let headers: HashMap<_, _> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        if let Some(set) = headers.get("set-cookie") {
            self.cookie = set.split(';').next().map(str::to_owned);
        }
        Page {
            status: response.status().as_u16(),
            headers,
            html: response.body_mut().read_to_string().unwrap(),
        }
    }

    /// Presses the button and answers the parameters of the authorization request.
    pub(crate) fn start(&mut self) -> HashMap<String, String> {
        let started = self.post("/start", "prompt=");
        assert_eq!(started.status, 303, "{}", started.html);
        let (address, query) = started.headers["location"].split_once('?').unwrap();
        assert_eq!(address, format!("{}/authorize", self.world.issuer));
        parameters(query)
    }

    /// Starts and comes back with a code.
    pub(crate) fn sign_in(&mut self) -> Page {
        let sent = self.start();
        let issuer = &self.world.issuer;
        let page =
            self.get(&format!("/callback?code=the-code&state={}&iss={issuer}", sent["state"]));
        assert_eq!((page.status, page.headers["location"].as_str()), (303, "/journey"));
        self.get("/journey")
    }
}

impl Page {
    /// The text of the elements that a selector finds.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        let html = Html::parse_document(&self.html);
        html.select(&selector).map(|it| it.text().collect::<String>().trim().to_owned()).collect()
    }
}

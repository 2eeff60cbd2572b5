//! A person with a browser that keeps cookies, without the browser.

use super::http::{self, Answer};
use super::server::{Client, PASSWORD};
use super::{CHALLENGE, form, parameter};
use scraper::{Html, Selector};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// A browser and who sits before it.
#[derive(Debug, Clone)]
pub struct Person {
    address: SocketAddr,
    cookies: BTreeMap<String, String>,
    /// The address that a trusted proxy would tell.
    pub forwarded_for: Option<String>,
    /// Every cookie and every hidden field that it was ever given.
    pub secrets: BTreeSet<String>,
}

impl Person {
    /// Somebody who was never here.
    pub fn at(address: SocketAddr) -> Self {
        let (cookies, secrets) = (BTreeMap::new(), BTreeSet::new());
        Self { address, cookies, forwarded_for: None, secrets }
    }

    /// The same browser at another server process.
    pub fn moved_to(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    /// Opens a page; redirects are not followed.
    #[track_caller]
    pub fn get(&mut self, target: &str) -> Answer {
        self.send("GET", target, "")
    }

    /// Sends a form; redirects are not followed.
    #[track_caller]
    pub fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.send("POST", target, &form(fields))
    }

    /// The page's first form with these fields in it, sent.
    #[track_caller]
    pub fn fill(&mut self, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let (action, mut all) = first_form(&page.text());
        self.secrets.extend(all.values().cloned());
        all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let pairs: Vec<_> =
            all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(&action, &pairs)
    }

    /// Follows redirects as long as they stay on this server; answers the page or the last redirect.
    #[track_caller]
    pub fn follow(&mut self, mut answer: Answer) -> Answer {
        for _ in 0..8 {
            let own = format!("http://{}", self.address);
            let Some(location) = answer.header("location") else { break };
            let target = location.strip_prefix(&own).unwrap_or(location).to_owned();
            if !target.starts_with('/') {
                break;
            }
            answer = self.get(&target);
        }
        answer
    }

    /// Signs in as alice, for what waits in this page or for nothing.
    #[track_caller]
    pub fn sign_in(&mut self, page: &Answer) -> Answer {
        let answer = self.fill(page, &[("username", "alice"), ("password", PASSWORD)]);
        self.follow(answer)
    }

    /// Walks an authorization request to the client: signs in and approves where that is asked. The
    /// answer is the redirect.
    #[track_caller]
    pub fn authorize(&mut self, target: &str) -> Answer {
        let mut page = self.get(target);
        page = self.follow(page);
        if page.text().contains("name=\"password\"") {
            page = self.sign_in(&page);
        }
        if page.text().contains("name=\"decision\"") {
            page = self.fill(&page, &[("decision", "approve")]);
        }
        page
    }

    /// A code for this client with PKCE, as alice.
    #[track_caller]
    pub fn code(&mut self, client: &Client, redirect_uri: &str) -> String {
        let answer = self.authorize(&authorization(client, redirect_uri, "a state"));
        let location = answer.location();
        parameter(location, "code").unwrap_or_else(|| panic!("no code in {location}"))
    }

    #[track_caller]
    fn send(&mut self, method: &str, target: &str, body: &str) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers = vec![];
        if !cookies.is_empty() {
            headers.push(("Cookie", cookies.as_str()));
        }
        if let Some(address) = &self.forwarded_for {
            headers.push(("X-Forwarded-For", address));
        }
        if method == "POST" {
            headers.push(("Content-Type", "application/x-www-form-urlencoded"));
        }
        let answer = http::request(self.address, method, target, &headers, body.as_bytes());
        let answer = answer.unwrap_or_else(|error| panic!("{method} {target}: {error}"));
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) =
                cookie.split(';').next().and_then(|it| it.split_once('=')).expect("a cookie");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.secrets.insert(value.to_owned());
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if let Some((_, id)) =
            answer.header("location").and_then(|it| it.split_once("interaction="))
        {
            self.secrets.insert(id.to_owned());
        }
        answer
    }
}

/// The target of an authorization request with PKCE.
pub fn authorization(client: &Client, redirect_uri: &str, state: &str) -> String {
    let query = form(&[
        ("response_type", "code"),
        ("client_id", &client.id),
        ("redirect_uri", redirect_uri),
        ("scope", "projects:read"),
        ("state", state),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    format!("/oauth/authorize?{query}")
}

/// Where the first form of a page goes, and its hidden fields.
#[track_caller]
fn first_form(page: &str) -> (String, BTreeMap<String, String>) {
    let html = Html::parse_document(page);
    let [forms, hidden] = ["form", "input[type=hidden]"]
        .map(|selector| Selector::parse(selector).expect("a selector"));
    let form = html.select(&forms).next().unwrap_or_else(|| panic!("no form: {page}"));
    let fields = form.select(&hidden).map(|field| {
        let attribute = |name| field.attr(name).unwrap_or_default().to_owned();
        (attribute("name"), attribute("value"))
    });
    (form.attr("action").expect("an action").to_owned(), fields.collect())
}

//! A browser: it keeps cookies, follows redirects on this server, and fills forms.

use crate::answer::Answer;
use crate::harness::{Params, Site};
use actix_web::http::header;
use actix_web::test::TestRequest;
use scraper::Selector;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A browser. Clones are tabs of it.
#[derive(Clone)]
pub struct Browser {
    site: Site,
    jar: Rc<RefCell<BTreeMap<String, String>>>,
    peer: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    /// What every path begins with.
    base: String,
}

/// A form of a page.
#[derive(Debug, Clone)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// Its fields and what is in them.
    pub fields: Params,
}

impl Browser {
    /// A browser without cookies.
    pub fn new(site: &Site) -> Self {
        let path = site.issuer.splitn(4, '/').nth(3);
        Self {
            site: site.clone(),
            jar: Rc::default(),
            peer: "192.0.2.1:1024",
            headers: Vec::new(),
            base: path.map(|path| format!("/{path}")).unwrap_or_default(),
        }
    }

    /// The same browser at another network address.
    pub fn at(&self, peer: &'static str) -> Self {
        Self { peer, ..self.clone() }
    }

    /// The same browser, sending one header more.
    pub fn sending(&self, name: &'static str, value: &'static str) -> Self {
        let mut browser = self.clone();
        browser.headers.push((name, value));
        browser
    }

    /// The same browser with another server, as if that took over the address of this one.
    pub fn visiting(&self, site: &Site) -> Self {
        Self { site: site.clone(), ..self.clone() }
    }

    /// The cookie whose name contains this.
    pub fn cookie(&self, part: &str) -> Option<String> {
        let jar = self.jar.borrow();
        let mut found = jar.iter().filter(|(name, _)| name.contains(part));
        found.next().map(|(_, value)| value.clone())
    }

    /// Puts a cookie into the jar.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar.borrow_mut().insert(name.into(), value.into());
    }

    /// The names of the cookies in the jar.
    pub fn cookie_names(&self) -> Vec<String> {
        self.jar.borrow().keys().cloned().collect()
    }

    /// Sends a request with this browser's cookies and keeps those that come back.
    pub async fn send(&self, mut request: TestRequest) -> Answer {
        let pairs = self.jar.borrow().iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>();
        if !pairs.is_empty() {
            request = request.insert_header((header::COOKIE, pairs.join("; ")));
        }
        for (name, value) in &self.headers {
            request = request.append_header((*name, *value));
        }
        let request = request.peer_addr(self.peer.parse().expect("an address"));
        let answer = self.site.send(request).await;
        for cookie in answer.cookies() {
            let mut jar = self.jar.borrow_mut();
            match cookie.value() {
                "" => jar.remove(cookie.name()),
                value => jar.insert(cookie.name().to_owned(), value.to_owned()),
            };
        }
        answer
    }

    /// Opens a target.
    pub async fn get(&self, target: &str) -> Answer {
        self.send(TestRequest::get().uri(target)).await
    }

    /// Posts a form.
    pub async fn post(&self, target: &str, fields: &Params) -> Answer {
        let request = TestRequest::post()
            .uri(target)
            .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .set_payload(fields.encode());
        self.send(request).await
    }

    /// Follows redirects as long as they stay on this server.
    pub async fn follow(&self, mut answer: Answer) -> Answer {
        for _ in 0..5 {
            let location = answer.header("location").unwrap_or_default();
            let target = location.strip_prefix("https://as.test").unwrap_or(location);
            if !target.starts_with('/') {
                return answer;
            }
            let target = target.to_owned();
            answer = self.get(&target).await;
        }
        panic!("redirected in a circle: {answer:?}");
    }

    /// Sends an authorization request. The answer is as it came; if it leads to the client, its state
    /// is the request's (AUTHZ-11).
    pub async fn authorize(&self, params: &Params) -> Answer {
        let target = format!("{}/oauth/authorize?{}", self.base, params.encode());
        let answer = self.get(&target).await;
        check_state(params, &answer);
        answer
    }

    /// Fills in the sign-in form of a page.
    pub async fn fill_sign_in(&self, page: &Answer, username: &str, password: &str) -> Answer {
        let form = page.form();
        let fields = form.fields.set("username", username).set("password", password);
        self.post(&form.action, &fields).await
    }

    /// Signs a sample owner in, on the page of that name.
    pub async fn sign_in(&self, username: &str) -> Answer {
        let page = self.get(&format!("{}/login", self.base)).await;
        let password = format!("{username}-password");
        let answer = self.fill_sign_in(&page, username, &password).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        answer
    }

    /// Signs a sample owner in where a page asks for it, and answers what comes next.
    pub async fn sign_in_on(&self, page: &Answer, username: &str) -> Answer {
        let password = format!("{username}-password");
        let answer = self.fill_sign_in(page, username, &password).await;
        self.follow(answer).await
    }

    /// Presses a button of a consent page, with these fields beside it.
    pub async fn decide_with(
        &self,
        page: &Answer,
        decision: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let form = page.form();
        let mut fields = form.fields.set("decision", decision);
        for (name, value) in more {
            fields = fields.also(name, value);
        }
        self.post(&form.action, &fields).await
    }

    /// Presses a button of a consent page.
    pub async fn decide(&self, page: &Answer, decision: &str) -> Answer {
        self.decide_with(page, decision, &[]).await
    }

    /// The consent page of a request, in a browser in which somebody is signed in.
    pub async fn consent_page(&self, params: &Params) -> Answer {
        let page = self.authorize(params).await;
        assert!(page.is_consent_page(), "{page:?}");
        page
    }

    /// Authorizes and, where the consent page is shown, approves. The answer leads to the client.
    pub async fn approve(&self, params: &Params) -> Answer {
        let mut answer = self.authorize(params).await;
        if answer.status == 200 {
            answer = self.decide(&answer, "approve").await;
            check_state(params, &answer);
        }
        answer
    }

    /// A code for this request.
    pub async fn code(&self, params: &Params) -> String {
        self.approve(params).await.code()
    }
}

/// AUTHZ-11: the state comes back as it was sent, if it was sent once and not empty.
#[track_caller]
fn check_state(sent: &Params, answer: &Answer) {
    let location = answer.header("location").unwrap_or_default();
    if location.is_empty() || location.starts_with('/') {
        return;
    }
    let expected = match sent.all("state").as_slice() {
        [state] if !state.is_empty() => Some(*state),
        _ => None,
    };
    assert_eq!(answer.client_redirect().get("state"), expected);
}

impl Answer {
    /// The one form of this page.
    #[track_caller]
    pub fn form(&self) -> Form {
        let html = self.html();
        let select = |text| Selector::parse(text).expect("a selector");
        let forms: Vec<_> = html.select(&select("form")).collect();
        assert_eq!(forms.len(), 1, "{self:?}");
        assert_eq!(forms[0].attr("method"), Some("post"));
        let mut fields = Params::default();
        for input in forms[0].select(&select("input")) {
            let name = input.attr("name").expect("a name");
            fields = fields.also(name, input.attr("value").unwrap_or_default());
        }
        Form { action: forms[0].attr("action").expect("an action").to_owned(), fields }
    }

    /// Whether this is the sign-in page.
    pub fn is_sign_in_page(&self) -> bool {
        self.status == 200 && !self.find("input[name=password]").is_empty()
    }

    /// Whether this is the consent page.
    pub fn is_consent_page(&self) -> bool {
        self.status == 200 && self.find("button[name=decision]") == ["Approve", "Deny"]
    }
}

//! The documentation's API against the real server: whom it answers, and for how long.

use crate::REDIRECT_URI;
use crate::support::api::{Api, Place};
use crate::support::http::Answer;
use crate::support::person::Person;
use crate::support::server::{Client, Process, Site};

/// A server, an API of it, and a program that acts for itself.
struct World {
    site: Site,
    process: Process,
    place: Place,
    credentials: Client,
    api: Api,
    job: Client,
    /// Another API, of the same scope.
    other: Place,
}

impl World {
    fn new() -> Self {
        let site = Site::new();
        let place = Place::in_resources(&site, "Project API", &["projects:read", "models:read"]);
        let other = Place::in_resources(&site, "Another API", &["projects:read"]);
        let credentials = resource_server(&site, &place);
        let job = site.add_client("Job", &[], &["--grant", "client_credentials"]);
        let process = site.serve(&[]);
        let api = Api::start(&site, &place, &credentials);
        Self { site, process, place, credentials, api, job, other }
    }

    /// A token of the job's own.
    #[track_caller]
    fn token(&self, fields: &[(&str, &str)]) -> String {
        let grant = [("grant_type", "client_credentials")];
        let answer = self.process.token(&self.job, &[&grant[..], fields].concat());
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.member("access_token")
    }

    /// Asks the server to take a token back.
    #[track_caller]
    fn revoke(&self, client: &Client, token: &str) {
        let fields =
            [("client_id", &*client.id), ("client_secret", &client.secret), ("token", token)];
        let answer = self.process.post("/oauth/revoke", &crate::support::form(&fields));
        assert_eq!(answer.expect("an answer").status, 200);
    }
}

#[track_caller]
fn resource_server(site: &Site, place: &Place) -> Client {
    let made = site.command(&["client", "add", "--resource-server", &place.uri], "");
    let text = |member: &str| made[member].as_str().expect("a string").to_owned();
    Client { id: text("client_id"), secret: text("client_secret") }
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, challenge: Option<&str>) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("www-authenticate"), challenge);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

const NO_TOKEN: Option<&str> = Some(r#"Bearer realm="api""#);
const INVALID: Option<&str> = Some(r#"Bearer realm="api", error="invalid_token""#);

/// RFC 6750 §3
#[test]
fn the_example_answers_good_tokens_and_challenges_the_others() {
    let world = World::new();
    let api = &world.api;
    for authorization in [None, Some("Basic am9iOmpvYg=="), Some("Bearer"), Some("Bearer ")] {
        assert_refused(&api.call("GET", authorization), 401, NO_TOKEN);
    }
    let good = world.token(&[("scope", "projects:read")]);
    let (refresh_token, junk) = ("x".repeat(64), "%".repeat(30_000));
    for bad in
        ["nonsense", &good[1..], &format!("{good}A"), &refresh_token, &junk, &world.job.secret]
    {
        assert_refused(&api.list(bad), 401, INVALID);
    }
    let answer = api.list(&good);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.member("for"), format!("client:{}", world.job.id));
    assert_eq!(api.call("GET", Some(&format!("bEARER {good}"))).status, 200);

    let weak = world.token(&[("scope", "models:read")]);
    let challenge = r#"Bearer realm="api", error="insufficient_scope", scope="projects:read""#;
    assert_refused(&api.list(&weak), 403, Some(challenge));
    let challenge = r#"Bearer realm="api", error="insufficient_scope", scope="projects:write""#;
    assert_refused(&api.call("POST", Some(&format!("Bearer {good}"))), 403, Some(challenge));
}

/// RES-04, INTRO-04: and with the credentials of a client, which sees its own tokens whomever they are
/// for, the API still looks at the audience.
#[test]
fn res_04_a_token_for_another_api_is_refused() {
    let mut world = World::new();
    let foreign = world.token(&[("resource", &world.other.uri)]);
    let ours = world.token(&[("resource", &world.place.uri)]);
    let both = world.token(&[]);
    for _ in 0..2 {
        assert_refused(&world.api.list(&foreign), 401, INVALID);
        assert_eq!(world.api.list(&ours).status, 200);
        assert_eq!(world.api.list(&both).status, 200);
        world.place.address = crate::support::server::free_address();
        world.api = Api::start(&world.site, &world.place, &world.job);
    }
}

/// REVOKE-05, INTRO-07: the very next call.
#[test]
fn intro_07_what_was_taken_back_opens_nothing() {
    let world = World::new();
    let token = world.token(&[]);
    assert_eq!(world.api.list(&token).status, 200);
    world.revoke(&world.job, &token);
    assert_refused(&world.api.list(&token), 401, INVALID);

    let client = world.site.add_client("Client", &[REDIRECT_URI], &[]);
    let mut alice = Person::at(world.process.address);
    let mut sign_in = || {
        let code = alice.code(&client, REDIRECT_URI);
        let tokens = world.process.redeem(&client, &code);
        let token = tokens.member("access_token");
        assert_eq!(world.api.list(&token).status, 200);
        (token, tokens.member("refresh_token"))
    };
    let (token, refresh_token) = sign_in();
    world.revoke(&client, &refresh_token);
    assert_refused(&world.api.list(&token), 401, INVALID);

    let (token, _) = sign_in();
    let grants = world.site.command(&["grant", "list"], "");
    let grant = grants[0]["grant_id"].as_str().expect("a grant");
    world.site.command(&["grant", "revoke", grant], "");
    assert_refused(&world.api.list(&token), 401, INVALID);

    let (token, _) = sign_in();
    world.site.command(&["user", "disable", "alice"], "");
    assert_refused(&world.api.list(&token), 401, INVALID);

    let token = world.token(&[]);
    world.site.command(&["client", "disable", &world.job.id], "");
    assert_refused(&world.api.list(&token), 401, INVALID);
    world.site.command(&["client", "enable", &world.job.id], "");
    assert_refused(&world.api.list(&token), 401, INVALID);
}

/// CAUTH-14, INTRO-01: it goes on asking while its secret is changed, and says so when it cannot ask.
#[test]
fn an_api_that_cannot_ask_answers_503_and_takes_no_token_for_bad() {
    let World { site, process, credentials, api, job, .. } = World::new();
    let grant = [("grant_type", "client_credentials")];
    let token = process.token(&job, &grant).member("access_token");
    site.command(&["client", "secret", "rotate", &credentials.id], "");
    assert_eq!(api.list(&token).status, 200, "the old secret is live beside the new one");
    process.stop();
    assert_refused(&api.list(&token), 503, None);
    let _process = site.serve(&[]);
    assert_eq!(api.list(&token).status, 200);
    site.command(&["client", "secret", "rotate", &credentials.id, "--revoke-old"], "");
    assert_refused(&api.list(&token), 503, None);
}

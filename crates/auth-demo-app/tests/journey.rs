//! Whole journeys against an authorization server that records what it receives.

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use support::{API_CLIENT_ID, API_CLIENT_SECRET, CLIENT_ID, World, tokens};

#[test]
fn the_authorization_request_carries_state_and_a_challenge() {
    let world = World::new();
    let sent = world.browser().start();
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["client_id"], CLIENT_ID);
    assert_eq!(sent["redirect_uri"], format!("{}/callback", world.demo));
    assert_eq!(sent["scope"], "projects:read models:read");
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!((sent["state"].len(), sent["code_challenge"].len()), (43, 43));
    assert!(!sent.contains_key("prompt"));
    assert_ne!(world.browser().start()["state"], sent["state"]);
}

#[test]
fn a_prompt_is_passed_on_and_an_unknown_one_is_not() {
    let world = World::new();
    for prompt in ["consent", "login", "none"] {
        let started = world.browser().post("/start", &format!("prompt={prompt}"));
        assert!(started.headers["location"].ends_with(&format!("&prompt={prompt}")));
    }
    assert_eq!(world.browser().post("/start", "prompt=everything").status, 400);
}

/// RFC 6749 §2.3.1 and §4.1.3, RFC 7636 §4.5.
#[test]
fn the_code_is_redeemed_with_client_authentication_and_the_verifier() {
    let world = World::new();
    let mut browser = world.browser();
    let sent = browser.start();
    browser.get(&format!("/callback?code=a%2Bb&state={}&iss={}", sent["state"], world.issuer));

    let [request] = world.received("/token").try_into().unwrap();
    let credentials = STANDARD.encode("demo%3Aapp:s+e%2Fc%25r%2Bt");
    assert_eq!(request.headers["authorization"], format!("Basic {credentials}"));
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(request.parameter("grant_type").unwrap(), "authorization_code");
    assert_eq!(request.parameter("code").unwrap(), "a+b");
    assert_eq!(request.parameter("redirect_uri").unwrap(), sent["redirect_uri"]);
    assert_eq!(request.parameter("client_id"), None, "one authentication method only");
    let verifier = request.parameter("code_verifier").unwrap();
    assert_eq!(verifier.len(), 43);
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)), sent["code_challenge"]);
}

#[test]
fn a_public_client_names_itself_and_authenticates_by_nothing() {
    let world = World::with(|app| app.client_secret = None);
    world.browser().sign_in();
    let [request] = world.received("/token").try_into().unwrap();
    assert!(!request.headers.contains_key("authorization"));
    assert_eq!(request.parameter("client_id").unwrap(), CLIENT_ID);
}

#[test]
fn the_journey_shows_what_was_sent_and_what_came() {
    let world = World::new();
    let page = world.browser().sign_in();
    assert_eq!(
        page.texts(".steps h2"),
        ["Authorization request", "Authorization response", "Token request", "Token response"]
    );
    let listings = page.texts(".steps li > .listing");
    assert!(
        listings[0].starts_with(&format!("GET {}/authorize\n?response_type=code\n&", world.issuer))
    );
    assert!(listings[1].contains("/callback\n?code=the-code\n&state="), "{}", listings[1]);

    let [request] = world.received("/token").try_into().unwrap();
    let (head, body) = listings[2].split_once("\n\n").unwrap();
    let (line, shown) = head.split_once('\n').unwrap();
    assert_eq!(line, format!("POST {}/token", world.issuer));
    assert_eq!(body.replace("\n&", "&"), request.body);
    let mut shown: Vec<_> = shown.lines().map(str::to_owned).collect();
    let mut sent: Vec<_> =
        request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    shown.sort();
    sent.sort();
    assert_eq!(shown, sent, "the page shows exactly the headers that were sent");

    assert_eq!(
        listings[3],
        "200 OK\ncontent-type: application/json\ncache-control: no-store\n\n{\n  \
         \"token_type\": \"Bearer\",\n  \"access_token\": \"at-1\",\n  \"refresh_token\": \"rt-1\",\n  \
         \"expires_in\": 600,\n  \"scope\": \"projects:read\"\n}"
    );
    let curl = page.texts(".steps details code");
    assert!(
        curl[0].starts_with("curl -u 'demo%3Aapp:s+e%2Fc%25r%2Bt' -d 'grant_type="),
        "{}",
        curl[0]
    );
    assert_eq!(page.texts(".card:first-child .success strong"), ["Signed in."]);
}

#[test]
fn a_refresh_presents_the_newest_refresh_token() {
    let world = World::new();
    let mut browser = world.browser();
    browser.sign_in();
    world.answer("/token", 200, &tokens("at-2", "rt-2"));
    let answer = browser.post("/refresh", "");
    assert_eq!((answer.status, answer.headers["location"].as_str()), (303, "/journey#step-5"));
    // This answer keeps the refresh token by leaving it out (RFC 6749 §6).
    world.answer("/token", 200, r#"{"access_token":"at-3","token_type":"Bearer"}"#);
    browser.post("/refresh", "");
    browser.post("/refresh", "");

    let requests = world.received("/token");
    let presented: Vec<_> = requests.iter().map(|it| it.parameter("refresh_token")).collect();
    let presented: Vec<_> = presented.iter().map(Option::as_deref).collect();
    assert_eq!(presented, [None, Some("rt-1"), Some("rt-2"), Some("rt-2")]);
    assert_eq!(requests[1].parameter("grant_type").unwrap(), "refresh_token");
    assert!(requests.iter().all(|it| it.headers["authorization"].starts_with("Basic ")));
    let page = browser.get("/journey");
    assert_eq!(page.texts(".steps h2").len(), 10);
    assert!(page.texts(".listing").concat().contains("at-3"));
}

/// What the server says of a good token.
fn active(world: &World) -> String {
    let aud = format!("{}/api", world.demo);
    format!(r#"{{"active":true,"sub":"alice","aud":"{aud}","scope":"projects:read"}}"#)
}

/// RFC 6750 §2.1 and §3, RFC 7662 §2.1, RFC 7009 §2.1.
#[test]
fn the_api_answers_until_the_tokens_are_revoked() {
    let world = World::new();
    let mut browser = world.browser();
    browser.sign_in();
    world.answer("/oauth/introspect", 200, &active(&world));
    world.answer("/revoke", 200, "");
    assert_eq!(browser.post("/call", "").headers["location"], "/journey#step-5");
    let page = browser.get("/journey");
    assert_eq!(page.texts(".card:first-child .success strong"), ["The API answered."]);
    let listings = page.texts(".steps li > .listing");
    let called = format!("GET {}/api/projects\nhost: ", world.demo);
    assert!(listings[4].starts_with(&called), "{}", listings[4]);
    assert!(listings[4].contains("\nauthorization: Bearer at-1\n"), "{}", listings[4]);
    assert!(
        listings[5].starts_with("200 OK\n") && listings[5].contains("alice"),
        "{}",
        listings[5]
    );
    let curl = page.texts(".steps details code");
    let url = format!("{}/api/projects", world.demo);
    assert_eq!(curl[1], format!("curl -i -H 'Authorization: Bearer at-1' '{url}'"));

    assert_eq!(browser.post("/revoke", "").headers["location"], "/journey#step-7");
    assert_eq!(browser.get("/journey").texts(".card:first-child .success strong"), ["Revoked."]);
    let held = browser.get("/journey").texts(".card:first-child dd");
    assert_eq!(held, ["projects:read", "given back", "given back"]);
    world.answer("/oauth/introspect", 200, r#"{"active":false}"#);
    browser.post("/call", "");
    let page = browser.get("/journey");
    let refused = page.texts(".card:first-child .alert strong");
    assert_eq!(refused, ["The API refused: invalid_token"]);
    assert_eq!(page.texts(".refused h2"), ["API refusal"]);
    let listings = page.texts(".steps li > .listing");
    assert_eq!(
        listings[9],
        "401 Unauthorized\ncache-control: no-store\n\
         www-authenticate: Bearer realm=\"api\", error=\"invalid_token\""
    );

    let asked = world.received("/oauth/introspect");
    let asked = asked.first().expect("the API asked");
    for (name, value) in
        [("token", "at-1"), ("client_id", API_CLIENT_ID), ("client_secret", API_CLIENT_SECRET)]
    {
        assert_eq!(asked.parameter(name).as_deref(), Some(value), "the API's own credentials");
    }
    let [revoked] = world.received("/revoke").try_into().unwrap();
    assert_eq!(revoked.parameter("token").unwrap(), "rt-1");
    assert_eq!(revoked.parameter("token_type_hint").unwrap(), "refresh_token");
    assert!(revoked.headers["authorization"].starts_with("Basic "));
}

/// RFC 6750 §3.1: why the API refuses, in words.
#[test]
fn a_call_that_is_refused_is_explained() {
    let world = World::new();
    let mut browser = world.browser();
    browser.sign_in();
    let good = active(&world);
    for (answer, status, title, said) in [
        (good.replace("projects:read", "models:read"), 200, "insufficient_scope", "scope does not"),
        (good.replace("/api", "/other"), 200, "invalid_token", "not active any more"),
        (r#"{"error":"invalid_client"}"#.to_owned(), 401, "503 Service", "could not ask"),
        ("<html>".to_owned(), 200, "503 Service", "could not ask"),
    ] {
        world.answer("/oauth/introspect", status, &answer);
        browser.post("/call", "");
        let page = browser.get("/journey");
        let shown = page.texts(".card:first-child .alert p");
        assert!(shown[0].starts_with(&format!("The API refused: {title}")), "{shown:?}");
        assert!(shown[1].contains(said), "{answer}: {shown:?}");
    }
}

/// RFC 8707 §2.1
#[test]
fn the_authorization_request_names_the_api() {
    let world = World::new();
    assert_eq!(world.browser().start()["resource"], format!("{}/api", world.demo));
}

/// However many call at once: the API answers from the process whose threads they occupy.
#[test]
fn calls_at_the_same_moment_do_not_wait_for_each_other() {
    let world = World::new();
    world.answer("/oauth/introspect", 200, &active(&world));
    let mut browsers: Vec<_> = (0..12).map(|_| world.browser()).collect();
    for browser in &mut browsers {
        browser.sign_in();
    }
    std::thread::scope(|scope| {
        for browser in &mut browsers {
            scope.spawn(|| {
                browser.post("/call", "");
                let page = browser.get("/journey");
                assert_eq!(page.texts(".card:first-child .success strong"), ["The API answered."]);
            });
        }
    });
}

#[test]
fn buttons_appear_when_the_metadata_names_their_endpoints() {
    let world = World::new();
    world.metadata(false);
    let mut browser = world.browser();
    let few = browser.sign_in().texts(".card:first-child .next > *");
    assert_eq!(few, ["Refresh the token", "Start again"]);
    assert_eq!(browser.post("/revoke", "").status, 404);
    world.metadata(true);
    let all = browser.sign_in().texts(".card:first-child .next > *");
    assert_eq!(all, ["Refresh the token", "Call the API", "Revoke", "Start again"]);
}

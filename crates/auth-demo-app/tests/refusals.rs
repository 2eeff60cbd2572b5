//! Answers that the demo must not believe, and what it says when there is nothing to believe.

mod support;

use support::World;

/// RFC 6749 §10.12.
#[test]
fn an_answer_with_another_state_is_refused() {
    let world = World::new();
    let mut browser = world.browser();
    let foreign = world.browser().start();
    let sent = browser.start();
    for state in ["&state=", "", &format!("&state={}", foreign["state"])] {
        let page = browser.get(&format!("/callback?code=c&iss={}{state}", world.issuer));
        assert_eq!(page.status, 400, "{state}");
        assert!(page.html.contains("Its state is not the one"), "{}", page.html);
    }
    let mut no_cookie = world.browser();
    let url = format!("/callback?code=c&state={}&iss={}", sent["state"], world.issuer);
    assert_eq!(no_cookie.get(&url).status, 404);
    assert!(world.received("/token").is_empty());
    assert_eq!(browser.get(&url).status, 303, "the refused answers did not spoil the right one");
}

/// RFC 9207 §2.4.
#[test]
fn an_answer_of_another_issuer_is_refused() {
    let world = World::new();
    let mut browser = world.browser();
    let state = &browser.start()["state"];
    for iss in ["", "&iss=http://evil.test", &format!("&iss={}/", world.issuer)] {
        for result in ["code=c", "error=access_denied"] {
            let page = browser.get(&format!("/callback?{result}&state={state}{iss}"));
            assert_eq!(page.status, 400, "{iss}");
            assert!(page.html.contains("its iss is missing or names another"), "{}", page.html);
        }
    }
    assert!(world.received("/token").is_empty());
}

#[test]
fn an_answer_that_says_two_things_is_refused() {
    let world = World::new();
    let mut browser = world.browser();
    let state = &browser.start()["state"];
    for wrong in ["code=a&code=b", "code=a&error=b", "", "error_description=a"] {
        let page = browser.get(&format!("/callback?{wrong}&state={state}&iss={}", world.issuer));
        assert_eq!(page.status, 400, "{wrong}");
    }
    assert!(world.received("/token").is_empty());
}

#[test]
fn a_reloaded_answer_redeems_nothing_again() {
    let world = World::new();
    let mut browser = world.browser();
    let state = &browser.start()["state"];
    let url = format!("/callback?code=c&state={state}&iss={}", world.issuer);
    assert_eq!(browser.get(&url).headers["location"], "/journey");
    assert_eq!(browser.get(&url).headers["location"], "/journey");
    assert_eq!(world.received("/token").len(), 1);
}

#[test]
fn errors_of_the_authorization_endpoint_are_explained() {
    let world = World::new();
    for (code, said) in [
        ("access_denied", "The request was denied"),
        ("login_required", "nobody is signed in"),
        ("consent_required", "approve first"),
        ("something_new", "The server refused the authorization request"),
    ] {
        let mut browser = world.browser();
        let state = &browser.start()["state"];
        browser.get(&format!("/callback?error={code}&state={state}&iss={}", world.issuer));
        let page = browser.get("/journey");
        assert_eq!(page.texts(".card:first-child .alert strong"), [format!("No sign-in: {code}")]);
        assert!(page.texts(".card:first-child .alert p")[1].contains(said), "{code}");
        assert_eq!(page.texts(".steps h2"), ["Authorization request", "Authorization error"]);
        assert_eq!(page.texts(".card:first-child .next > *"), ["Start again"]);
    }
    assert!(world.received("/token").is_empty());
}

#[test]
fn a_refused_refresh_is_explained_and_the_tokens_stay() {
    let world = World::new();
    let mut browser = world.browser();
    browser.sign_in();
    world.answer("/token", 400, r#"{"error":"invalid_grant"}"#);
    browser.post("/refresh", "");
    let page = browser.get("/journey");
    assert_eq!(page.texts(".card:first-child .alert strong"), ["Refused: invalid_grant"]);
    assert_eq!(page.texts(".refused h2"), ["Refresh error"]);
    browser.post("/refresh", "");
    assert_eq!(world.received("/token")[2].parameter("refresh_token").unwrap(), "rt-1");
}

#[test]
fn a_server_that_is_down_is_a_page() {
    let world = World::with(|app| app.issuer = "http://127.0.0.1:1".to_owned());
    let page = world.browser().post("/start", "prompt=");
    assert_eq!(page.status, 502);
    assert!(page.html.contains("http://127.0.0.1:1"), "{}", page.html);
}

#[test]
fn a_server_that_goes_down_underway_is_a_page() {
    let world = World::new();
    let issuer = &world.issuer;
    let metadata = format!(
        r#"{{"issuer":"{issuer}","authorization_endpoint":"{issuer}/authorize","token_endpoint":"http://127.0.0.1:1/token"}}"#
    );
    world.answer("/.well-known/oauth-authorization-server", 200, &metadata);
    let page = world.browser().sign_in();
    assert_eq!(page.texts(".card:first-child .alert strong"), ["No answer."]);
    assert_eq!(page.texts(".steps h2").len(), 3);
}

#[test]
fn answers_that_are_no_tokens_are_shown_and_not_believed() {
    for body in
        ["", "{", "[]", "null", r#"{"access_token":1}"#, r#"{"access_token":"a"}"#, "<html>"]
    {
        let world = World::new();
        world.answer("/token", 200, body);
        let page = world.browser().sign_in();
        assert_eq!(page.texts(".card:first-child .alert strong"), ["Refused: 200 OK"], "{body}");
        assert_eq!(page.texts(".card:first-child .next > *"), ["Start again"]);
    }
}

//! What people do with the pages, and what must not happen to them there.

use crate::chromium::Chromium;
use crate::support::parameter;
use crate::support::server::{Demo, PASSWORD};
use crate::visit::{Visit, sign_in};
use serde_json::json;

/// REVOKE-05, INTRO-07: the API answers until the tokens are given back.
/// UI-12: and no page asks anybody else for anything.
#[test]
fn the_demonstration_can_be_clicked_through() {
    let Some(mut browser) = Chromium::start() else { return };
    let kept = tempfile::tempdir().expect("a directory");
    let demo = Demo::start(kept.path());
    browser.open(&demo.app);
    browser.click("button[name=prompt]");
    sign_in(&mut browser, &demo.issuer, demo.credential("alice_password"));
    browser.arrive(&format!("{}/oauth/interaction/", demo.issuer));
    let page = browser.text();
    assert!(page.contains("Demo application") && page.contains("alice"), "{page}");
    assert!(page.contains("Demo API"), "{page}");
    browser.click("button[value=approve]");
    browser.until("signed in", |browser| browser.text().contains("Signed in."));
    for (action, outcome) in [
        ("call", "The API answered."),
        ("refresh", "Refreshed."),
        ("call", "The API answered."),
        ("revoke", "Revoked."),
        ("call", "The API refused: invalid_token"),
        ("refresh", "Refused: invalid_grant"),
    ] {
        browser.click(&format!("form[action='/{action}'] button"));
        browser.until(outcome, |browser| {
            // The outcome stands at the top of the page; what is asked of it later, below.
            let shown = browser.evaluate(
                "document.readyState === 'complete' \
                 && document.querySelector('.card strong')?.innerText",
            );
            shown == Some(json!(outcome))
        });
    }
    let journey = browser.text();
    assert!(
        journey.contains("\"projects\": [") && journey.contains("401 Unauthorized"),
        "{journey}"
    );
    browser.open(&format!("{}/nothing", demo.issuer));
    browser.open(&demo.issuer);
    browser.click("main button[type=submit]");
    browser.arrive(&format!("{}/signed-out", demo.issuer));
    let own = [&demo.app, &demo.issuer, "data:", "about:"];
    for url in browser.requested() {
        assert!(own.iter().any(|prefix| url.starts_with(prefix)), "{url}");
    }
    let complaints = browser.complaints();
    // One page was not to be found.
    assert!(complaints.iter().all(|it| it.contains("404 (Not Found)")), "{complaints:?}");
}

/// UI-23
#[test]
fn the_whole_flow_works_without_javascript() {
    let Some(mut visit) = Visit::to_client_named("Client") else { return };
    visit.browser.call("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    visit.start();
    sign_in(&mut visit.browser, &visit.site.issuer, "not her password");
    visit.browser.until("told", |browser| browser.text().contains("do not match"));
    sign_in(&mut visit.browser, &visit.site.issuer, PASSWORD);
    visit.arrive("/oauth/interaction/");
    visit.browser.click("button[value=approve]");
    assert!(parameter(&visit.leave(), "code").is_some());
    let home = visit.url("/");
    visit.browser.open(&home);
    visit.browser.click("main button[type=submit]");
    visit.arrive("/signed-out");
}

/// UI-23: every stop of the Tab key shows that it is one.
#[test]
fn the_whole_flow_works_with_the_keyboard_alone() {
    let Some(mut visit) = Visit::to_client_named("Client") else { return };
    visit.start();
    visit.arrive("/login");
    let focused = |browser: &mut Chromium| {
        let it = "[document.activeElement.name || document.activeElement.innerText, \
                  document.activeElement.value || '', \
                  getComputedStyle(document.activeElement).outlineStyle]";
        let it = browser.evaluate(it).expect("an element");
        [0, 1, 2].map(|index| it[index].as_str().expect("a string").to_owned())
    };
    visit.browser.until("at the user name", |browser| focused(browser)[0] == "username");
    visit.browser.insert("alice");
    visit.browser.press("Tab");
    assert_eq!(focused(&mut visit.browser)[0], "password");
    visit.browser.insert(PASSWORD);
    visit.browser.press("Enter");
    visit.arrive("/oauth/interaction/");
    let mut stops = Vec::new();
    loop {
        visit.browser.press("Tab");
        let [name, value, outline] = focused(&mut visit.browser);
        assert!(outline != "none", "no outline on {name} {value}");
        stops.push(format!("{name} {value}").trim().to_owned());
        if value == "approve" {
            break;
        }
        assert!(stops.len() < 5, "Approve is not among {stops:?}");
    }
    assert_eq!(stops, ["Not you?", "decision approve"]);
    visit.browser.press("Enter");
    assert!(parameter(&visit.leave(), "code").is_some());
}

/// AUTHZ-13
#[test]
fn denying_and_going_back_gives_no_code() {
    let Some(mut visit) = Visit::to_client_named("Client") else { return };
    visit.start_and_sign_in();
    visit.browser.click("button[value=deny]");
    let location = visit.leave();
    assert_eq!(parameter(&location, "error").as_deref(), Some("access_denied"), "{location}");
    let consent = visit.url("/oauth/interaction/");
    visit.browser.back(&consent);
    approve_in_vain(&mut visit);
    assert_eq!(visit.codes(), 0);
}

/// UI-08: the page may still be there, but its form was answered.
#[test]
fn approving_and_going_back_gives_one_code() {
    let Some(mut visit) = Visit::to_client_named("Client") else { return };
    visit.start_and_sign_in();
    visit.browser.click("button[value=approve]");
    assert!(parameter(&visit.leave(), "code").is_some());
    let consent = visit.url("/oauth/interaction/");
    visit.browser.back(&consent);
    approve_in_vain(&mut visit);
    assert_eq!(visit.codes(), 1);
}

/// The browser may have kept the page or ask for it again: either way it leads nowhere any more.
#[track_caller]
fn approve_in_vain(visit: &mut Visit) {
    let kept = visit.browser.evaluate("document.querySelector('button[value=approve]') != null");
    if kept == Some(json!(true)) {
        visit.browser.click("button[value=approve]");
        visit.arrive("/oauth/consent");
    }
    let page = visit.browser.text();
    assert!(page.contains("This page is no longer valid"), "{page}");
}

/// UI-13
#[test]
fn after_signing_out_the_back_button_shows_nothing_of_the_session() {
    let Some(mut visit) = Visit::to_client_named("A client with a name") else { return };
    visit.start_and_sign_in();
    assert!(visit.browser.text().contains("alice"));
    let home = visit.url("/");
    visit.browser.open(&home);
    assert!(visit.browser.text().contains("alice"));
    visit.browser.click("main button[type=submit]");
    visit.arrive("/signed-out");
    for page in ["/", "/oauth/interaction/"] {
        let there = visit.url("/signed-out");
        if !visit.browser.location().starts_with(&there) {
            visit.browser.open(&there);
        }
        let page = visit.url(page);
        visit.browser.back(&page);
        let text = visit.browser.text();
        assert!(!text.contains("alice") && !text.contains("You are signed in"), "{page}: {text}");
        assert!(!text.contains("Allow"), "{page}: {text}");
    }
}

/// UI-09: names, parameters and what was typed are text and nothing else.
#[test]
fn what_strangers_write_is_never_run() {
    const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";
    let Some(mut visit) = Visit::to_client_named(EVIL) else { return };
    // A script that does run is noticed.
    let control = "data:text/html,<script>setTimeout(() => alert(1))</script>";
    visit.browser.call("Page.navigate", json!({ "url": control }));
    visit.browser.await_event("Page.javascriptDialogOpening");
    visit.browser.call("Page.handleJavaScriptDialog", json!({ "accept": true }));
    visit.browser.forget();

    let inert = |browser: &mut Chromium| {
        let found = "[document.querySelectorAll('script, img').length, document.body.innerText]";
        let found = browser.evaluate(found).expect("a page");
        assert_eq!(found[0], 0, "{found}");
        found[1].as_str().expect("a text").to_owned()
    };
    let query = crate::support::form(&[
        ("response_type", "code"),
        ("client_id", &visit.client.id),
        ("redirect_uri", &visit.redirect_uri),
        ("state", EVIL),
        ("ui_locales", EVIL),
        ("login_hint", EVIL),
    ]);
    let request = visit.url(&format!("/oauth/authorize?{query}"));
    visit.browser.open(&request);
    visit.arrive("/login");
    assert!(inert(&mut visit.browser).contains("<script>alert(1)</script>"), "the client's name");
    visit.browser.fill("#username", EVIL);
    visit.browser.fill("#password", "wrong");
    visit.browser.click("main button[type=submit]");
    visit.browser.until("told", |browser| browser.text().contains("do not match"));
    inert(&mut visit.browser);
    let typed = visit.browser.evaluate("document.querySelector('#username').value");
    assert_eq!(typed, Some(json!(EVIL)));
    visit.browser.open(&request);
    sign_in(&mut visit.browser, &visit.site.issuer, PASSWORD);
    visit.arrive("/oauth/interaction/");
    assert!(inert(&mut visit.browser).contains("<script>alert(1)</script>"), "the client's name");
    visit.browser.click("button[value=deny]");
    assert_eq!(parameter(&visit.leave(), "state").as_deref(), Some(EVIL));
    for evil in ["client_id", "redirect_uri", "response_mode", "interaction"] {
        let query = crate::support::form(&[("client_id", &visit.client.id), (evil, EVIL)]);
        for path in ["/oauth/authorize", "/login", "/nothing"] {
            let url = visit.url(&format!("{path}?{query}"));
            visit.browser.open(&url);
            inert(&mut visit.browser);
        }
    }
    assert!(visit.browser.events("Page.javascriptDialogOpening").is_empty());
}

//! What every page of the demo keeps to.

mod support;

use support::{World, tokens};

/// UI-01, UI-02, UI-03, UI-12, UI-13, UI-21
#[test]
fn every_page_carries_the_security_headers() {
    let world = World::new();
    let mut browser = world.browser();
    browser.sign_in();
    let answers = [
        browser.get("/"),
        browser.get("/journey"),
        browser.get("/callback"),
        browser.get("/no/such/page"),
        browser.get("/refresh"),
        browser.post("/start", "prompt=x"),
        browser.post("/start", "prompt="),
        browser.send("POST", "/refresh", "", &[("sec-fetch-site", "cross-site")]),
        browser.send("GET", "/", "", &[("host", "evil.test")]),
    ];
    let statuses = answers.each_ref().map(|page| page.status);
    assert_eq!(statuses, [200, 200, 400, 404, 405, 400, 303, 403, 303]);
    for page in answers {
        let policy = &page.headers["content-security-policy"];
        for directive in [
            "default-src 'none'",
            "style-src 'self'",
            "img-src 'self' data:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.split("; ").any(|it| it == directive), "{directive} in {policy}");
        }
        assert!(!policy.contains("form-action") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
    }
}

/// UI-23
#[test]
fn pages_need_no_script_and_no_inline_style() {
    let world = World::new();
    let mut browser = world.browser();
    browser.sign_in();
    for page in [browser.get("/"), browser.get("/journey"), browser.get("/x")] {
        assert!(page.texts("script, style, [style], [onclick]").is_empty());
        assert_eq!(page.texts("h1").len(), 1);
        assert!(page.html.contains("/assets/style.css") && page.html.contains("/assets/demo.css"));
    }
    for sheet in ["/assets/style.css", "/assets/demo.css"] {
        let sheet = browser.get(sheet);
        assert_eq!(sheet.headers["content-type"], "text/css; charset=utf-8");
        assert!(!sheet.html.is_empty());
    }
}

/// UI-09
#[test]
fn hostile_values_are_escaped() {
    const HOSTILE: &str = "</code><script>alert(1)</script><img src=x onerror=alert(1)>'";
    let encoded =
        "%3C/code%3E%3Cscript%3Ealert(1)%3C/script%3E%3Cimg%20src=x%20onerror=alert(1)%3E'";
    let world = World::with(|app| app.scope = HOSTILE.to_owned());
    let mut browser = world.browser();
    world.answer("/token", 200, &tokens(HOSTILE, HOSTILE));
    let start = browser.get("/");
    assert!(start.html.contains("&lt;b&gt;&amp;&quot;&#39;"), "the password: {}", start.html);
    let redeemed = browser.sign_in();
    assert!(redeemed.html.contains("&lt;/code&gt;&lt;script&gt;"));
    let state = &browser.start()["state"];
    let error = format!("error={encoded}&error_description={encoded}&{encoded}={encoded}");
    browser.get(&format!("/callback?{error}&state={state}&iss={}", world.issuer));
    let failed = browser.get("/journey");
    assert!(failed.texts(".alert").concat().contains(HOSTILE), "{}", failed.html);
    for page in [start, redeemed, failed] {
        assert!(page.texts("script, img").is_empty(), "{}", page.html);
        assert!(!page.html.contains("<script") && !page.html.contains("<img"));
    }
}

/// UI-14
#[test]
fn the_cookie_is_for_the_demo_alone_and_new_with_every_start() {
    let world = World::new();
    let mut browser = world.browser();
    browser.cookie = Some("auth_demo_journey=chosen-by-somebody-else".to_owned());
    let one = browser.post("/start", "prompt=").headers["set-cookie"].clone();
    let other = browser.post("/start", "prompt=").headers["set-cookie"].clone();
    assert_ne!(one, other);
    let (pair, attributes) = one.split_once("; ").unwrap();
    assert_eq!(pair.len(), "auth_demo_journey=".len() + 43);
    let mut attributes: Vec<_> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax"]);
}

/// UI-07
#[test]
fn forms_of_other_origins_do_nothing() {
    let world = World::new();
    let mut browser = world.browser();
    browser.sign_in();
    for foreign in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://127.0.0.1:1"),
    ] {
        for path in ["/start", "/refresh", "/call", "/revoke"] {
            assert_eq!(
                browser.send("POST", path, "prompt=", &[foreign]).status,
                403,
                "{foreign:?}"
            );
        }
    }
    assert_eq!(world.received("/token").len(), 1);
    let own = [("sec-fetch-site", "same-origin"), ("origin", "null")];
    assert_eq!(browser.send("POST", "/refresh", "", &own).status, 303);
}

/// UI-20: a page under a foreign name that resolves to loopback sees no password.
#[test]
fn a_foreign_host_name_is_sent_to_the_demos_own() {
    let world = World::new();
    for host in ["evil.test", "localhost", "127.0.0.1:1"] {
        let page = world.browser().send("GET", "/", "", &[("host", host)]);
        assert_eq!((page.status, page.html.as_str()), (303, ""), "{host}");
        assert_eq!(page.headers["location"], format!("{}/", world.demo));
    }
}

/// XC-09, UI-25
#[test]
fn methods_are_told_apart() {
    let world = World::new();
    let mut browser = world.browser();
    let head = browser.send("HEAD", "/", "", &[]);
    assert_eq!((head.status, head.html.as_str()), (200, ""));
    for (method, path, allow) in [
        ("HEAD", "/callback?code=c&state=s", "GET"),
        ("POST", "/", "GET, HEAD"),
        ("GET", "/start", "POST"),
        ("GET", "/revoke", "POST"),
    ] {
        let page = browser.send(method, path, "", &[]);
        assert_eq!((page.status, page.headers["allow"].as_str()), (405, allow), "{path}");
    }
}

#[test]
fn a_browser_without_a_journey_is_shown_the_way() {
    let world = World::new();
    let mut browser = world.browser();
    for page in [browser.get("/journey"), browser.post("/refresh", ""), browser.post("/revoke", "")]
    {
        assert_eq!(page.status, 404);
        assert_eq!(page.texts("a"), ["To the start"]);
    }
    let oversized = "prompt=".to_owned() + &"x".repeat(100_000);
    assert_eq!(browser.post("/start", &oversized).status, 400);
}

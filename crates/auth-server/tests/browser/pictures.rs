//! Every page as people see it, in both colour schemes and on a phone.

use crate::chromium::Chromium;
use crate::support::server::Demo;
use crate::visit::sign_in;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use std::path::PathBuf;

/// The largest picture that the documentation shows, in bytes.
const LARGEST: usize = 150 * 1024;

/// The pictures that the documentation shows. Their directory is in `AUTH_TEST_PICTURES` when they are
/// to be taken anew.
const SHOWN: [&str; 13] = [
    "sign-in-light",
    "sign-in-dark",
    "sign-in-320",
    "consent-light",
    "consent-dark",
    "consent-320",
    "demo-light",
    "demo-dark",
    "demo-320",
    "error-light",
    "error-dark",
    "signed-out-light",
    "signed-out-dark",
];

/// Where a picture goes: into the book, or to where nobody looks.
fn place(picture: &str) -> PathBuf {
    let shown = std::env::var_os("AUTH_TEST_PICTURES").filter(|_| SHOWN.contains(&picture));
    let directory = shown.map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    directory.join(format!("{picture}.png"))
}

/// Takes the page in three forms: light and dark on a desk, light on a phone. On the phone nothing may
/// stick out.
fn picture(browser: &mut Chromium, name: &str, tallest: u64) {
    for (form, width, scheme) in
        [("light", 1100, "light"), ("dark", 1100, "dark"), ("320", 320, "light")]
    {
        let scheme = json!({ "name": "prefers-color-scheme", "value": scheme });
        browser.call("Emulation.setEmulatedMedia", json!({ "features": [scheme] }));
        let screen = json!({ "width": width, "height": 360, "deviceScaleFactor": 1, "mobile": width == 320 });
        browser.call("Emulation.setDeviceMetricsOverride", screen);
        let size = browser.call("Page.getLayoutMetrics", json!({}))["cssContentSize"].take();
        assert_eq!(size["width"].as_f64(), Some(f64::from(width)), "{name} is too wide: {size}");
        let height = (size["height"].as_f64().expect("a height").ceil() as u64).min(tallest);
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let shot = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let shot = browser.call("Page.captureScreenshot", shot);
        let bytes = STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64");
        let name = format!("{name}-{form}");
        let fits = bytes.len() <= LARGEST || !SHOWN.contains(&&*name);
        assert!(fits, "{name} has {} bytes", bytes.len());
        std::fs::write(place(&name), bytes).expect("a file");
    }
    browser.call("Emulation.clearDeviceMetricsOverride", json!({}));
}

#[test]
fn every_page_fits_a_phone_and_has_its_picture() {
    let Some(mut browser) = Chromium::start() else { return };
    let kept = tempfile::tempdir().expect("a directory");
    let demo = if std::env::var_os("AUTH_TEST_PICTURES").is_some() {
        // The ports that readers will see themselves.
        Demo::start_on(kept.path(), ([127, 0, 0, 1], 8080).into(), ([127, 0, 0, 1], 8081).into())
    } else {
        Demo::start(kept.path())
    };
    browser.open(&demo.app);
    picture(&mut browser, "demo-start", 1400);
    browser.click("button[name=prompt]");
    browser.arrive(&format!("{}/login", demo.issuer));
    picture(&mut browser, "sign-in", 900);
    sign_in(&mut browser, &demo.issuer, demo.credential("alice_password"));
    browser.arrive(&format!("{}/oauth/interaction/", demo.issuer));
    picture(&mut browser, "consent", 1200);
    browser.click("button[value=approve]");
    browser.arrive(&format!("{}/journey", demo.app));
    picture(&mut browser, "demo", 1000);
    for (action, outcome) in [("call", "answered."), ("revoke", "Revoked."), ("call", "refused:")] {
        browser.click(&format!("form[action='/{action}'] button"));
        browser.until(outcome, |browser| browser.text().contains(outcome));
    }
    picture(&mut browser, "demo-refused", 6000);
    browser.open(&demo.issuer);
    picture(&mut browser, "home", 900);
    browser.open(&format!("{}/oauth/authorize?client_id=unknown", demo.issuer));
    picture(&mut browser, "error", 900);
    browser.back(&format!("{}/", demo.issuer));
    browser.click("button[type=submit]");
    browser.arrive(&format!("{}/signed-out", demo.issuer));
    picture(&mut browser, "signed-out", 900);
}

//! The way back to the client, in the browser that holds `form-action` against whole redirect chains.

use crate::chromium::Chromium;
use crate::support::person::authorization;
use crate::support::programs::require;
use crate::support::server::{PASSWORD, Site, free_address};
use crate::support::{parameter, stand_in};
use crate::visit::sign_in;
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Signs in and approves in a browser, and comes back with remembered approval in one that has
/// forgotten who it is; `arrived` waits for the arrival and answers the address.
fn approve_then_return(
    redirect_uri: &str,
    more: &[&str],
    arrived: impl Fn(&mut Chromium) -> String,
) {
    let Some(mut browser) = Chromium::start() else { return };
    let site = Site::new();
    let _process = site.serve(&[]);
    let client = site.add_client("Client", &[redirect_uri], more);
    let check = |address: &str, issuer: &str| {
        assert!(address.starts_with(redirect_uri), "{address}");
        assert!(parameter(address, "code").is_some(), "{address}");
        assert_eq!(parameter(address, "state").as_deref(), Some("a state"));
        assert_eq!(parameter(address, "iss").as_deref(), Some(issuer));
    };

    let start = format!("{}{}", site.issuer, authorization(&client, redirect_uri, "a state"));
    browser.open(&start);
    sign_in(&mut browser, &site.issuer, PASSWORD);
    browser.arrive(&format!("{}/oauth/interaction/", site.issuer));
    browser.click("button[value=approve]");
    check(&arrived(&mut browser), &site.issuer);

    browser.call("Network.clearBrowserCookies", serde_json::json!({}));
    browser.forget();
    browser.open(&start);
    sign_in(&mut browser, &site.issuer, PASSWORD);
    check(&arrived(&mut browser), &site.issuer);
    assert_eq!(browser.complaints(), Vec::<String>::new());
    // Nobody is told the address of the page before, which may have secrets in it.
    for sent in browser.events("Network.requestWillBeSent") {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (url, headers) = (text(&sent["request"]["url"]), &sent["request"]["headers"]);
        let referrer = text(&headers["Referer"]);
        // The client's page may tell the client.
        assert!(referrer.is_empty() || url.ends_with("/favicon.ico"), "{referrer} told to {url}");
    }
}

fn at(redirect_uri: &str) -> impl Fn(&mut Chromium) -> String {
    move |browser| {
        browser.arrive(redirect_uri);
        assert!(browser.text().contains("Arrived"), "{}", browser.text());
        browser.location()
    }
}

/// UI-03, CODE-14: and it tells the client nothing of the pages before.
#[test]
fn the_browser_arrives_at_a_loopback_address() {
    let client = stand_in::client("127.0.0.1").expect("a client");
    let redirect_uri = format!("http://{client}/cb");
    approve_then_return(&redirect_uri, &[], at(&redirect_uri));
}

/// UI-03
#[test]
fn the_browser_arrives_at_localhost() {
    let client = stand_in::client("127.0.0.1").expect("a client");
    let redirect_uri = format!("http://localhost:{}/cb", client.port());
    approve_then_return(&redirect_uri, &[], at(&redirect_uri));
}

/// UI-03: an IPv6 address cannot be written in `form-action`.
#[test]
fn the_browser_arrives_at_an_ipv6_loopback_address() {
    let Ok(client) = stand_in::client("::1") else {
        eprintln!("skipped: this machine has no IPv6 loopback address");
        return;
    };
    let redirect_uri = format!("http://{client}/cb");
    approve_then_return(&redirect_uri, &[], at(&redirect_uri));
}

/// UI-03
#[test]
fn the_browser_hands_over_to_an_app() {
    let redirect_uri = "com.example.app:/cb";
    approve_then_return(redirect_uri, &[], |browser| {
        let mut address = None;
        browser.until("sent to the app", |browser| {
            address = browser.requested().into_iter().find(|url| url.starts_with(redirect_uri));
            address.is_some()
        });
        address.expect("an address")
    });
}

/// UI-03
#[test]
fn the_browser_arrives_at_a_client_on_the_web() {
    if !require(&["openssl", "version"], "a client with https") {
        return;
    }
    let kept = tempfile::tempdir().expect("a directory");
    let (_client, port) = https_client(kept.path());
    let redirect_uri = format!("https://rp.test:{port}/cb");
    approve_then_return(&redirect_uri, &[], |browser| {
        browser.arrive(&redirect_uri);
        browser.location()
    });
}

/// A web server with a certificate of its own making; any page of it tells about the connection.
fn https_client(directory: &Path) -> (Ended, u16) {
    let openssl = |arguments: &str| {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let made = openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
         -subj /CN=rp.test -keyout key.pem -out certificate.pem",
    );
    let made = { made }.status().expect("openssl");
    assert!(made.success(), "no certificate: {made}");
    let port = free_address().port();
    let serve =
        format!("s_server -quiet -www -key key.pem -cert certificate.pem -accept 127.0.0.1:{port}");
    (Ended(openssl(&serve).spawn().expect("openssl")), port)
}

/// A program that ends with its value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What these tests rest on: this browser does stop at a redirect that `form-action` does not admit,
/// and it is noticed.
#[test]
fn a_policy_that_does_not_admit_the_client_would_be_noticed() {
    let Some(mut browser) = Chromium::start() else { return };
    let client = stand_in::client("127.0.0.1").expect("a client");
    for redirect_uri in [format!("http://{client}/cb"), "com.example.app:/cb".to_owned()] {
        let server = stand_in::listen("127.0.0.1", move |target| match target {
            "/" => {
                let policy = "Content-Security-Policy: form-action 'self'\r\n".to_owned();
                let form = "<form action='/go' method='post'><button>Go</button></form>".to_owned();
                ("200 OK", policy, form)
            }
            "/go" => ("303 See Other", format!("Location: {redirect_uri}\r\n"), String::new()),
            _ => ("404 Not Found", String::new(), String::new()),
        });
        browser.forget();
        browser.open(&format!("http://{}/", server.expect("a server")));
        browser.click("button");
        browser.until("stopped", |browser| browser.complaints().concat().contains("form-action"));
        assert!(!browser.location().contains("/cb"));
    }
}

//! What is written for people: the template, the printed settings, the page of the book.

use super::*;
use crate::config::reference::reference_markdown;

#[test]
fn the_template_loads_as_it_stands_and_with_every_line_uncommented() {
    let text = template();
    let loaded = load(&text).unwrap();
    assert_eq!(loaded.config.issuer.as_str(), "http://127.0.0.1:8080");
    assert_eq!(loaded.config.scopes.len(), 2);
    // The lines that are only commented out: `# name = value`, `# [[section]]`.
    let setting = |line: &str| {
        if line.starts_with("# [[") {
            return true;
        }
        let name = line.strip_prefix("# ").and_then(|rest| rest.split_once(" = "));
        name.is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
    };
    assert_eq!(text.lines().filter(|line| setting(line)).count(), 8, "{text}");
    let dir = tempfile::tempdir().unwrap();
    let all: String = text
        .lines()
        .map(|line| if setting(line) { &line[2..] } else { line })
        .map(|line| format!("{line}\n"))
        .collect();
    let all = all.replace("/etc/auth-server/templates", dir.path().to_str().unwrap());
    let config = load(&all).unwrap().config;
    assert!(config.tokens.grant_lifetime.is_some() && config.http.workers.is_some());
    assert!(config.pages.templates.is_some());
    assert_eq!(config.resources[0].uri.as_str(), "https://api.example.com/");
    assert!(text.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn the_template_changes_nothing_but_the_scopes() {
    let [defaults, template] = [SCOPES, &template()].map(|text| {
        let mut shown = load(text).unwrap().to_json();
        shown["scopes"].take();
        shown
    });
    assert_eq!(defaults, template);
}

#[test]
fn the_printed_settings_load_again_and_tell_where_each_came_from() {
    let env = [("AUTH__TOKENS__CODE_LIFETIME", "30s")];
    let loaded = load_with(&format!("issuer = \"https://as.test\"\n{SCOPES}"), &env).unwrap();
    let printed = loaded.to_toml();
    for expected in [
        "auth.toml:1:1\n",
        "code_lifetime = \"30s\" # AUTH__TOKENS__CODE_LIFETIME\n",
        "reuse = \"until_successor_used\" # default\n",
        "# grant_lifetime is not set\n",
        "trusted_proxies = [] # default\n",
    ] {
        assert!(printed.contains(expected), "{expected}\n{printed}");
    }
    assert_eq!(load(&printed).unwrap().to_json(), loaded.to_json());
    let json = loaded.to_json();
    assert_eq!(json["issuer"], "https://as.test");
    assert_eq!(json["tokens"]["code_lifetime"], "30s");
    assert_eq!(json["tokens"]["grant_lifetime"], serde_json::Value::Null);
    assert_eq!(json["login"]["upstream"], serde_json::json!([]));
    assert_eq!(json["scopes"][0]["name"], "a");
}

#[test]
fn printed_settings_mask_every_secret() {
    let mut values = Values::new(&Place::named("auth.toml"));
    let mut problems = Vec::new();
    let text = "database.url = \"postgres://user:hunter2@host/name\"\n\
                [[login.upstream]]\nclient_secret = \"hunter2\"\n";
    assert!(load::file("auth.toml", text, &mut values, &mut problems));
    let json = values.to_json(true);
    assert_eq!(json["database"]["url"], "postgres://user:********@host/name");
    assert_eq!(json["login"]["upstream"][0]["client_secret"], "********");
    for shown in [json.to_string(), values.to_toml(), format!("{values:?}")] {
        assert!(shown.contains("********") && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn the_configuration_page_of_the_book_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/configuration.md");
    let page = reference_markdown();
    if std::env::var_os("AUTH_UPDATE_DOCS").is_some() {
        fs::write(path, &page).unwrap();
    }
    let stored = fs::read_to_string(path).unwrap_or_default();
    assert!(
        stored == page,
        "docs/src/configuration.md is stale; \
         `AUTH_UPDATE_DOCS=1 cargo test -p auth-server configuration_page` writes it"
    );
}

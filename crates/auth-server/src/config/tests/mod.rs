//! The configuration as a whole: from a file and an environment to settings or problems.

mod output;
mod refusals;

use super::database_url::DatabaseUrl;
use super::*;
use std::fs;
use std::time::Duration;

const SCOPES: &str = "[[scopes]]\nname = \"a\"\ndescription = \"A\"\n";

fn load_with(text: &str, env: &[(&str, &str)]) -> Result<Loaded, Problems> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("auth.toml");
    fs::write(&path, text).unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(Some(&path), env)
}

fn load(text: &str) -> Result<Loaded, Problems> {
    load_with(text, &[])
}

/// The problems as `line:column what | fix`, places in files by their position only.
fn problems(result: Result<Loaded, Problems>) -> Vec<String> {
    let shown = |problem: &Problem| {
        let place = problem.place.to_string();
        let place = place.rsplit_once("auth.toml").map_or(place.as_str(), |(_, at)| at);
        format!("{} {} | {}", place.trim_start_matches(':'), problem.what, problem.fix)
    };
    result.unwrap_err().iter().map(shown).collect()
}

#[test]
fn a_file_with_one_scope_runs_on_the_documented_defaults() {
    let Config {
        issuer, listen, database, pkce, tokens, refresh, redirects, session, login, ..
    } = load(SCOPES).unwrap().config;
    assert_eq!(issuer.as_str(), "http://127.0.0.1:8080");
    assert_eq!(listen.to_string(), "127.0.0.1:8080");
    assert_eq!(database.url, DatabaseUrl::Sqlite("auth.db".into()));
    assert!(database.migrate_on_start && redirects.localhost_any_port && login.local);
    assert_eq!(pkce.required_for, PkceRequiredFor::Public);
    assert_eq!(refresh.reuse, RefreshReuse::UntilSuccessorUsed);
    let seconds = Duration::from_secs;
    assert_eq!(tokens.code_lifetime, seconds(60));
    assert_eq!(tokens.access_token_lifetime, seconds(600));
    assert_eq!(tokens.refresh_token_lifetime, seconds(30 * 86_400));
    assert_eq!(tokens.pending_authorization_lifetime, seconds(900));
    assert_eq!(tokens.grant_lifetime, None);
    assert_eq!(session.idle_lifetime, seconds(8 * 3_600));
    assert_eq!(session.absolute_lifetime, seconds(7 * 86_400));
}

#[test]
fn the_limits_and_the_rest_have_the_documented_defaults() {
    let Config { limits, http, pages, log, scopes, resources, login, .. } =
        load(SCOPES).unwrap().config;
    assert_eq!(limits.failed_sign_ins_per_account_and_address, 10);
    assert_eq!(limits.failed_sign_ins_per_address, 100);
    assert_eq!(limits.failed_client_authentications, 300);
    assert_eq!(limits.pending_authorizations_per_address, 1000);
    assert_eq!(limits.hash_queue, 32);
    assert!(http.trusted_proxies.is_empty() && http.workers.is_none());
    assert_eq!(pages.templates, None);
    assert_eq!((log.format, log.filter.as_str()), (LogFormat::Text, "info"));
    assert_eq!((scopes[0].name.as_str(), scopes[0].default), ("a", false));
    assert!(resources.is_empty() && login.upstream.is_empty());
}

#[test]
fn every_setting_can_be_written_and_reaches_the_model() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
        issuer = "https://as.test/t/one"
        listen = "0.0.0.0:80"
        database = {{ url = "sqlite:///var/lib/auth/auth.db", migrate_on_start = false }}
        pkce.required_for = "all"
        refresh.reuse = "strict"
        redirects.localhost_any_port = false
        scopes = [{{ name = "a", description = "A", default = true }}]
        [tokens]
        code_lifetime = "10m"
        access_token_lifetime = "1h30m"
        refresh_token_lifetime = "90d"
        pending_authorization_lifetime = "5m"
        grant_lifetime = "180d"
        [session]
        idle_lifetime = "1h"
        absolute_lifetime = "1d"
        [login]
        local = true
        [limits]
        failed_sign_ins_per_account_and_address = 1
        failed_sign_ins_per_address = 0x2
        failed_client_authentications = 3
        pending_authorizations_per_address = 4_000
        hash_queue = 5
        [http]
        trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]
        workers = 2
        [pages]
        templates = {:?}
        [log]
        format = "json"
        filter = "warn,auth_http_actix=debug"
        "#,
        dir.path()
    );
    let Config {
        issuer, database, pkce, refresh, tokens, scopes, limits, http, pages, log, ..
    } = load(&text).unwrap().config;
    assert_eq!(issuer.as_str(), "https://as.test/t/one");
    assert_eq!(database.url, DatabaseUrl::Sqlite("/var/lib/auth/auth.db".into()));
    assert_eq!(pkce.required_for, PkceRequiredFor::All);
    assert_eq!(refresh.reuse, RefreshReuse::Strict);
    assert_eq!(tokens.access_token_lifetime, Duration::from_secs(5_400));
    assert_eq!(tokens.grant_lifetime, Some(Duration::from_secs(180 * 86_400)));
    assert!(scopes[0].default);
    assert_eq!(limits.failed_sign_ins_per_address, 2);
    assert_eq!(limits.pending_authorizations_per_address, 4_000);
    assert!(http.trusted_proxies[1].contains("10.1.2.3".parse().unwrap()));
    assert_eq!(http.workers, Some(2));
    assert_eq!(pages.templates.as_deref(), Some(dir.path()));
    assert_eq!((log.format, log.filter.as_str()), (LogFormat::Json, "warn,auth_http_actix=debug"));
}

#[test]
fn the_resource_servers_reach_the_policy_in_their_order() {
    let text = format!(
        "{SCOPES}[[scopes]]\nname = \"b\"\ndescription = \"B\"\n\
         [[resources]]\nuri = \"https://two.test\"\nname = \"Two\"\nscopes = [\"b\", \"a\"]\n\
         [[resources]]\nuri = \"urn:test:one\"\nname = \"One\"\nscopes = [\"a\"]\n"
    );
    let policy = crate::serve::policy(&load(&text).unwrap().config);
    let shown = policy.resources.iter().map(|resource| {
        format!("{} {}: {}", resource.uri.as_str(), resource.name, resource.scopes)
    });
    assert_eq!(shown.collect::<Vec<_>>(), ["https://two.test Two: a b", "urn:test:one One: a"]);
    let none = crate::serve::policy(&load(SCOPES).unwrap().config).resources;
    assert_eq!(none.iter().count(), 0);
}

/// META-04
#[test]
fn the_issuer_follows_a_loopback_listener_and_is_needed_with_any_other() {
    let issuer = |listen: &str| {
        load(&format!("listen = \"{listen}\"\n{SCOPES}")).map(|loaded| loaded.config.issuer)
    };
    assert_eq!(issuer("127.0.0.1:9000").unwrap().as_str(), "http://127.0.0.1:9000");
    assert_eq!(issuer("[::1]:9000").unwrap().as_str(), "http://[::1]:9000");
    for listen in ["0.0.0.0:8080", "192.0.2.1:443", "127.0.0.1:0", "[::]:8080"] {
        let found = issuer(listen).unwrap_err().to_string();
        assert!(found.contains("`issuer` is missing"), "{listen}: {found}");
    }
}

#[test]
fn the_environment_wins_over_the_file_and_values_have_the_keys_type() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("url");
    fs::write(&secret, "sqlite://from-file.db\n").unwrap();
    let loaded = load_with(
        &format!("issuer = \"https://file.test\"\n{SCOPES}[tokens]\ncode_lifetime = \"10s\"\n"),
        &[
            ("AUTH__ISSUER", "https://env.test"),
            ("AUTH__TOKENS__CODE_LIFETIME", "30s"),
            ("AUTH__TOKENS__GRANT_LIFETIME", "1d"),
            ("AUTH__LOGIN__LOCAL", "true"),
            ("AUTH__LIMITS__HASH_QUEUE", "7"),
            ("AUTH__HTTP__TRUSTED_PROXIES", "127.0.0.1, ::1"),
            ("AUTH__PKCE__REQUIRED_FOR", "all"),
            ("AUTH__DATABASE__URL_FILE", secret.to_str().unwrap()),
            ("AUTH_OTHER", "not ours"),
            ("PATH", "/bin"),
        ],
    );
    let config = loaded.unwrap().config;
    assert_eq!(config.issuer.as_str(), "https://env.test");
    assert_eq!(config.tokens.code_lifetime, Duration::from_secs(30));
    assert_eq!(config.tokens.grant_lifetime, Some(Duration::from_secs(86_400)));
    assert_eq!(config.limits.hash_queue, 7);
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert_eq!(config.pkce.required_for, PkceRequiredFor::All);
    assert_eq!(config.database.url, DatabaseUrl::Sqlite("from-file.db".into()));
}

#[test]
fn the_models_of_reserved_sections_read_what_the_table_accepts() {
    let mut values = Values::new(&Place::named("auth.toml"));
    let mut problems = Vec::new();
    let text = format!(
        "{SCOPES}[[login.upstream]]\nid = \"corp\"\nname = \"Corp\"\nissuer = \"https://idp.test/\"\n\
         client_id = \"auth\"\nclient_secret = \"hunter2\"\n\
         [[resources]]\nuri = \"https://api.test/\"\nname = \"API\"\nscopes = [\"a\"]\n"
    );
    assert!(load::file("auth.toml", &text, &mut values, &mut problems));
    values.rows_mut("")[0].set(
        "issuer",
        Some(kind::Value::Text("https://as.test".into())),
        Place::named("test"),
    );
    values.complete(&mut problems);
    assert!(problems.is_empty(), "{problems:?}");
    let config: Config = serde_json::from_value(values.to_json(false)).unwrap();
    assert_eq!(config.login.upstream[0].scopes, ["openid", "profile", "email"]);
    assert_eq!(config.login.upstream[0].client_secret.as_ref().unwrap().expose(), "hunter2");
    assert_eq!(config.resources[0].access_token_format, AccessTokenFormat::Opaque);
    assert!(!format!("{config:?}").contains("hunter2"));
}

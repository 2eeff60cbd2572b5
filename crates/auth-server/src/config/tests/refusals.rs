//! What is wrong, where, and how to mend it.

use super::*;

#[test]
fn every_problem_is_reported_at_once_with_line_column_and_fix() {
    let text = "\
issuer = \"http://localhost:1/\"
lisetn = \"x\"
code_lifetime = \"1m\"

[tokens]
code_lifetime = \"11m\"
access_token_lifetime = 600
colour = \"blue\"

[[scopes]]
name = \"a b\"
description = \" \"

[[scopes]]
name = \"a\"
default = \"yes\"

[http]
trusted_proxies = [\"10.0.0.0/8\", \"proxy\", 7]
";
    let expected = [
        "1:10 `issuer` ends in a slash | write \"http://localhost:1\"",
        "2:1 `lisetn` is not a setting of the top level | did you mean `listen`?",
        "3:1 `code_lifetime` is not a setting of the top level | it belongs to [tokens]",
        "6:17 `tokens.code_lifetime` is too long: \"11m\" | a whole number with s, m, h or d, from \
         \"1s\" to \"10m\"",
        "7:25 `tokens.access_token_lifetime` has no unit: 600 | write \"600s\"",
        "8:1 `colour` is not a setting of [tokens] | remove it; known are code_lifetime, \
         access_token_lifetime, refresh_token_lifetime, pending_authorization_lifetime, \
         grant_lifetime",
        "11:8 `scopes.name` is no scope name: \"a b\" | use 1 to 128 printable ASCII characters, \
         without space, \" and \\",
        "12:15 `scopes.description` is empty | write something",
        "14:1 an entry of [[scopes]] has no `description` | add description = …, a string in quotes",
        "16:11 `scopes.default` has the wrong type: a string | true or false",
        "19:34 `http.trusted_proxies` contains what is no address or network: \"proxy\" | write an \
         address or a network: \"127.0.0.1\", \"10.0.0.0/8\"",
        "19:43 `http.trusted_proxies` has the wrong type: an integer | a list of strings, such as \
         [\"a\", \"b\"]",
    ];
    assert_eq!(problems(load(text)), expected);
}

#[test]
fn a_file_that_is_not_toml_is_told_where() {
    let found = problems(load("issuer = https://as.test\n[tokens\n"));
    assert!(found[0].starts_with("1:10 "), "{found:?}");
    assert!(found.iter().any(|problem| problem.starts_with("2:")), "{found:?}");
    let repeated = problems(load("[tokens]\n[tokens]\n"));
    assert_eq!(repeated.len(), 1, "{repeated:?}");
    assert!(repeated[0].starts_with("2:2 duplicate key"), "{repeated:?}");
}

#[test]
fn a_section_of_the_wrong_shape_is_told_its_header() {
    for (text, expected) in [
        ("tokens = 1\n", "1:1 `tokens` is a section | begin it with [tokens]"),
        (
            "[scopes]\nname = \"a\"\n",
            "1:2 `scopes` is a list of sections | begin it with [[scopes]]",
        ),
        ("scopes = [\"a\"]\n", "1:11 `scopes` is a list of sections | begin it with [[scopes]]"),
        ("[[tokens]]\n", "1:3 `tokens` is a section | begin it with [tokens]"),
        ("[issuer]\n", "1:1 `issuer` has the wrong type: a table | a string in quotes"),
        ("[token]\n", "1:2 `token` is not a setting of the top level | did you mean `tokens`?"),
        (
            "[login]\nupstraem = 1\n",
            "2:1 `upstraem` is not a setting of [login] | did you mean `upstream`?",
        ),
    ] {
        let found = problems(load(text));
        assert!(found.contains(&expected.to_owned()), "{text}: {found:?}");
    }
}

#[test]
fn at_least_one_scope_is_needed_and_names_are_unique() {
    assert!(problems(load(""))[0].contains("there is no scope"));
    let twice = "[[scopes]]\nname = \"a\"\ndescription = \"B\"\n";
    let found = problems(load(&format!("{SCOPES}{twice}")));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("5:1 `scopes.name` is \"a\" in two entries of [[scopes]]"),
        "{found:?}"
    );
}

/// META-04
#[test]
fn an_issuer_that_is_not_https_outside_loopback_stops_the_server() {
    for issuer in ["http://as.test", "https://as.test/?q", "https://as.test/#f", "https://as.test/"]
    {
        let found = problems(load(&format!("issuer = \"{issuer}\"\n{SCOPES}")));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("1:10 `issuer`"), "{found:?}");
    }
}

#[test]
fn every_problem_of_the_environment_names_its_variable() {
    let found = load_with(
        SCOPES,
        &[
            ("AUTH__TOKENS__CODE_LIFETIME", "60"),
            ("AUTH__LOGIN__LOCAL", "yes"),
            ("AUTH__LIMITS__HASH_QUEUE", "0"),
            ("AUTH__REFRESH__REUSE", "never"),
            ("AUTH__HTTP__TRUSTED_PROXIES", "::1,proxy"),
            ("AUTH__DATABASE__URL", "sqlite://a.db"),
            ("AUTH__DATABASE__URL_FILE", "/nowhere"),
            ("AUTH__LISTEN_FILE", "/nowhere"),
            ("AUTH__ISUER", "https://as.test"),
            ("AUTH__SCOPES", "a"),
            ("AUTH__LOGIN__UPSTREAM__0__ID", "a"),
            ("AUTH__COLOUR", "blue"),
        ],
    );
    let found = problems(found);
    for expected in [
        "AUTH__TOKENS__CODE_LIFETIME `tokens.code_lifetime` has no unit: 60 | write \"60s\"",
        "AUTH__LOGIN__LOCAL `login.local` is neither true nor false",
        "AUTH__LIMITS__HASH_QUEUE `limits.hash_queue` cannot be 0",
        "AUTH__REFRESH__REUSE `refresh.reuse` cannot be \"never\" | \"until_successor_used\" or",
        "AUTH__HTTP__TRUSTED_PROXIES `http.trusted_proxies` contains what is no address",
        "AUTH__DATABASE__URL AUTH__DATABASE__URL_FILE is set too | unset one of them",
        "AUTH__LISTEN_FILE cannot read \"/nowhere\"",
        "AUTH__ISUER is no setting | did you mean AUTH__ISSUER?",
        "AUTH__SCOPES is no setting | unset it; [[scopes]] can only come from the file",
        "AUTH__LOGIN__UPSTREAM__0__ID is no setting | unset it; [[login.upstream]] can only",
        "AUTH__COLOUR is no setting | unset it; variables are called AUTH__SECTION__KEY",
    ] {
        assert!(found.iter().any(|one| one.starts_with(expected)), "{expected}: {found:#?}");
    }
    assert_eq!(found.len(), 11, "{found:#?}");
}

#[test]
fn a_file_that_is_missing_is_the_problem_and_the_fix_writes_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.toml");
    let found = Config::load(Some(&path), std::iter::empty()).unwrap_err().to_string();
    assert!(found.starts_with(&format!("{}: cannot be read", path.display())), "{found}");
    // The tests' working directory holds no configuration; a machine that runs tests has none.
    let found = Config::load(None, std::iter::empty()).unwrap_err().to_string();
    assert_eq!(
        found,
        "auth.toml: no auth.toml found, and no /etc/auth-server/auth.toml\n    \
         fix: `auth-server config init` writes one"
    );
}

#[test]
fn what_this_version_cannot_do_is_refused_rather_than_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    fs::write(&secret, "hunter2").unwrap();
    let text = format!(
        r#"{SCOPES}
[[login.upstream]]
id = "corp"
name = "Corporate sign-in"
issuer = "https://idp.example.com/"
client_id = "auth-server"
client_secret_file = {secret:?}

[[resources]]
uri = "https://api.example.com/"
name = "Example API"
scopes = ["a"]
access_token_format = "jwt"
"#
    );
    let found = problems(load(&text));
    assert_eq!(
        found,
        [
            "5:1 sign-in through an OpenID Connect provider is not built into this version | remove \
             [[login.upstream]]",
            "16:1 `resources.access_token_format` cannot be \"jwt\": JWT access tokens are not built into this \
             version | write \"opaque\"",
        ]
    );
}

#[test]
fn providers_and_resource_servers_are_judged_in_full() {
    let text = format!(
        r#"{SCOPES}
[login]
local = false

[[login.upstream]]
id = "Corp/1"
name = "Corporate sign-in"
issuer = "http://idp.example.com"
client_id = "auth-server"
client_secret = "hunter2"
client_secret_file = "/nowhere/secret"
scopes = ["email"]

[[login.upstream]]
id = "b"

[[resources]]
uri = "https://api.example.com/#x"
name = "Example API"
scopes = ["b"]

[[resources]]
uri = "api"
name = ""
scopes = []

[[resources]]
uri = "javascript:alert(1)"
name = "Script"
scopes = ["a"]

[[resources]]
uri = "https://API.example.com"
name = "One"
scopes = ["a"]

[[resources]]
uri = "https://api.example.com/"
name = "The same"
scopes = ["a"]
"#
    );
    let found = problems(load(&text)).join("\n");
    for expected in [
        "`login.upstream.id` does not fit into a URL",
        "`login.upstream.issuer` is not https",
        "has both `client_secret` and `client_secret_file`",
        "`login.upstream.client_secret_file` cannot be read",
        "`login.upstream.scopes` does not contain \"openid\"",
        "an entry of [[login.upstream]] has no `name`",
        "has neither `client_secret` nor `client_secret_file`",
        "`resources.uri` has a fragment (#): \"https://api.example.com/#x\"",
        "`resources.scopes` names \"b\", which is not among [[scopes]]",
        "`resources.uri` is not an absolute URI: \"api\"",
        "`resources.uri` has a scheme that cannot be that of an API",
        "`resources.uri` is the same as \"https://API.example.com\" of an earlier entry",
        "`resources.name` is empty",
        "`resources.scopes` is empty",
    ] {
        assert!(found.contains(expected), "{expected}\n{found}");
    }
    assert!(!found.contains("hunter2"), "{found}");
    assert_eq!(found.matches("of an earlier entry").count(), 1, "{found}");
}

#[test]
fn some_way_to_sign_in_must_be_left() {
    let found = problems(load(&format!("login.local = false\n{SCOPES}")));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("1:7 `login.local` leaves no way to sign in"), "{found:?}");
}

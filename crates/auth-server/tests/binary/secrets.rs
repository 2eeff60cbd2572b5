//! Where secrets must not be: in the log, in the database, in one another.

use crate::support::http::{self, Answer};
use crate::support::person::{Person, authorization};
use crate::support::server::{Client, PASSWORD, Process};
use crate::support::{VERIFIER, form, parameter};
use crate::{REDIRECT_URI, site};
use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};
use std::collections::BTreeSet;

const STATE: &str = "this-state-is-nobodys-business";
const WRONG_PASSWORD: &str = "wrong-horse-battery-staple";

/// Does everything that there is to do with secrets, well and badly, and answers all of them.
fn busy_day(process: &Process, client: &Client, public: &Client) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    let mut keep = |value: &str| {
        assert!(value.len() >= 16, "too short to look for: {value:?}");
        secrets.insert(value.to_owned());
    };
    let mut alice = Person::at(process.address);
    let request = authorization(client, REDIRECT_URI, STATE);
    let page = alice.get(&request);
    let page = alice.follow(page);
    let refused = alice.fill(&page, &[("username", "alice"), ("password", WRONG_PASSWORD)]);
    assert_eq!(refused.status, 403);
    alice.fill(&refused, &[("username", WRONG_PASSWORD), ("password", PASSWORD)]);
    let page = alice.sign_in(&refused);
    let approved = alice.fill(&page, &[("decision", "approve")]);
    let code = parameter(approved.location(), "code").expect("a code");
    keep(&code);
    // The form again, and one that was tampered with.
    assert_eq!(alice.fill(&page, &[("decision", "approve")]).status, 400);
    let forged = format!("{}-forged", STATE.repeat(2));
    assert_eq!(alice.fill(&page, &[("csrf_token", &forged)]).status, 403);

    let grant = ("grant_type", "authorization_code");
    let wrong_verifier = "not-the-verifier-not-the-verifier-not-the-verifier";
    let refused =
        process.token(client, &[grant, ("code", &code), ("code_verifier", wrong_verifier)]);
    assert_eq!(refused.member("error"), "invalid_grant");
    let wrong = Client { secret: "a-secret-that-is-wrong".to_owned(), ..client.clone() };
    assert_eq!(process.redeem(&wrong, &code).status, 401);
    let basic = STANDARD.encode(format!("{}:{}", client.id, client.secret));
    let headers = [
        ("Authorization", format!("Basic {basic}")),
        ("Content-Type", "application/x-www-form-urlencoded".to_owned()),
    ];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let body = form(&[grant, ("code", &code), ("code_verifier", VERIFIER)]);
    let redeemed =
        http::request(process.address, "POST", "/oauth/token", &headers, body.as_bytes());
    let redeemed = redeemed.expect("an answer");
    assert_eq!(redeemed.status, 200, "{redeemed:?}");
    let (access, refresh) = (redeemed.member("access_token"), redeemed.member("refresh_token"));
    let refreshed = process.refresh(client, &refresh);
    let (access_2, refresh_2) =
        (refreshed.member("access_token"), refreshed.member("refresh_token"));
    let again = process.refresh(client, &refresh_2).member("refresh_token");
    // Replays: both end the grant.
    assert_eq!(process.refresh(client, &refresh).member("error"), "invalid_grant");
    assert_eq!(process.redeem(client, &code).member("error"), "invalid_grant");
    for token in [&access, &refresh, &access_2, &refresh_2, &again] {
        keep(token);
    }

    // In JSON, in the query, in places where none of it belongs.
    for misplaced in [&client.secret, &code, &access_2, &again] {
        let lost = Client { id: misplaced.clone(), secret: misplaced.clone() };
        assert_eq!(process.refresh(&lost, &again).member("error"), "invalid_client");
        let basic = STANDARD.encode(format!("{misplaced}:x"));
        let headers = [("Authorization", format!("Basic {basic}"))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        http::request(process.address, "POST", "/oauth/introspect", &headers, b"").expect("one");
        process.get(&format!("/oauth/authorize?client_id={misplaced}")).expect("an answer");
    }
    let json =
        serde_json::json!({ "grant_type": "refresh_token", "refresh_token": again }).to_string();
    let headers = [("Content-Type", "application/json")];
    http::request(process.address, "POST", "/oauth/token", &headers, json.as_bytes()).expect("one");
    let query = form(&[("client_secret", &client.secret), ("code", &code), ("state", STATE)]);
    for path in ["/oauth/token", "/oauth/authorize", "/oauth/consent", "/login", "/nothing", "/"] {
        let _: Answer = process.get(&format!("{path}?{query}")).expect("an answer");
        let _: Answer = process.post(&format!("{path}?{query}"), &query).expect("an answer");
    }

    let mut nobody = Person::at(process.address);
    let denied = nobody.get(&authorization(public, "com.example.app:/cb", STATE));
    let page = nobody.follow(denied);
    let page = nobody.sign_in(&page);
    let denied = nobody.fill(&page, &[("decision", "deny")]);
    assert_eq!(parameter(denied.location(), "error").as_deref(), Some("access_denied"));
    let home = alice.get("/");
    alice.fill(&home, &[]);

    for secret in [&alice.secrets, &nobody.secrets].into_iter().flatten() {
        keep(secret);
    }
    for secret in [&client.secret, &wrong.secret, STATE, PASSWORD, WRONG_PASSWORD, VERIFIER] {
        keep(secret);
    }
    keep(wrong_verifier);
    keep(&basic);
    keep(&forged);
    secrets
}

/// CODE-14: with everything logged that can be; and CODE-13: what is stored is no use to a thief.
#[test]
fn no_secret_is_in_the_log_or_in_the_database() {
    for filter in ["debug", "trace"] {
        let (site, client, process) = site(&[("AUTH__LOG__FILTER", filter)]);
        let public = site.add_client("App", &["com.example.app:/cb"], &["--public"]);
        let secrets = busy_day(&process, &client, &public);
        assert!(secrets.len() > 25, "{}", secrets.len());
        let database = ["auth.db", "auth.db-wal"].map(|name| std::fs::read(site.path(name)));
        let database = database.map(|file| file.expect("the database")).concat();
        let (_, log) = process.stop();
        assert!(log.contains("refresh token replayed"), "nothing was logged: {log}");
        for secret in &secrets {
            let line = log.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "{secret} is in the log at {filter}");
            // What a request said waits there for the decision.
            if secret != STATE {
                let found = database.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
                assert!(!found, "{secret} is in the database");
            }
        }
    }
}

/// CODE-03: codes are long, never repeat, have nothing in common, and are as random as they look.
#[test]
fn codes_are_random() {
    let (_site, client, process) = site(&[]);
    let mut alice = Person::at(process.address);
    let codes: Vec<String> = (0..200).map(|_| alice.code(&client, REDIRECT_URI)).collect();
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "a code came twice");
    let bytes: Vec<Vec<u8>> =
        codes.iter().map(|code| URL_SAFE_NO_PAD.decode(code).expect("base64url")).collect();
    // 256 random bits, and a name that is masked with some of them.
    assert!(bytes.iter().all(|code| code.len() == 48), "64 characters");
    for place in 0..48 {
        let there: BTreeSet<u8> = bytes.iter().map(|code| code[place]).collect();
        assert!(there.len() > 64, "byte {place} takes {} values only", there.len());
    }
    let mut counts = [0_u32; 256];
    bytes.concat().iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let expected = f64::from(counts.iter().sum::<u32>()) / 256.0;
    let square = |count: &u32| (f64::from(*count) - expected).powi(2) / expected;
    let chi_square: f64 = counts.iter().map(square).sum();
    // 255 degrees of freedom: 255 is expected, and 400 is passed once in 10^8 runs.
    assert!((140.0..400.0).contains(&chi_square), "{chi_square}");
}

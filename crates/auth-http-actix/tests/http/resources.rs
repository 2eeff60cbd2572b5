//! Resource indicators: RFC 8707.

use crate::apis::{self, API, MAIL, at, client_credentials, request_for};
use crate::browser::Browser;
use crate::harness::{Params, Site, redemption, refreshing, request};
use auth_core::resource::Resources;
use auth_testkit::sample;
use serde_json::json;

const CB: &str = "https://rp.test/cb";

/// What is no resource URI, or none of an API.
const MALFORMED: [&str; 17] = [
    "",
    " ",
    "api",
    "/api",
    "//api.test/",
    "api.test",
    "https:",
    "https:///",
    "https://api.test/#",
    "https://api.test/#x",
    "https://user@api.test/",
    "https://*.test/",
    "https://api.test/ x",
    "https://api.test/%zz",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://api.test/\u{e9}",
];

/// URIs that are well-formed and nobody's, near as some come.
const UNKNOWN: [&str; 12] = [
    "https://unknown.test/",
    "https://api.test/v2",
    "https://api.test//",
    "https://api.test/?",
    "https://api.test/.",
    "https://api.test:443/",
    "https://api.test./",
    "http://api.test/",
    "https://mail.test/",
    "https://mail.test/V1",
    "https://mail.test/v1/x",
    "urn:example:api",
];

/// A browser for which a good request of `web` is answered with a code at once.
async fn consented(site: &Site) -> Browser {
    let browser = site.browser_of("alice").await;
    browser.code(&request_for("api.read api.write email profile", &[])).await;
    browser
}

/// RES-01, RES-02: at the authorization endpoint the client hears of it by redirect.
#[actix_web::test]
async fn a_resource_that_is_none_is_refused_at_authorization() {
    let site = apis::site().await;
    let browser = consented(&site).await;
    let rows = site.rows();
    for bad in MALFORMED.into_iter().chain(UNKNOWN) {
        for params in [
            request_for("api.read", &[bad]),
            request_for("api.read", &[API, bad]),
            request_for("api.read", &[bad, API]),
            request_for("api.read", &[bad]).also("prompt", "none"),
        ] {
            let answer = browser.authorize(&params).await;
            answer.assert_error_redirect(CB, "invalid_target");
        }
    }
    assert_eq!(site.rows(), rows);
    browser.authorize(&request_for("api.read", &[API])).await.code();
}

/// RES-01, RES-02, RES-03, CODE-10: at the token endpoint it is JSON, and the code stays good.
#[actix_web::test]
async fn a_resource_that_is_none_does_not_use_up_the_code() {
    let site = apis::site().await;
    let code = consented(&site).await.code(&request_for("api.read", &[])).await;
    let rows = site.rows();
    for bad in MALFORMED.into_iter().chain(UNKNOWN) {
        for params in [at(redemption(&code), &[bad]), at(client_credentials(), &[API, bad])] {
            let client = if params.all("code").is_empty() { "svc" } else { "web" };
            site.token(client, params).await.assert_json_error(400, "invalid_target");
        }
    }
    assert_eq!(site.rows(), rows);
    site.redeem("web", &code).await.tokens();
}

/// REFRESH-08, REFRESH-09, RES-01, RES-02, RES-03: nor the refresh token.
#[actix_web::test]
async fn a_resource_outside_the_grant_does_not_use_up_the_refresh_token() {
    let site = apis::site().await;
    let tokens = site.flow_for("api.read profile", &[API]).await;
    let rows = site.rows();
    let refresh_token = tokens.refresh_token();
    for bad in MALFORMED.into_iter().chain(UNKNOWN).chain([MAIL]) {
        for resources in [&[bad][..], &[API, bad], &[bad, API]] {
            let answer = site.token("web", at(refreshing(refresh_token), resources)).await;
            answer.assert_json_error(400, "invalid_target");
        }
    }
    assert_eq!(site.rows(), rows);
    let next = site.token("web", at(refreshing(refresh_token), &[API])).await.tokens();
    assert_eq!(site.audience("web", &next.access).await, API);
    // The successor, once used, spends its parent: no refused request had.
    let last = site.refresh("web", next.refresh_token()).await.tokens();
    assert_eq!(site.audience("web", &last.access).await, API);
}

/// RES-03: asked for one API, a code buys nothing for another, and is still good for the one.
#[actix_web::test]
async fn a_code_is_for_what_was_approved() {
    let site = apis::site().await;
    let browser = consented(&site).await;
    let code = browser.code(&request_for("api.read profile", &[API])).await;
    let rows = site.rows();
    for resources in [&[MAIL][..], &[API, MAIL]] {
        let answer = site.token("web", at(redemption(&code), resources)).await;
        answer.assert_json_error(400, "invalid_target");
    }
    assert_eq!(site.rows(), rows);
    let tokens = site.token("web", at(redemption(&code), &[API])).await.tokens();
    assert_eq!(site.audience("web", &tokens.access).await, API);
}

/// RES-04: the audience is what was asked for, in the operator's spelling; case of scheme and host and one
/// slash at the end make no difference.
#[actix_web::test]
async fn the_token_is_for_the_resource_asked_for() {
    let site = apis::site().await;
    for spelling in [API, "https://api.test", "HTTPS://API.test/", "https://Api.Test"] {
        let tokens = site.flow_for("api.read", &[spelling]).await;
        assert_eq!(site.audience("web", &tokens.access).await, API);
        assert!(site.shows("rs", &tokens.access).await);
        assert!(!site.shows("rs2", &tokens.access).await);
        let again = at(refreshing(tokens.refresh_token()), &[spelling]);
        let next = site.token("web", again).await.tokens();
        assert_eq!(site.audience("web", &next.access).await, API);
    }
    for spelling in [MAIL, "https://mail.test/v1/", "https://MAIL.test/v1"] {
        let tokens = site.flow_for("email", &[spelling]).await;
        assert_eq!(site.audience("web", &tokens.access).await, MAIL);
    }
}

/// RES-05, RES-03: several at authorization, one of them at the token endpoint, all again at a refresh.
#[actix_web::test]
async fn a_resource_may_repeat() {
    let site = apis::site().await;
    let browser = consented(&site).await;
    let scope = "api.read email profile";
    let code = browser.code(&request_for(scope, &[API, MAIL, API])).await;
    let tokens = site.token("web", at(redemption(&code), &[MAIL])).await.tokens();
    assert_eq!(site.audience("web", &tokens.access).await, MAIL);
    let refresh_token = tokens.refresh_token();
    for (resources, audience) in [
        (&[API][..], json!(API)),
        (&[MAIL, API], json!([API, MAIL])),
        (&[API, API, API], json!(API)),
        (&[], json!([API, MAIL])),
    ] {
        let next = site.token("web", at(refreshing(refresh_token), resources)).await.tokens();
        assert_eq!(site.audience("web", &next.access).await, audience);
    }
}

/// RES-05, TOKEN-13: often, but not without end.
#[actix_web::test]
async fn the_number_of_resources_is_bounded() {
    let site = apis::site().await;
    let browser = consented(&site).await;
    let code = browser.code(&request_for("api.read", &[])).await;
    let tokens = site.flow_for("api.read", &[API]).await;
    let rows = site.rows();
    let many = |params: Params, count: usize| at(params, &vec![API; count]);
    let forms = || {
        [
            ("web", redemption(&code)),
            ("web", refreshing(tokens.refresh_token())),
            ("svc", client_credentials()),
        ]
    };
    let most = Resources::MAX_REQUESTED;
    for (count, error) in
        [(most + 1, "invalid_target"), (90, "invalid_target"), (200, "invalid_request")]
    {
        for (client, params) in forms() {
            site.token(client, many(params, count)).await.assert_json_error(400, error);
        }
        let answer = browser.authorize(&many(request_for("api.read", &[]), count)).await;
        match error {
            "invalid_target" => answer.assert_error_redirect(CB, error),
            // So many parameters are not even read.
            _ => answer.assert_error_page(400),
        }
    }
    assert_eq!(site.rows(), rows);
    for (client, params) in forms() {
        site.token(client, many(params, most)).await.tokens();
    }
    browser.authorize(&many(request_for("api.read", &[]), most)).await.code();
}

/// RES-06: a scope that does not concern the resource is refused where it is asked for, and left out where
/// a token is narrowed.
#[actix_web::test]
async fn scope_is_judged_per_resource() {
    let site = apis::site().await;
    let browser = consented(&site).await;
    for (scope, resource) in
        [("email", API), ("api.read email", API), ("api.read", MAIL), ("profile api.write", MAIL)]
    {
        let answer = browser.authorize(&request_for(scope, &[resource])).await;
        answer.assert_error_redirect(CB, "invalid_scope");
    }
    // There is no default scope that concerns this one.
    let none = browser.authorize(&at(request("web").without("scope"), &[MAIL])).await;
    none.assert_error_redirect(CB, "invalid_scope");
    // What concerns no API in particular goes with any.
    let free = site.flow_for("profile", &[MAIL]).await;
    assert_eq!(
        (free.scope.as_str(), site.audience("web", &free.access).await),
        ("profile", json!(MAIL))
    );
    let all = "api.read api.write email profile";
    let code = browser.code(&request_for(all, &[])).await;
    let tokens = site.token("web", at(redemption(&code), &[MAIL])).await.tokens();
    assert_eq!(tokens.scope, "email profile");
    let next = at(refreshing(tokens.refresh_token()), &[API]);
    let next = site.token("web", next).await.tokens();
    assert_eq!(next.scope, "api.read api.write profile");
    let nothing = at(refreshing(next.refresh_token()).also("scope", "email"), &[API]);
    site.token("web", nothing).await.assert_json_error(400, "invalid_scope");
    let whole = site.refresh("web", next.refresh_token()).await.tokens();
    assert_eq!(whole.scope, all);
}

/// RES-07: without `resource` a token is for every API that its scope concerns, or for this server itself.
#[actix_web::test]
async fn there_is_always_an_audience() {
    let with_apis = apis::site().await;
    let without = Site::new().await;
    let issuer = json!(sample::ISSUER);
    for (site, scope, audience) in [
        (&with_apis, "api.read", json!(API)),
        (&with_apis, "email profile", json!(MAIL)),
        (&with_apis, "api.write email", json!([API, MAIL])),
        (&with_apis, "profile", issuer.clone()),
        (&without, "api.read", issuer.clone()),
        (&without, "profile", issuer),
    ] {
        let tokens = site.flow_for(scope, &[]).await;
        assert_eq!(site.audience("web", &tokens.access).await, audience, "{scope}");
        let next = site.refresh("web", tokens.refresh_token()).await.tokens();
        assert_eq!(site.audience("web", &next.access).await, audience, "{scope}");
    }
    // With no API configured, every resource is unknown.
    let answer =
        without.browser_of("alice").await.authorize(&request_for("api.read", &[API])).await;
    answer.assert_error_redirect(CB, "invalid_target");
}

/// RES-03, REFRESH-14: what the operator took out of the configuration is in no token any more.
#[actix_web::test]
async fn a_resource_that_is_gone_is_in_no_new_token() {
    let site = apis::site().await;
    let both = site.flow_for("api.read email", &[API, MAIL]).await;
    let mail = site.flow_for("email", &[MAIL]).await;
    let mut policy = apis::policy();
    let left: Vec<_> = policy.resources.iter().filter(|it| it.name != "Mail").cloned().collect();
    policy.resources = Resources::new(left);
    let restarted = Site::over(&site.kit.under(policy)).await;
    let rows = restarted.rows();
    let gone = restarted.refresh("web", mail.refresh_token()).await;
    gone.assert_json_error(400, "invalid_target");
    let asked = at(refreshing(both.refresh_token()), &[MAIL]);
    restarted.token("web", asked).await.assert_json_error(400, "invalid_target");
    assert_eq!(restarted.rows(), rows);
    let next = restarted.refresh("web", both.refresh_token()).await.tokens();
    assert_eq!(restarted.audience("web", &next.access).await, API);
    // It was taken away by mistake: nothing is lost.
    site.refresh("web", mail.refresh_token()).await.tokens();
}

/// UI-04, RES-07: who approves reads which APIs it is for, by the operator's names, asked for or not.
#[actix_web::test]
async fn the_consent_page_names_the_resources() {
    let site = apis::site().await;
    let named = async |scope: &str, resources: &[&str]| {
        let browser = site.browser_of("alice").await;
        let page = browser.consent_page(&request_for(scope, resources)).await;
        let facts = page.find("dl.facts dd");
        assert_eq!(page.find("dl.facts dt")[0] == "Gives access to", facts.len() > 3);
        facts[..facts.len() - 3].to_vec()
    };
    assert_eq!(named("api.read", &[]).await, ["Photo Archive api.test"]);
    assert_eq!(named("profile", &["HTTPS://mail.test/v1/"]).await, ["Mail mail.test"]);
    let both = named("api.read email", &[MAIL, API]).await;
    assert_eq!(both, ["Photo Archive api.test", "Mail mail.test"]);
    assert_eq!(named("profile", &[]).await, [""; 0]);
}

/// RES-03: an approval for one API is none for another, though the scope is the same.
#[actix_web::test]
async fn a_remembered_consent_is_for_its_resources() {
    let site = apis::site().await;
    let browser = site.browser_of("alice").await;
    browser.code(&request_for("profile", &[API])).await;
    browser.authorize(&request_for("profile", &[API])).await.code();
    let other = request_for("profile", &[MAIL]);
    assert!(browser.authorize(&other).await.is_consent_page());
    let silent = browser.authorize(&other.clone().also("prompt", "none")).await;
    silent.assert_error_redirect(CB, "consent_required");
    browser.code(&other).await;
    browser.authorize(&other).await.code();
    let both = request_for("profile", &[API, MAIL]);
    assert!(browser.authorize(&both).await.is_consent_page(), "never approved together");
}

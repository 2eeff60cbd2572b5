//! Refresh tokens, as their clients meet them.

use crate::harness::{Site, Tokens, redemption, refreshing, request};
use auth_core::grant::GrantStore;
use auth_core::owner::OwnerRegistry;
use auth_core::policy::Policy;
use auth_core::timestamp::Clock;
use auth_core::token::RefreshReuse;
use auth_testkit::sample;
use futures_util::future::join_all;
use time::Duration;

async fn refresh(site: &Site, client: &str, tokens: &Tokens) -> Tokens {
    site.refresh(client, tokens.refresh_token()).await.tokens()
}

async fn is_dead(site: &Site, client: &str, tokens: &Tokens) -> bool {
    let answer = site.refresh(client, tokens.refresh_token()).await;
    answer.assert_json_error(400, "invalid_grant");
    !site.accepts(&tokens.access)
}

/// REFRESH-01
#[actix_web::test]
async fn a_token_belongs_to_its_client() {
    let site = Site::new().await;
    let tokens = site.flow("web").await;
    for other in ["evil", "post", "pub", "spa"] {
        let answer = site.refresh(other, tokens.refresh_token()).await;
        answer.assert_json_error(400, "invalid_grant");
    }
    refresh(&site, "web", &tokens).await;
    let public = site.flow("pub").await;
    site.refresh("spa", public.refresh_token()).await.assert_json_error(400, "invalid_grant");
    refresh(&site, "pub", &public).await;
}

/// REFRESH-02, REFRESH-09
#[actix_web::test]
async fn a_confidential_client_authenticates() {
    let site = Site::new().await;
    let tokens = site.flow("web").await;
    let named = refreshing(tokens.refresh_token()).also("client_id", "web");
    site.token_request(None, &named).await.assert_json_error(401, "invalid_client");
    let bare = refreshing(tokens.refresh_token());
    site.token_request(None, &bare).await.assert_json_error(401, "invalid_client");
    refresh(&site, "web", &tokens).await;
}

/// REFRESH-03, REFRESH-04: a public client gets a new one each time, whatever its record says.
#[actix_web::test]
async fn a_spent_token_ends_the_grant() {
    for client in ["pub", "web"] {
        let site = Site::new().await;
        site.kit.update_client("pub", |it| it.rotate_refresh_tokens = false);
        let first = site.flow(client).await;
        let second = refresh(&site, client, &first).await;
        let third = refresh(&site, client, &second).await;
        assert!(first.refresh != second.refresh && second.refresh != third.refresh);
        assert!(site.accepts(&first.access) && site.accepts(&third.access));
        for tokens in [&first, &second, &third] {
            assert!(is_dead(&site, client, tokens).await, "{client}");
        }
    }
}

/// REFRESH-05: lost answers cost nothing; of two siblings the first used wins.
#[actix_web::test]
async fn a_token_is_good_until_a_successor_is_used() {
    let site = Site::new().await;
    let first = site.flow("pub").await;
    let lost = refresh(&site, "pub", &first).await;
    let kept = refresh(&site, "pub", &first).await;
    let next = refresh(&site, "pub", &kept).await;
    assert!(site.accepts(&lost.access));
    assert!(is_dead(&site, "pub", &lost).await);
    assert!(is_dead(&site, "pub", &next).await && is_dead(&site, "pub", &kept).await);
}

/// REFRESH-05
#[actix_web::test]
async fn fifty_lost_answers_in_a_row_sign_nobody_out() {
    let site = Site::new().await;
    let mut tokens = site.flow("pub").await;
    for _ in 0..50 {
        refresh(&site, "pub", &tokens).await;
    }
    tokens = refresh(&site, "pub", &tokens).await;
    let last = refresh(&site, "pub", &tokens).await;
    assert!(site.accepts(&last.access));
    let siblings = site.kit.store.edit(|data| data.refresh.len());
    assert!(siblings <= 1 + 16 + 1, "{siblings} are kept");
}

/// REFRESH-05
#[actix_web::test]
async fn strict_reuse_spends_a_token_at_its_first_use() {
    let site =
        Site::under(Policy { refresh_reuse: RefreshReuse::Strict, ..sample::policy() }).await;
    let first = site.flow("pub").await;
    let second = refresh(&site, "pub", &first).await;
    assert!(is_dead(&site, "pub", &first).await);
    assert!(is_dead(&site, "pub", &second).await);
}

/// REFRESH-06, REFRESH-07, REFRESH-09
#[actix_web::test]
async fn scope_narrows_the_access_token_and_nothing_else() {
    let site = Site::new().await;
    let first = site.flow("web").await;
    let asked =
        |tokens: &Tokens, scope: &str| refreshing(tokens.refresh_token()).set("scope", scope);
    for wider in ["api.read api.write email", "email", "bogus", "api.read  api.write", "\u{e9}"] {
        let answer = site.token("web", asked(&first, wider)).await;
        answer.assert_json_error(400, "invalid_scope");
    }
    let narrowed = site.token("web", asked(&first, "api.read")).await.tokens();
    assert_eq!(narrowed.scope, "api.read");
    let whole = refresh(&site, "web", &narrowed).await;
    assert_eq!(whole.scope, "api.read api.write");
}

/// REFRESH-10, XC-12
#[actix_web::test]
async fn a_token_expires() {
    let site =
        Site::under(Policy { grant_lifetime: Some(Duration::days(50)), ..sample::policy() }).await;
    let first = site.flow("web").await;
    site.kit.clock.advance(Duration::days(30) - Duration::SECOND);
    let second = refresh(&site, "web", &first).await;
    site.kit.clock.advance(Duration::SECOND);
    site.refresh("web", first.refresh_token()).await.assert_json_error(400, "invalid_grant");
    // Its successor lives on, but not beyond the grant.
    site.kit.clock.advance(Duration::days(20) - Duration::minutes(1));
    let third = refresh(&site, "web", &second).await;
    assert_eq!(third.expires_in, 60);
    site.kit.clock.advance(Duration::minutes(1));
    site.refresh("web", third.refresh_token()).await.assert_json_error(400, "invalid_grant");
    assert!(!site.accepts(&third.access));
}

/// REFRESH-11
#[actix_web::test]
async fn no_other_secret_passes_for_a_refresh_token() {
    let site = Site::new().await;
    let code = site.browser_of("alice").await.code(&request("web")).await;
    let tokens = site.flow("web").await;
    for other in [tokens.access.as_str(), &code, "x", &tokens.refresh_token()[1..]] {
        site.refresh("web", other).await.assert_json_error(400, "invalid_grant");
    }
    let swapped = redemption(tokens.refresh_token());
    site.token("web", swapped).await.assert_json_error(400, "invalid_grant");
    assert!(!site.accepts(tokens.refresh_token()));
    refresh(&site, "web", &tokens).await;
    site.redeem("web", &code).await.tokens();
}

/// REFRESH-12, XC-05: fifty at once make siblings, and of siblings one line lives at most.
#[actix_web::test]
async fn simultaneous_refreshes_leave_one_line_alive() {
    let site = Site::new().await;
    let other_process = Site::over(&site.kit).await;
    let first = site.flow("pub").await;
    let at = |it: usize| if it.is_multiple_of(2) { &site } else { &other_process };
    let tries = (0..50).map(|it| at(it).refresh("pub", first.refresh_token()));
    let answers = join_all(tries).await;
    let siblings: Vec<Tokens> = answers.iter().map(|answer| answer.tokens()).collect();
    let uses = siblings
        .iter()
        .enumerate()
        .map(|(it, tokens)| at(it).refresh("pub", tokens.refresh_token()));
    let won: Vec<_> = join_all(uses).await.into_iter().filter(|it| it.status == 200).collect();
    assert!(won.len() <= 1, "{}", won.len());
    if let [winner] = won.as_slice() {
        // The losers were replays, and ended the grant.
        assert!(is_dead(&site, "pub", &winner.tokens()).await);
    }
}

/// REFRESH-13, XC-06: neither a restart nor a clock that goes back revives a spent token.
#[actix_web::test]
async fn spent_is_spent() {
    let site = Site::new().await;
    let first = site.flow("web").await;
    let second = refresh(&site, "web", &first).await;
    let third = refresh(&site, "web", &second).await;
    let restarted = Site::over(&site.kit).await;
    restarted.kit.clock.advance(-Duration::HOUR);
    assert!(is_dead(&restarted, "web", &first).await);
    assert!(is_dead(&restarted, "web", &third).await);
}

/// REFRESH-14
#[actix_web::test]
async fn what_was_taken_back_holds_for_the_next_refresh() {
    let site = Site::new().await;
    let (store, now, alice) =
        (site.kit.store.clone(), site.kit.clock.now(), sample::alice().subject);
    let tokens = site.flow("web").await;
    site.kit.update_client("web", |web| web.scope = sample::scope("api.read profile"));
    let fewer = refresh(&site, "web", &tokens).await;
    assert_eq!(fewer.scope, "api.read");
    site.kit.update_client("web", |web| web.scope = sample::scope("profile"));
    let none = site.refresh("web", fewer.refresh_token()).await;
    none.assert_json_error(400, "invalid_grant");
    site.kit.update_client("web", |web| web.scope = sample::scopes().all());
    site.kit.update_client("web", |web| web.disabled_at = Some(now));
    let disabled = site.refresh("web", fewer.refresh_token()).await;
    disabled.assert_json_error(401, "invalid_client");
    site.kit.update_client("web", |web| web.disabled_at = None);
    let alive = refresh(&site, "web", &fewer).await;
    GrantStore::withdraw(&*store, &alice, None, now).unwrap();
    assert!(is_dead(&site, "web", &alive).await);
    let tokens = site.flow("web").await;
    OwnerRegistry::set_disabled(&*store, &alice, Some(now)).unwrap();
    assert!(is_dead(&site, "web", &tokens).await);
}

/// REFRESH-03: a confidential client may keep one token for good.
#[actix_web::test]
async fn without_rotation_the_token_stays() {
    let site = Site::new().await;
    site.kit.update_client("web", |web| web.rotate_refresh_tokens = false);
    let mut tokens = site.flow("web").await;
    for _ in 0..3 {
        let next = refresh(&site, "web", &tokens).await;
        assert_eq!(next.refresh, tokens.refresh);
        assert_ne!(next.access, tokens.access);
        tokens = next;
    }
}

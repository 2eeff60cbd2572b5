use super::*;
use crate::client::Client;
use crate::error::ErrorCode;
use crate::owner::Owner;
use crate::pkce::CodeChallenge;
use crate::policy::PkceRequiredFor;
use crate::secret::{AccessToken, RefreshToken};
use crate::usecase::fixtures::{
    CHALLENGE, NOW, VERIFIER, World, alice, at, disabled_alice, evil, grant, minted_under, overlay,
    public, scope, web,
};
use rstest::rstest;

/// The code.
fn code() -> AuthorizationCode {
    AuthorizationCode::presented(&minted_under(grant().id, 9))
}

/// A redemption in which everything is right.
fn good() -> String {
    let code = code();
    let code = code.expose();
    format!("code={code}&redirect_uri=https://rp.test/cb&code_verifier={VERIFIER}")
}

/// A code of `web` that has one second left.
fn record() -> CodeRecord {
    CodeRecord {
        client_id: web().id,
        redirect_uri: "https://rp.test/cb".into(),
        redirect_uri_sent: true,
        code_challenge: CodeChallenge::parse(CHALLENGE),
        created_at: at(-59),
        expires_at: at(1),
    }
}

fn without_challenge() -> CodeRecord {
    CodeRecord { code_challenge: None, ..record() }
}

/// The code stands for this; it is looked up once, by its digest.
fn with_code(record: CodeRecord, grant: Grant) -> World {
    let mut world = World::new();
    let find = world.codes.expect_find().once();
    find.withf(|digest| Some(*digest) == code().digest()).return_const(Ok(Some((record, grant))));
    world
}

fn exchange(world: &World, client: Client, changes: &str) -> Result<TokenResponse, TokenError> {
    let client = AuthenticatedClient::assume(client);
    let ports = world.token_ports();
    exchange_code(&ports, &world.policy, &client, &overlay(&good(), changes))
}

/// The refusal in a world that announces no `redeem`, so that the code stays as it is (CODE-10).
fn refused(world: &World, client: Client, changes: &str) -> OAuthError {
    match exchange(world, client, changes) {
        Err(TokenError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// The code can be redeemed, once, with this outcome.
fn redeeming(record: CodeRecord, redeemed: Redeemed) -> World {
    let mut world = with_code(record, grant()).owner(Some(alice())).mints();
    let redeem = world.codes.expect_redeem().once();
    redeem.returning(move |_| Ok(redeemed));
    world
}

fn redeemed() -> Event {
    Event::CodeRedeemed { grant: grant().id, client: web().id }
}

/// TOKEN-08, CODE-13: the code is spent for tokens that only the client sees; the store gets digests.
#[test]
fn a_good_code_is_spent_for_tokens() {
    let world = with_code(record(), grant()).owner(Some(alice())).mints();
    let mut world = world.records(redeemed());
    let redeem = world.codes.expect_redeem().once();
    redeem.returning(|redemption| {
        assert_eq!(Some(*redemption.code), code().digest());
        assert_eq!(redemption.at, NOW);
        let access = AccessToken::presented(&minted_under(grant().id, 1)).digest();
        assert_eq!(Some(redemption.access.digest), access);
        assert_eq!(redemption.access.scope, scope("api.read api.write"));
        assert_eq!(redemption.access.created_at, NOW);
        assert_eq!(redemption.access.expires_at, at(600));
        let refresh = RefreshToken::presented(&minted_under(grant().id, 2)).digest();
        let stored = redemption.refresh.unwrap();
        assert_eq!(Some(stored.digest), refresh);
        assert_eq!(stored.expires_at, at(30 * 86_400));
        Ok(Redeemed::First)
    });
    let response = exchange(&world, web(), "").unwrap();
    assert_eq!(response.access_token.expose(), minted_under(grant().id, 1));
    assert_eq!(response.refresh_token.unwrap().expose(), minted_under(grant().id, 2));
    assert_eq!(response.expires_in, 600);
    assert_eq!(response.scope, scope("api.read api.write"));
}

/// Nothing is looked up without a code.
#[test]
fn a_code_has_to_be_sent() {
    for changes in ["-code", "code="] {
        let error = refused(&World::new(), web(), changes);
        assert_eq!(error, OAuthError::invalid_request("code is missing"));
    }
}

/// Nor with a text that can be none.
#[test]
fn what_no_server_minted_is_not_looked_up() {
    for changes in ["code=c0de", "code=%00", &format!("code={}", "A".repeat(65))] {
        assert_eq!(refused(&World::new(), web(), changes), OAuthError::INVALID_GRANT);
    }
}

/// CODE-04: expired from the very second on. CODE-08: another client's, authenticated or not, with the
/// right verifier or not. Unknown, expired and somebody else's look the same.
#[test]
fn an_unknown_expired_or_foreign_code_is_refused_alike() {
    let mut unknown = World::new();
    unknown.codes.expect_find().once().return_const(Ok(None));
    assert_eq!(refused(&unknown, web(), ""), OAuthError::INVALID_GRANT);

    for expires_at in [NOW, at(-1)] {
        let record = CodeRecord { expires_at, ..record() };
        let expired = with_code(record, grant());
        assert_eq!(refused(&expired, web(), ""), OAuthError::INVALID_GRANT);
    }
    for changes in ["", "-code_verifier", "redirect_uri=https://evil.test/cb"] {
        let foreign = with_code(record(), grant());
        let error = refused(&foreign, evil(), changes);
        assert_eq!(error, OAuthError::INVALID_GRANT);
        let foreign = with_code(record(), grant());
        let error = refused(&foreign, public(), changes);
        assert_eq!(error, OAuthError::INVALID_GRANT);
    }
}

/// PKCE-05: the challenge was sent, so the verifier has to be, and has to meet it; the challenge itself
/// does not.
#[rstest]
#[case::absent("-code_verifier", ErrorCode::InvalidRequest)]
#[case::empty("code_verifier=", ErrorCode::InvalidRequest)]
#[case::wrong(
    "code_verifier=wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong",
    ErrorCode::InvalidGrant
)]
#[case::plain("code_verifier=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", ErrorCode::InvalidGrant)]
fn a_challenge_wants_its_verifier(#[case] changes: &str, #[case] expected: ErrorCode) {
    let world = with_code(record(), grant());
    assert_eq!(refused(&world, web(), changes).code, expected);
}

/// PKCE-04: the grammar is checked before the digest.
#[rstest]
#[case("a".repeat(42), false)]
#[case("a".repeat(43), true)]
#[case("a".repeat(128), true)]
#[case("a".repeat(129), false)]
#[case(format!("{}+", "a".repeat(43)), false)]
#[case(format!("{}\0", "a".repeat(43)), false)]
#[case(format!("{VERIFIER}\n"), false)]
fn a_verifier_has_43_to_128_unreserved_characters(#[case] verifier: String, #[case] good: bool) {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use sha2::{Digest as _, Sha256};
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let record = CodeRecord { code_challenge: CodeChallenge::parse(&challenge), ..record() };
    let encoded = verifier.replace('+', "%2B").replace('\0', "%00").replace('\n', "%0A");
    let changes = format!("code_verifier={encoded}");
    if good {
        let world = redeeming(record, Redeemed::First).records(redeemed());
        assert!(exchange(&world, web(), &changes).is_ok());
    } else {
        let world = with_code(record, grant());
        let error = refused(&world, web(), &changes);
        assert_eq!(error.code, ErrorCode::InvalidRequest);
    }
}

/// PKCE-06: a verifier cannot be added to a code that was issued without a challenge.
#[test]
fn a_verifier_wants_its_challenge() {
    let error = refused(&with_code(without_challenge(), grant()), web(), "");
    assert_eq!(error.code, ErrorCode::InvalidRequest);
}

/// PKCE-06: a confidential client that need not use PKCE redeems without it.
#[rstest]
#[case("-code_verifier")]
#[case("code_verifier=")]
fn where_pkce_is_optional_a_code_is_redeemed_without(#[case] changes: &str) {
    let world = redeeming(without_challenge(), Redeemed::First).records(redeemed());
    assert!(exchange(&world, web(), changes).is_ok());
}

/// PKCE-07: a code without a challenge is worthless once its client needs PKCE, by whatever setting.
#[test]
fn a_code_without_a_challenge_does_not_survive_a_stricter_setting() {
    let stricter = Client { require_pkce: true, ..web() };
    let now_public = Client { id: web().id, ..public() };
    for client in [stricter, now_public] {
        let world = with_code(without_challenge(), grant());
        assert_eq!(refused(&world, client, "-code_verifier"), OAuthError::INVALID_GRANT);
    }
    let mut world = with_code(without_challenge(), grant());
    world.policy.pkce_required_for = PkceRequiredFor::All;
    assert_eq!(refused(&world, web(), "-code_verifier"), OAuthError::INVALID_GRANT);
}

/// CODE-09, REDIR-13: what is sent equals what was authorized, with PKCE and without, also where the
/// authorization request did not name it.
#[rstest]
#[case("redirect_uri=https://rp.test/cb2?fixed=1")]
#[case("redirect_uri=https://rp.test/cb/")]
#[case("redirect_uri=https://RP.test/cb")]
#[case("redirect_uri=https://evil.test/cb")]
fn another_redirect_uri_is_refused(#[case] changes: &str) {
    let both = [(record(), ""), (without_challenge(), "&-code_verifier")];
    for (record, also) in both {
        for redirect_uri_sent in [true, false] {
            let record = CodeRecord { redirect_uri_sent, ..record.clone() };
            let world = with_code(record, grant());
            let error = refused(&world, web(), &format!("{changes}{also}"));
            assert_eq!(error.code, ErrorCode::InvalidGrant);
        }
    }
}

/// REDIR-13: it may be left out with PKCE, or where it was not sent before.
#[rstest]
#[case::pkce_and_sent(true, true, true)]
#[case::pkce_and_not_sent(true, false, true)]
#[case::neither(false, false, true)]
#[case::sent_without_pkce(false, true, false)]
fn an_absent_redirect_uri_is_fine_but_where_it_was_sent_without_pkce(
    #[case] pkce: bool,
    #[case] sent: bool,
    #[case] fine: bool,
) {
    for changes in ["-redirect_uri", "redirect_uri="] {
        let (record, also) =
            if pkce { (record(), "") } else { (without_challenge(), "&-code_verifier") };
        let record = CodeRecord { redirect_uri_sent: sent, ..record };
        let changes = format!("{changes}{also}");
        if fine {
            let world = redeeming(record, Redeemed::First).records(redeemed());
            assert!(exchange(&world, web(), &changes).is_ok());
        } else {
            let error = refused(&with_code(record, grant()), web(), &changes);
            assert_eq!(error.code, ErrorCode::InvalidGrant);
        }
    }
}

/// REDIR-14: the port of the authorization request is the one that counts.
#[rstest]
#[case("http://127.0.0.1:5000/cb", true)]
#[case("http://127.0.0.1:5001/cb", false)]
#[case("http://127.0.0.1/cb", false)]
fn the_loopback_port_is_bound_to_the_code(#[case] sent: &str, #[case] fine: bool) {
    let record = CodeRecord { redirect_uri: "http://127.0.0.1:5000/cb".into(), ..record() };
    let changes = format!("redirect_uri={sent}");
    if fine {
        let world = redeeming(record, Redeemed::First).records(redeemed());
        assert!(exchange(&world, web(), &changes).is_ok());
    } else {
        let error = refused(&with_code(record, grant()), web(), &changes);
        assert_eq!(error.code, ErrorCode::InvalidGrant);
    }
}

/// CODE-12: the owner was disabled or is gone, or the grant ended, between the two requests.
#[rstest]
#[case::disabled(Some(disabled_alice()), None, None)]
#[case::gone(None, None, None)]
#[case::revoked(Some(alice()), Some(-1), None)]
#[case::grant_over(Some(alice()), None, Some(0))]
fn a_code_dies_with_its_owner_and_its_grant(
    #[case] owner: Option<Owner>,
    #[case] revoked: Option<i64>,
    #[case] over: Option<i64>,
) {
    let grant = Grant { revoked_at: revoked.map(at), expires_at: over.map(at), ..grant() };
    let world = with_code(record(), grant).owner(owner);
    assert_eq!(refused(&world, web(), ""), OAuthError::INVALID_GRANT);
}

/// CODE-05, CODE-06, CODE-11: the store decides who was first; whoever was not gets no token, and cannot
/// tell a replay from a grant that ended. Only a replay is recorded as one.
#[test]
fn a_code_that_is_spent_or_ended_buys_nothing() {
    let world = redeeming(record(), Redeemed::Replayed)
        .records(Event::CodeReplayed { grant: grant().id, client: web().id });
    assert_eq!(refused(&world, web(), ""), OAuthError::INVALID_GRANT);
    let world = redeeming(record(), Redeemed::GrantEnded);
    assert_eq!(refused(&world, web(), ""), OAuthError::INVALID_GRANT);
}

/// A client that may not refresh gets nothing to refresh with, and nothing of the kind is minted.
#[test]
fn a_client_without_the_refresh_grant_gets_no_refresh_token() {
    let client = Client { grant_types: [GrantType::AuthorizationCode].into(), ..web() };
    let mut world = with_code(record(), grant()).owner(Some(alice()));
    world.entropy.expect_fill().once().returning(|_| Ok(()));
    let redeem = world.codes.expect_redeem().once();
    redeem.returning(|redemption| {
        assert!(redemption.refresh.is_none());
        Ok(Redeemed::First)
    });
    let response = exchange(&world.records(redeemed()), client, "").unwrap();
    assert!(response.refresh_token.is_none());
}

/// Nothing that a code buys outlives its grant.
#[test]
fn the_grant_caps_what_its_code_buys() {
    let capped = Grant { expires_at: Some(at(30)), ..grant() };
    let mut world = with_code(record(), capped).owner(Some(alice())).mints();
    let redeem = world.codes.expect_redeem().once();
    redeem.returning(|redemption| {
        assert_eq!(redemption.access.expires_at, at(30));
        assert_eq!(redemption.refresh.unwrap().expires_at, at(30));
        Ok(Redeemed::First)
    });
    let response = exchange(&world.records(redeemed()), web(), "").unwrap();
    assert_eq!(response.expires_in, 30);
}

/// TOKEN-10: what was taken from the client meanwhile is left out, and the answer says so; `scope` in
/// the request is not this grant's and changes nothing.
#[rstest]
#[case("")]
#[case("scope=api.admin")]
fn a_scope_that_shrank_meanwhile_buys_less(#[case] changes: &str) {
    let client = Client { scope: scope("api.read"), ..web() };
    let world = redeeming(record(), Redeemed::First).records(redeemed());
    let response = exchange(&world, client, changes).unwrap();
    assert_eq!(response.scope, scope("api.read"));
}

/// Where nothing is left of the scope there is nothing to buy: the code stays unspent.
#[test]
fn a_scope_that_is_gone_buys_nothing() {
    let client = Client { scope: scope("api.admin"), ..web() };
    let world = with_code(record(), grant());
    assert_eq!(refused(&world, client, "").code, ErrorCode::InvalidGrant);
}

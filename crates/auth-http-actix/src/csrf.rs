//! Tokens against cross-site request forgery (UI-07).
//!
//! A token is an HMAC, keyed by the browser's secret, over what the form is for. The secret never
//! leaves the cookie, so a token proves that the page was made for this browser; the session and the
//! interaction are part of what is signed, so it proves those too. Nothing has to be stored.

use auth_core::secret::{BrowserSecret, InteractionId, SessionSecret};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What a form is for.
pub enum Purpose<'a> {
    /// Signing in, perhaps for an interaction.
    SignIn(Option<&'a InteractionId>),
    /// Deciding an interaction, as the owner of this session.
    Consent(&'a InteractionId, Option<&'a SessionSecret>),
    /// Ending this session.
    SignOut(Option<&'a SessionSecret>),
}

/// The token for a form of this browser.
pub fn token(browser: &BrowserSecret, purpose: &Purpose<'_>) -> String {
    let signature = URL_SAFE_NO_PAD.encode(mac(browser, purpose).finalize().into_bytes());
    match purpose {
        // The consent form names its interaction by its token.
        Purpose::Consent(interaction, _) => format!("{}.{signature}", interaction.expose()),
        Purpose::SignIn(_) | Purpose::SignOut(_) => signature,
    }
}

/// Whether `token` was made for a form of this browser and purpose; compared in constant time.
pub fn is_valid(token: &str, browser: &BrowserSecret, purpose: &Purpose<'_>) -> bool {
    let signature = token.rsplit('.').next().unwrap_or_default();
    let named = token.len() - signature.len();
    let interaction_fits = match purpose {
        Purpose::Consent(interaction, _) => {
            token.get(..named.saturating_sub(1)) == Some(interaction.expose())
        }
        Purpose::SignIn(_) | Purpose::SignOut(_) => named == 0,
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    interaction_fits && mac(browser, purpose).verify_slice(&signature).is_ok()
}

/// The interaction that a consent form's token names; nothing is proven by that.
pub fn named_interaction(token: &str) -> Option<InteractionId> {
    let (interaction, _) = token.split_once('.')?;
    (!interaction.is_empty() && interaction.len() <= 64)
        .then(|| InteractionId::presented(interaction))
}

fn mac(browser: &BrowserSecret, purpose: &Purpose<'_>) -> Hmac<Sha256> {
    let (label, interaction, session) = match purpose {
        Purpose::SignIn(interaction) => ("sign-in", *interaction, None),
        Purpose::Consent(interaction, session) => ("consent", Some(*interaction), *session),
        Purpose::SignOut(session) => ("sign-out", None, *session),
    };
    // An HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(browser.expose().as_bytes())
        .unwrap_or_else(|_| unreachable!("HMAC takes any key"));
    for part in [
        label,
        interaction.map_or("", InteractionId::expose),
        session.map_or("", SessionSecret::expose),
    ] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UI-07: no other browser, purpose, interaction or session.
    #[test]
    fn a_token_is_good_for_one_form_of_one_browser() {
        let (browser, other) = (BrowserSecret::presented("b"), BrowserSecret::presented("c"));
        let (one, two) = (InteractionId::presented("one"), InteractionId::presented("two"));
        let (mine, theirs) = (SessionSecret::presented("m"), SessionSecret::presented("t"));
        let consent = Purpose::Consent(&one, Some(&mine));
        let made = token(&browser, &consent);
        assert!(is_valid(&made, &browser, &consent));
        assert_eq!(named_interaction(&made).unwrap().expose(), "one");
        assert!(!is_valid(&made, &other, &consent));
        assert!(!is_valid(&made, &browser, &Purpose::Consent(&two, Some(&mine))));
        assert!(!is_valid(&made, &browser, &Purpose::Consent(&one, Some(&theirs))));
        assert!(!is_valid(&made, &browser, &Purpose::Consent(&one, None)));
        assert!(!is_valid(&made, &browser, &Purpose::SignIn(Some(&one))));
        let signature = made.rsplit('.').next().unwrap();
        let transplanted = format!("two.{signature}");
        assert!(!is_valid(&transplanted, &browser, &Purpose::Consent(&two, Some(&mine))));
        for forged in ["", ".", "one", "one.", ".x", "one.%", "é.é"] {
            assert!(!is_valid(forged, &browser, &consent), "{forged}");
        }
    }

    #[test]
    fn sign_in_and_sign_out_tokens_name_nothing() {
        let browser = BrowserSecret::presented("b");
        let interaction = InteractionId::presented("one");
        let session = SessionSecret::presented("s");
        for purpose in [
            Purpose::SignIn(None),
            Purpose::SignIn(Some(&interaction)),
            Purpose::SignOut(Some(&session)),
        ] {
            let made = token(&browser, &purpose);
            assert!(is_valid(&made, &browser, &purpose));
            assert!(!made.contains('.'));
            assert!(named_interaction(&made).is_none());
        }
        let made = token(&browser, &Purpose::SignIn(None));
        assert!(!is_valid(&made, &browser, &Purpose::SignIn(Some(&interaction))));
    }
}

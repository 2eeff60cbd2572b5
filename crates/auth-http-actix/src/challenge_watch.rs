//! Noticing a client that sends the same PKCE challenge again and again (OAuth 2.1 §7.5.1).
//!
//! A challenge is meant for one request; a constant one protects nothing. A person who reloads a page
//! repeats one too, so it is logged and not refused.

use crate::throttle::Throttle;
use auth_core::client::ClientId;
use auth_core::params::Params;
use auth_core::pkce::CodeChallenge;
use std::time::Instant;

/// How often a minute one challenge may come before it is noticed.
const UNREMARKABLE: u32 = 10;

/// Counts challenges per client.
pub(crate) struct ChallengeWatch(Throttle<(ClientId, String)>);

impl ChallengeWatch {
    pub(crate) fn new() -> Self {
        Self(Throttle::new(UNREMARKABLE))
    }

    /// Counts the challenge of an authorization request, and logs its client if it has come too often.
    /// Answers whether it has.
    pub(crate) fn notices(&self, params: &Params, now: Instant) -> bool {
        let one = |name| params.one(name).ok().flatten();
        let client = one("client_id").and_then(ClientId::parse).and_then(ClientId::for_log);
        let challenge = one("code_challenge").and_then(CodeChallenge::parse);
        let (Some(client), Some(challenge)) = (client, challenge) else {
            return false;
        };
        let key = (client.clone(), challenge.as_str().to_owned());
        let often = self.0.take(key, now).is_err();
        if often {
            let client = client.as_str();
            tracing::warn!(target: "security", client, "the same code_challenge on many requests");
        }
        often
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth_core::params::ParamLimits;

    fn request(client: &str, first: char) -> Params {
        let query = format!("client_id={client}&code_challenge={first}{}", "a".repeat(42));
        Params::parse_form(query.as_bytes(), ParamLimits::QUERY).unwrap()
    }

    /// PKCE-11
    #[test]
    fn a_constant_challenge_is_noticed_and_fresh_ones_are_not() {
        let (watch, now) = (ChallengeWatch::new(), Instant::now());
        for _ in 0..UNREMARKABLE {
            assert!(!watch.notices(&request("web", 'a'), now));
        }
        assert!(watch.notices(&request("web", 'a'), now));
        assert!(!watch.notices(&request("web", 'b'), now));
        assert!(!watch.notices(&request("other", 'a'), now));
        assert!(!watch.notices(&Params::default(), now));
    }
}

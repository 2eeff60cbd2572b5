//! The way to the server, or to several: what a client asks of them, and how it understands the answers.

use crate::browser::VERIFIER;
use crate::ledger::{Reply, Wrong};
use crate::server::{CLIENT, REDIRECT_URI};
use crate::tally::Tally;
use crate::wire::{Answer, Connection};
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;

/// A running installation as its clients meet it.
pub trait Service: Sync {
    fn address(&self) -> SocketAddr;

    /// `Authorization` of the one client.
    fn authorization(&self) -> &str;

    /// Counts what is asked of it.
    fn tally(&self) -> &Tally;

    /// Whether there is nothing more to ask.
    fn is_over(&self) -> bool;

    /// `None` where nobody can know what became of the request. What it may still come to comes before the
    /// next request.
    fn settle(&self, answer: io::Result<Answer>) -> Result<Option<Answer>, Wrong>;
}

/// Two connections, so that two requests can be under way at once.
pub struct Way<'a> {
    pub service: &'a dyn Service,
    one: Connection,
    other: Connection,
}

impl<'a> Way<'a> {
    pub fn new(service: &'a dyn Service) -> Self {
        let address = service.address();
        Self { service, one: Connection::new(address), other: Connection::new(address) }
    }

    pub fn ask(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Option<Answer>, Wrong> {
        let answer = self.one.send(method, target, headers, body);
        self.service.settle(answer)
    }

    pub fn redeem(&mut self, code: &str, verifier: &str) -> Result<Reply, Wrong> {
        let answer = self.post("/oauth/token", &redemption(code, verifier))?;
        self.reply(answer)
    }

    pub fn refresh(&mut self, token: &str) -> Result<Reply, Wrong> {
        let answer = self.post("/oauth/token", &refreshing(token))?;
        self.reply(answer)
    }

    pub fn redeem_twice(&mut self, code: &str) -> Result<[Reply; 2], Wrong> {
        let body = redemption(code, VERIFIER);
        let [one, other] = self.post_both([("/oauth/token", &body); 2])?;
        Ok([self.reply(one)?, self.reply(other)?])
    }

    /// An access token for the client itself (CC-01); none if the request was cut off.
    pub fn own_token(&mut self) -> Result<Option<String>, Wrong> {
        let answer = self.post("/oauth/token", "grant_type=client_credentials")?;
        let Some(answer) = answer else { return Ok(None) };
        let body = body(&answer);
        match (answer.status, body["access_token"].as_str(), &body["refresh_token"]) {
            (200, Some(token), Value::Null) => {
                self.service.tally().own_tokens.add(1);
                Ok(Some(token.to_owned()))
            }
            _ => Err(Wrong(format!("no answer to client credentials: {answer:?}"))),
        }
    }

    /// Whether the revocation was answered; it was cut off otherwise.
    pub fn revoke(&mut self, token: &str) -> Result<bool, Wrong> {
        let answer = self.post("/oauth/revoke", &format!("token={token}"))?;
        self.is_revoked(answer)
    }

    /// Revokes and refreshes, in this order or in the other.
    pub fn revoke_and_refresh(
        &mut self,
        token: &str,
        revoke_first: bool,
    ) -> Result<(bool, Reply), Wrong> {
        let (revocation, refresh) = (format!("token={token}"), refreshing(token));
        let mut requests = [("/oauth/revoke", &*revocation), ("/oauth/token", &*refresh)];
        if !revoke_first {
            requests.reverse();
        }
        let mut answers = self.post_both(requests)?;
        if !revoke_first {
            answers.reverse();
        }
        let [revoked, refreshed] = answers;
        Ok((self.is_revoked(revoked)?, self.reply(refreshed)?))
    }

    /// Whether the token is active (RFC 7662 §2.2); none if the request was cut off.
    pub fn introspect(&mut self, token: &str) -> Result<Option<bool>, Wrong> {
        let answer = self.post("/oauth/introspect", &format!("token={token}"))?;
        let Some(answer) = answer else { return Ok(None) };
        let body = body(&answer);
        let active = body["active"].as_bool();
        let plausible = match active {
            Some(true) => body["client_id"] == CLIENT,
            // INTRO-02: not a word about why.
            Some(false) => body == json!({ "active": false }),
            None => false,
        };
        if answer.status != 200 || !plausible {
            return Err(Wrong(format!("no answer to an introspection: {answer:?}")));
        }
        self.service.tally().introspections.add(1);
        Ok(active)
    }

    fn post(&mut self, target: &str, form: &str) -> Result<Option<Answer>, Wrong> {
        let headers = [("Authorization", self.service.authorization())];
        let answer = self.one.send("POST", target, &headers, form);
        self.service.settle(answer)
    }

    /// Both are sent before either is answered.
    fn post_both(&mut self, requests: [(&str, &str); 2]) -> Result<[Option<Answer>; 2], Wrong> {
        let headers = [("Authorization", self.service.authorization())];
        let [(to, form), (other_to, other_form)] = requests;
        let sent = self.one.write("POST", to, &headers, form);
        let other_sent = self.other.write("POST", other_to, &headers, other_form);
        let answer = sent.and_then(|()| self.one.read());
        let other = other_sent.and_then(|()| self.other.read());
        Ok([self.service.settle(answer)?, self.service.settle(other)?])
    }

    fn reply(&self, answer: Option<Answer>) -> Result<Reply, Wrong> {
        let tally = self.service.tally();
        let Some(answer) = answer else {
            tally.token_requests_cut_off.add(1);
            return Ok(Reply::Unknown);
        };
        let body = body(&answer);
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let tokens = (text("access_token"), text("refresh_token"));
        match (answer.status, tokens, text("error").as_deref()) {
            (200, (Some(access), Some(refresh)), None) => {
                tally.granted.add(1);
                Ok(Reply::Tokens { access, refresh })
            }
            (400, (None, None), Some("invalid_grant")) => {
                tally.refused.add(1);
                Ok(Reply::Refused)
            }
            _ => Err(Wrong(format!("no answer of a token endpoint: {answer:?}"))),
        }
    }

    fn is_revoked(&self, answer: Option<Answer>) -> Result<bool, Wrong> {
        let tally = self.service.tally();
        match answer {
            None => tally.revocations_cut_off.add(1),
            Some(Answer { status: 200, .. }) => tally.revocations.add(1),
            Some(answer) => return Err(Wrong(format!("no answer to a revocation: {answer:?}"))),
        }
        Ok(answer.is_some())
    }
}

fn redemption(code: &str, verifier: &str) -> String {
    format!(
        "grant_type=authorization_code&redirect_uri={REDIRECT_URI}&code={code}\
         &code_verifier={verifier}"
    )
}

fn refreshing(token: &str) -> String {
    format!("grant_type=refresh_token&refresh_token={token}")
}

/// The body as JSON; null if it is none.
fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_default()
}

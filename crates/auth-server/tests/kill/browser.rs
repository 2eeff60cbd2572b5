//! One person at one browser: signs in, approves, and comes back with codes.

use crate::chance::Chance;
use crate::ledger::{Known, Wrong};
use crate::server::{CLIENT, PASSWORD, REDIRECT_URI};
use crate::wire::Answer;
use std::collections::BTreeMap;

/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A request: method, target, headers, body. No answer where the server was killed first.
pub type Ask<'a> =
    dyn FnMut(&str, &str, &[(&str, &str)], &str) -> Result<Option<Answer>, Wrong> + 'a;

pub struct Browser {
    user: String,
    cookies: BTreeMap<String, String>,
    /// Whether this person has approved the client before: that is remembered.
    consented: Known,
    waiting: Option<Waiting>,
}

/// A request for authorization that waits for the person.
struct Waiting {
    interaction: String,
    /// The decision was sent.
    decided: Known,
    /// The page must be shown, whatever is remembered.
    forced: bool,
    state: String,
}

impl Browser {
    pub fn new(user: String) -> Self {
        Self { user, cookies: BTreeMap::new(), consented: Known::No, waiting: None }
    }

    /// The target of an authorization request.
    pub fn request(state: &str) -> String {
        format!(
            "/oauth/authorize?response_type=code&client_id={CLIENT}&redirect_uri={REDIRECT_URI}\
             &code_challenge={CHALLENGE}&code_challenge_method=S256&state={state}"
        )
    }

    /// Another browser of the same person.
    pub fn clear(&mut self) {
        self.cookies.clear();
        self.waiting = None;
    }

    /// Gets a code, from where it was interrupted; none if it is interrupted again.
    pub fn authorize(
        &mut self,
        chance: &mut Chance,
        ask: &mut Ask<'_>,
    ) -> Result<Option<String>, Wrong> {
        let (state, forced, target) = match &self.waiting {
            Some(waiting) => {
                let target = format!("/oauth/interaction/{}", waiting.interaction);
                (waiting.state.clone(), waiting.forced, target)
            }
            None => {
                let state = chance.below(u64::MAX).to_string();
                let forced = chance.one_in(8);
                let prompt = if forced { "&prompt=consent" } else { "" };
                let target = Self::request(&state) + prompt;
                (state, forced, target)
            }
        };
        let Some(mut answer) = self.get(&target, ask)? else {
            // Going on with an interaction may end in a code that nobody received.
            self.perhaps_decided(forced);
            return Ok(None);
        };
        for _ in 0..4 {
            let location = answer.header("location").unwrap_or_default();
            if answer.status == 303 && location.starts_with(REDIRECT_URI) {
                return self.arrive(&answer, &state).map(Some);
            }
            let next = match answer.status {
                303 if location.contains("/login?interaction=") => {
                    self.sign_in(&answer, &state, forced, ask)?
                }
                200 => self.approve(&answer, &state, forced, ask)?,
                400 if self.waiting.as_ref().is_some_and(|it| it.decided == Known::Maybe) => {
                    self.waiting = None;
                    if self.consented == Known::Maybe {
                        self.consented = Known::Yes;
                    }
                    None
                }
                _ => return unexpected("while a code was asked for", &answer),
            };
            match next {
                Some(next) => answer = next,
                None => return Ok(None),
            }
        }
        unexpected("and no end of it", &answer)
    }

    fn arrive(&mut self, answer: &Answer, state: &str) -> Result<String, Wrong> {
        self.waiting = None;
        let code = answer.location_param("code");
        match code {
            Some(code) if answer.location_param("state").as_deref() == Some(state) => Ok(code),
            _ => unexpected("instead of a code", answer),
        }
    }

    /// The page that the answer leads to, and the form in it.
    fn sign_in(
        &mut self,
        answer: &Answer,
        state: &str,
        forced: bool,
        ask: &mut Ask<'_>,
    ) -> Result<Option<Answer>, Wrong> {
        if self.cookies.contains_key("auth_session") {
            return unexpected("though this browser is signed in", answer);
        }
        let interaction = answer.location_param("interaction").unwrap_or_default();
        self.waiting = Some(Waiting {
            interaction: interaction.clone(),
            decided: Known::No,
            forced,
            state: state.to_owned(),
        });
        let page = self.get(&format!("/login?interaction={interaction}"), ask)?;
        let Some(page) = page else { return Ok(None) };
        let Some(token) = page.field("csrf_token") else {
            return unexpected("instead of the sign-in page", &page);
        };
        let form = format!(
            "csrf_token={token}&interaction={interaction}&username={}&password={}",
            self.user,
            PASSWORD.replace(' ', "+")
        );
        match self.post("/login", &form, ask)? {
            None => Ok(None),
            Some(answer) if answer.status == 303 => {
                let next = self.get(&format!("/oauth/interaction/{interaction}"), ask)?;
                if next.is_none() {
                    self.perhaps_decided(forced);
                }
                Ok(next)
            }
            Some(answer) => unexpected("after signing in", &answer),
        }
    }

    /// The consent page, and the form in it.
    fn approve(
        &mut self,
        page: &Answer,
        state: &str,
        forced: bool,
        ask: &mut Ask<'_>,
    ) -> Result<Option<Answer>, Wrong> {
        if self.consented == Known::Yes && !forced {
            return unexpected("though the consent is remembered", page);
        }
        let Some(token) = page.field("csrf_token") else {
            return unexpected("instead of the consent page", page);
        };
        let interaction = token.split('.').next().unwrap_or_default();
        // It was not decided, so it was not approved either.
        if self.consented == Known::Maybe {
            self.consented = Known::No;
        }
        self.waiting = Some(Waiting {
            interaction: interaction.to_owned(),
            decided: Known::No,
            forced,
            state: state.to_owned(),
        });
        let form = format!("csrf_token={token}&decision=approve");
        let answer = self.post("/oauth/consent", &form, ask)?;
        match &answer {
            Some(answer) if answer.status == 303 => self.consented = Known::Yes,
            Some(answer) => return unexpected("after approving", answer),
            None => {
                if let Some(waiting) = &mut self.waiting {
                    waiting.decided = Known::Maybe;
                }
                if self.consented == Known::No {
                    self.consented = Known::Maybe;
                }
            }
        }
        Ok(answer)
    }

    /// An interaction that needed no page any more was gone on with, and the answer never came.
    fn perhaps_decided(&mut self, forced: bool) {
        if let Some(waiting) = &mut self.waiting
            && !forced
            && self.consented != Known::No
        {
            waiting.decided = Known::Maybe;
        }
    }

    pub fn cookie(&self) -> String {
        let cookies: Vec<_> = self.cookies.iter().map(|(key, it)| format!("{key}={it}")).collect();
        cookies.join("; ")
    }

    fn get(&mut self, target: &str, ask: &mut Ask<'_>) -> Result<Option<Answer>, Wrong> {
        self.ask("GET", target, "", ask)
    }

    fn post(
        &mut self,
        target: &str,
        form: &str,
        ask: &mut Ask<'_>,
    ) -> Result<Option<Answer>, Wrong> {
        self.ask("POST", target, form, ask)
    }

    fn ask(
        &mut self,
        method: &str,
        target: &str,
        form: &str,
        ask: &mut Ask<'_>,
    ) -> Result<Option<Answer>, Wrong> {
        let answer = ask(method, target, &[("Cookie", &self.cookie())], form)?;
        let set = answer.iter().flat_map(|answer| answer.headers("set-cookie"));
        let pairs = set.filter_map(|cookie| cookie.split(';').next()?.split_once('='));
        self.cookies.extend(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
        Ok(answer)
    }
}

fn unexpected<T>(when: &str, answer: &Answer) -> Result<T, Wrong> {
    Err(Wrong(format!("an unexpected answer, {when}: {answer:?}")))
}

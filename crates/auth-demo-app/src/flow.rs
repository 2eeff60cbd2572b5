//! The client's rules: what is sent when, what is checked before an answer is believed, and what
//! the journey says about it.

use crate::DemoApp;
use crate::client::{Authorization, Client, Exchange, Tokens, authorization_url};
use crate::encoding::random_token;
use crate::journey::{Journey, Journeys, Outcome};
use crate::listing;
use crate::messages::{self, Conversation, called, no_code, refused, silent};

/// Everything that the pages share.
#[derive(Debug)]
pub(crate) struct Demo {
    pub(crate) app: DemoApp,
    pub(crate) journeys: Journeys,
    client: Client,
}

/// Why a request of the browser leads nowhere.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The authorization server cannot be used; the reason.
    Server(String),
    /// The operating system gave no randomness.
    Entropy,
    /// The browser has no journey, or one without what was asked for.
    NoJourney,
    /// The answer is not one to this browser's request; the reason.
    Answer(&'static str),
}

/// A journey that has begun.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) journey_id: String,
    pub(crate) authorization_url: String,
}

impl Demo {
    pub(crate) fn new(app: DemoApp) -> Self {
        Self { app, journeys: Journeys::default(), client: Client::new() }
    }

    /// Reads the metadata, makes state and verifier, and keeps both for this browser.
    pub(crate) fn start(
        &self,
        prompt: Option<&str>,
        former: Option<&str>,
    ) -> Result<Begun, Refusal> {
        let (discovery, metadata) = self.client.metadata(&self.app);
        let metadata = metadata.map_err(Refusal::Server)?;
        let random = || random_token().map_err(|_| Refusal::Entropy);
        let (journey_id, state, verifier) = (random()?, random()?, random()?);
        let authorization = Authorization { state: &state, verifier: &verifier, prompt };
        let authorization_url = authorization_url(&self.app, &metadata, authorization);
        let mut journey = Journey::new(journey_id.clone(), state, verifier, metadata, &discovery);
        let lines = listing::navigation("GET", &authorization_url);
        journey.add(messages::AUTHORIZATION_REQUEST, lines, false);
        self.journeys.begin(journey, former);
        Ok(Begun { journey_id, authorization_url })
    }

    /// Takes the answer that the browser brings back: checks it, redeems the code, and answers the
    /// number of the step to look at. `query` is the answer as it came, `parameters` the same decoded.
    pub(crate) fn callback(
        &self,
        id: &str,
        query: &str,
        parameters: &[(String, String)],
    ) -> Result<usize, Refusal> {
        let answer = AuthorizationResponse::read(parameters)?;
        let lines = listing::navigation("GET", &format!("{}?{query}", self.app.redirect_uri()));
        let accepted = self.journeys.with(id, |journey| {
            // Also when state and iss are missing altogether: neither check may be skipped.
            if answer.state != Some(&journey.state) {
                return Err(Refusal::Answer(
                    "Its state is not the one that this browser was sent away with: it answers an older \
                     sign-in, or somebody else’s.",
                ));
            }
            let issuer = journey.metadata.issuer.as_str();
            let required = journey.metadata.authorization_response_iss_parameter_supported;
            if answer.iss.map_or(required, |iss| iss != issuer) {
                return Err(Refusal::Answer(
                    "It does not come from the server that was asked: its iss is missing or names another \
                     one. This is how a mix-up attack would look.",
                ));
            }
            if !journey.pending {
                // Reloaded, or visited again by the back button.
                return Ok(Accepted::Already);
            }
            let result = answer.result()?;
            journey.pending = false;
            match result {
                Ok(code) => {
                    journey.add(messages::AUTHORIZATION_RESPONSE, lines, false);
                    journey.outcome = Outcome::waiting(
                        "The code is being redeemed.",
                        "Reload this page for the answer.",
                    );
                    Ok(Accepted::Code {
                        code: code.to_owned(),
                        verifier: journey.verifier.clone(),
                        endpoint: journey.metadata.token_endpoint.clone(),
                    })
                }
                Err(error) => {
                    journey.outcome = no_code(error, answer.description);
                    Ok(Accepted::Error(journey.add(messages::AUTHORIZATION_ERROR, lines, true)))
                }
            }
        });
        match accepted.unwrap_or(Err(Refusal::NoJourney))? {
            Accepted::Already => Ok(1),
            Accepted::Error(number) => Ok(number),
            Accepted::Code { code, verifier, endpoint } => {
                let redirect_uri = self.app.redirect_uri();
                let fields = [
                    ("grant_type", "authorization_code"),
                    ("code", &code),
                    ("redirect_uri", &redirect_uri),
                    ("code_verifier", &verifier),
                ];
                let exchange = self.client.post(&self.app, &endpoint, &fields);
                let (outcome, tokens) = token_outcome(
                    &exchange,
                    "Signed in.",
                    "The demo holds an access token and has never seen your password.",
                );
                self.record(id, &exchange, &messages::TOKEN, |journey| {
                    journey.outcome = outcome;
                    journey.tokens = tokens;
                })
            }
        }
    }

    /// Trades the refresh token for new tokens and answers the number of the first new step.
    pub(crate) fn refresh(&self, id: &str) -> Result<usize, Refusal> {
        let (endpoint, former) = self.held(id, |journey, tokens| {
            tokens.refresh_token.as_ref()?;
            Some((journey.metadata.token_endpoint.clone(), tokens.clone()))
        })?;
        let refresh_token = former.refresh_token.as_deref().unwrap_or_default();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let exchange = self.client.post(&self.app, &endpoint, &fields);
        let (outcome, tokens) = token_outcome(
            &exchange,
            "Refreshed.",
            "The demo holds a new access token, and nobody had to sign in for it.",
        );
        self.record(id, &exchange, &messages::REFRESH, |journey| {
            journey.outcome = outcome;
            if let Some(mut tokens) = tokens {
                // What the answer leaves out stays as it was (RFC 6749 §6).
                tokens.refresh_token = tokens.refresh_token.or(former.refresh_token);
                tokens.scope = tokens.scope.or(former.scope);
                journey.tokens = Some(tokens);
                journey.returned = false;
            }
        })
    }

    /// Calls the demo's API with the access token.
    pub(crate) fn call(&self, id: &str) -> Result<usize, Refusal> {
        let token = self.held(id, |journey, tokens| {
            journey.metadata.introspection_endpoint.as_ref()?;
            Some(tokens.access_token.clone())
        })?;
        let exchange = self.client.call(format!("{}/projects", self.app.api_uri()), &token);
        let outcome = match &exchange.answer {
            Ok(answer) => called(answer),
            Err(reason) => silent(reason),
        };
        self.record(id, &exchange, &messages::CALL, |journey| {
            journey.outcome = outcome;
        })
    }

    /// Revokes the refresh token, or the access token where there is no other.
    pub(crate) fn revoke(&self, id: &str) -> Result<usize, Refusal> {
        let (endpoint, token, hint) = self.held(id, |journey, tokens| {
            let endpoint = journey.metadata.revocation_endpoint.clone()?;
            Some(match &tokens.refresh_token {
                Some(token) => (endpoint, token.clone(), "refresh_token"),
                None => (endpoint, tokens.access_token.clone(), "access_token"),
            })
        })?;
        let fields = [("token", token.as_str()), ("token_type_hint", hint)];
        let exchange = self.client.post(&self.app, &endpoint, &fields);
        let revoked = exchange.answer.as_ref().is_ok_and(|answer| answer.status == 200);
        let outcome = match &exchange.answer {
            Ok(_) if revoked => {
                let text =
                    "The demo keeps the tokens only so that you can try them and see them refused.";
                Outcome::good("Revoked.", text)
            }
            Ok(answer) => refused(&answer.refusal()),
            Err(reason) => silent(reason),
        };
        self.record(id, &exchange, &messages::REVOCATION, |journey| {
            journey.returned |= revoked;
            journey.outcome = outcome;
        })
    }

    /// What `take` needs of a journey that holds tokens.
    fn held<T>(
        &self,
        id: &str,
        take: impl FnOnce(&Journey, &Tokens) -> Option<T>,
    ) -> Result<T, Refusal> {
        self.journeys
            .with(id, |journey| take(journey, journey.tokens.as_ref()?))
            .flatten()
            .ok_or(Refusal::NoJourney)
    }

    fn record(
        &self,
        id: &str,
        exchange: &Exchange,
        conversation: &Conversation,
        change: impl FnOnce(&mut Journey),
    ) -> Result<usize, Refusal> {
        self.journeys
            .with(id, |journey| {
                change(journey);
                journey.add_exchange(&self.app, exchange, conversation)
            })
            .ok_or(Refusal::NoJourney)
    }
}

/// What became of an answer that passed the checks.
enum Accepted {
    Already,
    Error(usize),
    Code { code: String, verifier: String, endpoint: String },
}

/// The parameters of RFC 6749 §4.1.2 and §4.1.2.1 and RFC 9207 §2.
#[derive(Debug, Default)]
struct AuthorizationResponse<'a> {
    code: Option<&'a String>,
    state: Option<&'a String>,
    iss: Option<&'a String>,
    error: Option<&'a String>,
    description: Option<&'a String>,
}

impl<'a> AuthorizationResponse<'a> {
    fn read(parameters: &'a [(String, String)]) -> Result<Self, Refusal> {
        let mut answer = Self::default();
        for (name, value) in parameters {
            let place = match name.as_str() {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "iss" => &mut answer.iss,
                "error" => &mut answer.error,
                "error_description" => &mut answer.description,
                _ => continue,
            };
            if place.replace(value).is_some() {
                // RFC 6749 §3.1
                return Err(Refusal::Answer("It carries a parameter twice."));
            }
        }
        Ok(answer)
    }

    /// The code, or the error.
    fn result(&self) -> Result<Result<&'a str, &'a str>, Refusal> {
        match (self.code, self.error) {
            (Some(code), None) => Ok(Ok(code)),
            (None, Some(error)) => Ok(Err(error)),
            _ => Err(Refusal::Answer("It carries neither a code nor an error, or both.")),
        }
    }
}

/// What a token response means: the words for it, and the tokens if it carries any.
fn token_outcome(exchange: &Exchange, title: &str, text: &str) -> (Outcome, Option<Tokens>) {
    match &exchange.answer {
        Ok(answer) => match answer.tokens() {
            Some(tokens) => (Outcome::good(title, text), Some(tokens)),
            None => (refused(&answer.refusal()), None),
        },
        Err(reason) => (silent(reason), None),
    }
}

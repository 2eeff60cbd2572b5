//! Journeys: what one browser did since it pressed the button, message by message. They live in
//! memory, and only so many of them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::DemoApp;
use crate::client::{Exchange, Metadata, Tokens};
use crate::listing::{self, Line};
use crate::messages::Conversation;

const MOST_JOURNEYS: usize = 100;
const MOST_STEPS: usize = 30;

/// One message of the protocol.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    /// Counts from 1 and never restarts, also when old steps are forgotten.
    number: usize,
    title: &'static str,
    /// Who sends it to whom.
    way: &'static str,
    /// The specification's sections.
    sections: &'static [&'static str],
    text: &'static str,
    lines: Vec<Line>,
    curl: Option<String>,
    refused: bool,
}

/// A message without what the journey adds to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message {
    pub(crate) title: &'static str,
    pub(crate) way: &'static str,
    pub(crate) sections: &'static [&'static str],
    pub(crate) text: &'static str,
}

/// How the last thing that happened went, in a sentence.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    /// The class of the box on the page.
    kind: &'static str,
    title: String,
    text: String,
}

impl Outcome {
    pub(crate) fn waiting(title: &str, text: &str) -> Self {
        Self { kind: "notice", title: title.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn good(title: &str, text: &str) -> Self {
        Self { kind: "success", title: title.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn bad(title: &str, text: String) -> Self {
        Self { kind: "alert", title: title.to_owned(), text }
    }
}

/// One browser's way through the protocol.
#[derive(Debug)]
pub(crate) struct Journey {
    /// The value of the browser's cookie.
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) verifier: String,
    /// Whether the browser still has to come back with an answer. It may do so once.
    pub(crate) pending: bool,
    pub(crate) metadata: Metadata,
    /// How the metadata was read.
    discovery: Vec<Vec<Line>>,
    steps: VecDeque<Step>,
    next_number: usize,
    pub(crate) outcome: Outcome,
    pub(crate) tokens: Option<Tokens>,
    /// Whether the demo revoked them.
    pub(crate) returned: bool,
}

impl Journey {
    pub(crate) fn new(
        id: String,
        state: String,
        verifier: String,
        metadata: Metadata,
        discovery: &Exchange,
    ) -> Self {
        let mut listings = vec![listing::request(&discovery.request)];
        listings.extend(discovery.answer.as_ref().ok().map(listing::answer));
        Self {
            id,
            state,
            verifier,
            pending: true,
            metadata,
            discovery: listings,
            steps: VecDeque::new(),
            next_number: 1,
            outcome: Outcome::waiting(
                "Waiting for you to come back.",
                "Your browser was sent to the server and has not returned with an answer yet.",
            ),
            tokens: None,
            returned: false,
        }
    }

    /// Adds a message and answers its number. The oldest are forgotten beyond the bound.
    pub(crate) fn add(&mut self, message: Message, lines: Vec<Line>, refused: bool) -> usize {
        let number = self.next_number;
        self.next_number += 1;
        if self.steps.len() == MOST_STEPS {
            self.steps.pop_front();
        }
        self.steps.push_back(Step {
            number,
            title: message.title,
            way: message.way,
            sections: message.sections,
            text: message.text,
            lines,
            curl: None,
            refused,
        });
        number
    }

    /// Adds a request and what came of it, and answers the number of the request.
    pub(crate) fn add_exchange(
        &mut self,
        app: &DemoApp,
        exchange: &Exchange,
        [asked, answered, refused]: &Conversation,
    ) -> usize {
        let number = self.add(*asked, listing::request(&exchange.request), false);
        if let Some(step) = self.steps.back_mut() {
            step.curl = Some(listing::curl(app, &exchange.request));
        }
        // No answer is no message: the outcome tells why there is none.
        if let Ok(answer) = &exchange.answer {
            let success = answer.status == 200;
            let message = if success { answered } else { refused };
            self.add(*message, listing::answer(answer), !success);
        }
        number
    }

    /// What the page shows of the journey.
    pub(crate) fn view(&self) -> View<'_> {
        let refreshable = self.tokens.as_ref().is_some_and(|held| held.refresh_token.is_some());
        View {
            outcome: &self.outcome,
            // Whoever pressed a button below the first four steps looks at the end of the page.
            outcome_again: self.next_number > 5,
            discovery: &self.discovery,
            forgotten: self.next_number - 1 - self.steps.len(),
            steps: &self.steps,
            held: self.tokens.as_ref().map(|tokens| Held {
                token_type: &tokens.token_type,
                scope: tokens.scope.as_deref(),
                lifetime: tokens.expires_in.map(lifetime),
                refreshable,
                returned: self.returned,
            }),
            can_refresh: refreshable,
            can_call: self.tokens.is_some() && self.metadata.introspection_endpoint.is_some(),
            can_revoke: self.tokens.is_some() && self.metadata.revocation_endpoint.is_some(),
        }
    }
}

/// The template's view of a journey.
#[derive(Debug, Serialize)]
pub(crate) struct View<'a> {
    outcome: &'a Outcome,
    outcome_again: bool,
    discovery: &'a [Vec<Line>],
    forgotten: usize,
    steps: &'a VecDeque<Step>,
    held: Option<Held<'a>>,
    can_refresh: bool,
    can_call: bool,
    can_revoke: bool,
}

/// What the demo holds, in short.
#[derive(Debug, Serialize)]
struct Held<'a> {
    token_type: &'a str,
    scope: Option<&'a str>,
    lifetime: Option<String>,
    refreshable: bool,
    returned: bool,
}

/// `expires_in` in words.
fn lifetime(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// The journeys of all browsers, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Journeys(Mutex<VecDeque<Journey>>);

impl Journeys {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Journey>> {
        // A journey is whole after every statement, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a new journey instead of the browser's former one, if it had one.
    pub(crate) fn begin(&self, journey: Journey, former: Option<&str>) {
        let mut journeys = self.lock();
        journeys.retain(|kept| Some(kept.id.as_str()) != former);
        if journeys.len() == MOST_JOURNEYS {
            journeys.pop_front();
        }
        journeys.push_back(journey);
    }

    /// Lets `see` look at, or change, the journey with this id.
    pub(crate) fn with<T>(&self, id: &str, see: impl FnOnce(&mut Journey) -> T) -> Option<T> {
        self.lock().iter_mut().find(|journey| journey.id == id).map(see)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Request;

    fn journey(id: &str) -> Journey {
        let metadata = Metadata {
            issuer: String::new(),
            authorization_endpoint: String::new(),
            token_endpoint: String::new(),
            revocation_endpoint: None,
            introspection_endpoint: None,
            authorization_response_iss_parameter_supported: false,
        };
        let request =
            Request { method: "GET", url: String::new(), headers: Vec::new(), body: None };
        let discovery = Exchange { request, answer: Err(String::new()) };
        Journey::new(id.to_owned(), String::new(), String::new(), metadata, &discovery)
    }

    const MESSAGE: Message = Message { title: "", way: "", sections: &[], text: "" };

    /// XC-07
    #[test]
    fn the_oldest_journey_makes_room_for_the_newest() {
        let journeys = Journeys::default();
        for number in 0..=MOST_JOURNEYS {
            journeys.begin(journey(&number.to_string()), None);
        }
        assert!(journeys.with("0", |_| ()).is_none());
        assert!(journeys.with("1", |_| ()).is_some());
        assert_eq!(journeys.lock().len(), MOST_JOURNEYS);
    }

    #[test]
    fn a_browser_that_starts_again_leaves_its_former_journey() {
        let journeys = Journeys::default();
        journeys.begin(journey("former"), None);
        journeys.begin(journey("new"), Some("former"));
        assert!(journeys.with("former", |_| ()).is_none());
        assert!(journeys.with("new", |_| ()).is_some());
    }

    /// XC-07
    #[test]
    fn the_oldest_steps_are_forgotten_and_the_numbers_go_on() {
        let mut journey = journey("one");
        for _ in 0..MOST_STEPS + 2 {
            journey.add(MESSAGE, Vec::new(), false);
        }
        let view = journey.view();
        assert_eq!((view.steps.len(), view.forgotten), (MOST_STEPS, 2));
        assert_eq!(view.steps.front().map(|step| step.number), Some(3));
    }

    #[test]
    fn lifetimes_read_as_words() {
        let said = [1, 60, 600, 7199, 7200, 172_800].map(lifetime);
        assert_eq!(
            said,
            ["1 second", "60 seconds", "10 minutes", "119 minutes", "2 hours", "2 days"]
        );
    }
}

//! What every page must hold, whatever it is told.

mod content;
mod hostile;
mod markup;
mod overrides;

use auth_http_actix::pages::{
    ClientIdentity, ConsentPage, Destination, ErrorPage, Home, HomeAccount, Page, Pages,
    ResourceInWords, ScopeInWords, SignIn, SignInProblem, SignedOut,
};
use scraper::{ElementRef, Html, Selector};
use serde_json::Value;

fn pages() -> Pages {
    Pages::embedded().expect("the embedded templates are well formed")
}

fn select<'a>(document: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    document.select(&Selector::parse(selector).expect("a selector")).collect()
}

fn text(element: &ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn all_samples() -> Vec<(String, String)> {
    fn of<P: Page>(pages: &Pages) -> Vec<(String, String)> {
        let rendered = P::samples()
            .iter()
            .map(|sample| pages.render(sample).expect("a sample renders"))
            .collect::<Vec<_>>();
        assert!(!rendered.is_empty());
        (1..)
            .zip(rendered)
            .map(|(number, html)| (format!("{} sample {number}", P::TEMPLATE), html))
            .collect()
    }
    let pages = pages();
    [
        of::<SignIn>(&pages),
        of::<ConsentPage>(&pages),
        of::<ErrorPage>(&pages),
        of::<SignedOut>(&pages),
        of::<Home>(&pages),
    ]
    .concat()
}

/// Every page in every shape, each field that takes text from outside filled by `word`; with what its template is told.
fn every_shape(word: impl Fn(&str) -> String) -> Vec<(String, Value)> {
    fn shape<P: Page>(pages: &Pages, page: &P) -> (String, Value) {
        (pages.render(page).expect("renders"), serde_json::to_value(page).expect("serializes"))
    }
    let pages = pages();
    let path = |name: &str| format!("/{}", word(name).replace('\\', ""));
    let sign_in = |problem| SignIn {
        server: word("server"),
        client_name: Some(word("client")),
        username: word("user"),
        csrf_token: word("csrf"),
        interaction: Some(word("interaction")),
        problem,
    };
    let consent = |identity, destination| ConsentPage {
        server: word("server"),
        client_name: word("client"),
        identity,
        username: word("user"),
        switch_account: path("switch"),
        scopes: vec![ScopeInWords { name: word("scope"), description: word("description") }],
        resources: vec![ResourceInWords { name: word("api"), address: word("api host") }],
        destination,
        duration: word("duration"),
        action: path("action"),
        csrf_token: word("csrf"),
    };
    vec![
        shape(&pages, &sign_in(None)),
        shape(&pages, &sign_in(Some(SignInProblem::Mismatch))),
        shape(&pages, &sign_in(Some(SignInProblem::Throttled { retry_after_seconds: 1 }))),
        shape(&pages, &sign_in(Some(SignInProblem::Stale))),
        shape(
            &pages,
            &consent(
                ClientIdentity::VerifiedHost { host: word("host") },
                Destination::Host { host: word("next") },
            ),
        ),
        shape(
            &pages,
            &consent(
                ClientIdentity::RegisteredBy { name: word("owner") },
                Destination::Device { address: word("next") },
            ),
        ),
        shape(
            &pages,
            &consent(ClientIdentity::Unverified, Destination::Host { host: word("next") }),
        ),
        shape(
            &pages,
            &ErrorPage {
                server: word("server"),
                status: 400,
                title: word("title"),
                explanation: word("explanation"),
                advice: word("advice"),
                error_id: word("id"),
            },
        ),
        shape(&pages, &SignedOut { server: word("server") }),
        shape(&pages, &Home { server: word("server"), account: None }),
        shape(
            &pages,
            &Home {
                server: word("server"),
                account: Some(HomeAccount { username: word("user"), csrf_token: word("csrf") }),
            },
        ),
    ]
}

const POLYGLOT: &str = "MARK'\"><script>alert(1)</script><img src=x onerror=alert(1)></title></bdi>{{7*7}}{% raw %}<!--`javascript:alert(1)//--!>\\&quot;&lt;b";

//! Text from outside stays text, and cannot deceive.

use auth_http_actix::pages::{ConsentPage, Destination, Page, PageError};
use scraper::Html;
use serde_json::Value;

use super::{POLYGLOT, every_shape, pages, select, text};

/// The elements and attribute names of a page, and the attribute values that lead somewhere or run something.
fn skeleton(html: &str) -> Vec<String> {
    select(&Html::parse_document(html), "*")
        .iter()
        .map(|element| {
            let attributes = element.value().attrs().map(|(name, _)| name).collect::<Vec<_>>();
            format!("{} {attributes:?}", element.value().name())
        })
        .collect()
}

fn strings<'a>(value: &'a Value, key: &'a str, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(text) => found.push((key, text)),
        Value::Array(items) => items.iter().for_each(|item| strings(item, key, found)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| strings(value, key, found)),
        _ => {}
    }
}

/// UI-09
#[test]
fn no_field_of_any_page_can_become_markup() {
    let harmless = every_shape(str::to_owned);
    let hostile = every_shape(|_| POLYGLOT.to_owned());
    for ((harmless, _), (html, told)) in harmless.iter().zip(&hostile) {
        let mut fields = Vec::new();
        strings(told, "", &mut fields);
        fields.retain(|(key, _)| *key != "kind");
        assert!(!fields.is_empty());

        assert_eq!(skeleton(harmless), skeleton(html), "{html}");
        for raw in ["<script", "<img", "'\"><", "</title></bdi>", "<!--`", "49"] {
            assert!(!html.contains(raw), "{raw} stands unescaped in {html}");
        }
        let document = Html::parse_document(html);
        let seen = document.root_element().text().collect::<String>();
        let attributes = select(&document, "*")
            .iter()
            .flat_map(|e| e.value().attrs().map(|(_, value)| value.to_owned()))
            .collect::<Vec<_>>();
        for (key, field) in fields {
            assert!(field.contains("MARK"), "{key} was not filled with hostile text");
            assert!(
                seen.contains(field) || attributes.iter().any(|value| value == field),
                "{key} is not shown as it is in {html}"
            );
        }
    }
}

/// UI-11
#[test]
fn no_field_of_any_page_shows_hidden_or_reordering_characters() {
    const HIDDEN: &str = "\u{202e}\u{2066}\u{200b}\u{200f}\u{feff}\u{ad}\u{0}\u{7f}";
    let tokens = ["csrf", "interaction", "switch", "action"];
    for (html, _) in
        every_shape(
            |name| {
                if tokens.contains(&name) { name.to_owned() } else { format!("ab{HIDDEN}cd") }
            },
        )
    {
        assert!(!html.contains(|c| HIDDEN.contains(c)), "{html}");
    }
    let named = |client_name: &str| ConsentPage {
        client_name: client_name.into(),
        ..ConsentPage::samples().swap_remove(0)
    };
    let heading = |page: &ConsentPage| {
        let html = pages().render(page).expect("renders");
        text(&select(&Html::parse_document(&html), "h1")[0])
    };
    assert_eq!(heading(&named("Pay\u{202e}lap")), "Allow Paylap to use your account?");
    assert_eq!(heading(&named("\u{200b}\u{3164}")), "Allow (no visible name) to use your account?");
    assert!(heading(&named(&"x".repeat(10_000))).chars().count() < 120);
}

/// UI-11
#[test]
fn a_name_of_mixed_alphabets_is_pointed_out_and_hosts_stay_ascii() {
    let mut page = ConsentPage::samples().swap_remove(0);
    let note = "It mixes letters of different alphabets and may imitate another.";
    assert!(!pages().render(&page).expect("renders").contains(note));
    page.client_name = "\u{430}pple".into();
    page.destination = Destination::Host { host: "\u{430}pple.example".into() };
    let html = pages().render(&page).expect("renders");
    assert!(html.contains(note));
    assert!(html.contains("\\u{430}pple.example"), "{html}");
    page.destination = Destination::Host { host: "xn--pple-43d.example".into() };
    assert!(
        pages().render(&page).expect("renders").contains("<strong>xn--pple-43d.example</strong>")
    );
}

/// UI-09
#[test]
fn a_link_that_leaves_this_server_is_not_rendered() {
    for elsewhere in [
        "//evil.test",
        "https://evil.test/",
        "javascript:alert(1)",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "evil",
        "",
    ] {
        let page = || ConsentPage::samples().swap_remove(0);
        for page in [
            ConsentPage { switch_account: elsewhere.into(), ..page() },
            ConsentPage { action: elsewhere.into(), ..page() },
        ] {
            assert!(
                matches!(
                    pages().render(&page),
                    Err(PageError::Render { template: "consent.html", .. })
                ),
                "{elsewhere}"
            );
        }
    }
}

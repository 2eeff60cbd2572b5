//! Every page is self-contained and usable without script, by keyboard and by screen reader.

use scraper::{Html, Selector};

use super::{all_samples, pages, select, text};

/// UI-12
#[test]
fn no_page_runs_a_script_styles_inline_or_leads_to_another_origin() {
    for (name, html) in all_samples() {
        let document = Html::parse_document(&html);
        assert!(
            select(&document, "script, style, iframe, object, embed, base, meta[http-equiv]")
                .is_empty(),
            "{name}"
        );
        for element in select(&document, "*") {
            for (attribute, value) in element.value().attrs() {
                assert!(
                    attribute != "style" && !attribute.starts_with("on"),
                    "{name}: {attribute}"
                );
                if ["href", "src", "action", "formaction", "srcset", "poster"].contains(&attribute)
                {
                    let local = value.starts_with('/') && !value.starts_with("//");
                    assert!(
                        local || value.starts_with("data:image/svg+xml,"),
                        "{name}: {attribute}={value}"
                    );
                }
            }
        }
    }
    let stylesheet = pages().stylesheet().to_owned();
    assert!(!stylesheet.contains("url(") && !stylesheet.contains("@import"));
}

/// UI-23
#[test]
fn every_page_has_a_language_a_title_a_viewport_one_heading_and_one_main() {
    for (name, html) in all_samples() {
        assert!(html.starts_with("<!doctype html>"), "{name}: {html}");
        let document = Html::parse_document(&html);
        assert_eq!(select(&document, "html[lang=en]").len(), 1, "{name}");
        assert_eq!(select(&document, "h1").len(), 1, "{name}");
        assert_eq!(select(&document, "main").len(), 1, "{name}");
        assert_eq!(
            select(&document, "meta[name=viewport][content='width=device-width, initial-scale=1']")
                .len(),
            1,
            "{name}"
        );
        assert_eq!(select(&document, "meta[charset=utf-8]").len(), 1, "{name}");
        assert_eq!(
            select(&document, "link[rel=stylesheet][href='/assets/style.css']").len(),
            1,
            "{name}"
        );
        assert!(text(&select(&document, "title")[0]).contains(" – "), "{name}");
        assert!(
            select(&document, "h1, h2, dt, dd, li, button, label")
                .iter()
                .all(|element| !text(element).is_empty()),
            "{name}"
        );
        let ids = select(&document, "[id]")
            .iter()
            .filter_map(|e| e.value().attr("id"))
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let mut unique = ids.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(ids.len(), unique.len(), "{name}");
    }
}

/// UI-23
#[test]
fn every_field_has_a_label_and_every_form_a_button_and_a_csrf_token() {
    for (name, html) in all_samples() {
        let document = Html::parse_document(&html);
        for field in select(&document, "input:not([type=hidden])") {
            let id = field.value().attr("id").expect("a field has an id");
            assert_eq!(select(&document, &format!("label[for={id}]")).len(), 1, "{name}: {id}");
            if let Some(described) = field.value().attr("aria-describedby") {
                assert_eq!(
                    select(&document, &format!("#{described}")).len(),
                    1,
                    "{name}: {described}"
                );
            }
        }
        for form in select(&document, "form") {
            assert_eq!(form.value().attr("method"), Some("post"), "{name}");
            assert!(
                form.select(&Selector::parse("button[type=submit]").expect("a selector")).count()
                    > 0,
                "{name}"
            );
            assert_eq!(
                form.select(
                    &Selector::parse("input[type=hidden][name=csrf_token]").expect("a selector")
                )
                .count(),
                1,
                "{name}"
            );
        }
    }
}

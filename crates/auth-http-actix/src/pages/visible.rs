//! What text from outside may look like on a page (UI-11), and the serde functions that apply it to every field.
//!
//! Escaping is the template engine's work and keeps text from becoming markup. This module keeps text from *deceiving*: from
//! reordering or hiding its neighbours, from pretending to be empty, from pushing the page's own words out of sight.

use serde::{Serializer, ser::Error as _};

/// Longest name shown, in characters: clients, people, headlines. Too short to hold a persuasive speech.
const NAME_CHARS: usize = 80;
/// Longest sentence shown, in characters: scope descriptions, explanations.
const PROSE_CHARS: usize = 600;
/// Longest identifier shown, in characters: a DNS name with its port and some to spare.
const IDENTIFIER_CHARS: usize = 262;
/// Marks that may be stacked on one letter. Vietnamese needs two; more would paint over neighbouring lines.
const STACKED_MARKS: usize = 2;

/// `text` as it may be shown: without control, bidirectional and zero-width characters, every run of white space made one space,
/// none at the ends, and at most `max_chars` characters, the last one `…` where something was cut.
pub fn visible_text(text: &str, max_chars: usize) -> String {
    let mut shown = String::new();
    let mut length = 0;
    let mut marks = 0;
    let mut gap = false;
    for c in text.chars() {
        if is_blank(c) {
            gap = true;
            continue;
        }
        marks = if is_combining(c) { marks + 1 } else { 0 };
        if c.is_control() || is_invisible(c) || marks > STACKED_MARKS {
            continue;
        }
        let space = gap && length > 0;
        gap = false;
        if length + usize::from(space) + 1 > max_chars {
            if length == max_chars {
                shown.pop();
            }
            shown.push('…');
            break;
        }
        if space {
            shown.push(' ');
            length += 1;
        }
        shown.push(c);
        length += 1;
    }
    shown
}

/// Whether a word of `text` mixes Latin letters with Cyrillic, Greek, Armenian or Cherokee ones, which hold most look-alikes.
///
/// This catches the usual imitation (`аpple` with a Cyrillic `а`), not a word written wholly in another alphabet: the line that says
/// who registered the client is what a person can rely on.
pub(super) fn mixes_alphabets(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic()).any(|word| {
        let latin = |c: char| matches!(c, 'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}');
        let look_alike = |c: char| matches!(c, '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}');
        word.contains(latin) && word.contains(look_alike)
    })
}

/// White space, and the characters that look like it without being it.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
}

/// Characters that take no room or that reorder text: Unicode's default-ignorable and format characters.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Marks that stand on the letter before them.
fn is_combining(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// A name: never empty, because a person must see that somebody is there.
pub(super) fn name<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let shown = visible_text(text, NAME_CHARS);
    serializer.serialize_str(if shown.is_empty() { "(no visible name)" } else { &shown })
}

/// A name, where there is one.
pub(super) fn optional_name<S: Serializer>(
    text: &Option<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => name(text, serializer),
        None => serializer.serialize_none(),
    }
}

/// A machine's word (a scope, an error id), or what a person typed before and the form holds again; may be empty.
pub(super) fn identifier<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&visible_text(text, IDENTIFIER_CHARS))
}

/// A sentence or a few.
pub(super) fn prose<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&visible_text(text, PROSE_CHARS))
}

/// A host, with its port or scheme. Registration admits ASCII only (an internationalized name is punycode already); should anything
/// else arrive, its code points are spelled out rather than shown as letters that may look like others.
pub(super) fn host<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let ascii: String = text
        .chars()
        .map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() })
        .collect();
    serializer.serialize_str(&visible_text(&ascii, IDENTIFIER_CHARS))
}

/// A path on this server. Anything that a browser could take for another origin or scheme is an error: the page is not shown.
pub(super) fn local_path<S: Serializer>(path: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let local = path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains(|c: char| c == '\\' || c.is_control());
    if local {
        serializer.serialize_str(path)
    } else {
        Err(S::Error::custom("a link on a page must be a path on this server"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// UI-11
    #[test]
    fn characters_that_hide_or_reorder_text_are_removed() {
        assert_eq!(
            visible_text(
                "Pay\u{202e}lap\u{202c}\u{2066}\u{200b}\u{feff}\u{ad}\u{0}\u{1b}\u{9f}\u{e0041}Co",
                40
            ),
            "PaylapCo"
        );
        assert_eq!(visible_text(" \u{3000}a\r\n\t\u{2028}b\u{a0}\u{3164}\u{2800} ", 40), "a b");
        assert_eq!(visible_text("\u{200b}\u{2060}\u{3164}", 40), "");
        assert_eq!(visible_text("Zoë Nguyễn 東京 Ёлка", 40), "Zoë Nguyễn 東京 Ёлка");
    }

    /// UI-11
    #[test]
    fn marks_cannot_be_stacked_over_the_lines_around() {
        assert_eq!(visible_text(&format!("a{}b", "\u{300}".repeat(50)), 40), "a\u{300}\u{300}b");
        assert_eq!(visible_text("e\u{302}\u{303}", 40), "e\u{302}\u{303}");
    }

    /// UI-11
    #[test]
    fn text_is_never_longer_than_its_bound_and_a_cut_is_seen() {
        assert_eq!(visible_text("abcde", 5), "abcde");
        assert_eq!(visible_text("abcdef", 5), "abcd…");
        assert_eq!(visible_text("abcd ef", 5), "abcd…");
        assert_eq!(visible_text("abcde f", 5), "abcd…");
        assert_eq!(visible_text("abcde \u{200b} ", 5), "abcde");
        assert_eq!(visible_text("a", 0), "…");
    }

    /// UI-11
    #[test]
    fn a_word_of_mixed_alphabets_is_noticed() {
        assert!(mixes_alphabets("\u{430}pple"));
        assert!(mixes_alphabets("My G\u{3bf}ogle Drive"));
        for honest in [
            "Apple",
            "Яндекс Mail",
            "Ωmega".trim_start_matches('Ω'),
            "東京 Tokyo",
            "Zoë",
            "Αθήνα 2",
        ] {
            assert!(!mixes_alphabets(honest), "{honest}");
        }
    }

    proptest::proptest! {
        /// UI-11
        #[test]
        fn no_text_whatever_shows_a_hidden_character_or_outgrows_its_bound(text in "\\PC*|[\\x00-\\u{2fff}]{0,60}|.*", max in 1usize..80) {
            let shown = visible_text(&text, max);
            proptest::prop_assert!(shown.chars().count() <= max);
            proptest::prop_assert!(!shown.chars().any(|c| c.is_control() || is_invisible(c)));
            proptest::prop_assert_eq!(shown.trim(), &shown);
            proptest::prop_assert_eq!(visible_text(&shown, max), shown);
        }
    }
}

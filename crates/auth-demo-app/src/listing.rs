//! Requests and answers as lines to read.

use serde::Serialize;
use serde::de::IgnoredAny;

use crate::DemoApp;
use crate::client::{Answer, Request};
use crate::encoding::form_encode;

/// One line: what leads to the name, the name (which the page sets off), and the rest.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Line {
    lead: String,
    name: String,
    rest: String,
}

impl Line {
    fn new(lead: &str, name: &str, rest: &str) -> Self {
        Self { lead: lead.to_owned(), name: name.to_owned(), rest: rest.to_owned() }
    }

    fn plain(text: &str) -> Self {
        Self::new(text, "", "")
    }
}

/// Headers of an answer that say something about OAuth, in the order to read them (servers send
/// them in any); the others are noise here.
const TELLING_HEADERS: [&str; 6] =
    ["content-type", "cache-control", "pragma", "www-authenticate", "retry-after", "location"];

/// A request as sent, only that its parameters stand on lines of their own.
pub(crate) fn request(request: &Request) -> Vec<Line> {
    let mut lines = navigation(request.method, &request.url);
    for (name, value) in &request.headers {
        lines.push(Line::new("", name, &format!(": {value}")));
    }
    if let Some(body) = &request.body {
        lines.push(Line::plain(""));
        parameters("", body, &mut lines);
    }
    lines
}

/// A request line whose query stands on lines of its own.
pub(crate) fn navigation(method: &str, url: &str) -> Vec<Line> {
    let (address, query) = match url.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (url, None),
    };
    let mut lines = vec![Line::new("", method, &format!(" {address}"))];
    if let Some(query) = query {
        parameters("?", query, &mut lines);
    }
    lines
}

fn parameters(first: &str, encoded: &str, lines: &mut Vec<Line>) {
    let mut lead = first;
    for parameter in encoded.split('&') {
        let name = parameter.split('=').next().unwrap_or(parameter);
        lines.push(Line::new(lead, name, &parameter[name.len()..]));
        lead = "&";
    }
}

/// An answer: status, the telling headers, the body (re-indented where it is JSON).
pub(crate) fn answer(answer: &Answer) -> Vec<Line> {
    let mut lines = vec![Line::new("", &answer.status.to_string(), &format!(" {}", answer.reason))];
    for telling in TELLING_HEADERS {
        for (name, value) in answer.headers.iter().filter(|(name, _)| name == telling) {
            lines.push(Line::new("", name, &format!(": {value}")));
        }
    }
    if !answer.body.is_empty() {
        lines.push(Line::plain(""));
        if serde_json::from_str::<IgnoredAny>(&answer.body).is_ok() {
            lines.extend(json(&answer.body));
        } else {
            lines.extend(answer.body.lines().map(Line::plain));
        }
    }
    lines
}

/// Indents JSON without reading it into values: the order of members, the spelling of numbers and
/// repeated members stay as they came. `text` must be valid JSON.
fn json(text: &str) -> Vec<Line> {
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    let mut opened = false;
    for character in text.chars() {
        if in_string {
            out.push(character);
            in_string = escaped || character != '"';
            escaped = character == '\\' && !escaped;
            continue;
        }
        if character.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(character, '}' | ']');
        if closes {
            depth = depth.saturating_sub(1);
        }
        // An empty object or array stays on its line.
        if opened != closes {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        }
        opened = matches!(character, '{' | '[');
        match character {
            '{' | '[' => {
                depth += 1;
                out.push(character);
            }
            ',' => {
                out.push_str(",\n");
                out.push_str(&"  ".repeat(depth));
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = character == '"';
                out.push(character);
            }
        }
    }
    out.lines().map(json_line).collect()
}

/// Sets off the member's name, if the line begins with one.
fn json_line(line: &str) -> Line {
    let start = line.len() - line.trim_start().len();
    let (indent, content) = line.split_at(start);
    match string_end(content) {
        Some(end) if content[end..].starts_with(": ") => {
            Line::new(indent, &content[..end], &content[end..])
        }
        _ => Line::plain(line),
    }
}

/// Where the JSON string ends with which `text` begins.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    let inside = text.strip_prefix('"')?;
    for (at, character) in inside.char_indices() {
        match character {
            '"' if !escaped => return Some(at + 2),
            _ => escaped = character == '\\' && !escaped,
        }
    }
    None
}

/// The same request as a command line for a POSIX shell.
pub(crate) fn curl(app: &DemoApp, request: &Request) -> String {
    let mut words = vec!["curl".to_owned()];
    if let (Some(secret), "POST") = (&app.client_secret, request.method) {
        let user = format!("{}:{}", form_encode(&app.client_id), form_encode(secret));
        words.extend(["-u".to_owned(), shell_word(&user)]);
    }
    for (name, value) in &request.headers {
        if *name == "authorization" && request.method == "GET" {
            words.extend(["-i".to_owned(), "-H".to_owned()]);
            words.push(shell_word(&format!("Authorization: {value}")));
        }
    }
    if let Some(body) = &request.body {
        words.extend(["-d".to_owned(), shell_word(body)]);
    }
    words.push(shell_word(&request.url));
    words.join(" ")
}

fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[Line]) -> String {
        let lines: Vec<_> =
            lines.iter().map(|line| format!("{}{}{}", line.lead, line.name, line.rest)).collect();
        lines.join("\n")
    }

    #[test]
    fn json_is_indented_and_nothing_else_changes() {
        let pretty = "{\n  \"b\": 1.50,\n  \"a\": [\n    1,\n    {\n      \"x\\\": {,\": \"}\\\\\"\n    }\n  ],\n  \
                      \"b\": {},\n  \"c\": [],\n  \"d\": null\n}";
        let wire = r#"{"b":1.50,"a":[1,{"x\": {,":"}\\"}],"b":{ },"c":[],"d":null}"#;
        assert_eq!(text(&json(wire)), pretty);
        assert_eq!(text(&json(pretty)), pretty);
        assert_eq!(text(&json("[]")), "[]");
        assert_eq!(text(&json("\"a\"")), "\"a\"");
    }

    #[test]
    fn names_of_members_are_set_off_and_values_are_not() {
        assert_eq!(json_line(r#"  "a": "b: c","#), Line::new("  ", r#""a""#, r#": "b: c","#));
        assert_eq!(json_line(r#"  "a: b","#), Line::plain(r#"  "a: b","#));
        assert_eq!(json_line(r#"  "a\": b": 1"#), Line::new("  ", r#""a\": b""#, ": 1"));
    }

    #[test]
    fn parameters_stand_one_per_line_as_they_were_sent() {
        let lines = navigation("GET", "http://a.test/x?one=1%20&two&three=a=b");
        assert_eq!(text(&lines), "GET http://a.test/x\n?one=1%20\n&two\n&three=a=b");
        assert_eq!(lines[3], Line::new("&", "three", "=a=b"));
    }

    #[test]
    fn a_body_that_is_not_json_is_shown_as_it_is() {
        let answer = answer(&Answer {
            status: 502,
            reason: "Bad Gateway".to_owned(),
            headers: vec![
                ("content-type".to_owned(), "text/html".to_owned()),
                ("date".to_owned(), "today".to_owned()),
            ],
            body: "<b>{\nno".to_owned(),
        });
        assert_eq!(text(&answer), "502 Bad Gateway\ncontent-type: text/html\n\n<b>{\nno");
    }

    #[test]
    fn a_quote_cannot_leave_its_word_on_the_command_line() {
        assert_eq!(shell_word("a'; rm -r ~ '"), r"'a'\''; rm -r ~ '\'''");
    }
}

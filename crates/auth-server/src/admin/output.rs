//! How answers are printed: aligned text for people, JSON for programs.

use anyhow::Result;
use auth_http_actix::pages::visible_text;
use serde::Serialize;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

/// What a command answers.
#[derive(Debug)]
pub(super) struct Answer {
    json: String,
    text: String,
    /// Said to people only, on standard error.
    notes: Vec<String>,
    exit: ExitCode,
}

impl Answer {
    /// An answer in its two forms. Both may be read by anyone who sees the terminal.
    pub(super) fn new(json: &impl Serialize, text: String) -> Result<Self> {
        let json = serde_json::to_string_pretty(json)?;
        Ok(Self { json, text, notes: Vec::new(), exit: ExitCode::SUCCESS })
    }

    /// Adds a remark for people.
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Makes the command exit with 1: the question was answered, with no.
    pub(super) fn negative(mut self) -> Self {
        self.exit = ExitCode::FAILURE;
        self
    }

    /// Prints the answer. A reader that left early (`| head`) is no failure.
    pub(super) fn print(self, json: bool) -> ExitCode {
        let (data, notes) = if json { (&self.json, &[][..]) } else { (&self.text, &*self.notes) };
        let mut stdout = std::io::stdout().lock();
        let written = match data.is_empty() {
            true => Ok(()),
            false => writeln!(stdout, "{data}").and_then(|()| stdout.flush()),
        };
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                say(&format!("cannot write to standard output: {error}"));
                ExitCode::FAILURE
            }
            _ => {
                notes.iter().for_each(|note| say(note));
                self.exit
            }
        }
    }
}

/// Says something on standard error, if anybody listens.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Text that somebody else chose, as a terminal may show it: on one line, without control and
/// bidirectional characters.
pub(super) fn plain(text: &str) -> String {
    visible_text(text, 4096)
}

/// Text from the command line in quotes, escaped, and shortened where it is long.
pub(super) fn quoted(text: &str) -> String {
    const MAX_CHARS: usize = 100;
    match text.char_indices().nth(MAX_CHARS) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

/// Rows under their headings, aligned; nothing at all without rows. What may be wide or in any
/// script belongs into the last columns.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let rows: Vec<[String; N]> = std::iter::once(headings.map(str::to_owned))
        .chain(rows.iter().map(|row| row.each_ref().map(|cell| plain(cell))))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// One thing as lines of names and values; several values of one name stand below each other.
pub(super) fn card(lines: &[(&str, Vec<String>)]) -> String {
    let is_shown = |line: &&(&str, Vec<String>)| !line.1.is_empty();
    let width = lines.iter().filter(is_shown).map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut shown = Vec::new();
    for (name, values) in lines {
        for (index, value) in values.iter().enumerate() {
            let name = if index == 0 { name } else { "" };
            shown.push(format!("{name:width$}  {}", plain(value)));
        }
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_has_no_trailing_space() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let shown = table(["ID", "STATE", "NAME"], &[row(["a", "", "x"]), row(["long", "on", ""])]);
        assert_eq!(shown, "ID    STATE  NAME\na            x\nlong  on");
        assert_eq!(table(["ID"], &[]), "");
    }

    #[test]
    fn a_card_puts_several_values_below_each_other_and_leaves_out_what_has_none() {
        let shown = card(&[
            ("id", vec!["1".to_owned()]),
            ("email", vec![]),
            ("uris", vec!["a".to_owned(), "b".to_owned()]),
        ]);
        assert_eq!(shown, "id    1\nuris  a\n      b");
    }

    /// UI-11: the terminal is a page, too.
    #[test]
    fn nothing_stored_can_steer_the_terminal() {
        let shown = table(["NAME"], &[["a\u{1b}[2Jb\r\nc\u{202e}d".to_owned()]]);
        assert_eq!(shown, "NAME\na[2Jb cd");
        assert_eq!(quoted("a\u{1b}\n"), "\"a\\u{1b}\\n\"");
        assert_eq!(quoted(&"é".repeat(101)), format!("\"{}\"…", "é".repeat(100)));
    }
}

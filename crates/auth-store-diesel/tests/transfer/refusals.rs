//! What cannot be moved is refused with the reason, and nothing is left.

use crate::common::{Scratch, approve, at, grant_id};
use crate::{export_of, filled, import_into};
use auth_core::client::{Client, ClientRegistry};
use auth_store_diesel::{OpenError, TransferError, export, import, migrate};
use auth_testkit::sample;
use std::io::BufRead;

/// An export of rows in every table, by its lines.
struct File(Vec<String>);

impl File {
    fn new() -> Self {
        let scratch = Scratch::each().remove(0);
        Self(filled(&scratch).lines().map(str::to_owned).collect())
    }

    fn text(&self) -> String {
        self.0.join("\n") + "\n"
    }

    /// The number of the first line that contains this.
    fn line(&self, part: &str) -> usize {
        let found = self.0.iter().position(|line| line.contains(part));
        found.unwrap_or_else(|| panic!("{part}")) + 1
    }

    /// With another text on a line, counted from 1.
    fn with(&self, line: usize, text: impl Into<String>) -> String {
        let mut lines = Self(self.0.clone());
        lines.0[line - 1] = text.into();
        lines.text()
    }

    /// With something else on the first line that contains `part`, and the number of that line.
    fn edited(&self, part: &str, from: &str, to: &str) -> (usize, String) {
        let line = self.line(part);
        let before = &self.0[line - 1];
        assert!(before.contains(from), "{before}");
        (line, self.with(line, before.replacen(from, to, 1)))
    }
}

/// Refused with these words, and nothing is left: the same database takes the whole file afterwards.
#[track_caller]
fn refused(there: &Scratch, file: &[u8], words: &str) {
    let error = import_into(there, file).expect_err(words).to_string();
    assert!(error.contains(words), "{error:?} says {words:?}");
    assert!(error.len() < 300, "{error}");
    assert_eq!(export_of(there).lines().count(), 2, "{words}: something is left");
}

#[test]
fn a_line_that_is_not_as_it_should_be_is_refused_by_its_number() {
    let file = File::new();
    let (client, owner) = (file.line("\"clients\""), file.line("\"owners\""));
    let last = file.0.len();
    let mut cases: Vec<(usize, String, &str)> = vec![
        (1, String::new(), "the file is empty"),
        (1, "\n".into(), "it is not JSON"),
        (1, file.with(1, "{}"), "it is no file of this kind"),
        (client, file.with(client, "nonsense"), "it is not JSON, from column 2"),
        (client, file.with(client, "[]"), "it is no JSON object"),
        (client, file.with(client, ""), "it is not JSON"),
        (client, file.with(client, "{\"table\":1}"), "`table` is missing, or no text"),
        (client, file.with(client, "{\"table\":\"pg_authid\"}"), "there is no table \"pg_authid\""),
        (owner, file.with(owner, "{\"a\":1,\"a\":2}"), "a member stands there twice"),
        (last, file.with(last, "{\"end\":false}"), "`end` is not true"),
        (last, file.with(last, "{\"end\":true}"), "`rows` is no object"),
        (last, file.with(last, "{\"end\":true,\"rows\":{}}"), "the count of clients is missing"),
        (last + 1, file.text() + "{}\n", "something follows the last line"),
        (last + 1, file.text() + "\n", "something follows the last line"),
        (
            2,
            file.with(2, format!("{{\"table\":\"{}\"}}", "x".repeat(1 << 20))),
            "it is longer than",
        ),
        // Without any end in sight.
        (1, "x".repeat(10 << 20), "it is longer than 1048576 bytes"),
    ];
    let code = &file.0[file.line("\"table\":\"codes\"") - 1];
    let live = code.split('"').nth(7).unwrap().to_owned();
    let unknown = grant_id("unknown").to_string();
    for (part, from, to, words) in [
        ("\"format\"", "\"version\":1", "\"version\":2", "version 2 of the format"),
        ("\"format\"", "\"version\":1", "\"version\":\"1\"", "`version` is no whole number"),
        ("\"format\"", "\"schema\":\"20", "\"schema\":\"19", "at schema \"19"),
        ("\"format\"", "\"exported_at\"", "\"written_at\"", "`exported_at` is no text"),
        ("\"format\"", "{", "{\"by\":\"me\",", "\"by\" is no member of the first line"),
        ("\"clients\"", "\"kind\"", "\"sort\"", "clients.kind is missing"),
        ("\"clients\"", "{", "{\"pet\":1,", "\"pet\" is no member of clients"),
        ("\"id\":\"web\"", "\"confidential\"", "\"secret\"", "clients.kind must be \"public\" or"),
        (
            "\"clients\"",
            "\"require_pkce\":0",
            "\"require_pkce\":2",
            "clients.require_pkce must be 0",
        ),
        (
            "\"clients\"",
            "\"created_at\":",
            "\"created_at\":1.5,\"x\":",
            "created_at must be a whole",
        ),
        ("\"clients\"", "\"created_at\":", "\"created_at\":99999999999999999999,\"x\":", "a whole"),
        ("\"uri\"", "https://", "javascript:", "uri must be a redirect URI that may be registered"),
        ("\"owners\"", "\"$plain$", "\"", "owners.password_hash must be a PHC string"),
        ("\"owners\"", "\"role\":\"", "\"role\":\"super", "owners.role must be a role"),
        ("\"owners\"", "\"subject\":\"", "\"subject\":\"\\u0000", "owners.subject must be text"),
        (
            "\"sessions\"",
            "\"session_digest\":\"",
            "\"session_digest\":\"00",
            "must be a digest of 64",
        ),
        ("\"codes\"", "\"code_digest\":\"", "\"code_digest\":\"G", "must be a digest of 64"),
        (
            "\"codes\"",
            "\"grant_id\":",
            "\"grant_id\":null,\"x\":",
            "codes.grant_id must be something",
        ),
        (
            "\"codes\"",
            "\"grant_id\":\"",
            "\"grant_id\":\"00",
            "codes.grant_id must be a grant's id",
        ),
        ("\"codes\"", &live, &unknown, "what it belongs to is not on an earlier"),
        ("\"tokens\"", "\"kind\":\"", "\"kind\":\"in", "tokens.kind must be \"access\" or"),
        (
            "\"sessions\"",
            "\"subject\":\"",
            "\"subject\":\"un",
            "what it belongs to is not on an earlier",
        ),
        ("\"end\"", "\"codes\":", "\"codes\":7", "rows of codes are announced"),
        (
            "\"end\"",
            "\"codes\":",
            "\"morse_codes\":1,\"codes\":",
            "there is no table \"morse_codes\"",
        ),
        ("\"end\"", "}", ",\"pets\":1}", "there is no table \"pets\""),
    ] {
        let (line, text) = file.edited(part, from, to);
        cases.push((line, text, words));
    }
    // A key that was there before, far enough away to be inserted with others.
    let token = file.line("\"table\":\"tokens\"");
    let twice = format!("{}\n{}", file.0[token + 1], file.0[token - 1]);
    let text = file.with(token + 2, twice).replace("\"tokens\":10", "\"tokens\":11");
    cases.push((token + 3, text, "an earlier line has the same key"));
    for there in Scratch::each() {
        for (line, text, words) in &cases {
            refused(&there, text.as_bytes(), &format!("line {line}: "));
            refused(&there, text.as_bytes(), words);
        }
        import_into(&there, file.text().as_bytes()).unwrap();
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let file = File::new();
    for there in Scratch::each() {
        refused(&there, &[0xff; 4096], "line 1: it is not JSON");
        refused(&there, &[0; 4096], "line 1: it is not JSON");
        let mut bytes = file.text().into_bytes();
        let client = bytes.windows(9).position(|part| part == b"\"clients\"").unwrap();
        bytes[client + 3] = 0xff;
        refused(&there, &bytes, "line 2: it is not JSON");
        refused(&there, b"SQLite format 3\0", "line 1: it is not JSON");
    }
}

/// Cut off after any line, and in the middle of each: nothing is left of it.
#[test]
fn a_file_that_was_cut_off_is_refused_as_a_whole() {
    let file = File::new();
    for there in Scratch::each() {
        for kept in 1..file.0.len() {
            let whole = file.0[..kept].join("\n") + "\n";
            refused(&there, whole.as_bytes(), "it was cut off");
            let cut = whole + &file.0[kept][..file.0[kept].len() / 2];
            if cut.is_ascii() {
                refused(&there, cut.as_bytes(), &format!("line {}: it is not JSON", kept + 1));
            }
        }
        // Only the end of the last line is missing: nothing is lost.
        import_into(&there, file.text().trim_end().as_bytes()).unwrap();
    }
}

/// A row that somebody dropped or put in is noticed by the counts.
#[test]
fn a_file_with_a_line_more_or_less_is_refused() {
    let file = File::new();
    for there in Scratch::each() {
        let mut less = file.0.clone();
        less.remove(file.line("\"consents\"") - 1);
        refused(&there, less.join("\n").as_bytes(), "1 rows of consents are announced, and 0 were");
    }
}

#[test]
fn a_grant_with_nothing_under_it_is_refused() {
    let grant = "{\"table\":\"grants\",\"id\":\"00112233445566778899aabbccddeeff\",\"subject\":\"s\",\"client_id\":\"web\",\
                 \"scope\":\"\",\"audience\":\"\",\"created_at\":1,\"expires_at\":null,\"revoked_at\":null}";
    for there in Scratch::each() {
        migrate(&there.url()).unwrap();
        let file = export_of(&there).replace("\"grants\":0", "\"grants\":1");
        let (header, end) = file.split_once('\n').unwrap();
        let file = format!("{header}\n{grant}\n{end}");
        refused(
            &there,
            file.as_bytes(),
            "the grant \"00112233445566778899aabbccddeeff\" has no code and no token",
        );
    }
}

#[test]
fn a_database_with_rows_takes_no_import_and_keeps_them() {
    let file = File::new().text();
    for there in Scratch::each() {
        approve(&there.open(), "grant");
        let before = export_of(&there);
        let error = import_into(&there, file.as_bytes()).unwrap_err();
        assert!(matches!(error, TransferError::NotEmpty("clients")), "{error:?}");
        assert!(error.to_string().contains("there are rows in clients"), "{error}");
        assert_eq!(export_of(&there), before);
    }
}

/// Somebody begins to work on the database while it is filled: the import is undone, not what they did.
#[test]
fn an_import_into_a_database_in_use_is_refused() {
    struct Interrupted<'a> {
        rest: &'a [u8],
        then: Option<Box<dyn FnOnce() + 'a>>,
    }
    impl std::io::Read for Interrupted<'_> {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            self.rest.read(bytes)
        }
    }
    impl BufRead for Interrupted<'_> {
        fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
            if self.rest.starts_with(b"{\"end\"")
                && let Some(then) = self.then.take()
            {
                then();
            }
            Ok(self.rest)
        }
        fn consume(&mut self, read: usize) {
            self.rest = &self.rest[read..];
        }
    }
    let file = File::new().text();
    for there in Scratch::each() {
        if there.url().starts_with("sqlite") {
            continue; // it has one writer, and that is the import
        }
        let store = there.open();
        let then = Box::new(|| {
            let id = sample::client_id("meanwhile");
            let (redirect_uris, secrets) = (Vec::new(), Vec::new());
            let client = Client { id, redirect_uris, secrets, ..sample::web() };
            ClientRegistry::insert(&store, &client).unwrap();
        });
        let mut input = Interrupted { rest: file.as_bytes(), then: Some(then) };
        let error = import(&there.url(), &mut input).unwrap_err();
        assert!(matches!(error, TransferError::NotEmpty("clients")), "{error:?}");
        let left = export_of(&there);
        assert!(left.contains("\"meanwhile\"") && left.lines().count() == 3, "{left}");
    }
}

#[test]
fn a_database_that_needs_migrations_is_neither_exported_nor_imported_into() {
    let file = File::new().text();
    for scratch in Scratch::each() {
        migrate(&scratch.url()).unwrap();
        scratch.execute("DELETE FROM __diesel_schema_migrations");
        let url = scratch.url();
        let errors = [
            export(&url, at(0), &mut Vec::new()).unwrap_err(),
            import(&url, &mut file.as_bytes()).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, TransferError::Open(OpenError::MigrationsPending(_))));
        }
    }
}

/// An export never writes what no import would take.
#[test]
fn a_row_that_is_broken_is_named_and_not_exported() {
    for scratch in Scratch::each() {
        filled(&scratch);
        scratch.execute("UPDATE clients SET kind = 'odd' WHERE id = 'web'");
        let error = export(&scratch.url(), at(0), &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("clients.kind of web cannot be exported"), "{error}");
    }
}

/// A full disk, a reader that went away.
#[test]
fn a_file_that_cannot_be_written_is_an_error() {
    for scratch in Scratch::each() {
        filled(&scratch);
        let error = export(&scratch.url(), at(0), &mut &mut [0; 16][..]).unwrap_err();
        assert!(matches!(error, TransferError::Write(_)), "{error:?}");
    }
}

//! The file: one JSON object a line.

use super::tables::{Column, DIGEST, GRANT_ID, Kind, TABLES, Table, Value};
use super::{Counts, TransferError};
use crate::failure::{Key, hex};
use auth_core::timestamp::Timestamp;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::error::Category;
use std::io::{self, BufRead, Read as _, Write};

const FORMAT: &str = "auth-server-export";
const VERSION: i64 = 1;

/// The longest line, in bytes: many times what a row can be.
const MAX_LINE: u64 = 1 << 20;

/// Writes a file.
pub(crate) struct Writer<'a> {
    out: &'a mut dyn Write,
    line: Vec<u8>,
    counts: Counts,
}

impl<'a> Writer<'a> {
    /// Begins a file with its first line.
    pub(crate) fn begin(
        out: &'a mut dyn Write,
        schema: &str,
        at: Timestamp,
    ) -> Result<Self, TransferError> {
        let mut writer = Self { out, line: Vec::new(), counts: Counts::default() };
        let exported_at = at.to_string();
        writer.member('{', "format", FORMAT)?;
        writer.member(',', "version", &VERSION)?;
        writer.member(',', "schema", schema)?;
        writer.member(',', "exported_at", &exported_at)?;
        writer.end_line()?;
        Ok(writer)
    }

    /// Writes a row of the table of this index.
    pub(crate) fn row(&mut self, index: usize, values: &[Value]) -> Result<(), TransferError> {
        let table = &TABLES[index];
        self.member('{', "table", table.name)?;
        for (column, value) in table.columns.iter().zip(values) {
            column
                .check(value)
                .map_err(|expected| unreadable(table, column.name, values, expected))?;
            match (column.kind, value) {
                (_, Value::Null) => self.member(',', column.name, &())?,
                (_, Value::Integer(number)) => self.member(',', column.name, number)?,
                (_, Value::Text(text)) => self.member(',', column.name, text)?,
                (Kind::TextInBytes, Value::Bytes(bytes)) => {
                    self.member(',', column.name, &String::from_utf8_lossy(bytes))?;
                }
                (_, Value::Bytes(bytes)) => self.member(',', column.name, &hex(bytes))?,
            }
        }
        self.counts.0[index] += 1;
        self.end_line()
    }

    /// Ends the file with its last line, and answers what is in it.
    pub(crate) fn finish(mut self) -> Result<Counts, TransferError> {
        self.member('{', "end", &true)?;
        let counts = std::mem::take(&mut self.counts);
        self.member(',', "rows", &counts)?;
        self.end_line()?;
        self.out.flush().map_err(TransferError::Write)?;
        Ok(counts)
    }

    fn member<T: serde::Serialize + ?Sized>(
        &mut self,
        before: char,
        name: &str,
        value: &T,
    ) -> Result<(), TransferError> {
        let unwritable = |error: serde_json::Error| TransferError::Write(error.into());
        write!(self.line, "{before}\"{name}\":").map_err(TransferError::Write)?;
        serde_json::to_writer(&mut self.line, value).map_err(unwritable)
    }

    fn end_line(&mut self) -> Result<(), TransferError> {
        self.line.extend_from_slice(b"}\n");
        self.out.write_all(&self.line).map_err(TransferError::Write)?;
        self.line.clear();
        Ok(())
    }
}

fn unreadable(
    table: &Table,
    column: &'static str,
    values: &[Value],
    expected: &str,
) -> TransferError {
    let key = match (table.columns.first().map(|it| it.kind), values.first()) {
        (_, Some(Value::Text(name))) => name.clone(),
        (Some(Kind::GrantId), Some(Value::Bytes(id))) => Key::Id(id).to_string(),
        (_, Some(Value::Bytes(digest))) => Key::Digest(digest).to_string(),
        _ => "a row".to_owned(),
    };
    TransferError::Unreadable { table: table.name, column, key, expected: expected.to_owned() }
}

/// The bytes that so many lower-case hexadecimal digits stand for.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// Reads a file, and refuses it at the first line that is not as it should be.
pub(crate) struct Reader<'a> {
    input: &'a mut dyn BufRead,
    line: Vec<u8>,
    number: u64,
    schema: String,
    counts: Counts,
}

/// A row as it stands in a file.
pub(crate) struct Row {
    /// Of its table, in [`TABLES`].
    pub(crate) table: usize,
    /// One for each column.
    pub(crate) values: Vec<Value>,
    /// The line that it stood on, the first one being 1.
    pub(crate) line: u64,
    /// How long that line was.
    pub(crate) bytes: usize,
}

impl<'a> Reader<'a> {
    /// Reads the first line.
    pub(crate) fn begin(input: &'a mut dyn BufRead) -> Result<Self, TransferError> {
        let (schema, counts) = (String::new(), Counts::default());
        let mut reader = Self { input, line: Vec::new(), number: 0, schema, counts };
        let Some(header) = reader.object()? else {
            return Err(reader.refuse("the file is empty"));
        };
        reader.schema = match read_header(header) {
            Ok(schema) => schema,
            Err(problem) => return Err(reader.refuse(problem)),
        };
        Ok(reader)
    }

    /// Refuses a file of another schema than this.
    pub(crate) fn expect_schema(&self, schema: &str) -> Result<(), TransferError> {
        match &self.schema {
            theirs if theirs == schema => Ok(()),
            theirs => Err(self.refuse(format!(
                "the file is at schema {theirs:?}, and this program at {schema:?}: import it with the \
                 program that wrote it, then migrate"
            ))),
        }
    }

    /// The next row; `None` after the last line, if that is as it should be and nothing follows.
    pub(crate) fn row(&mut self) -> Result<Option<Row>, TransferError> {
        let Some(object) = self.object()? else {
            return Err(self.refuse("the file ends here, without its last line: it was cut off"));
        };
        if object.0.iter().any(|(name, _)| name == "end") {
            read_end(object, &self.counts).map_err(|problem| self.refuse(problem))?;
            return match self.next_line()? {
                false => Ok(None),
                true => Err(self.refuse("something follows the last line")),
            };
        }
        let (table, values) = read_row(object).map_err(|problem| self.refuse(problem))?;
        self.counts.0[table] += 1;
        Ok(Some(Row { table, values, line: self.number, bytes: self.line.len() }))
    }

    /// What was read so far.
    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    fn object(&mut self) -> Result<Option<Object>, TransferError> {
        if !self.next_line()? {
            return Ok(None);
        }
        // Its own words may quote the file.
        let object =
            serde_json::from_slice(&self.line).map_err(|error| match error.classify() {
                Category::Data if error.to_string().starts_with(TWICE) => self.refuse(TWICE),
                Category::Data => self.refuse("it is no JSON object"),
                _ => self.refuse(format!("it is not JSON, from column {} on", error.column())),
            })?;
        Ok(Some(object))
    }

    /// Reads one line; whether there was one. Without its end it counts, if only the end is missing.
    fn next_line(&mut self) -> Result<bool, TransferError> {
        self.line.clear();
        let mut input = (&mut *self.input).take(MAX_LINE + 1);
        let read = input.read_until(b'\n', &mut self.line);
        self.number += 1;
        match read {
            Ok(0) => Ok(false),
            Ok(_) if self.line.len() as u64 > MAX_LINE => {
                Err(self.refuse(format!("it is longer than {MAX_LINE} bytes")))
            }
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.next_line(),
            Err(error) => Err(TransferError::Read(error)),
        }
    }

    fn refuse(&self, problem: impl Into<String>) -> TransferError {
        TransferError::Line { line: self.number, problem: problem.into() }
    }
}

const TWICE: &str = "a member stands there twice";

/// The members of a JSON object, each once, in order.
struct Object(Vec<(String, Json)>);

impl Object {
    /// Takes a member out.
    fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.0.iter().position(|(it, _)| it == name)?;
        Some(self.0.swap_remove(index).1)
    }

    /// Refuses what nobody took.
    fn finish(self, what: &str) -> Result<(), String> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(format!("{} is no member of {what}", quoted(name))),
        }
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members: Vec<(String, Json)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Json>()? {
                    if members.iter().any(|(before, _)| *before == name) {
                        return Err(A::Error::custom(TWICE));
                    }
                    members.push((name, value));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// A name that stands in a file, as an error may show it.
fn quoted(name: &str) -> String {
    match name.char_indices().nth(40) {
        None => format!("{name:?}"),
        Some((end, _)) => format!("{:?}…", &name[..end]),
    }
}

/// The schema that the first line names.
fn read_header(mut header: Object) -> Result<String, String> {
    if header.take("format").as_ref().and_then(Json::as_str) != Some(FORMAT) {
        return Err(format!("it is no file of this kind: `format` is not {FORMAT:?}"));
    }
    match header.take("version").as_ref().and_then(Json::as_i64) {
        Some(VERSION) => {}
        Some(other) => {
            return Err(format!("version {other} of the format: this program reads {VERSION}"));
        }
        None => return Err("`version` is no whole number".into()),
    }
    let schema = header.take("schema");
    let schema = schema.as_ref().and_then(Json::as_str).ok_or("`schema` is no text")?.to_owned();
    if !header.take("exported_at").is_some_and(|it| it.is_string()) {
        return Err("`exported_at` is no text".into());
    }
    header.finish("the first line")?;
    Ok(schema)
}

fn read_end(mut end: Object, counts: &Counts) -> Result<(), String> {
    if end.take("end") != Some(Json::Bool(true)) {
        return Err("`end` is not true".into());
    }
    let Some(Json::Object(mut rows)) = end.take("rows") else {
        return Err("`rows` is no object".into());
    };
    end.finish("the last line")?;
    for (name, found) in counts.iter() {
        match rows.remove(name).as_ref().map(Json::as_u64) {
            Some(Some(told)) if told == found => {}
            Some(Some(told)) => {
                return Err(format!("{told} rows of {name} are announced, and {found} were there"));
            }
            Some(None) => return Err(format!("the count of {name} is no whole number")),
            None => return Err(format!("the count of {name} is missing")),
        }
    }
    match rows.keys().next() {
        None => Ok(()),
        Some(name) => Err(format!("there is no table {}", quoted(name))),
    }
}

fn read_row(mut object: Object) -> Result<(usize, Vec<Value>), String> {
    let Some(Json::String(name)) = object.take("table") else {
        return Err("`table` is missing, or no text".into());
    };
    let index = TABLES
        .iter()
        .position(|table| table.name == name)
        .ok_or_else(|| format!("there is no table {}", quoted(&name)))?;
    let table = &TABLES[index];
    let mut values = Vec::with_capacity(table.columns.len());
    for column in table.columns {
        let value = object
            .take(column.name)
            .ok_or_else(|| format!("{}.{} is missing", table.name, column.name))?;
        let value = read_value(column, value)
            .map_err(|expected| format!("{}.{} must be {expected}", table.name, column.name))?;
        values.push(value);
    }
    object.finish(table.name)?;
    Ok((index, values))
}

fn read_value(column: &Column, value: Json) -> Result<Value, &'static str> {
    let value = match (column.kind, value) {
        (_, Json::Null) => Value::Null,
        (_, Json::Number(number)) => Value::Integer(number.as_i64().ok_or("a whole number")?),
        (Kind::Digest, Json::String(text)) => Value::Bytes(from_hex(&text).ok_or(DIGEST)?),
        (Kind::GrantId, Json::String(text)) => Value::Bytes(from_hex(&text).ok_or(GRANT_ID)?),
        (Kind::TextInBytes, Json::String(text)) => Value::Bytes(text.into_bytes()),
        (_, Json::String(text)) => Value::Text(text),
        _ => return Err("text, a number or null"),
    };
    column.check(&value)?;
    Ok(value)
}

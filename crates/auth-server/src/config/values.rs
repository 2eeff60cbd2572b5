//! The settings that were found, each with its place, before they become a model.

use super::database_url::{MASK, masked};
use super::kind::Value;
use super::problem::{Place, Problem};
use super::settings::{Default, SECTIONS, Section, Setting, Shown};
use serde_json::Map;
use std::collections::BTreeMap;
use std::fmt;
use toml::de::DeValue;

/// One entry of a section: a table of the file with what the environment and the defaults add.
pub(super) struct Row {
    pub(super) place: Place,
    cells: BTreeMap<&'static str, Cell>,
}

/// A setting that was given. Without a value it was given wrongly, which has been reported.
pub(super) struct Cell {
    pub(super) value: Option<Value>,
    pub(super) place: Place,
}

impl Row {
    pub(super) fn new(place: Place) -> Self {
        Self { place, cells: BTreeMap::new() }
    }

    pub(super) fn set(&mut self, name: &'static str, value: Option<Value>, place: Place) {
        self.cells.insert(name, Cell { value, place });
    }

    pub(super) fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.get(name)
    }

    /// The place of a setting, or of the row if it was not given.
    pub(super) fn place_of(&self, name: &str) -> Place {
        self.cell(name).map_or(&self.place, |cell| &cell.place).clone()
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.cell(name)?.value.as_ref()
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.text()
    }

    /// The items of a list; none if it is absent.
    pub(super) fn list(&self, name: &str) -> &[String] {
        match self.value(name) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }
}

/// All rows of all sections. A section that is not repeated has exactly one.
pub(crate) struct Values(BTreeMap<&'static str, Vec<Row>>);

impl fmt::Debug for Values {
    /// Masks secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_toml())
    }
}

impl Values {
    /// Nothing given yet.
    pub(super) fn new(place: &Place) -> Self {
        let rows = |section: &Section| match section.repeated {
            true => Vec::new(),
            false => vec![Row::new(place.clone())],
        };
        Self(SECTIONS.iter().map(|section| (section.path, rows(section))).collect())
    }

    pub(super) fn rows(&self, path: &str) -> &[Row] {
        self.0.get(path).map_or(&[], Vec::as_slice)
    }

    pub(super) fn rows_mut(&mut self, path: &'static str) -> &mut Vec<Row> {
        self.0.entry(path).or_default()
    }

    /// Adds the defaults, and reports what is required and absent.
    pub(super) fn complete(&mut self, problems: &mut Vec<Problem>) {
        for section in SECTIONS {
            for row in self.rows_mut(section.path) {
                for setting in section.settings {
                    match setting.default {
                        _ if row.cells.contains_key(setting.name) => {}
                        Default::Is(literal) => {
                            row.set(setting.name, read(setting, literal), Place::named("default"));
                        }
                        Default::Required => problems.push(Problem::new(
                            row.place.clone(),
                            format!("an entry of {} has no `{}`", section.header(), setting.name),
                            format!("add {} = …, {}", setting.name, setting.kind.wanted()),
                        )),
                        Default::Unset(_) | Default::Derived(..) => {}
                    }
                }
            }
        }
    }

    /// The settings as one JSON object. Settings without a value are absent, or null when `masked`;
    /// secrets are masked too then.
    pub(super) fn to_json(&self, masked: bool) -> serde_json::Value {
        let mut root = Map::new();
        for section in SECTIONS {
            let mut rows = self.rows(section.path).iter().map(|row| json(section, row, masked));
            let (parent, name) = section.path.rsplit_once('.').unwrap_or(("", section.path));
            // Parents stand before their children in the table of sections.
            let object = match root.get_mut(parent) {
                Some(serde_json::Value::Object(parent)) => parent,
                _ => &mut root,
            };
            if section.repeated {
                object.insert(name.to_owned(), rows.collect::<Vec<_>>().into());
            } else if name.is_empty() {
                object.extend(rows.next().unwrap_or_default());
            } else {
                object.insert(name.to_owned(), rows.next().unwrap_or_default().into());
            }
        }
        root.into()
    }

    /// The settings as a TOML file, secrets masked, each with the place it came from.
    pub(super) fn to_toml(&self) -> String {
        let mut out = String::new();
        for section in SECTIONS {
            for row in self.rows(section.path) {
                if !section.path.is_empty() {
                    out.push_str(&format!("\n{}\n", section.header()));
                }
                for setting in section.settings {
                    let name = setting.name;
                    out.push_str(&match row.cell(name) {
                        Some(Cell { value: Some(value), place }) => {
                            format!("{name} = {} # {place}\n", shown(setting, value).to_toml())
                        }
                        _ => format!("# {name} is not set\n"),
                    });
                }
            }
        }
        out
    }
}

/// A default's value. A literal that its setting refuses would be caught by the table's tests.
fn read(setting: &Setting, literal: &str) -> Option<Value> {
    setting.kind.read(&DeValue::parse(literal).ok()?).ok()
}

fn json(section: &Section, row: &Row, masked: bool) -> Map<String, serde_json::Value> {
    let mut object = Map::new();
    for setting in section.settings {
        match row.value(setting.name) {
            Some(value) if masked => {
                object.insert(setting.name.to_owned(), shown(setting, value).to_json());
            }
            Some(value) => drop(object.insert(setting.name.to_owned(), value.to_json())),
            None if masked => drop(object.insert(setting.name.to_owned(), ().into())),
            None => {}
        }
    }
    object
}

fn shown(setting: &Setting, value: &Value) -> Value {
    match (setting.shown, value) {
        (Shown::Masked, _) => Value::Text(MASK.to_owned()),
        (Shown::MaskedUrl, Value::Text(url)) => Value::Text(masked(url)),
        _ => value.clone(),
    }
}

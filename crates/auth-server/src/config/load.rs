//! Reads the file: from TOML to values with their places.

use super::problem::{Place, Problem, did_you_mean};
use super::settings::{SECTIONS, Section};
use super::values::{Row, Values};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads the text of a configuration file into `values`, and tells whether it is TOML: if not, only
/// that is reported.
pub(super) fn file(
    name: &str,
    text: &str,
    values: &mut Values,
    problems: &mut Vec<Problem>,
) -> bool {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reading = Reading { name, text, values, problems };
    for error in &errors {
        let offset = error.span().map_or(0, |span| span.start);
        reading.problem(offset, error.message(), "mend the TOML; https://toml.io has the grammar");
    }
    if let (true, Some(top)) = (errors.is_empty(), Section::find("")) {
        reading.section(top, document.span().start, document.get_ref());
    }
    errors.is_empty()
}

struct Reading<'a> {
    name: &'a str,
    text: &'a str,
    values: &'a mut Values,
    problems: &'a mut Vec<Problem>,
}

impl Reading<'_> {
    fn place(&self, offset: usize) -> Place {
        Place::in_file(self.name, self.text, offset)
    }

    fn problem(&mut self, offset: usize, what: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(Problem::new(self.place(offset), what, fix));
    }

    /// A table of the file: one row of a section, and the sections below it.
    fn section(&mut self, section: &'static Section, start: usize, table: &DeTable<'_>) {
        let place = match section.path {
            "" => Place::named(self.name),
            _ => self.place(start),
        };
        let mut row = Row::new(place);
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if let Some(setting) = section.setting(name) {
                let place = self.place(key.span().start);
                match setting.kind.read(value) {
                    Ok(value) => row.set(setting.name, Some(value), place),
                    Err(complaints) => {
                        for (span, complaint) in complaints {
                            let at = self.place(span.start);
                            self.problems.push(complaint.about(&section.full_name(name), at));
                        }
                        row.set(setting.name, None, place);
                    }
                }
            } else if let Some(below) = Section::find(&section.full_name(name)) {
                self.below(below, key.span().start, value);
            } else {
                self.unknown(section, key);
            }
        }
        let rows = self.values.rows_mut(section.path);
        if !section.repeated {
            rows.clear();
        }
        rows.push(row);
    }

    fn below(&mut self, section: &'static Section, key: usize, value: &Spanned<DeValue<'_>>) {
        match (section.repeated, value.get_ref()) {
            (false, DeValue::Table(table)) => self.section(section, value.span().start, table),
            (true, DeValue::Array(items)) => {
                for item in items {
                    match item.get_ref() {
                        DeValue::Table(table) => self.section(section, item.span().start, table),
                        _ => self.misshapen(section, item.span().start),
                    }
                }
            }
            _ => self.misshapen(section, key),
        }
    }

    fn misshapen(&mut self, section: &Section, offset: usize) {
        let (path, header) = (section.path, section.header());
        let many = if section.repeated { "a list of sections" } else { "a section" };
        self.problem(offset, format!("`{path}` is {many}"), format!("begin it with {header}"));
    }

    fn unknown(&mut self, section: &Section, key: &Spanned<std::borrow::Cow<'_, str>>) {
        let name = key.get_ref().as_ref();
        let prefix = section.full_name("");
        let below = SECTIONS.iter().filter_map(|one| one.path.strip_prefix(prefix.as_str()));
        let below = below.filter(|path| !path.is_empty() && !path.contains('.'));
        let here = section.settings.iter().map(|setting| setting.name);
        let elsewhere = SECTIONS.iter().find(|one| one.setting(name).is_some());
        let fix = if let Some(meant) = did_you_mean(name, here.clone().chain(below.clone())) {
            format!("did you mean `{meant}`?")
        } else if let Some(other) = elsewhere {
            format!("it belongs to {}", other.header())
        } else {
            let known: Vec<&str> = here.chain(below).collect();
            format!("remove it; known are {}", known.join(", "))
        };
        let what = format!("`{name}` is not a setting of {}", section.header());
        self.problem(key.span().start, what, fix);
    }
}

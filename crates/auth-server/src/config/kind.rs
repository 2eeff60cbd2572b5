//! The types of settings: how a value is read from TOML or from text, and judged.

use super::duration;
use super::problem::Complaint;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeValue;

/// A value that has the type of its setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A string, a choice or a duration.
    Text(String),
    /// True or false.
    Flag(bool),
    /// A whole number.
    Count(u64),
    /// Strings.
    List(Vec<String>),
}

impl Value {
    /// The text of a [`Value::Text`].
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// As a TOML literal.
    pub(super) fn to_toml(&self) -> String {
        match self {
            Self::Text(text) => toml::Value::from(text.as_str()).to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Count(count) => count.to_string(),
            Self::List(items) => toml::Value::from(items.clone()).to_string(),
        }
    }

    /// As JSON.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Count(count) => (*count).into(),
            Self::List(items) => items.clone().into(),
        }
    }
}

/// A judge of one string.
pub(super) type Check = fn(&str) -> Result<(), Complaint>;

/// The type of a setting, with its bounds.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text(Check),
    Choice(&'static [&'static str]),
    Flag,
    Count { min: u64, max: u64 },
    Duration { max: &'static str },
    List(Check),
}

impl Kind {
    /// Reads a value of a file. Complaints come with the span of what they are about.
    pub(super) fn read(
        &self,
        found: &Spanned<DeValue<'_>>,
    ) -> Result<Value, Vec<(Range<usize>, Complaint)>> {
        let here = |complaint| vec![(found.span(), complaint)];
        match (self, found.get_ref()) {
            (Self::Flag, DeValue::Boolean(flag)) => Ok(Value::Flag(*flag)),
            (Self::Count { .. }, DeValue::Integer(number)) => {
                let count = u64::from_str_radix(number.as_str(), number.radix()).ok();
                self.bounded(count, &number.to_string()).map_err(here)
            }
            (Self::List(check), DeValue::Array(items)) => {
                let mut texts = Vec::new();
                let mut complaints = Vec::new();
                for item in items {
                    match item.get_ref() {
                        DeValue::String(text) => match check(text) {
                            Ok(()) => texts.push(text.clone().into_owned()),
                            Err(complaint) => complaints.push((item.span(), complaint)),
                        },
                        other => complaints.push((item.span(), self.mistyped(other.type_str()))),
                    }
                }
                if complaints.is_empty() { Ok(Value::List(texts)) } else { Err(complaints) }
            }
            (Self::Text(_) | Self::Choice(_) | Self::Duration { .. }, DeValue::String(text)) => {
                self.parse(text).map_err(here)
            }
            // The complaint is about the missing unit.
            (Self::Duration { .. }, DeValue::Integer(number)) => {
                self.parse(&number.to_string()).map_err(here)
            }
            (_, other) => Err(here(self.mistyped(other.type_str()))),
        }
    }

    /// Reads the text of an environment variable.
    pub(super) fn parse(&self, text: &str) -> Result<Value, Complaint> {
        match self {
            Self::Text(check) => check(text)?,
            Self::Duration { max } => duration::check(text, max)?,
            Self::Choice(choices) if choices.contains(&text) => {}
            Self::Choice(_) => {
                return Err(Complaint::new(format!("cannot be \"{text}\""), self.wanted()));
            }
            Self::Flag => {
                let flag = text.parse().map_err(|_| {
                    Complaint::new(format!("is neither true nor false: \"{text}\""), self.wanted())
                })?;
                return Ok(Value::Flag(flag));
            }
            Self::Count { .. } => return self.bounded(text.parse().ok(), text),
            Self::List(check) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                let items: Vec<String> = items.map(str::to_owned).collect();
                items.iter().try_for_each(|item| check(item))?;
                return Ok(Value::List(items));
            }
        }
        Ok(Value::Text(text.to_owned()))
    }

    /// What a value may be, in words.
    pub(super) fn wanted(&self) -> String {
        match self {
            Self::Text(_) => "a string in quotes".to_owned(),
            Self::Choice(choices) => {
                let quoted: Vec<String> = choices.iter().map(|one| format!("\"{one}\"")).collect();
                quoted.join(" or ")
            }
            Self::Flag => "true or false".to_owned(),
            Self::Count { min, max } => format!("a whole number from {min} to {max}"),
            Self::Duration { max } => format!("a duration in quotes, such as \"30s\" or \"{max}\""),
            Self::List(_) => "a list of strings, such as [\"a\", \"b\"]".to_owned(),
        }
    }

    fn mistyped(&self, found: &str) -> Complaint {
        let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
        Complaint::new(format!("has the wrong type: {article} {found}"), self.wanted())
    }

    fn bounded(&self, count: Option<u64>, written: &str) -> Result<Value, Complaint> {
        match (self, count) {
            (Self::Count { min, max }, Some(count)) if (*min..=*max).contains(&count) => {
                Ok(Value::Count(count))
            }
            _ => Err(Complaint::new(format!("cannot be {written}"), self.wanted())),
        }
    }
}

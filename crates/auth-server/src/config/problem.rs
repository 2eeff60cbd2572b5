//! What is wrong with a configuration, where, and how to mend it.

use std::fmt;

/// Where a value came from: `auth.toml:12:3`, `AUTH__ISSUER` or `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    name: String,
    /// Line and column from one, for a place in a file.
    at: Option<(usize, usize)>,
}

impl Place {
    /// A file or a variable as a whole.
    pub(super) fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), at: None }
    }

    /// The place of a byte offset in a file's text.
    pub(super) fn in_file(name: &str, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        Self { name: name.to_owned(), at: Some((line, column)) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.at {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// A judgement on one value, before it is known where that value stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// What is wrong, as the rest of a sentence that begins with the setting's name.
    pub(super) what: String,
    /// What to write instead.
    pub(super) fix: String,
}

impl Complaint {
    pub(super) fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), fix: fix.into() }
    }

    pub(super) fn about(self, name: &str, place: Place) -> Problem {
        Problem::new(place, format!("`{name}` {}", self.what), self.fix)
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.fix)
    }
}

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where it stands.
    pub(crate) place: Place,
    /// What is wrong.
    pub(crate) what: String,
    /// How to mend it.
    pub(crate) fix: String,
}

impl Problem {
    pub(super) fn new(place: Place, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { place, what: what.into(), fix: fix.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n    fix: {}", self.place, self.what, self.fix)
    }
}

/// Every problem of a configuration: those of the file in the order of its lines, then the others.
#[derive(Debug)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.place.at.unwrap_or((usize::MAX, 0)));
        Self(problems)
    }

    /// The problems, for a rendering other than [`fmt::Display`]'s.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// `; did you mean …?` when one of the known names is at most two typing errors away, else nothing.
pub(super) fn did_you_mean<'a>(
    typed: &str,
    known: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .map(|name| (distance(typed, name), name))
        .filter(|(errors, name)| *errors <= 2 && *errors < name.len())
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be put in, left out or replaced to turn one word into the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_columns_in_characters_from_one() {
        let text = "a\n漢字 = x\n";
        for (offset, shown) in
            [(0, "f:1:1"), (2, "f:2:1"), (8, "f:2:3"), (11, "f:2:6"), (13, "f:3:1"), (99, "f:3:1")]
        {
            assert_eq!(Place::in_file("f", text, offset).to_string(), shown);
        }
    }

    #[test]
    fn a_mistyped_name_finds_the_known_one() {
        let known = || ["issuer", "listen", "local"].into_iter();
        assert_eq!(did_you_mean("isuer", known()), Some("issuer"));
        assert_eq!(did_you_mean("lisetn", known()), Some("listen"));
        assert_eq!(did_you_mean("database", known()), None);
    }
}

//! Settings from the environment: `AUTH__SECTION__KEY`, or `AUTH__SECTION__KEY_FILE` for the path of
//! a file with the value. They win over the configuration file.

use super::problem::{Place, Problem, did_you_mean};
use super::settings::{SECTIONS, Section, Setting};
use super::values::Values;
use std::collections::BTreeMap;

const PREFIX: &str = "AUTH__";
const FILE: &str = "_FILE";

/// Puts what the environment says over `values`.
pub(super) fn overlay(
    env: impl Iterator<Item = (String, String)>,
    values: &mut Values,
    problems: &mut Vec<Problem>,
) {
    let mut given: BTreeMap<String, String> =
        env.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    for section in SECTIONS {
        for setting in section.settings {
            let Some(variable) = section.variable(setting.name) else {
                continue;
            };
            let file_variable = format!("{variable}{FILE}");
            let text = match (given.remove(&variable), given.remove(&file_variable)) {
                (None, None) => continue,
                (Some(_), Some(_)) => {
                    let what = format!("{file_variable} is set too");
                    problems.push(Problem::new(Place::named(variable), what, "unset one of them"));
                    continue;
                }
                (Some(text), None) => Ok((text, Place::named(variable))),
                (None, Some(path)) => read(&path, &file_variable),
            };
            match text {
                Ok((text, place)) => set(section, setting, &text, &place, values, problems),
                Err(problem) => problems.push(problem),
            }
        }
    }
    problems.extend(given.keys().map(|name| unknown(name)));
}

fn set(
    section: &Section,
    setting: &Setting,
    text: &str,
    place: &Place,
    values: &mut Values,
    problems: &mut Vec<Problem>,
) {
    let value = match setting.kind.parse(text) {
        Ok(value) => Some(value),
        Err(complaint) => {
            problems.push(complaint.about(&section.full_name(setting.name), place.clone()));
            None
        }
    };
    for row in values.rows_mut(section.path) {
        row.set(setting.name, value.clone(), place.clone());
    }
}

/// The value from the file that a variable names, without one trailing line end.
fn read(path: &str, variable: &str) -> Result<(String, Place), Problem> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let text = text.strip_suffix('\n').unwrap_or(&text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            Ok((text.to_owned(), Place::named(variable)))
        }
        Err(error) => {
            let what = format!("cannot read \"{path}\": {error}");
            let fix = "name a file that the server can read";
            Err(Problem::new(Place::named(variable), what, fix))
        }
    }
}

fn unknown(name: &str) -> Problem {
    let known: Vec<String> = SECTIONS
        .iter()
        .flat_map(|section| section.settings.iter().filter_map(|one| section.variable(one.name)))
        .collect();
    let repeated = SECTIONS.iter().filter(|section| section.repeated).find(|section| {
        let path = section.path.replace('.', "__").to_ascii_uppercase();
        let rest = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix(&path));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    });
    let fix = if let Some(section) = repeated {
        format!("unset it; {} can only come from the file", section.header())
    } else if let Some(meant) = did_you_mean(name, known.iter().map(String::as_str)) {
        format!("did you mean {meant}?")
    } else {
        "unset it; variables are called AUTH__SECTION__KEY, such as AUTH__TOKENS__CODE_LIFETIME"
            .to_owned()
    };
    Problem::new(Place::named(name), "is no setting", fix)
}

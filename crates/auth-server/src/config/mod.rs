//! The configuration: `auth.toml`, the environment over it, defaults below it.
//!
//! Every problem is found in one go and reported with its place and the fix. All that is known about
//! a setting stands in one table, [`settings::SECTIONS`].

mod check;
mod core_value;
mod database_url;
mod duration;
mod env;
mod issuer;
mod kind;
mod load;
mod model;
mod network;
mod problem;
#[cfg(test)]
mod reference;
mod settings;
mod template;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use model::*;
pub(crate) use problem::{Problem, Problems};
pub(crate) use template::template;

use problem::Place;
use std::path::{Path, PathBuf};
use values::Values;

/// Where the configuration file is looked for when the command line does not name one.
pub(crate) const DEFAULT_PATHS: [&str; 2] = ["auth.toml", "/etc/auth-server/auth.toml"];

/// A configuration without a problem.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The settings.
    pub(crate) config: Config,
    /// The file they were read from.
    pub(crate) path: PathBuf,
    values: Values,
}

impl Config {
    /// Reads the file at `path`, or the first of [`DEFAULT_PATHS`] that exists, and puts the
    /// variables of `env` that begin with `AUTH__` over it.
    ///
    /// # Errors
    /// Everything that is wrong, at once; only a file that is not TOML hides its other problems.
    pub(crate) fn load(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Loaded, Problems> {
        let found = match path {
            Some(path) => Some(path.to_owned()),
            None => DEFAULT_PATHS.map(PathBuf::from).into_iter().find(|path| path.exists()),
        };
        let path = found.clone().unwrap_or_else(|| DEFAULT_PATHS[0].into());
        let name = path.display().to_string();
        let file = Place::named(&name);
        let mut values = Values::new(&file);
        let mut problems = Vec::new();

        let read = match found.as_ref().map(std::fs::read_to_string) {
            Some(Ok(text)) => load::file(&name, &text, &mut values, &mut problems),
            Some(Err(error)) => {
                let what = format!("cannot be read: {error}");
                let fix = "name another file with --config; `auth-server config init` writes one";
                problems.push(Problem::new(file.clone(), what, fix));
                false
            }
            None => {
                let what = format!("no {} found, and no {}", DEFAULT_PATHS[0], DEFAULT_PATHS[1]);
                let fix = "`auth-server config init` writes one";
                problems.push(Problem::new(file.clone(), what, fix));
                false
            }
        };
        env::overlay(env, &mut values, &mut problems);
        values.complete(&mut problems);
        if read {
            check::together(&mut values, &file, &mut problems);
        }
        if !problems.is_empty() {
            return Err(Problems::new(problems));
        }
        match serde_json::from_value(values.to_json(false)) {
            Ok(config) => Ok(Loaded { config, path, values }),
            // The table of settings and the model disagree: a defect of this program.
            Err(error) => {
                Err(Problems::new(vec![Problem::new(file, error.to_string(), "report it")]))
            }
        }
    }
}

impl Loaded {
    /// The effective settings as TOML, each with the place it came from; secrets are masked.
    pub(crate) fn to_toml(&self) -> String {
        self.values.to_toml()
    }

    /// The effective settings as one JSON object, unset ones as null; secrets are masked.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        self.values.to_json(true)
    }
}

/// The environment variables that can be settings. Values that are not Unicode become settings that
/// are refused, rather than a panic.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        })
        .filter(|(name, _)| name.starts_with("AUTH__"))
}

//! The configuration page of the book.

use super::kind::Kind;
use super::settings::{Default, SECTIONS, Section, Setting};

/// The page `docs/src/configuration.md`, from the table of settings.
pub(crate) fn reference_markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    for section in SECTIONS {
        let title = if section.path.is_empty() { "Top level" } else { &section.header() };
        out.push_str(&format!("\n## {}\n\n{}\n", code_unless_top(section, title), section.doc));
        if let Some(later) = section.later {
            out.push_str(&format!(
                "\n> Reserved: {later} is not built into this version, and `config check` refuses the \
                 section.\n"
            ));
        }
        if section.repeated {
            out.push_str(&format!("\n```toml\n{}```\n", section.example));
        }
        out.push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
        for setting in section.settings {
            out.push_str(&format!(
                "| `{}` | {} | {} | {} |\n",
                setting.name,
                value(setting),
                default(setting),
                setting.doc
            ));
        }
    }
    out
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated from the table of settings in crates/auth-server/src/config/settings.rs.
     `AUTH_UPDATE_DOCS=1 cargo test -p auth-server configuration_page` writes it. -->

`auth-server` reads `auth.toml` in the working directory, else `/etc/auth-server/auth.toml`, or the file
that `--config` names.

- `auth-server config init` writes a file with every setting explained.
- `auth-server config check` reports every problem at once, with line, column and the fix. Unknown keys
  are problems.
- `auth-server config print` shows the settings that apply, and where each comes from; secrets are
  masked.

**From the environment.** Every setting outside the `[[…]]` sections has a variable, which wins over the
file: `AUTH__SECTION__KEY`, such as `AUTH__TOKENS__CODE_LIFETIME=30s`, or `AUTH__ISSUER` for the top level.
With `_FILE` at its end the variable names a file that holds the value, less one trailing line end:
`AUTH__DATABASE__URL_FILE=/run/secrets/database-url`. Lists are separated by commas. An unknown variable that
begins with `AUTH__` is a problem, and so are both forms of one setting at once.

**Durations** are whole numbers with a unit, `s`, `m`, `h` or `d`, and may be combined: `\"90s\"`, `\"1h30m\"`,
`\"30d\"`. They are at least one second.

**Paths** are relative to the working directory.
";

fn code_unless_top(section: &Section, title: &str) -> String {
    if section.path.is_empty() { title.to_owned() } else { format!("`{title}`") }
}

fn value(setting: &Setting) -> String {
    match setting.kind {
        Kind::Text(_) => "string".to_owned(),
        Kind::Choice(choices) => {
            let quoted: Vec<String> = choices.iter().map(|one| format!("`\"{one}\"`")).collect();
            quoted.join(" or ")
        }
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Count { min, max } => format!("{min} to {max}"),
        Kind::Duration { max } => format!("duration, at most `\"{max}\"`"),
        Kind::List(_) => "list of strings".to_owned(),
    }
}

fn default(setting: &Setting) -> String {
    match setting.default {
        Default::Required => "required".to_owned(),
        Default::Is(value) => format!("`{value}`"),
        Default::Unset(_) => "none".to_owned(),
        Default::Derived(_, rule) => rule.to_owned(),
    }
}

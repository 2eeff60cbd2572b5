//! The configuration file that `config init` writes.

use super::kind::Kind;
use super::settings::{Default, SECTIONS, Setting};

/// A complete `auth.toml`: every setting that this version knows, explained, with its default. It
/// loads as it stands.
pub(crate) fn template() -> String {
    let mut out = String::from(
        "# The configuration of auth-server.\n\
         #\n\
         # `auth-server config check` finds every problem, `auth-server config print` shows what applies.\n\
         # An environment variable wins over this file: AUTH__ISSUER, AUTH__TOKENS__CODE_LIFETIME, …;\n\
         # with _FILE at its end it names a file with the value. Durations: 60s, 10m, 8h, 30d, 1h30m.\n",
    );
    for section in SECTIONS.iter().filter(|section| section.later.is_none()) {
        out.push('\n');
        if !section.path.is_empty() {
            comment(section.doc, &mut out);
        }
        if section.repeated {
            for setting in section.settings {
                comment(&format!("{}: {}", setting.name, setting.doc), &mut out);
            }
            // A scope is required; the example of anything else must not take effect.
            let mark = if section.path == "scopes" { "" } else { "# " };
            section.example.lines().for_each(|line| out.push_str(&format!("{mark}{line}\n")));
            continue;
        }
        if !section.path.is_empty() {
            out.push_str(&format!("{}\n", section.header()));
        }
        for setting in section.settings {
            match setting.kind {
                Kind::Choice(_) => {
                    comment(&format!("{} {}.", setting.doc, setting.kind.wanted()), &mut out);
                }
                _ => comment(setting.doc, &mut out),
            }
            out.push_str(&line(setting));
        }
    }
    out
}

fn line(setting: &Setting) -> String {
    let name = setting.name;
    match setting.default {
        Default::Is(value) | Default::Derived(value, _) => format!("{name} = {value}\n"),
        Default::Unset(example) => format!("# {name} = {example}\n"),
        Default::Required => format!("# {name} = …\n"),
    }
}

/// The text as comment lines of at most 100 characters.
fn comment(text: &str, out: &mut String) {
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > 100 {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}

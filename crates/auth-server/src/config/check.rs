//! The judges of single values, and the rules between values.

use super::kind::Value;
use super::problem::{Complaint, Place, Problem};
use super::settings::SECTIONS;
use super::values::{Row, Values};
use auth_core::resource::ResourceUri;
use auth_core::scope::ScopeToken;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use tracing_subscriber::EnvFilter;

/// Whatever reads as a `T`.
pub(super) fn parses<T: FromStr<Err = Complaint>>(text: &str) -> Result<(), Complaint> {
    text.parse::<T>().map(drop)
}

pub(super) fn socket_address(text: &str) -> Result<(), Complaint> {
    text.parse::<SocketAddr>().map(drop).map_err(|_| {
        let fix =
            "write an IP address and a port: \"127.0.0.1:8080\", \"0.0.0.0:80\", \"[::1]:80\"";
        Complaint::new(format!("is not an address with a port: \"{text}\""), fix)
    })
}

/// One line that says something.
pub(super) fn sentence(text: &str) -> Result<(), Complaint> {
    if text.trim().is_empty() {
        return Err(Complaint::new("is empty", "write something"));
    }
    if text.contains(char::is_control) {
        return Err(Complaint::new("contains a control character", "write one line of plain text"));
    }
    Ok(())
}

/// RFC 6749 §3.3
pub(super) fn scope_name(text: &str) -> Result<(), Complaint> {
    ScopeToken::parse(text).map(drop).ok_or_else(|| {
        let most = ScopeToken::MAX_LEN;
        let fix = format!("use 1 to {most} printable ASCII characters, without space, \" and \\");
        Complaint::new(format!("is no scope name: {text:?}"), fix)
    })
}

pub(super) fn path_segment(text: &str) -> Result<(), Complaint> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if text.is_empty() || !text.chars().all(plain) {
        let fix = "use lower-case letters, digits, - and _";
        return Err(Complaint::new(format!("does not fit into a URL: {text:?}"), fix));
    }
    Ok(())
}

/// RFC 8707 §2 (RES-01)
pub(super) fn resource_uri(text: &str) -> Result<(), Complaint> {
    let fix = "write an absolute URI without fragment, such as \"https://api.example.com/\"";
    let judged = ResourceUri::parse(text).map(drop);
    judged.map_err(|why| Complaint::new(format!("{}: {text:?}", why.description()), fix))
}

pub(super) fn directory(text: &str) -> Result<(), Complaint> {
    if Path::new(text).is_dir() {
        return Ok(());
    }
    let fix = "name an existing directory, or leave the setting out for the built-in pages";
    Err(Complaint::new(format!("is not a directory: \"{text}\""), fix))
}

pub(super) fn readable_file(text: &str) -> Result<(), Complaint> {
    std::fs::read_to_string(text).map(drop).map_err(|error| {
        let fix = "name a file that the server can read";
        Complaint::new(format!("cannot be read: \"{text}\": {error}"), fix)
    })
}

pub(super) fn log_filter(text: &str) -> Result<(), Complaint> {
    EnvFilter::builder().parse(text).map(drop).map_err(|error| {
        let fix = "write a level (error, warn, info, debug, trace), or levels by module: \
                   \"warn,auth_http_actix=debug\"";
        Complaint::new(format!("is not a filter: {error}"), fix)
    })
}

/// The rules between settings. `file` is where a missing section would be written.
pub(super) fn together(values: &mut Values, file: &Place, problems: &mut Vec<Problem>) {
    derive_issuer(values, problems);
    scopes(values, file, problems);
    resources(values, problems);
    upstreams(values, problems);
    not_in_this_version(values, problems);
}

/// Without `issuer` the server is called as it listens, if that is a name on this machine.
fn derive_issuer(values: &mut Values, problems: &mut Vec<Problem>) {
    let Some(top) = values.rows_mut("").first_mut() else {
        return;
    };
    if top.cell("issuer").is_some() {
        return;
    }
    let Some(listen) = top.text("listen").and_then(|text| text.parse::<SocketAddr>().ok()) else {
        return; // It was given wrongly, which has been reported.
    };
    // Port 80 does not stand in a canonical URL, and nobody can call port 0.
    let named = format!("http://{listen}");
    if parses::<super::issuer::Issuer>(&named).is_ok() && listen.port() != 0 {
        top.set("issuer", Some(Value::Text(named)), Place::named("default"));
    } else {
        let what = format!("`issuer` is missing, and `listen` (\"{listen}\") does not tell it");
        let fix = "add issuer = \"https://auth.example.com\", the URL by which browsers come";
        problems.push(Problem::new(top.place_of("listen"), what, fix));
    }
}

fn scopes(values: &Values, file: &Place, problems: &mut Vec<Problem>) {
    let rows = values.rows("scopes");
    if rows.is_empty() {
        let fix = "add [[scopes]] with name = \"…\" and description = \"…\"";
        problems.push(Problem::new(file.clone(), "there is no scope", fix));
    }
    unique("scopes", "name", rows, problems);
}

fn resources(values: &Values, problems: &mut Vec<Problem>) {
    let rows = values.rows("resources");
    let mut seen: BTreeSet<ResourceUri> = BTreeSet::new();
    let catalog: BTreeSet<&str> =
        values.rows("scopes").iter().filter_map(|row| row.text("name")).collect();
    for row in rows {
        let uri = row.text("uri").and_then(|text| ResourceUri::parse(text).ok());
        if let Some(earlier) = uri.as_ref().and_then(|uri| seen.get(uri)) {
            let what = format!("is the same as \"{}\" of an earlier entry", earlier.as_str());
            let fix = "remove one of them; a slash at the end and the host's case do not matter";
            problems.push(about(row, "resources", "uri", Complaint::new(what, fix)));
        }
        seen.extend(uri);
        if row.value("scopes").is_some() && row.list("scopes").is_empty() {
            let fix = "name at least one of [[scopes]]";
            problems.push(about(row, "resources", "scopes", Complaint::new("is empty", fix)));
        }
        for name in row.list("scopes").iter().filter(|name| !catalog.contains(name.as_str())) {
            let what = format!("names \"{name}\", which is not among [[scopes]]");
            let fix = "add it to [[scopes]], or leave it out here";
            problems.push(about(row, "resources", "scopes", Complaint::new(what, fix)));
        }
    }
}

fn upstreams(values: &Values, problems: &mut Vec<Problem>) {
    let rows = values.rows("login.upstream");
    unique("login.upstream", "id", rows, problems);
    for row in rows {
        let what = match (row.cell("client_secret"), row.cell("client_secret_file")) {
            (Some(_), Some(_)) => "has both `client_secret` and `client_secret_file`",
            (None, None) => "has neither `client_secret` nor `client_secret_file`",
            _ => "",
        };
        if !what.is_empty() {
            let what = format!("an entry of [[login.upstream]] {what}");
            let fix = "give one of them, best client_secret_file = \"/run/secrets/…\"";
            problems.push(Problem::new(row.place.clone(), what, fix));
        }
        let asked = row.list("scopes");
        if row.value("scopes").is_some() && !asked.iter().any(|name| name == "openid") {
            let fix = "add \"openid\" to it";
            let complaint = Complaint::new("does not contain \"openid\"", fix);
            problems.push(about(row, "login.upstream", "scopes", complaint));
        }
    }
    for login in values.rows("login") {
        if login.value("local") == Some(&Value::Flag(false)) && rows.is_empty() {
            let what = "leaves no way to sign in";
            let fix = "write local = true, or add [[login.upstream]]";
            problems.push(about(login, "login", "local", Complaint::new(what, fix)));
        }
    }
}

/// A complaint about one setting of a row.
fn about(row: &Row, section: &str, name: &str, complaint: Complaint) -> Problem {
    complaint.about(&format!("{section}.{name}"), row.place_of(name))
}

/// Reports the second and every further row with the same value.
fn unique(section: &str, name: &str, rows: &[Row], problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for row in rows {
        if let Some(text) = row.text(name)
            && !seen.insert(text)
        {
            let what = format!("is \"{text}\" in two entries of [[{section}]]");
            let fix = "remove one of the entries, or rename it";
            problems.push(about(row, section, name, Complaint::new(what, fix)));
        }
    }
}

/// What can be configured but not yet used is refused, rather than silently without effect.
fn not_in_this_version(values: &Values, problems: &mut Vec<Problem>) {
    for section in SECTIONS {
        let (Some(later), Some(row)) = (section.later, values.rows(section.path).first()) else {
            continue;
        };
        let what = format!("{later} is not built into this version");
        let fix = format!("remove {}", section.header());
        problems.push(Problem::new(row.place.clone(), what, fix));
    }
    for row in values.rows("resources") {
        if row.text("access_token_format") == Some("jwt") {
            let what = "cannot be \"jwt\": JWT access tokens are not built into this version";
            let complaint = Complaint::new(what, "write \"opaque\"");
            problems.push(about(row, "resources", "access_token_format", complaint));
        }
    }
}

//! The parts of a URI (RFC 3986) that redirect URIs and resource URIs are judged by.

/// Schemes that run script, read files or start other programs.
const DANGEROUS_SCHEMES: [&str; 17] = [
    "javascript",
    "data",
    "vbscript",
    "file",
    "blob",
    "about",
    "view-source",
    "ws",
    "wss",
    "ftp",
    "mailto",
    "tel",
    "sms",
    "intent",
    "filesystem",
    "chrome",
    "jar",
];

/// Whether this lower-case scheme is one of those, which nobody may be sent to (REDIR-06).
pub(crate) fn is_dangerous_scheme(scheme: &str) -> bool {
    DANGEROUS_SCHEMES.contains(&scheme)
}

/// Whether every character may stand in a URI, `#` included, and every `%` begins an escape.
pub(crate) fn has_only_uri_characters(text: &str) -> bool {
    let no_uri_character = |byte: u8| !byte.is_ascii_graphic() || b"\"<>\\^`{|}".contains(&byte);
    !text.bytes().any(no_uri_character) && !has_broken_escape(text)
}

fn has_broken_escape(text: &str) -> bool {
    let is_escape = |after: &str| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    !text.split('%').skip(1).all(is_escape)
}

/// Splits an absolute URI at the colon behind its scheme.
pub(crate) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let character = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    text.split_once(':').filter(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(character)
    })
}

/// Splits what stands behind the scheme's colon into the authority and what follows it; `None` if it
/// does not begin with `//`.
pub(crate) fn split_authority(rest: &str) -> Option<(&str, &str)> {
    let after = rest.strip_prefix("//")?;
    Some(after.split_at(after.find(['/', '?']).unwrap_or(after.len())))
}

/// Splits `host:port`, minding the colons of an IPv6 literal.
pub(crate) fn split_port(authority: &str) -> (&str, Option<&str>) {
    let host_end = authority.find(']').map_or(0, |bracket| bracket + 1);
    match authority.get(host_end..).and_then(|after| after.find(':')) {
        Some(colon) => {
            let (host, port) = authority.split_at(host_end + colon);
            (host, port.strip_prefix(':'))
        }
        None => (authority, None),
    }
}

/// A number from 1 to 65535 without leading zeros.
pub(crate) fn is_port(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    digits && text.parse::<u16>().is_ok_and(|port| port > 0)
}

pub(crate) fn is_ipv6_literal(host: &str) -> bool {
    host.strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok())
}

//! Request parameters: form-encoded names and values, read strictly.
//!
//! The protocol asks for what ordinary form parsers do not give: a repeated parameter is an error
//! (OAuth 2.1 §3.1, §3.2), an empty one counts as absent, and bytes that do not decode are refused
//! instead of replaced.

use std::collections::BTreeSet;
use std::fmt;

/// Bounds on what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamLimits {
    /// The most parameters (TOKEN-13).
    pub count: usize,
    /// The most bytes of one decoded name or value (AUTHZ-25).
    pub value_bytes: usize,
}

impl ParamLimits {
    /// For the query of an authorization request.
    pub const QUERY: Self = Self { count: 100, value_bytes: 4096 };
    /// For the body of a token request, whose size as a whole is bounded by the transport.
    pub const BODY: Self = Self { count: 100, value_bytes: 65_536 };
}

/// Why parameters could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamsError {
    /// A `%` that two hexadecimal digits do not follow, or bytes that are no UTF-8.
    Undecodable,
    /// More parameters than [`ParamLimits::count`].
    TooMany,
    /// A name or value longer than [`ParamLimits::value_bytes`].
    TooLong,
}

impl ParamsError {
    /// The fault in words that may be sent as an `error_description`.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Undecodable => "the parameters are not form-encoded UTF-8",
            Self::TooMany => "the request has too many parameters",
            Self::TooLong => "a parameter is too long",
        }
    }
}

impl fmt::Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.description())
    }
}

impl std::error::Error for ParamsError {}

/// A parameter was sent more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated(
    /// Its name.
    pub &'static str,
);

/// The parameters of one request, in the order they were sent.
///
/// Values may be secrets, so it prints names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` bytes: a query without its `?`, or a body.
    pub fn parse_form(bytes: &[u8], limits: ParamLimits) -> Result<Self, ParamsError> {
        let mut pairs = Vec::new();
        for part in bytes.split(|byte| *byte == b'&').filter(|part| !part.is_empty()) {
            if pairs.len() == limits.count {
                return Err(ParamsError::TooMany);
            }
            let mut halves = part.splitn(2, |byte| *byte == b'=');
            let name = form_decode(halves.next().unwrap_or_default())?;
            let value = form_decode(halves.next().unwrap_or_default())?;
            pairs.push((name, value));
        }
        Self::from_pairs(pairs, limits)
    }

    /// Takes parameters that came in another notation, such as the members of a JSON object.
    pub fn from_pairs(
        pairs: Vec<(String, String)>,
        limits: ParamLimits,
    ) -> Result<Self, ParamsError> {
        if pairs.len() > limits.count {
            return Err(ParamsError::TooMany);
        }
        let fits = |text: &String| text.len() <= limits.value_bytes;
        if !pairs.iter().all(|(name, value)| fits(name) && fits(value)) {
            return Err(ParamsError::TooLong);
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter that may stand once. Empty counts as absent.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Repeated(name));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// Every value of a parameter, empty ones too.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }

    /// Whether the parameter was sent at all, be it empty.
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// Whether a parameter was sent more than once, those of `repeatable` aside.
    pub fn has_repeated(&self, repeatable: &[&str]) -> bool {
        let mut seen = BTreeSet::new();
        let names = self.0.iter().map(|(name, _)| name.as_str());
        names.filter(|name| !repeatable.contains(name)).any(|name| !seen.insert(name))
    }

    /// Names and values as sent.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The form-encoding of these parameters.
    pub fn to_form(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            push_pair(&mut text, name, value);
        }
        text
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Decodes one form-encoded component exactly once: `+` is a space, `%` needs two hexadecimal
/// digits, the result must be UTF-8.
pub fn form_decode(bytes: &[u8]) -> Result<String, ParamsError> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = rest.next().and_then(hex_value).ok_or(ParamsError::Undecodable)?;
                let low = rest.next().and_then(hex_value).ok_or(ParamsError::Undecodable)?;
                high << 4 | low
            }
            other => other,
        });
    }
    String::from_utf8(decoded).map_err(|_| ParamsError::Undecodable)
}

fn hex_value(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Appends `name=value` to a query, with `&` before it unless it is the first. Everything but
/// unreserved characters is percent-encoded, so any decoder of forms or URLs gives the bytes back.
pub(crate) fn push_pair(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    percent_encode(query, name);
    query.push('=');
    percent_encode(query, value);
}

fn percent_encode(into: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push_str(&crate::entropy::hex(&[byte]).to_ascii_uppercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &[u8]) -> Result<Params, ParamsError> {
        Params::parse_form(text, ParamLimits::QUERY)
    }

    /// AUTHZ-04, TOKEN-07: empty counts as absent. AUTHZ-05, TOKEN-06: twice is refused, equal or not.
    #[test]
    fn a_parameter_is_absent_once_or_repeated() {
        let params = parse(b"a=1&b=&c=2&c=2&d=&d=").unwrap();
        assert_eq!(params.one("a"), Ok(Some("1")));
        assert_eq!(params.one("b"), Ok(None));
        assert!(params.has("b") && !params.has("z"));
        assert_eq!(params.one("c"), Err(Repeated("c")));
        assert_eq!(params.one("d"), Err(Repeated("d")));
        assert_eq!(params.one("z"), Ok(None));
    }

    /// TOKEN-14: bad escapes and bad UTF-8, overlong forms included, are refused and not replaced.
    #[test]
    fn what_does_not_decode_is_refused() {
        for bad in ["a=%", "a=%z", "a=%zz", "a=%4", "a=%ff", "a=%c0%80", "%ed%a0%80=x", "a=%+1"] {
            assert_eq!(parse(bad.as_bytes()), Err(ParamsError::Undecodable), "{bad}");
        }
        assert_eq!(parse(b"a=\xff"), Err(ParamsError::Undecodable));
        assert_eq!(parse(b"a=%2B+%00=").unwrap().one("a"), Ok(Some("+ \0=")));
    }

    /// TOKEN-13, AUTHZ-25: both bounds hold exactly.
    #[test]
    fn count_and_length_are_bounded() {
        let many = |count: usize| parse("a=1&".repeat(count).as_bytes());
        assert!(many(100).is_ok());
        assert_eq!(many(101), Err(ParamsError::TooMany));
        let long = |length: usize| parse(format!("a={}", "x".repeat(length)).as_bytes());
        assert!(long(4096).is_ok());
        assert_eq!(long(4097), Err(ParamsError::TooLong));
    }

    #[test]
    fn debug_output_shows_names_only() {
        assert_eq!(format!("{:?}", parse(b"code=hidden").unwrap()), r#"["code"]"#);
    }

    proptest! {
        /// TOKEN-14: arbitrary bytes never panic, and what is read survives a round trip.
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(params) = parse(&bytes) {
                prop_assert_eq!(parse(params.to_form().as_bytes()).unwrap(), params);
            }
        }

        /// AUTHZ-11: any text comes back byte for byte.
        #[test]
        fn any_pair_survives_encoding(name in "\\PC{1,20}", value in any::<String>()) {
            let mut query = String::new();
            push_pair(&mut query, &name, &value);
            prop_assert!(query.bytes().all(|byte| byte.is_ascii_graphic()));
            let pairs = parse(query.as_bytes()).unwrap();
            prop_assert_eq!(pairs.iter().next(), Some((name.as_str(), value.as_str())));
        }

        #[test]
        fn decoding_happens_exactly_once(text in "[ -~]{0,40}") {
            let mut query = String::new();
            percent_encode(&mut query, &text);
            let mut twice = String::new();
            percent_encode(&mut twice, &query);
            prop_assert_eq!(form_decode(twice.as_bytes()).unwrap(), query);
        }
    }
}

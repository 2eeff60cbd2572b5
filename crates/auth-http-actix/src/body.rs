//! Request bodies, read by hand: repeated parameters and undecodable bytes must be protocol errors,
//! which no typed extractor gives.

use actix_web::HttpRequest;
use actix_web::http::{StatusCode, header};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut, Payload};
use auth_core::params::{ParamLimits, Params, ParamsError};
use futures_util::StreamExt as _;
use serde::Deserializer as _;
use serde::de::{Error as _, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The most bytes of a body (TOKEN-13).
pub const MAX_BODY: usize = 64 * 1024;

/// How long a body may take to arrive: whoever sends the rest never must not hold a connection (XC-07).
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of an oversized body is read and thrown away, so that the sender gets to read the answer.
const MAX_DISCARD: usize = 4 * 1024 * 1024;

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// More than [`MAX_BODY`] bytes.
    TooLarge,
    /// Neither a form nor, where allowed, JSON, or compressed.
    MediaType,
    /// JSON that is no flat object of strings, each with a name of its own.
    Json,
    /// Not decodable.
    Params(ParamsError),
    /// The connection broke.
    Broken,
    /// It did not arrive within [`BODY_TIMEOUT`].
    TimedOut,
}

impl BodyError {
    /// The answer's status.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Json | Self::Params(_) | Self::Broken => StatusCode::BAD_REQUEST,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// The status of an error page: to people, a body of another kind is just a bad one.
    pub const fn page_status(self) -> StatusCode {
        match self {
            Self::MediaType => StatusCode::BAD_REQUEST,
            other => other.status(),
        }
    }

    /// The fault in words, fit for `error_description`.
    pub const fn description(self) -> &'static str {
        match self {
            Self::TooLarge => "the body is larger than 64 kB",
            Self::MediaType => {
                "the Content-Type must be application/x-www-form-urlencoded, or application/json \
                 where that is offered"
            }
            Self::Json => "the JSON body must be one flat object of strings that repeats no member",
            Self::Params(error) => error.description(),
            Self::Broken => "the body could not be read",
            Self::TimedOut => "the body did not arrive in time",
        }
    }
}

/// The notations of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// A form.
    Form,
    /// A form, or a flat JSON object with the same names.
    FormOrJson,
}

/// Reads the parameters of a body.
///
/// # Errors
/// See [`BodyError`].
pub async fn read_params(
    request: &HttpRequest,
    payload: Payload,
    accept: Accept,
) -> Result<Params, BodyError> {
    let coding = request.headers().get_all(header::CONTENT_ENCODING);
    if !coding.into_iter().all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(BodyError::MediaType);
    }
    let body = timeout(BODY_TIMEOUT, read_bytes(payload)).await;
    let body = body.unwrap_or(Err(BodyError::TimedOut))?;
    let mut content_types = request.headers().get_all(header::CONTENT_TYPE);
    let content_type =
        match (content_types.next().map(|value| value.to_str()), content_types.next()) {
            // Nothing was sent, and nothing was said of it.
            (None, _) if body.is_empty() => return Ok(Params::default()),
            (Some(Ok(text)), None) => text,
            _ => return Err(BodyError::MediaType),
        };
    match (media_type(content_type), accept) {
        (Some(MediaType::Form), _) => {
            Params::parse_form(&body, ParamLimits::BODY).map_err(BodyError::Params)
        }
        (Some(MediaType::Json), Accept::FormOrJson) => read_json(&body),
        _ => Err(BodyError::MediaType),
    }
}

async fn read_bytes(mut payload: Payload) -> Result<Bytes, BodyError> {
    let mut body = BytesMut::new();
    let mut seen = 0;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| BodyError::Broken)?;
        seen += chunk.len();
        if seen <= MAX_BODY {
            body.extend_from_slice(&chunk);
        } else if seen > MAX_DISCARD {
            break;
        }
    }
    if seen > MAX_BODY { Err(BodyError::TooLarge) } else { Ok(body.freeze()) }
}

#[derive(Debug, PartialEq, Eq)]
enum MediaType {
    Form,
    Json,
}

/// The media type, if it is one of ours and its charset, if named, is UTF-8.
fn media_type(content_type: &str) -> Option<MediaType> {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next()?.to_ascii_lowercase();
    let charset_fits =
        parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
            !name.trim().eq_ignore_ascii_case("charset")
                || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        });
    match essence.as_str() {
        "application/x-www-form-urlencoded" if charset_fits => Some(MediaType::Form),
        "application/json" if charset_fits => Some(MediaType::Json),
        _ => None,
    }
}

fn read_json(body: &[u8]) -> Result<Params, BodyError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let pairs = json.deserialize_map(Pairs).map_err(|_| BodyError::Json)?;
    json.end().map_err(|_| BodyError::Json)?;
    Params::from_pairs(pairs, ParamLimits::BODY).map_err(BodyError::Params)
}

/// The members. A repeated one is no object that two parsers would agree on, whatever the protocol would
/// say of a form that repeats it (TOKEN-02, RFC 8259 §4).
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Vec<(String, String)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flat object whose members are strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs: BTreeMap<String, String> = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            if pairs.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is repeated"));
            }
        }
        Ok(pairs.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// TOKEN-02
    #[test]
    fn media_types_are_read_exactly() {
        for form in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
            "application/x-www-form-urlencoded;charset=\"utf-8\"",
        ] {
            assert_eq!(media_type(form), Some(MediaType::Form), "{form}");
        }
        assert_eq!(media_type("application/json; charset=utf-8"), Some(MediaType::Json));
        for other in [
            "",
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded-x",
            "application/x-www-form-urlencoded; charset=latin1",
            "application/jsonp",
        ] {
            assert_eq!(media_type(other), None, "{other}");
        }
    }

    /// TOKEN-02, TOKEN-06
    #[test]
    fn json_is_a_flat_object_of_strings() {
        let params = read_json(br#" {"grant_type":"x","code":"a&b=c"} "#).unwrap();
        assert_eq!(params.one("code"), Ok(Some("a&b=c")));
        for bad in [
            "",
            "null",
            "[]",
            "\"x\"",
            r#"{"a":1}"#,
            r#"{"a":null}"#,
            r#"{"a":["x"]}"#,
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":true}"#,
            r#"{"a":"b"} x"#,
            r#"{"a":"b""#,
            r#"{"a":"\ud800"}"#,
            r#"{"code":"1","code":"1"}"#,
            r#"{"resource":"https://a.test/","resource":"https://b.test/"}"#,
        ] {
            assert_eq!(read_json(bad.as_bytes()), Err(BodyError::Json), "{bad}");
        }
    }

    /// XC-02: depth is no way to exhaust the stack.
    #[test]
    fn deep_nesting_is_refused() {
        let deep = format!("{{\"a\":{}", "[".repeat(60_000));
        assert_eq!(read_json(deep.as_bytes()), Err(BodyError::Json));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_json(&bytes);
        }
    }
}

//! Durations as people write them: `60s`, `10m`, `8h`, `30d`, `1h30m`.

use super::problem::Complaint;
use serde::{Deserialize, Deserializer, de::Error};
use std::time::Duration;

/// The units, longest first: the order in which they may follow each other.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads whole numbers with a unit each, longest unit first, every unit at most once.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0_u64;
    for (unit, worth) in UNITS {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        if let Some(after) = after.strip_prefix(unit) {
            let part = number.parse::<u64>().ok()?.checked_mul(worth)?;
            seconds = seconds.checked_add(part)?;
            rest = after;
        }
    }
    (rest.is_empty() && !text.is_empty()).then(|| Duration::from_secs(seconds))
}

/// Judges the text of a setting that must be positive and at most `max`.
pub(super) fn check(text: &str, max: &str) -> Result<(), Complaint> {
    let fix = || format!("a whole number with s, m, h or d, from \"1s\" to \"{max}\"");
    match parse(text) {
        None if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(Complaint::new(format!("has no unit: {text}"), format!("write \"{text}s\"")))
        }
        None => Err(Complaint::new(format!("is not a duration: \"{text}\""), fix())),
        Some(found) if found.is_zero() => Err(Complaint::new("must be longer than zero", fix())),
        Some(found) if Some(found) > parse(max) => {
            Err(Complaint::new(format!("is too long: \"{text}\""), fix()))
        }
        Some(_) => Ok(()),
    }
}

/// For a model's field.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    parse(&text).ok_or_else(|| D::Error::custom(format!("not a duration: {text}")))
}

/// For a model's field that may be absent; use it with `#[serde(default)]`.
pub(super) fn deserialize_some<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Duration>, D::Error> {
    deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_read_as_they_are_written() {
        for (text, seconds) in [
            ("60s", 60),
            ("10m", 600),
            ("8h", 28_800),
            ("30d", 2_592_000),
            ("1h30m", 5_400),
            ("1d2h3m4s", 93_784),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "60",
            "s",
            "-1s",
            "+1s",
            "1.5h",
            "1 h",
            " 1s",
            "1s ",
            "1S",
            "1w",
            "1ms",
            "1s1m",
            "1m1m",
            "m1",
            "٣s",
            "99999999999999999999s",
            "213503982334602d",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_lifetime_is_positive_and_bounded() {
        assert!(check("10m", "10m").is_ok());
        for text in ["0s", "0m0s", "601s", "soon"] {
            assert!(check(text, "10m").is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_from_parts_reads_as_their_sum(
            parts in [0_u64..10_000, 0..10_000, 0..10_000, 0..10_000],
            written in prop::array::uniform4(any::<bool>()),
        ) {
            let mut text = String::new();
            let mut seconds = 0;
            for ((part, written), (unit, worth)) in parts.into_iter().zip(written).zip(UNITS) {
                if written {
                    text.push_str(&format!("{part}{unit}"));
                    seconds += part * worth;
                }
            }
            let expected = (!text.is_empty()).then(|| Duration::from_secs(seconds));
            prop_assert_eq!(parse(&text), expected);
        }

        #[test]
        fn no_text_panics_and_what_reads_consists_of_digits_and_units(text in "\\PC*|[0-9dhms]*") {
            if parse(&text).is_some() {
                prop_assert!(text.bytes().all(|byte| b"0123456789dhms".contains(&byte)));
                prop_assert!(text.ends_with(['d', 'h', 'm', 's']));
            }
        }
    }
}

//! Durations (dsl-reference, "Duration").

use std::fmt;
use std::time::Duration as StdDuration;

use thiserror::Error;

use super::Located;
use super::read::{Field, Read, Reader, is_expression};
use crate::diagnostic::code;
use crate::yaml::Data;

/// How long something takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Duration {
    /// So long, in whole milliseconds, at most [`Duration::MAX`].
    Fixed(StdDuration),
    /// What an expression yields, to be read by [`Duration::parse_iso8601`].
    Expression(String),
}

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DurationError {
    /// It has not the form.
    #[error("`{0}` is not an ISO 8601 duration")]
    Form(String),
    /// It is longer than [`Duration::MAX`].
    #[error("the duration is longer than 1000 years")]
    TooLong,
}

const MILLISECOND: f64 = 1.0;
const SECOND: f64 = 1000.0 * MILLISECOND;
const MINUTE: f64 = 60.0 * SECOND;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;
/// Parts of the date, by their letters in the order in which they must come.
const DATE: [(char, f64); 4] = [
    ('Y', 365.0 * DAY),
    ('M', 30.0 * DAY),
    ('W', 7.0 * DAY),
    ('D', DAY),
];
const TIME: [(char, f64); 3] = [('H', HOUR), ('M', MINUTE), ('S', SECOND)];

impl Duration {
    /// The longest: 1000 years of 365 days.
    pub const MAX: StdDuration = StdDuration::from_secs(1000 * 365 * 24 * 3600);

    /// Reads a duration in the form of the specification's schema (`DurationLiteral`): `PT30S`, `P1DT2.5H`.
    ///
    /// A year has 365 days and a month 30: the specification does not say what they are counted from,
    /// and a run must come to the same result whenever it is replayed. Parts of milliseconds are dropped.
    ///
    /// # Errors
    ///
    /// When the text has another form, or the duration is longer than [`Duration::MAX`].
    pub fn parse_iso8601(text: &str) -> Result<StdDuration, DurationError> {
        let form = || DurationError::Form(text.chars().take(80).collect());
        let rest = text.strip_prefix('P').ok_or_else(form)?;
        let (date, time) = match rest.split_once('T') {
            Some((date, time)) if !time.is_empty() => (date, time),
            Some(_) => return Err(form()),
            None if rest.is_empty() => return Err(form()),
            None => (rest, ""),
        };
        let total = parts(date, &DATE)
            .zip(parts(time, &TIME))
            .map(|(date, time)| date + time)
            .ok_or_else(form)?;
        from_milliseconds(total)
    }

    /// How long, if no expression has to be evaluated for it.
    pub fn fixed(&self) -> Option<StdDuration> {
        if let Self::Fixed(duration) = self {
            Some(*duration)
        } else {
            None
        }
    }
}

/// In the form of ISO 8601 that [`Duration::parse_iso8601`] reads, in days and smaller units; or the expression.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duration = match self {
            Self::Fixed(duration) => *duration,
            Self::Expression(text) => return f.write_str(text),
        };
        let (seconds, milliseconds) = (duration.as_secs(), duration.subsec_millis());
        if duration.is_zero() {
            return f.write_str("PT0S");
        }
        f.write_str("P")?;
        let part = |f: &mut fmt::Formatter<'_>, number: u64, unit: char| match number {
            0 => Ok(()),
            number => write!(f, "{number}{unit}"),
        };
        part(f, seconds / 86_400, 'D')?;
        if seconds % 86_400 > 0 || milliseconds > 0 {
            f.write_str("T")?;
        }
        part(f, seconds / 3_600 % 24, 'H')?;
        part(f, seconds / 60 % 60, 'M')?;
        match milliseconds {
            0 => part(f, seconds % 60, 'S'),
            _ => write!(f, "{}.{milliseconds:03}S", seconds % 60),
        }
    }
}

/// The sum in milliseconds of parts that come in the order of `units`, each at most once.
fn parts(text: &str, units: &[(char, f64)]) -> Option<f64> {
    let mut rest = text;
    let mut units = units.iter();
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, unit) = (&rest[..end], rest[end..].chars().next()?);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let (_, length) = units.find(|(letter, _)| *letter == unit)?;
        total += number.parse::<f64>().ok()? * length;
        rest = &rest[end + unit.len_utf8()..];
    }
    Some(total)
}

fn from_milliseconds(milliseconds: f64) -> Result<StdDuration, DurationError> {
    if milliseconds > Duration::MAX.as_millis() as f64 {
        return Err(DurationError::TooLong);
    }
    // Nearly whole is whole: 0.07 seconds are 70.00000000000001 milliseconds, and 1.1 are not 1099.
    let rounded = milliseconds.round();
    let whole = if (milliseconds - rounded).abs() < 1e-6 {
        rounded
    } else {
        milliseconds.floor()
    };
    Ok(StdDuration::from_millis(whole as u64))
}

impl Read for Located<Duration> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match &field.node.data {
            Data::Mapping(_) => Some(field.located(Duration::Fixed(inline(field, reader)?))),
            Data::String(text) if is_expression(text) => {
                Some(field.located(Duration::Expression(text.clone())))
            }
            Data::String(text) => match Duration::parse_iso8601(text) {
                Ok(duration) => Some(field.located(Duration::Fixed(duration))),
                Err(error) => {
                    reader.error(
                        code::BAD_DURATION,
                        &field.location(),
                        error.to_string(),
                        advice(text),
                    );
                    None
                }
            },
            Data::Number(number) => {
                let help = format!("say of what: {{ seconds: {number} }}");
                reader.wrong_type(field, "a duration", help);
                None
            }
            _ => {
                reader.wrong_type(
                    field,
                    "a duration",
                    "write { seconds: 30 }, PT30S or an expression".to_owned(),
                );
                None
            }
        }
    }
}

fn inline(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<StdDuration> {
    let units = [
        ("days", DAY),
        ("hours", HOUR),
        ("minutes", MINUTE),
        ("seconds", SECOND),
        ("milliseconds", MILLISECOND),
    ];
    let mut object = reader.object(field, "a duration")?;
    let read = units.map(|(key, length)| {
        Some(
            object
                .optional::<Located<u64>>(key)?
                .map(|count| *count as f64 * length),
        )
    });
    let empty = object.keys().next().is_none();
    object.finish_with(|key| match key {
        "weeks" => Some("write days: 7 for a week"),
        "months" | "years" => Some("write days, or text in the form of ISO 8601: P1M"),
        _ => None,
    })?;
    if empty {
        reader.error(
            code::BAD_DURATION,
            &field.location(),
            "the duration is empty",
            "write { seconds: 30 }".to_owned(),
        );
        return None;
    }
    let parts = read.into_iter().collect::<Option<Vec<_>>>()?;
    let milliseconds = parts.into_iter().flatten().sum();
    match from_milliseconds(milliseconds) {
        Ok(duration) => Some(duration),
        Err(error) => {
            reader.error(
                code::BAD_DURATION,
                &field.location(),
                error.to_string(),
                None,
            );
            None
        }
    }
}

/// What was probably meant by a text that is no duration.
fn advice(text: &str) -> String {
    let text = text.trim();
    let (number, unit) = text.split_at(
        text.find(|character: char| !character.is_ascii_digit())
            .unwrap_or(text.len()),
    );
    let unit = match unit.trim() {
        _ if number.is_empty() => "",
        "ms" => "milliseconds",
        "s" | "sec" | "secs" | "second" | "seconds" => "seconds",
        "m" | "min" | "mins" | "minute" | "minutes" => "minutes",
        "h" | "hour" | "hours" => "hours",
        "d" | "day" | "days" => "days",
        _ => "",
    };
    if unit.is_empty() {
        "write it like PT30S, P1DT12H or { seconds: 30 }".to_owned()
    } else {
        format!("write {{ {unit}: {number} }}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_8601_durations_are_read_as_the_schema_says() {
        let day = 24 * 3600 * 1000;
        let right = [
            ("PT30S", 30_000),
            ("PT0S", 0),
            ("PT0.07S", 70),
            ("PT1.1S", 1100),
            ("PT1.0009S", 1000),
            ("P1D", day),
            ("P1DT12H30M5S", day + 45_005_000),
            ("P2W", 14 * day),
            ("P1Y2M", 425 * day),
            ("PT36H", 36 * 3_600_000),
            ("P0.5D", day / 2),
        ];
        for (text, milliseconds) in right {
            assert_eq!(
                Duration::parse_iso8601(text),
                Ok(StdDuration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for (text, milliseconds) in [
            ("PT0S", 0),
            ("PT30S", 30_000),
            ("PT0.070S", 70),
            ("P1DT12H30M5.001S", day + 45_005_001),
            ("P14D", 14 * day),
            ("P1DT1M", day + 60_000),
        ] {
            let duration = StdDuration::from_millis(milliseconds);
            assert_eq!(Duration::Fixed(duration).to_string(), text);
            assert_eq!(Duration::parse_iso8601(text), Ok(duration), "{text}");
        }
        let wrong = [
            "", "P", "PT", "P1DT", "30S", "PT30", "P30S", "PT1H1H", "PT1S1H", "P-1D", "PT.5S",
            "PT5.S", "pt5s", "PT5s", " PT5S", "PT1.2.3S", "P1DT1D",
        ];
        for text in wrong {
            assert_eq!(
                Duration::parse_iso8601(text),
                Err(DurationError::Form(text.to_owned())),
                "{text}"
            );
        }
        assert_eq!(
            Duration::parse_iso8601("P1001Y"),
            Err(DurationError::TooLong)
        );
        assert_eq!(
            Duration::parse_iso8601(&format!("P{}Y", "9".repeat(400))),
            Err(DurationError::TooLong)
        );
    }
}

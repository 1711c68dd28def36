//! Values to text and back.
//!
//! jaq's values are a superset of JSON: they have bytes, not-a-number, and keys of any type. What has no
//! form in JSON is refused here with a message rather than changed silently.
//!
//! Numbers are written as jq writes them. An integer keeps all its digits, a decimal that was only
//! passed on keeps its spelling, and a computed number that happens to be whole has no fraction:
//! `6 / 2` is `3`, where jaq alone would write `3.0`.

use std::fmt::Write;

use jaq_json::{Num, Val};

/// Up to here every whole `f64` is written with all its digits, as jq does.
const WHOLE_MAX: f64 = 1e17;

/// Reads one JSON value.
///
/// # Errors
///
/// A message with the place where `text` is no JSON.
pub fn read(text: &str) -> Result<Val, String> {
    jaq_json::read::parse_single(text.as_bytes())
        .map_err(|error| format!("the value given to the expression is no JSON: {error}"))
}

/// Writes a result.
///
/// # Errors
///
/// A message where the value, or a part of it, has no form in JSON.
pub fn write(value: &Val) -> Result<String, String> {
    let mut out = String::new();
    write_value(&mut out, value, Strictness::Json)?;
    Ok(out)
}

/// Writes a value for a person, or into a string: as [`write()`], but with jaq's own spelling for what
/// JSON has no form for.
pub fn text(value: &Val) -> String {
    let mut out = String::new();
    write_value(&mut out, value, Strictness::Any).expect("any value has some form");
    out
}

#[derive(Clone, Copy, PartialEq)]
enum Strictness {
    Json,
    Any,
}

fn write_value(out: &mut String, value: &Val, strictness: Strictness) -> Result<(), String> {
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(true) => out.push_str("true"),
        Val::Bool(false) => out.push_str("false"),
        Val::Num(number) => write_number(out, number, strictness)?,
        Val::TStr(text) => write_string(out, &String::from_utf8_lossy(text)),
        Val::BStr(_) if strictness == Strictness::Json => {
            return Err(
                "the result holds bytes, which JSON has no form for: turn them into text \
                        with @base64 or tostring"
                    .to_owned(),
            );
        }
        Val::BStr(_) => out.push_str(&value.to_string()),
        Val::Arr(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(out, item, strictness)?;
            }
            out.push(']');
        }
        Val::Obj(fields) => {
            out.push('{');
            for (at, (key, field)) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                if strictness == Strictness::Json && !matches!(key, Val::TStr(_)) {
                    return Err(format!(
                        "the result holds an object with the key {}, and JSON has only strings as \
                         keys: use (… | tostring) for the key",
                        text(key)
                    ));
                }
                write_value(out, key, strictness)?;
                out.push(':');
                write_value(out, field, strictness)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

fn write_number(out: &mut String, number: &Num, strictness: Strictness) -> Result<(), String> {
    let written = match number {
        Num::Int(integer) => write!(out, "{integer}"),
        Num::BigInt(integer) => write!(out, "{integer}"),
        Num::Dec(spelling) if is_json_number(spelling) => write!(out, "{spelling}"),
        Num::Dec(spelling) => {
            let float = spelling.parse().unwrap_or(f64::NAN);
            return write_number(out, &Num::Float(float), strictness);
        }
        Num::Float(float) if float.is_finite() => write_float(out, *float),
        Num::Float(_) if strictness == Strictness::Json => {
            return Err(format!(
                "the result holds {number}, which JSON has no form for"
            ));
        }
        Num::Float(_) => write!(out, "{number}"),
    };
    written.expect("a string takes all that is written");
    Ok(())
}

fn write_float(out: &mut String, float: f64) -> std::fmt::Result {
    let size = float.abs();
    if float.fract() == 0.0 && size < WHOLE_MAX {
        write!(out, "{float:.0}")
    } else if (1e-5..WHOLE_MAX).contains(&size) {
        write!(out, "{float}")
    } else {
        write!(out, "{float:e}")
    }
}

/// Whether a decimal is spelled as RFC 8259 (section 6) has it: no leading `+`, zeros or point.
fn is_json_number(spelling: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match spelling.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (spelling, None),
    };
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if control < ' ' || control == '\u{7f}' => {
                write!(out, "\\u{:04x}", control as u32).expect("a string takes all");
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_way_there_and_back() {
        for text in [
            "null",
            "[1,-0.0,1.0,1.50,1e3,-2E-7,9007199254740993,123456789012345678901234567890]",
            r#"{"a":{"b":[]},"c":{},"ü":"\"\\\n\r\t\b\f\u0001\u007f é 😀"}"#,
        ] {
            assert_eq!(write(&read(text).unwrap()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn computed_numbers_are_written_as_jq_writes_them() {
        for (float, expected) in [
            (3.0, "3"),
            (-0.0, "-0"),
            (2.5, "2.5"),
            (1e16, "10000000000000000"),
            (1e17, "1e17"),
            (1e300, "1e300"),
            (1.5e-7, "1.5e-7"),
            (0.1 + 0.2, "0.30000000000000004"),
        ] {
            assert_eq!(write(&Val::from(float)).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn spellings_that_json_has_not_are_put_right() {
        for (spelling, expected) in [
            ("+1.5", "1.5"),
            ("01.5", "1.5"),
            ("-00.5", "-0.5"),
            ("1.e5", "100000"),
        ] {
            let value = Val::Num(Num::Dec(spelling.to_owned().into()));
            assert_eq!(write(&value).as_deref(), Ok(expected), "{spelling}");
        }
    }
}

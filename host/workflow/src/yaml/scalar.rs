//! What a plain scalar means, by the core schema of YAML 1.2.2, section 10.3.2.

use serde_json::Number;

use super::Data;

/// A plain scalar that the core schema gives a meaning that JSON has not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoJsonValue;

/// The value of a plain scalar, and whether a number was rounded to what JSON implementations can hold.
pub(super) fn resolve(text: &str) -> Result<(Data, bool), NoJsonValue> {
    let exact = |data| Ok((data, false));
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return exact(Data::Null),
        "true" | "True" | "TRUE" => return exact(Data::Bool(true)),
        "false" | "False" | "FALSE" => return exact(Data::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Err(NoJsonValue),
        _ => {}
    }
    if matches!(
        text.trim_start_matches(['+', '-']),
        ".inf" | ".Inf" | ".INF"
    ) && text.len() <= 5
    {
        return Err(NoJsonValue);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        let Some(digits) = text.strip_prefix(prefix) else {
            continue;
        };
        if let Ok(value) = u64::from_str_radix(digits, radix)
            && !digits.starts_with('+')
        {
            return exact(Data::Number(value.into()));
        }
    }
    Ok(number(text).map_or_else(
        || (Data::String(text.to_owned()), false),
        |(number, rounded)| (Data::Number(number), rounded),
    ))
}

/// A decimal integer or floating-point number, and whether it was rounded to 64 bits.
fn number(text: &str) -> Option<(Number, bool)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    let rest = &unsigned[whole..];
    if rest.is_empty() && whole > 0 {
        let plain = text.strip_prefix('+').unwrap_or(text);
        if let Ok(value) = plain.parse::<i64>() {
            return Some((value.into(), false));
        }
        return match plain.parse::<u64>() {
            Ok(value) => Some((value.into(), false)),
            Err(_) => Some((Number::from_f64(plain.parse().ok()?)?, true)),
        };
    }
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => (digits(rest), &rest[digits(rest)..]),
        None => (0, rest),
    };
    if whole + fraction == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if exponent.is_empty() || digits(exponent) != exponent.len() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    // An exponent beyond what a double holds makes it infinite, which `from_f64` refuses: it stays text.
    Some((Number::from_f64(text.parse().ok()?)?, false))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Node;
    use super::*;
    use crate::diagnostic::Span;

    #[test]
    fn plain_scalars_are_what_the_core_schema_says() {
        let cases = [
            ("", json!(null)),
            ("~", json!(null)),
            ("Null", json!(null)),
            ("nUll", json!("nUll")),
            ("True", json!(true)),
            ("yes", json!("yes")),
            ("on", json!("on")),
            ("0", json!(0)),
            ("-12", json!(-12)),
            ("+12", json!(12)),
            ("0123", json!(123)),
            ("0o17", json!(15)),
            ("0x1f", json!(31)),
            ("0x", json!("0x")),
            ("0x+1", json!("0x+1")),
            ("-0x1f", json!("-0x1f")),
            ("18446744073709551615", json!(u64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("1.5", json!(1.5)),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("-.5e-3", json!(-0.0005)),
            ("1e3", json!(1000.0)),
            ("1e", json!("1e")),
            ("e3", json!("e3")),
            (".", json!(".")),
            ("+", json!("+")),
            ("1_000", json!("1_000")),
            ("1.2.3", json!("1.2.3")),
            ("12:30:00", json!("12:30:00")),
            ("1e999", json!("1e999")),
            ("infinity", json!("infinity")),
            ("..inf", json!("..inf")),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_json_cannot_say_is_refused_or_rounded() {
        for text in [".inf", "-.Inf", "+.INF", ".nan", ".NaN"] {
            assert_eq!(value(text), Err(NoJsonValue), "{text}");
        }
        let (data, rounded) = resolve("123456789012345678901234567890").expect("a number");
        assert!(rounded, "{data:?}");
    }

    fn value(text: &str) -> Result<Value, NoJsonValue> {
        resolve(text).map(|(data, _)| {
            Node {
                span: Span::default(),
                data,
            }
            .to_value()
        })
    }
}

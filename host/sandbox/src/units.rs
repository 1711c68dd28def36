//! Sizes and durations as people write them, both ways.

use std::time::Duration;

use crate::limits::Quantity;

/// A quantity that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// No size.
    #[error(
        "`{0}` is no size: give a number of bytes, or a text such as `64MiB`, `512KiB` or `4MB`"
    )]
    Size(String),
    /// No duration.
    #[error(
        "`{0}` is no duration: give a number of seconds, or a text such as `500ms`, `30s`, `5m` or `1h`"
    )]
    Duration(String),
}

const SIZES: [(&str, f64); 8] = [
    ("", 1.0),
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];

const DURATIONS: [(&str, f64); 4] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// Reads a number of bytes.
pub(crate) fn bytes(quantity: &Quantity) -> Result<u64, UnitError> {
    let error = || UnitError::Size(written(quantity));
    let value = scaled(quantity, &SIZES).ok_or_else(error)?;
    // Whatever is above 2^63 saturates, far above every ceiling.
    if value.fract() == 0.0 {
        Ok(value as u64)
    } else {
        Err(error())
    }
}

/// Reads a duration.
pub(crate) fn duration(quantity: &Quantity) -> Result<Duration, UnitError> {
    let error = || UnitError::Duration(written(quantity));
    let seconds = scaled(quantity, &DURATIONS).ok_or_else(error)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| error())
}

/// Shows a number of bytes in the largest unit that divides it: `64 MiB`, `1000 B`.
pub(crate) fn show_bytes(bytes: u64) -> String {
    [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        .into_iter()
        .find(|(_, shift)| bytes != 0 && bytes.trailing_zeros() >= *shift)
        .map_or_else(
            || format!("{bytes} B"),
            |(unit, shift)| format!("{} {unit}", bytes >> shift),
        )
}

/// Shows a duration in the largest unit that divides it: `60 s`, `500 ms`, `24 h`.
pub(crate) fn show_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0 => "0 ms".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{} h", millis / 3_600_000),
        _ if millis.is_multiple_of(1000) => format!("{} s", millis / 1000),
        _ => format!("{millis} ms"),
    }
}

fn scaled(quantity: &Quantity, units: &[(&str, f64)]) -> Option<f64> {
    let value = match quantity {
        Quantity::Number(number) => *number,
        Quantity::Text(text) => {
            let text = text.trim();
            let split = text
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(text.len());
            let (number, unit) = text.split_at(split);
            let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
            number.parse::<f64>().ok()? * factor
        }
    };
    (value.is_finite() && value >= 0.0).then_some(value)
}

fn written(quantity: &Quantity) -> String {
    match quantity {
        Quantity::Number(number) => number.to_string(),
        Quantity::Text(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_read_and_shown() {
        let text = |text: &str| Quantity::Text(text.to_owned());
        for (written, expected) in [
            ("64MiB", 64 << 20),
            ("4 MB", 4_000_000),
            ("12", 12),
            ("1.5KiB", 1536),
        ] {
            assert_eq!(bytes(&text(written)), Ok(expected), "{written}");
        }
        for (written, expected) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("1.5m", 90_000),
            ("2 h", 7_200_000),
        ] {
            assert_eq!(
                duration(&text(written)),
                Ok(Duration::from_millis(expected)),
                "{written}"
            );
        }
        for wrong in ["", "s", "-1s", "1e3", "5 d", "..s", "1.5.2s"] {
            assert!(duration(&text(wrong)).is_err(), "{wrong}");
        }
        for wrong in ["1.0001kiB", "0.5", "-3", "NaN", "MiB"] {
            assert!(bytes(&text(wrong)).is_err(), "{wrong}");
        }
        assert_eq!(show_bytes(64 << 20), "64 MiB");
        assert_eq!(show_bytes(1000), "1000 B");
        assert_eq!(show_duration(Duration::from_millis(1500)), "1500 ms");
    }
}

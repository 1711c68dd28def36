//! From what was counted and timed to figures.

use std::time::Duration;

use serde_json::{Value, json};

/// How many of these a second.
pub(crate) fn per_second(count: usize, elapsed: Duration) -> u64 {
    rounded(float(count) / elapsed.as_secs_f64().max(1e-9))
}

/// A count, to calculate with.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// The nearest whole number; none that is negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is measured is far below 2^53, and what is negative becomes nothing"
)]
pub(crate) fn rounded(number: f64) -> u64 {
    number.max(0.0).round() as u64
}

/// A time in milliseconds.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// `NAME_p50_us` and `NAME_p99_us`, in microseconds; null where nothing was timed.
pub(crate) fn percentiles(name: &str, times: &[Duration]) -> Value {
    let mut times = times.to_vec();
    times.sort_unstable();
    let mut figures = json!({});
    for percent in [50, 99] {
        let microseconds = percentile(&times, percent).map(|time| time.as_secs_f64() * 1e6);
        figures[format!("{name}_p{percent}_us")] = microseconds.into();
    }
    figures
}

/// How many times as long the p99 of what was timed is as that of other times; null where one of both was not timed.
pub(crate) fn times_as_long(times: &[Duration], others: &[Duration]) -> Option<f64> {
    let p99 = |times: &[Duration]| {
        let mut times = times.to_vec();
        times.sort_unstable();
        percentile(&times, 99)
    };
    Some(p99(times)?.as_secs_f64() / p99(others)?.as_secs_f64())
}

/// The one in the middle.
///
/// # Panics
///
/// When there is none.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    percentile(&times, 50).expect("something was timed")
}

/// The smallest of sorted times that so many percent do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

/// Puts the members of one object into another.
pub(crate) fn add(figures: &mut Value, more: Value) {
    if let (Value::Object(figures), Value::Object(more)) = (figures, more) {
        figures.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_rank() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_micros).collect();
        let figures = percentiles("step", &times);
        assert_eq!(figures, json!({"step_p50_us": 100.0, "step_p99_us": 198.0}));
        assert_eq!(median(times), Duration::from_micros(100));
        assert_eq!(
            percentiles("step", &[]),
            json!({"step_p50_us": null, "step_p99_us": null})
        );
    }

    #[test]
    fn rates_are_whole() {
        assert_eq!(per_second(30, Duration::from_secs(2)), 15);
        assert_eq!(rounded(-1.5), 0);
    }
}

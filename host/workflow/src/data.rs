//! The values that a run is made of: JSON data, and points in time.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::pack::packed;

/// A JSON value that is handed from task to task without being copied.
pub type Data = Arc<Value>;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

packed!(struct Timestamp(milliseconds));

impl Timestamp {
    /// The time `milliseconds` after the epoch. Times before 1970 are negative.
    pub const fn from_millis(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This time and `duration`, or the end of time where that is nearer.
    pub fn after(self, duration: std::time::Duration) -> Self {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(milliseconds))
    }

    /// How long it is from this time to `later`; zero where that is past.
    pub fn until(self, later: Self) -> std::time::Duration {
        let milliseconds = later.0.saturating_sub(self.0);
        std::time::Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
    }

    /// The `dateTimeDescriptor` of the specification (dsl.md, "DateTime Descriptor").
    pub fn descriptor(self) -> Value {
        json!({
            "iso8601": self.to_string(),
            "epoch": { "seconds": self.0.div_euclid(1000), "milliseconds": self.0 },
        })
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-11-24T08:00:00.000Z`.
impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            // Beyond the year 9999 there is no RFC 3339; a number is the honest rest.
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn shows_rfc_3339_with_milliseconds() {
        assert_eq!(
            Timestamp::from_millis(0).to_string(),
            "1970-01-01T00:00:00.000Z"
        );
        assert_eq!(
            Timestamp::from_millis(1_641_024_000_123).to_string(),
            "2022-01-01T08:00:00.123Z"
        );
        assert_eq!(
            Timestamp::from_millis(i64::MAX).to_string(),
            format!("{}ms", i64::MAX)
        );
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let end = Timestamp::from_millis(i64::MAX);
        assert_eq!(end.after(Duration::MAX), end);
        assert_eq!(end.until(Timestamp::from_millis(0)), Duration::ZERO);
    }
}

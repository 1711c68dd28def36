//! When a workflow starts by itself: the arithmetic of schedules. It knows no clock; the time comes in.

mod cron;
mod gathering;
mod zone;

use std::time::Duration;

use serde_json::Value;

pub use cron::{CronSchedule, CronScheduleError};
pub use gathering::{
    BYTES_PER_START_MAX, EVENTS_PER_START_MAX, GATHERINGS_MAX, Gathered, Gatherings,
};
pub use zone::{NoSuchZone, Zone};

use crate::data::Timestamp;

/// The shortest interval of `every` and delay of `after`: one second. A workflow that starts more often had
/// better be one run with a loop in it.
pub const INTERVAL_MIN: Duration = Duration::from_secs(1);

/// How many missed starts are counted at most; from there on it is at least so many.
pub const MISSED_MAX: u32 = 10_000;

/// When a workflow starts by itself (dsl-reference, "Schedule"). Where it has several of these, each starts runs
/// for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// After each such time, whether the last run has ended or not. At least [`INTERVAL_MIN`].
    pub every: Option<Duration>,
    /// Whenever the clock of a time zone shows one of these times.
    pub cron: Option<CronSchedule>,
    /// So long after the end of each run that this has started. At least [`INTERVAL_MIN`].
    pub after: Option<Duration>,
    /// Whenever these events have come: `on` and `read`, as they are written. [`Gatherings`] say when.
    pub on: Option<Value>,
}

/// What has come due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last time that was due.
    pub at: Timestamp,
    /// How many were due before it and have not been started.
    pub missed: u32,
    /// When the next one is due; none where there will be no other.
    pub next: Option<Timestamp>,
}

/// What has come due by `now` of the times that are `interval` apart, of which `first` is one and not later.
pub fn due_every(interval: Duration, first: Timestamp, now: Timestamp) -> Due {
    let step = interval.max(INTERVAL_MIN);
    let missed = first.until(now).as_millis() / step.as_millis();
    let passed = u64::try_from(missed.saturating_mul(step.as_millis())).unwrap_or(u64::MAX);
    let at = first.after(Duration::from_millis(passed));
    Due {
        at,
        missed: u32::try_from(missed).unwrap_or(u32::MAX).min(MISSED_MAX),
        next: Some(at.after(step)),
    }
}

/// What has come due by `now` of the times of `cron`, of which `first` is one and not later.
pub fn due_cron(cron: &CronSchedule, first: Timestamp, now: Timestamp) -> Due {
    let (mut at, mut missed) = (first, 0);
    loop {
        match cron.next_after(at) {
            Some(next) if next <= now && missed < MISSED_MAX => (at, missed) = (next, missed + 1),
            // Too many to count: the last one is now, near enough.
            Some(next) if next <= now => {
                return Due {
                    at: now,
                    missed,
                    next: cron.next_after(now),
                };
            }
            next => return Due { at, missed, next },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn due(seconds: i64, missed: u32, next: i64) -> Due {
        Due {
            at: at(seconds),
            missed,
            next: Some(at(next)),
        }
    }

    #[test]
    fn what_was_missed_is_counted_and_the_grid_kept() {
        let minute = Duration::from_secs(60);
        assert_eq!(due_every(minute, at(60), at(60)), due(60, 0, 120));
        assert_eq!(due_every(minute, at(60), at(119)), due(60, 0, 120));
        assert_eq!(due_every(minute, at(60), at(330)), due(300, 4, 360));
        let year = due_every(INTERVAL_MIN, at(0), at(365 * 86_400));
        assert_eq!((year.missed, year.at), (MISSED_MAX, at(365 * 86_400)));

        let cron = CronSchedule::new("*/5 * * * *", None).expect("right");
        assert_eq!(due_cron(&cron, at(300), at(300)), due(300, 0, 600));
        assert_eq!(due_cron(&cron, at(300), at(1250)), due(1200, 3, 1500));
        let years = due_cron(&cron, at(300), at(10 * 365 * 86_400 + 1));
        assert_eq!(years.missed, MISSED_MAX);
        assert_eq!(years.next, Some(at(10 * 365 * 86_400 + 300)));
    }
}

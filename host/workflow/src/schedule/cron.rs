//! When the clock of a time zone next shows one of the times of a cron expression.
//!
//! Where a zone's clock is put forward or back, there is more than one reading of "at half past two". This host's
//! is that of the cron of most systems:
//!
//! - An expression whose hour field allows every hour follows the minutes as they pass: `*/15 * * * *` starts
//!   every quarter of an hour of real time, also in the hour that comes twice, and none in the hour that is left
//!   out.
//! - Any other means times of the day. One that comes twice counts the first time. One that is left out counts at
//!   the moment at which the clock is put forward, once for all that are left out.

use jiff::Timestamp as Instant;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan};

use super::zone::{NoSuchZone, Zone};
use crate::data::Timestamp;
use crate::document::{Cron, CronError};

/// How far ahead to look. Within 41 years each possible day of the month has fallen on each day of the week, also
/// 29 February over a year without one such as 2100.
const HORIZON: SignedDuration = SignedDuration::from_hours(41 * 366 * 24);

/// All hours of a day.
const EVERY_HOUR: u64 = (1 << 24) - 1;

/// A cron expression in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronSchedule {
    text: String,
    times: Cron,
    zone: Zone,
}

/// Why there is no such schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronScheduleError {
    /// The expression is none.
    #[error(transparent)]
    Expression(#[from] CronError),
    /// There is no such time zone.
    #[error(transparent)]
    Zone(#[from] NoSuchZone),
}

impl CronSchedule {
    /// The times of an expression in the zone of that name, or in UTC.
    ///
    /// # Errors
    ///
    /// Where one of the two is none.
    pub fn new(text: &str, zone: Option<&str>) -> Result<Self, CronScheduleError> {
        Ok(Self {
            text: text.to_owned(),
            times: Cron::parse(text)?,
            zone: zone.map_or_else(|| Ok(Zone::utc()), Zone::named)?,
        })
    }

    /// The expression.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The time zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The first of the times that is after `after`; none where there is none within 41 years, which then never
    /// comes, or where time ends.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = Instant::from_millisecond(after.as_millis()).ok()?;
        let next = next_after(&self.times, self.zone.rules(), after)?;
        Some(Timestamp::from_millis(next.as_millisecond()))
    }
}

impl Cron {
    /// Whether there is a time at which this is so: 30 February is none.
    pub fn ever_matches(&self) -> bool {
        next_after(self, &TimeZone::UTC, Instant::UNIX_EPOCH).is_some()
    }

    fn matches_date(&self, date: Date) -> bool {
        let has = |set: u64, value: i8| set >> value & 1 == 1;
        let (day, weekday) = (
            has(self.days, date.day()),
            has(self.weekdays, date.weekday().to_sunday_zero_offset()),
        );
        let matches = match self.either_day {
            true => day || weekday,
            false => day && weekday,
        };
        matches && has(self.months, date.month())
    }

    /// The first time of the clock from `from` up to and without `end` that matches, to the minute.
    fn next_on_clock(&self, from: DateTime, end: DateTime) -> Option<DateTime> {
        let mut date = from.date();
        let mut earliest = (from.hour(), from.minute());
        while date <= end.date() {
            if self.matches_date(date)
                && let Some((hour, minute)) = self.next_in_day(earliest)
            {
                let found = date.at(hour, minute, 0, 0);
                return (found < end).then_some(found);
            }
            earliest = (0, 0);
            date = match self.months >> date.month() & 1 {
                0 => date.last_of_month().tomorrow().ok()?,
                _ => date.tomorrow().ok()?,
            };
        }
        None
    }

    fn next_in_day(&self, (hour, minute): (i8, i8)) -> Option<(i8, i8)> {
        let at_least = |set: u64, value: i8| {
            let rest = set >> value << value;
            (rest != 0).then(|| i8::try_from(rest.trailing_zeros()).expect("less than 64"))
        };
        let same_hour = (self.hours >> hour & 1 == 1)
            .then(|| at_least(self.minutes, minute))
            .flatten();
        match same_hour {
            Some(minute) => Some((hour, minute)),
            None => Some((at_least(self.hours, hour + 1)?, at_least(self.minutes, 0)?)),
        }
    }
}

/// Goes from one change of the clock to the next; between two of them it is plain arithmetic.
fn next_after(times: &Cron, zone: &TimeZone, after: Instant) -> Option<Instant> {
    let horizon = after.checked_add(HORIZON).ok()?;
    let of_the_day = times.hours != EVERY_HOUR;
    let mut offset = zone.to_offset(after);
    // What the clock shows next, to the minute, and what it has shown already.
    let mut shows = next_minute(offset.to_datetime(after))?;
    let mut has_shown = last_change(zone, after).map_or(DateTime::MIN, |(_, before)| before);
    for change in zone.following(after).map(|change| change.timestamp()) {
        let change = change.min(horizon);
        let before = offset.to_datetime(change);
        let from = if of_the_day {
            shows.max(has_shown)
        } else {
            shows
        };
        if let Some(found) = times.next_on_clock(from, before) {
            return offset.to_timestamp(found).ok();
        }
        if change == horizon {
            return None;
        }
        offset = zone.to_offset(change);
        let then = offset.to_datetime(change);
        if of_the_day && times.next_on_clock(to_minute(before)?, then).is_some() {
            return Some(change);
        }
        has_shown = has_shown.max(before);
        shows = to_minute(then)?;
    }
    let from = if of_the_day {
        shows.max(has_shown)
    } else {
        shows
    };
    let found = times.next_on_clock(from, offset.to_datetime(horizon))?;
    offset.to_timestamp(found).ok()
}

/// The last change of the clock up to and with `at`, and what it showed just before.
fn last_change(zone: &TimeZone, at: Instant) -> Option<(Instant, DateTime)> {
    let moment = SignedDuration::from_nanos(1);
    let change = zone
        .preceding(at.checked_add(moment).ok()?)
        .next()?
        .timestamp();
    let before = zone.to_offset(change.checked_sub(moment).ok()?);
    Some((change, before.to_datetime(change)))
}

/// The full minute at or after `time`.
fn to_minute(time: DateTime) -> Option<DateTime> {
    match (time.second(), time.subsec_nanosecond()) {
        (0, 0) => Some(time),
        _ => next_minute(time),
    }
}

/// The full minute after `time`.
fn next_minute(time: DateTime) -> Option<DateTime> {
    let full = time.date().at(time.hour(), time.minute(), 0, 0);
    full.checked_add(1.minute()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, zone: &str, after: &str, expected: &[&str]) {
        let cron = CronSchedule::new(text, Some(zone)).expect("right");
        let mut at: Instant = after.parse().expect("a time");
        for expected in expected {
            at = next_after(&cron.times, cron.zone.rules(), at).expect("a next time");
            assert_eq!(at.to_string(), *expected, "{text} in {zone}");
        }
    }

    #[test]
    fn times_follow_one_another() {
        check(
            "0 8 * * MON-FRI",
            "Europe/Berlin",
            "2026-11-20T06:59:59Z",
            &["2026-11-20T07:00:00Z", "2026-11-23T07:00:00Z"],
        );
        check(
            "0 0 29 2 *",
            "UTC",
            "2096-02-29T00:00:00Z",
            &["2104-02-29T00:00:00Z"],
        );
        check(
            "30 4 1 * FRI",
            "UTC",
            "2026-01-01T04:30:00Z",
            &["2026-01-02T04:30:00Z", "2026-01-09T04:30:00Z"],
        );
        check(
            "59 23 31 12 *",
            "Asia/Kathmandu",
            "2026-06-01T00:00:00Z",
            &["2026-12-31T18:14:00Z", "2027-12-31T18:14:00Z"],
        );
    }

    #[test]
    fn a_time_that_is_left_out_counts_when_the_clock_is_put_forward() {
        // 29 March 2026: 02:00 is 03:00.
        check(
            "15,45 2 * * *",
            "Europe/Berlin",
            "2026-03-28T01:45:00Z",
            &["2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"],
        );
        check(
            "30 * * * *",
            "Europe/Berlin",
            "2026-03-29T00:00:00Z",
            &["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"],
        );
        // The whole of 30 December 2011 is left out.
        check(
            "0 12 30 12 *",
            "Pacific/Apia",
            "2011-12-01T00:00:00Z",
            &["2011-12-30T10:00:00Z", "2012-12-29T22:00:00Z"],
        );
    }

    #[test]
    fn a_time_that_comes_twice_counts_the_first_time() {
        // 25 October 2026: 03:00 is 02:00 again.
        check(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24T00:30:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        );
        check(
            "30 * * * *",
            "Europe/Berlin",
            "2026-10-25T00:00:00Z",
            &[
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T02:30:00Z",
            ],
        );
    }

    #[test]
    fn what_never_comes_is_known() {
        for (text, expected) in [
            ("0 0 30 2 *", false),
            ("0 0 31 4,6,9,11 *", false),
            ("0 0 31 4 MON", true),
            ("0 0 29 2 *", true),
            ("* * * * *", true),
        ] {
            let cron = Cron::parse(text).expect("right");
            assert_eq!(cron.ever_matches(), expected, "{text}");
        }
    }

    /// Whether a run starts at an instant, by the rules above and nothing else.
    fn starts(times: &Cron, zone: &TimeZone, at: Instant) -> bool {
        let minute = SignedDuration::from_mins(1);
        let shows = |at: Instant| zone.to_datetime(at);
        let matches = |time: DateTime| {
            let (hour, minute) = (time.hour(), time.minute());
            times.matches_date(time.date())
                && times.hours >> hour & 1 == 1
                && times.minutes >> minute & 1 == 1
        };
        let now = shows(at);
        if times.hours == EVERY_HOUR {
            return matches(now);
        }
        // No clock is put back by more than a day.
        let came_before = (1..=24 * 60).any(|ago| shows(at - minute * ago) == now);
        let mut left_out = shows(at - minute).checked_add(1.minute()).expect("a time");
        while left_out < now {
            if matches(left_out) {
                return true;
            }
            left_out = left_out.checked_add(1.minute()).expect("a time");
        }
        matches(now) && !came_before
    }

    fn field(from: u32, to: u32) -> impl Strategy<Value = String> {
        prop_oneof![
            3 => Just("*".to_owned()),
            4 => (from..=to).prop_map(|value| value.to_string()),
            2 => (from..=to, from..=to)
                .prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
            1 => (from..=to, 2..6u32).prop_map(|(from, step)| format!("{from}/{step}")),
        ]
    }

    const ZONES: [(&str, &str); 5] = [
        ("Europe/Berlin", "2026-03-28T20:00:00Z"),
        ("Europe/Berlin", "2026-10-24T20:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T10:00:00Z"),
        ("America/Havana", "2026-03-07T20:00:00Z"),
        ("Pacific/Apia", "2011-12-30T00:00:00Z"),
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn the_next_time_is_the_first_at_which_a_run_starts(
            fields in (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)),
            (zone, from) in prop::sample::select(&ZONES[..]),
            offset in 0..900i64,
        ) {
            let (minute, hour, day, month, weekday) = fields;
            let text = format!("{minute} {hour} {day} {month} {weekday}");
            let cron = CronSchedule::new(&text, Some(zone)).expect("right");
            let from: Instant = from.parse().expect("a time");
            let after = from + SignedDuration::from_mins(offset);
            let found = next_after(&cron.times, cron.zone.rules(), after);
            let first = (1..=16 * 60)
                .map(|minutes| after + SignedDuration::from_mins(minutes))
                .find(|at| starts(&cron.times, cron.zone.rules(), *at));
            match first {
                Some(first) => prop_assert_eq!(found, Some(first), "{} in {}", text, zone),
                // Further away than was looked.
                None => prop_assert!(
                    found.is_none_or(|it| it > after + SignedDuration::from_mins(16 * 60)),
                    "{} in {}: {:?}", text, zone, found
                ),
            }
        }
    }
}

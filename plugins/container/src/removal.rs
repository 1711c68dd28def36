//! Removing containers some time after their end.
//!
//! The engine keeps which ones: by a label of each. They are looked at whenever a container is run, so that nothing is
//! forgotten when the host stops; and nothing is removed before its time.

use crate::engine::REMOVE_LABEL;

/// Lists the containers that have ended and are to be removed some time.
pub fn candidates() -> Vec<String> {
    let label = format!("--filter=label={REMOVE_LABEL}");
    [
        "ps",
        "--all",
        "--quiet",
        "--no-trunc",
        &label,
        "--filter=status=exited",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Says of each of the containers when it ended: `ID|MILLISECONDS|TIME`, a line each.
pub fn ends(ids: &[&str]) -> Vec<String> {
    let format = format!(
        "--format={{{{.Id}}}}|{{{{index .Config.Labels \"{REMOVE_LABEL}\"}}}}|{{{{.State.FinishedAt}}}}"
    );
    let mut words = ["container", "inspect", &format, "--"]
        .map(str::to_owned)
        .to_vec();
    words.extend(ids.iter().map(|id| (*id).to_owned()));
    words
}

/// Removes containers.
pub fn remove(ids: &[&str]) -> Vec<String> {
    let mut words = vec!["rm".to_owned(), "--".to_owned()];
    words.extend(ids.iter().map(|id| (*id).to_owned()));
    words
}

/// Those of which the time has come at `now`, in milliseconds since 1970, of the lines that [`ends`] asks for.
pub fn due(lines: &str, now: i64) -> Vec<&str> {
    let is_due = |line: &&str| {
        let mut fields = line.split('|').skip(1);
        let after: Option<i64> = fields.next().and_then(|it| it.trim().parse().ok());
        let ended = fields.next().and_then(milliseconds);
        after
            .zip(ended)
            .is_some_and(|(after, ended)| ended.saturating_add(after) <= now)
    };
    let lines = lines.lines().filter(is_due);
    lines.filter_map(|line| line.split('|').next()).collect()
}

/// A time as engines write it: `2026-11-24T13:36:57.1Z`, or `2026-11-24 13:36:57.1 +0100 CET`. In milliseconds since 1970,
/// without the part of the second.
fn milliseconds(text: &str) -> Option<i64> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let days = days(part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let seconds = part(11, 13)? * 3600 + part(14, 16)? * 60 + part(17, 19)?;
    Some((days * 86_400 + seconds - offset(text.get(19..)?)) * 1000)
}

/// The seconds by which a time zone is ahead: `+0100` and `+01:00` are 3600.
fn offset(rest: &str) -> i64 {
    let Some(at) = rest.find(['+', '-']) else {
        return 0;
    };
    let digits: Vec<i64> = rest[at..]
        .chars()
        .filter_map(|c| c.to_digit(10).map(i64::from))
        .take(4)
        .collect();
    let [a, b, c, d] = digits[..] else { return 0 };
    let seconds = ((a * 10 + b) * 60 + c * 10 + d) * 60;
    if rest[at..].starts_with('-') {
        -seconds
    } else {
        seconds
    }
}

/// The days from 1970-01-01 to a day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        assert_eq!(milliseconds("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            milliseconds("2000-03-01T00:00:00.5Z"),
            Some(951_868_800_000)
        );
        assert_eq!(
            milliseconds("2024-02-29 13:00:00.1 +0100 CET"),
            Some(1_709_208_000_000)
        );
        assert_eq!(
            milliseconds("2024-02-29 07:00:00 -05:00"),
            Some(1_709_208_000_000)
        );
        assert_eq!(milliseconds("never"), None);
    }

    #[test]
    fn only_what_is_due_is_removed() {
        let lines = "a|1000|1970-01-01T00:00:01Z\nb|5000|1970-01-01T00:00:01Z\nc||1970-01-01T00:00:01Z\nd|0|0001-01-01T00:00:00Z\n";
        assert_eq!(due(lines, 2000), ["a", "d"]);
        assert_eq!(due(lines, 1999), ["d"]);
        assert_eq!(due(lines, 6000), ["a", "b", "d"]);
    }
}

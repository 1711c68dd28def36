//! Cron expressions: five fields, as in crontab(5).

use thiserror::Error;

use super::Located;
use super::read::{Field, Read, Reader};
use crate::diagnostic::code;

/// At which minutes something happens. Each field is a set of bits, by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cron {
    /// Minutes, 0 to 59.
    pub minutes: u64,
    /// Hours, 0 to 23.
    pub hours: u64,
    /// Days of the month, 1 to 31.
    pub days: u64,
    /// Months, 1 to 12.
    pub months: u64,
    /// Days of the week, 0 (Sunday) to 6.
    pub weekdays: u64,
    /// Whether both days of the month and of the week are restricted, so that either is enough (crontab(5)).
    pub either_day: bool,
}

/// Why a text is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CronError {
    /// Another number of fields than five.
    #[error(
        "a cron expression has five fields (minute, hour, day of month, month, day of week), this has {0}"
    )]
    Fields(usize),
    /// A field that cannot be understood.
    #[error("`{text}` is no {field}: {reason}")]
    Field {
        /// What the field is about.
        field: &'static str,
        /// What it says.
        text: String,
        /// Why that is wrong.
        reason: String,
    },
}

struct Unit {
    name: &'static str,
    from: u32,
    to: u32,
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const UNITS: [Unit; 5] = [
    Unit {
        name: "minute",
        from: 0,
        to: 59,
        names: &[],
    },
    Unit {
        name: "hour",
        from: 0,
        to: 23,
        names: &[],
    },
    Unit {
        name: "day of the month",
        from: 1,
        to: 31,
        names: &[],
    },
    Unit {
        name: "month",
        from: 1,
        to: 12,
        names: &MONTHS,
    },
    // Both 0 and 7 are Sunday.
    Unit {
        name: "day of the week",
        from: 0,
        to: 7,
        names: &WEEKDAYS,
    },
];

impl Cron {
    /// Reads five fields, each a list of `*`, values and ranges with an optional step: `0 8-18/2 * * MON-FRI`.
    ///
    /// # Errors
    ///
    /// When there are not five fields, or one of them cannot be understood.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let Ok(fields) = <[&str; 5]>::try_from(fields.as_slice()) else {
            return Err(CronError::Fields(fields.len()));
        };
        let mut sets = [0; 5];
        for ((set, field), unit) in sets.iter_mut().zip(fields).zip(&UNITS) {
            *set = unit.parse(field)?;
        }
        let [minutes, hours, days, months, weekdays] = sets;
        let weekdays = (weekdays | (weekdays >> 7)) & 0x7f;
        let either_day = !fields[2].starts_with('*') && !fields[4].starts_with('*');
        Ok(Self {
            minutes,
            hours,
            days,
            months,
            weekdays,
            either_day,
        })
    }
}

impl Unit {
    fn parse(&self, field: &str) -> Result<u64, CronError> {
        let mut set = 0;
        for part in field.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(step)),
                None => (part, None),
            };
            let (first, last) = match range.split_once('-') {
                _ if range == "*" => (self.from, self.to.min(self.from + self.period() - 1)),
                Some((first, last)) => (self.value(field, first)?, self.value(field, last)?),
                // A single value with a step goes to the end: `5/15` is `5-59/15`.
                None if step.is_some() => (
                    self.value(field, range)?,
                    self.to.min(self.from + self.period() - 1),
                ),
                None => (self.value(field, range)?, self.value(field, range)?),
            };
            if first > last {
                return Err(self.error(field, format!("the range {range} goes backwards")));
            }
            let step = match step.map(str::parse::<usize>) {
                None => 1,
                Some(Ok(step)) if step > 0 && step <= self.to as usize => step,
                Some(_) => {
                    return Err(self.error(
                        field,
                        format!("the step must be a number from 1 to {}", self.to),
                    ));
                }
            };
            for value in (first..=last).step_by(step) {
                set |= 1 << value;
            }
        }
        Ok(set)
    }

    fn period(&self) -> u32 {
        if self.names.is_empty() {
            self.to - self.from + 1
        } else {
            self.names.len() as u32
        }
    }

    fn value(&self, field: &str, text: &str) -> Result<u32, CronError> {
        if let Some(at) = self
            .names
            .iter()
            .position(|name| name.eq_ignore_ascii_case(text))
        {
            return Ok(self.from + at as u32);
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse::<u32>() {
            Ok(value) if digits && (self.from..=self.to).contains(&value) => Ok(value),
            Ok(_) if digits => Err(self.error(
                field,
                format!("it must be from {} to {}", self.from, self.to),
            )),
            _ => Err(self.error(
                field,
                "write *, a value, a range, a list or a step".to_owned(),
            )),
        }
    }

    fn error(&self, text: &str, reason: String) -> CronError {
        CronError::Field {
            field: self.name,
            text: text.chars().take(80).collect(),
            reason,
        }
    }
}

impl Read for Located<Cron> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let text = Located::<String>::read(field, reader)?;
        match Cron::parse(&text) {
            Ok(cron) => Some(field.located(cron)),
            Err(error) => {
                let help = match text.trim() {
                    "@yearly" | "@annually" => "write 0 0 1 1 *",
                    "@monthly" => "write 0 0 1 * *",
                    "@weekly" => "write 0 0 * * 0",
                    "@daily" | "@midnight" => "write 0 0 * * *",
                    "@hourly" => "write 0 * * * *",
                    _ => "write it like 0 8 * * MON-FRI",
                };
                reader.error(
                    code::BAD_CRON,
                    &text.location,
                    error.to_string(),
                    help.to_owned(),
                );
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_sets() {
        let bits = |values: &[u32]| values.iter().fold(0u64, |set, value| set | (1 << value));
        let every = Cron::parse("* * * * *").expect("right");
        assert_eq!((every.minutes, every.hours), ((1 << 60) - 1, (1 << 24) - 1));
        assert_eq!(
            (every.days, every.months, every.weekdays),
            (0xffff_fffe, 0x1ffe, 0x7f)
        );
        assert!(!every.either_day);
        let one = Cron::parse("0,30  8-18/5 1 jan,DEC 7").expect("right");
        assert_eq!(
            (one.minutes, one.hours),
            (bits(&[0, 30]), bits(&[8, 13, 18]))
        );
        assert_eq!(
            (one.days, one.months, one.weekdays),
            (bits(&[1]), bits(&[1, 12]), bits(&[0]))
        );
        assert!(one.either_day);
        assert_eq!(
            Cron::parse("5/20 * * * MON-FRI").map(|cron| (cron.minutes, cron.weekdays)),
            Ok((bits(&[5, 25, 45]), bits(&[1, 2, 3, 4, 5])))
        );
        assert_eq!(
            Cron::parse("0 0 * * 5-7").map(|cron| cron.weekdays),
            Ok(bits(&[5, 6, 0]))
        );
    }

    #[test]
    fn wrong_fields_are_named() {
        assert_eq!(Cron::parse("0 0 * *"), Err(CronError::Fields(4)));
        assert_eq!(Cron::parse("@daily"), Err(CronError::Fields(1)));
        let cases = [
            ("60 * * * *", "`60` is no minute: it must be from 0 to 59"),
            ("* 24 * * *", "`24` is no hour: it must be from 0 to 23"),
            (
                "* * 0 * *",
                "`0` is no day of the month: it must be from 1 to 31",
            ),
            ("* * * 13 *", "`13` is no month: it must be from 1 to 12"),
            (
                "* * * * 8",
                "`8` is no day of the week: it must be from 0 to 7",
            ),
            (
                "* * * * FRI-MON",
                "`FRI-MON` is no day of the week: the range FRI-MON goes backwards",
            ),
            (
                "*/0 * * * *",
                "`*/0` is no minute: the step must be a number from 1 to 59",
            ),
            (
                "+5 * * * *",
                "`+5` is no minute: write *, a value, a range, a list or a step",
            ),
            (
                "1,,2 * * * *",
                "`1,,2` is no minute: write *, a value, a range, a list or a step",
            ),
            (
                "99999999999 * * * *",
                "`99999999999` is no minute: write *, a value, a range, a list or a step",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(Cron::parse(text).expect_err(text).to_string(), expected);
        }
    }
}

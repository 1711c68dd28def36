//! When a workflow starts by itself (dsl-reference, "Schedule").

use super::read::{Field, Read, Reader};
use super::{Cron, Duration, EventRead, EventStrategy, Located, Location};
use crate::diagnostic::code;
use crate::schedule::{INTERVAL_MIN, Zone};

/// When a workflow starts by itself. At least one of `every`, `cron`, `after` and `on` is there.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// `every`: after each such time, whether the last run has ended or not.
    pub every: Option<Located<Duration>>,
    /// `cron`: whenever the clock matches.
    pub cron: Option<Located<Cron>>,
    /// `timezone`: the IANA time zone of `cron`. Default: UTC. An addition of this host.
    pub timezone: Option<Located<String>>,
    /// `after`: so long after each run's end.
    pub after: Option<Located<Duration>>,
    /// `on`: whenever these events come.
    pub on: Option<EventStrategy>,
    /// `read`: what of an event is read. Default: its data.
    pub read: EventRead,
    /// Where it is written.
    pub location: Location,
}

impl Read for Schedule {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`schedule`")?;
        let every = object.optional::<Located<Duration>>("every");
        let cron = object.optional::<Located<Cron>>("cron");
        let timezone = object.optional::<TimeZone>("timezone");
        let after = object.optional::<Located<Duration>>("after");
        let on = object.optional("on");
        let read = object.optional::<EventRead>("read");
        for (key, other) in [("read", "on"), ("timezone", "cron")] {
            if object.has(key) && !object.has(other) {
                let location = object.key_location(key);
                let message = format!("`{key}` has no meaning without `{other}`");
                object.reader().error(
                    code::CONFLICTING_KEYS,
                    &location,
                    message,
                    format!("add `{other}` or remove `{key}`"),
                );
            }
        }
        if object.keys().next().is_none() {
            let message = "`schedule` needs one of the keys `every`, `cron`, `after`, `on`";
            object
                .reader()
                .error(code::MISSING_KEY, &field.location(), message, None);
        }
        for (key, interval) in [("every", &every), ("after", &after)] {
            if let Some(Some(interval)) = interval {
                check_interval(key, interval, object.reader());
            }
        }
        if let Some(Some(cron)) = &cron
            && !cron.ever_matches()
        {
            let help = "there is no such day in any of these months".to_owned();
            object.reader().error(
                code::BAD_CRON,
                &cron.location,
                "the schedule never comes",
                help,
            );
        }
        object.finish()?;
        Some(Self {
            every: every?,
            cron: cron?,
            timezone: timezone?.map(|zone| zone.0),
            after: after?,
            on: on?,
            read: read?.unwrap_or_default(),
            location: field.location(),
        })
    }
}

/// An interval is fixed, since there are no data yet to evaluate anything on, and not so short that runs would
/// crowd the host.
fn check_interval(key: &str, interval: &Located<Duration>, reader: &mut Reader<'_>) {
    let (message, help) = match interval.fixed() {
        None => (
            format!(
                "`{key}` of a schedule can't be an expression: there is no run yet to evaluate it in"
            ),
            "write it like PT15M".to_owned(),
        ),
        Some(fixed) if fixed < INTERVAL_MIN => (
            format!(
                "`{key}` of a schedule must be at least {} s",
                INTERVAL_MIN.as_secs()
            ),
            "let one run do more often what it does, with `for` and `wait`".to_owned(),
        ),
        Some(_) => return,
    };
    reader.error(code::BAD_DURATION, &interval.location, message, help);
}

struct TimeZone(Located<String>);

impl Read for TimeZone {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let name = Located::<String>::read(field, reader)?;
        let Err(missing) = Zone::named(&name) else {
            return Some(Self(name));
        };
        let help = missing.nearest.as_ref().map_or_else(
            || "write an IANA name like Europe/Berlin".to_owned(),
            |nearest| format!("did you mean `{nearest}`?"),
        );
        reader.error(code::BAD_VALUE, &name.location, missing.to_string(), help);
        None
    }
}

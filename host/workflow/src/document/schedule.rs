//! When a workflow starts by itself (dsl-reference, "Schedule").

use super::read::{Field, Read, Reader};
use super::{Cron, Duration, EventRead, EventStrategy, Located, Location};
use crate::diagnostic::code;

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
        let every = object.optional("every");
        let cron = object.optional("cron");
        let timezone = object.optional::<TimeZone>("timezone");
        let after = object.optional("after");
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

struct TimeZone(Located<String>);

impl Read for TimeZone {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let name = Located::<String>::read(field, reader)?;
        // Which zones there are is the business of the host that has the database of them.
        let part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'))
        };
        if name.split('/').all(part) && name.starts_with(|first: char| first.is_ascii_alphabetic())
        {
            return Some(Self(name));
        }
        let message = format!("`{}` is not the name of a time zone", name.value);
        reader.error(
            code::BAD_VALUE,
            &name.location,
            message,
            "write an IANA name like Europe/Berlin".to_owned(),
        );
        None
    }
}

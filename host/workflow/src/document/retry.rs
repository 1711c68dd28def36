//! Retry policies (dsl-reference, "Retry").

use serde_json::{Map, Value};

use super::read::{Field, Kind, Read, Reader};
use super::r#use::read_reusable;
use super::{Duration, Located, Location, Reusable};
use crate::diagnostic::code;

/// When and how often to try again.
#[derive(Debug, Clone)]
pub struct Retry {
    /// `when`: an expression; only errors for which it is true are retried.
    pub when: Option<Located<String>>,
    /// `exceptWhen`: an expression; errors for which it is true are not retried.
    pub except_when: Option<Located<String>>,
    /// `delay`: how long to wait before an attempt.
    pub delay: Option<Located<Duration>>,
    /// `backoff`: how the delay grows.
    pub backoff: Option<Located<Backoff>>,
    /// `limit`: when to give up.
    pub limit: RetryLimit,
    /// `jitter`: the least and the most of a random time that is added to the delay.
    pub jitter: Option<(Located<Duration>, Located<Duration>)>,
    /// Where it is defined.
    pub location: Location,
}

/// How a delay grows from attempt to attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backoff {
    /// It stays the same.
    Constant,
    /// It doubles.
    Exponential,
    /// It grows by itself.
    Linear,
}

/// When to give up. Without any, never.
#[derive(Debug, Clone, Default)]
pub struct RetryLimit {
    /// `attempt.count`: how many attempts there are at most.
    pub attempt_count: Option<Located<u64>>,
    /// `attempt.duration`: how long each attempt may take.
    pub attempt_duration: Option<Located<Duration>>,
    /// `duration`: how long all attempts may take together.
    pub duration: Option<Located<Duration>>,
}

impl Read for Retry {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object_or(
            field,
            "a retry policy",
            "a retry policy (a mapping) or the name of one",
        )?;
        let when = object.optional("when");
        let except_when = object.optional("exceptWhen");
        let delay = object.optional("delay");
        let backoff = object.optional("backoff");
        let limit = object.optional("limit");
        let jitter = object.optional::<Jitter>("jitter");
        object.finish_with(|key| {
            matches!(key, "count" | "attempts" | "maxAttempts")
                .then_some("write limit: { attempt: { count: … } }")
        })?;
        Some(Self {
            when: when?,
            except_when: except_when?,
            delay: delay?,
            backoff: backoff?,
            limit: limit?.unwrap_or_default(),
            jitter: jitter?.map(|jitter| (jitter.from, jitter.to)),
            location: field.location(),
        })
    }
}

impl Read for Reusable<Retry> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        read_reusable(field, reader, Kind::Retries)
    }
}

impl Read for Located<Backoff> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if let Some(name @ ("constant" | "exponential" | "linear")) = field.as_str() {
            reader.wrong_type(
                field,
                "`backoff` (a mapping)",
                format!("write {{ {name}: {{}} }}"),
            );
            return None;
        }
        let mut object = reader.object(field, "`backoff`")?;
        let key = object.one_of(&["constant", "exponential", "linear"]);
        let parameters = key.and_then(|key| object.required::<Located<Map<String, Value>>>(key));
        if let Some(parameters) = &parameters
            && !parameters.is_empty()
        {
            let message =
                "the specification defines no parameters of a backoff; these have no effect";
            object.reader().warning(
                code::NO_EFFECT,
                &parameters.location,
                message,
                "use `delay`, `jitter` and `limit`".to_owned(),
            );
        }
        object.finish()?;
        parameters?;
        let backoff = match key? {
            "constant" => Backoff::Constant,
            "exponential" => Backoff::Exponential,
            _ => Backoff::Linear,
        };
        Some(field.located(backoff))
    }
}

impl Read for RetryLimit {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`limit`")?;
        let attempt = object.optional::<Attempt>("attempt");
        let duration = object.optional("duration");
        object.finish_with(|key| (key == "count").then_some("it belongs inside `attempt`"))?;
        let (attempt_count, attempt_duration) =
            attempt?.map_or((None, None), |attempt| (attempt.count, attempt.duration));
        Some(Self {
            attempt_count,
            attempt_duration,
            duration: duration?,
        })
    }
}

/// `limit.attempt`.
struct Attempt {
    count: Option<Located<u64>>,
    duration: Option<Located<Duration>>,
}

impl Read for Attempt {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`attempt`")?;
        let count = object.optional("count");
        let duration = object.optional("duration");
        object.finish()?;
        Some(Self {
            count: count?,
            duration: duration?,
        })
    }
}

/// `jitter`.
struct Jitter {
    from: Located<Duration>,
    to: Located<Duration>,
}

impl Read for Jitter {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`jitter`")?;
        let from = object.required::<Located<Duration>>("from");
        let to = object.required::<Located<Duration>>("to");
        object.finish()?;
        let (from, to) = (from?, to?);
        if let (Some(least), Some(most)) = (from.fixed(), to.fixed())
            && least > most
        {
            reader.error(
                code::BAD_VALUE,
                &to.location,
                "`to` is shorter than `from`",
                "exchange the two".to_owned(),
            );
            return None;
        }
        Some(Self { from, to })
    }
}

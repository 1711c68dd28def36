//! Timeouts (dsl-reference, "Timeout").

use super::read::{Field, Kind, Read, Reader};
use super::r#use::read_reusable;
use super::{Duration, Located, Reusable};
use crate::diagnostic::code;

/// A timeout.
#[derive(Debug, Clone)]
pub struct Timeout {
    /// `after`: how long it may take.
    pub after: Located<Duration>,
}

impl Read for Timeout {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object_or(
            field,
            "a timeout",
            "a timeout (a mapping) or the name of one",
        )?;
        let after = object.required("after");
        object.finish_with(|key| {
            matches!(
                key,
                "days" | "hours" | "minutes" | "seconds" | "milliseconds"
            )
            .then_some("it belongs inside `after`")
        })?;
        Some(Self { after: after? })
    }
}

impl Read for Reusable<Timeout> {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if let Some(text) = field.as_str()
            && !reader.defines(Kind::Timeouts, text)
            && Duration::parse_iso8601(text).is_ok()
        {
            let message =
                format!("a text here is the name of a timeout under `use`, and `{text}` is none");
            reader.error(
                code::UNDEFINED_REFERENCE,
                &field.location(),
                message,
                format!("write `timeout: {{ after: {text} }}`"),
            );
            return None;
        }
        read_reusable(field, reader, Kind::Timeouts)
    }
}

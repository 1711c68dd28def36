//! `emit`: an event (dsl-reference, "Emit").

use serde_json::{Map, Value};

use super::Located;
use super::event::EventProperties;
use super::read::{Field, Object, Read, Reader};
use crate::diagnostic::code;

/// An `emit` task.
#[derive(Debug, Clone)]
pub struct Emit {
    /// `emit.event.with`: the event's attributes and data, with expressions anywhere inside. Has a `type`.
    pub with: Located<Map<String, Value>>,
}

impl Emit {
    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        let field = object.get("emit")?;
        let mut emit = object.reader().object(&field, "`emit`")?;
        let event = emit.required::<Event>("event");
        emit.finish_with(|key| (key == "with").then_some("it belongs inside `event`"))?;
        let with = event?.0;
        if !with.contains_key("type") {
            object.reader().error(
                code::MISSING_KEY,
                &with.location,
                "an event needs the key `type`",
                None,
            );
            return None;
        }
        Some(Self { with })
    }
}

struct Event(Located<Map<String, Value>>);

impl Read for Event {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`event`")?;
        let with = object.required::<EventProperties>("with");
        object.finish_with(|key| {
            matches!(key, "type" | "source" | "data").then_some("it belongs inside `with`")
        })?;
        Some(Self(with?.0))
    }
}

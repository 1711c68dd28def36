//! `listen`: events (dsl-reference, "Listen" and "Subscription Iterator").

use super::r#for::{Variable, check_different};
use super::read::{Field, Object, Read, Reader};
use super::{EventRead, EventStrategy, Export, Located, Output, TaskList};

/// A `listen` task.
#[derive(Debug, Clone)]
pub struct Listen {
    /// `listen.to`: the events to wait for.
    pub to: EventStrategy,
    /// `listen.read`: what of an event is read. Default: its data.
    pub read: EventRead,
    /// `foreach`: what happens for each event.
    pub foreach: Option<Foreach>,
}

/// What happens for each event or message.
#[derive(Debug, Clone)]
pub struct Foreach {
    /// `item`: the variable that holds it, without its dollar sign. Default: `item`.
    pub item: Option<Located<String>>,
    /// `at`: the variable that holds its index from 0, without its dollar sign. Default: `index`.
    pub at: Option<Located<String>>,
    /// `do`: the tasks to perform, in order.
    pub tasks: Option<TaskList>,
    /// `output`: what is made of the item.
    pub output: Option<Output>,
    /// `export`: what is made of the context.
    pub export: Option<Export>,
}

impl Listen {
    pub(super) fn read(object: &mut Object<'_, '_, '_>) -> Option<Self> {
        let field = object.get("listen")?;
        let mut listen = object.reader().object(&field, "`listen`")?;
        let to = listen.required("to");
        let read = listen.optional::<EventRead>("read");
        let inside = listen.finish_with(|key| match key {
            "foreach" => Some("it belongs beside `listen`, not inside it"),
            "one" | "any" | "all" => Some("it belongs inside `to`"),
            _ => None,
        });
        let foreach = object.optional("foreach");
        inside?;
        Some(Self {
            to: to?,
            read: read?.unwrap_or_default(),
            foreach: foreach?,
        })
    }
}

impl Read for Foreach {
    fn read(field: &Field<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let mut object = reader.object(field, "`foreach`")?;
        let item = object.optional::<Variable>("item");
        let at = object.optional::<Variable>("at");
        let tasks = object.optional("do");
        let output = object.optional("output");
        let export = object.optional("export");
        object.finish_with(|key| (key == "each").then_some("did you mean `item`?"))?;
        let (item, at) = (item?.map(|one| one.0), at?.map(|one| one.0));
        check_different(item.as_ref(), "item", at.as_ref(), reader)?;
        Some(Self {
            item,
            at,
            tasks: tasks?,
            output: output?,
            export: export?,
        })
    }
}

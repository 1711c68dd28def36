//! `emit`: an event goes out. The input passes through.

use serde_json::Value;

use super::Turn;
use super::command::Command;
use super::task::TaskId;
use crate::cloud_event::{CloudEvent, draft, is_text_attribute};
use crate::error::{Error, ErrorKind};
use crate::plan::Emit;

impl Turn<'_> {
    pub(super) fn begin_emit(&mut self, id: TaskId, emit: &Emit) {
        match self.event(id, emit) {
            Ok(event) => {
                self.commands.push(Command::Emit(event));
                let input = self.run.tasks[&id].input.clone();
                self.complete(id, input, None);
            }
            Err(error) => self.fail(id, error),
        }
    }

    /// The event, with what the document leaves out: an id that is the same in every replay, so that no crash
    /// makes two events of one; the workflow as its source; the time of the task.
    fn event(&mut self, id: TaskId, emit: &Emit) -> Result<CloudEvent, Error> {
        let mut members = draft();
        for (name, template) in &emit.members {
            let value = match &*self.define(id, template)? {
                // An order's number is a fine id, and attributes are texts.
                Value::Number(number) if is_text_attribute(name) => {
                    Value::String(number.to_string())
                }
                value => value.clone(),
            };
            members.insert(name.clone(), value);
        }
        let task = &self.run.tasks[&id];
        let default_id = || {
            let (run, key) = (&self.run.facts.id, &task.key);
            format!("{run}{}/{}/{}", key.pointer, key.visit, task.attempt)
        };
        let mut absent = |name: &str, value: &dyn Fn() -> String| {
            if members.get(name).is_none_or(Value::is_null) {
                members.insert(name.to_owned(), Value::String(value()));
            }
        };
        absent("id", &default_id);
        absent("source", &|| self.run.plan.source());
        absent("time", &|| self.at.to_string());
        let event = CloudEvent::new(Value::Object(members));
        let event = event.map_err(|error| refused(error.to_string()))?;
        let (bytes, max) = (
            event.envelope().to_string().len(),
            self.run.facts.event_bytes,
        );
        if u64::try_from(bytes).is_ok_and(|bytes| bytes <= max) {
            return Ok(event);
        }
        Err(refused(format!(
            "it has {bytes} bytes, and the largest event may have {max}: send a reference to what is large instead"
        )))
    }
}

fn refused(detail: String) -> Error {
    let title = "This can't be emitted as an event";
    Error::new(ErrorKind::Validation, title, detail)
}

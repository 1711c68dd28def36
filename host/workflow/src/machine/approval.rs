//! `call: approval`: a task for a person. The run waits for their decision.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Turn;
use super::command::Command;
use super::event::TaskKey;
use super::task::{TaskId, Verdict, Work};
use crate::data::{Data, Timestamp};
use crate::error::{Error, ErrorKind};
use crate::extent::BYTES_PER_EVENT_MAX;
use crate::pack::packed;
use crate::plan::{self, BadSchema, Schema, SchemaPatterns};

/// What a person is asked to decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// The task that asks.
    pub task: TaskKey,
    /// Which attempt of this visit of the task, from 1.
    pub attempt: u32,
    /// What it is about.
    pub title: String,
    /// What there is to know, in Markdown.
    pub description: Option<String>,
    /// Who may decide, by name; empty where whoever may see the approval may.
    pub assignees: Vec<String>,
    /// A JSON Schema that the data of the decision must fit.
    pub form: Option<Data>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When the nearest timeout around the task runs out.
    pub due: Option<Timestamp>,
}

packed!(struct Approval {
    task,
    attempt,
    title,
    description,
    assignees,
    form,
    asked_at,
    due,
});

/// What a person has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Yes.
    Approved,
    /// No. That is an output like the other; the workflow decides what follows.
    Rejected,
}

packed!(
    enum Decision {
        Approved,
        Rejected,
    }
);

impl Decision {
    /// The name, as outputs have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }
}

impl Approval {
    /// Checks the data that comes with a decision against the form. What there is no form for may be anything.
    ///
    /// # Errors
    ///
    /// A `validation` error that lists what is wrong where.
    pub fn check(&self, data: &Value) -> Result<(), Error> {
        let Some(form) = &self.form else {
            return Ok(());
        };
        let schema = Schema::new(form, &mut SchemaPatterns::default()).map_err(no_form)?;
        let mut left = BYTES_PER_EVENT_MAX;
        schema.check("the data", data, &mut left)
    }

    /// Whether somebody of that name may decide.
    pub fn may_be_decided_by(&self, name: &str) -> bool {
        self.assignees.is_empty() || self.assignees.iter().any(|it| it == name)
    }
}

impl Turn<'_> {
    pub(super) fn begin_approval(&mut self, id: TaskId, it: &plan::Approval) {
        match self.approval(id, it) {
            Ok(approval) => {
                self.task_mut(id).work = Work::Approval(Box::new(approval.clone()));
                self.commands.push(Command::Ask(approval));
            }
            Err(error) => self.fail(id, error),
        }
    }

    fn approval(&mut self, id: TaskId, it: &plan::Approval) -> Result<Approval, Error> {
        let title = self.text(id, &it.title)?;
        let description = self.optional_text(id, it.description.as_ref())?;
        let assignees = match &it.assignees {
            None => Vec::new(),
            Some(template) => assignees(&*self.define(id, template)?)?,
        };
        let form = match &it.form {
            None => None,
            Some(template) => Some(self.define(id, template)?),
        };
        if let Some(form) = &form {
            Schema::new(form, &mut SchemaPatterns::default()).map_err(no_form)?;
        }
        let task = &self.run.tasks[&id];
        Ok(Approval {
            task: task.key.clone(),
            attempt: task.attempt,
            title,
            description,
            assignees,
            form,
            asked_at: self.at,
            due: task.place.deadline,
        })
    }

    /// Somebody has decided.
    pub(super) fn decided(&mut self, key: &TaskKey, attempt: u32, answer: Answer) {
        let Some(&id) = self.run.keys.get(key) else {
            return;
        };
        match &self.run.tasks[&id].work {
            Work::Approval(approval) if approval.attempt == attempt => {}
            _ => return,
        }
        let Answer {
            decision,
            by,
            comment,
            data,
        } = answer;
        let output = json!({
            "decision": decision.name(),
            "by": &by,
            "comment": &comment,
            "data": *data,
            "at": self.at.to_string(),
        });
        self.task_mut(id).decided = Some(Box::new(Verdict { by, comment }));
        self.complete(id, output.into(), None);
    }
}

/// A decision, with all that came along.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What was decided.
    pub decision: Decision,
    /// By whom.
    pub by: String,
    /// What they say to it.
    pub comment: Option<String>,
    /// What they have filled in; null where nothing was.
    pub data: Data,
}

packed!(struct Answer { decision, by, comment, data });

fn assignees(value: &Value) -> Result<Vec<String>, Error> {
    let name = |value: &Value| value.as_str().map(str::to_owned);
    let names = match value {
        Value::Null => Some(Vec::new()),
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(several) => several.iter().map(name).collect(),
        _ => None,
    };
    names.ok_or_else(|| {
        Error::new(
            ErrorKind::Validation,
            "There is nobody to ask",
            format!("`assignees` must give a list of names, and gave {value}"),
        )
    })
}

fn no_form(why: BadSchema) -> Error {
    let title = "The form is no JSON Schema";
    let BadSchema { place, message } = why;
    let place = if place.is_empty() { "/" } else { &place };
    Error::new(ErrorKind::Validation, title, format!("{place}: {message}"))
}

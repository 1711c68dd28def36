//! Evaluating the expressions of a task, each at its moment.

use std::cell::OnceCell;
use std::time::Duration;

use serde_json::Value;

use super::consumption::Fill;
use super::scope::View;
use super::task::{Place, Task, TaskId};
use super::{Machine, Turn};
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::expression::Evaluate;
use crate::extent::{BYTES_PER_EVENT_MAX, Room};
use crate::plan::{DurationTemplate, Filling, Template, Transform, truthy};

/// The moments of a task at which expressions are evaluated; later ones have more variables.
#[derive(Clone, Copy)]
pub(super) enum Moment<'a> {
    /// `if` and `input.from`: there is no `$input` yet.
    Before,
    /// The task's own definition.
    During,
    /// `output.as`, with the raw output.
    After(&'a Data),
    /// `export.as`, with the raw and the transformed output.
    Exporting(&'a Data, &'a Data),
}

/// Expressions.
impl Turn<'_> {
    /// Fills a template in, at a moment of a task. No template is the identity.
    pub(super) fn fill(
        &mut self,
        id: TaskId,
        template: Option<&Template>,
        input: &Data,
        moment: Moment<'_>,
    ) -> Result<Data, Error> {
        let Some(template) = template else {
            return Ok(input.clone());
        };
        let task = &self.run.tasks[&id];
        let view = view(self.run, task, &task.place, moment, &self.workflow);
        filled(&view, self.evaluator, &mut self.left, |filling| {
            template.evaluate(input, filling)
        })
    }

    /// Fills a template in, at a moment of a task and with the variables of `place`. No template is the identity.
    pub(super) fn fill_at(
        &mut self,
        id: TaskId,
        template: Option<&Template>,
        input: &Data,
        place: &Place,
        moment: Moment<'_>,
    ) -> Result<Data, Error> {
        let Some(template) = template else {
            return Ok(input.clone());
        };
        let view = view(
            self.run,
            &self.run.tasks[&id],
            place,
            moment,
            &self.workflow,
        );
        filled(&view, self.evaluator, &mut self.left, |filling| {
            template.evaluate(input, filling)
        })
    }

    /// Fills a template of a task's definition in, on `input` and with the variables of `place`.
    pub(super) fn fill_on(
        &mut self,
        id: TaskId,
        template: &Template,
        input: &Data,
        place: &Place,
    ) -> Result<Data, Error> {
        let view = view(
            self.run,
            &self.run.tasks[&id],
            place,
            Moment::During,
            &self.workflow,
        );
        filled(&view, self.evaluator, &mut self.left, |filling| {
            template.evaluate(input, filling)
        })
    }

    /// Fills a template of a task's definition in, on its input.
    pub(super) fn define(&mut self, id: TaskId, template: &Template) -> Result<Data, Error> {
        let input = self.run.tasks[&id].input.clone();
        self.fill(id, Some(template), &input, Moment::During)
    }

    /// A duration of a task's definition.
    pub(super) fn duration(
        &mut self,
        id: TaskId,
        template: &DurationTemplate,
    ) -> Result<Duration, Error> {
        let task = &self.run.tasks[&id];
        let view = view(self.run, task, &task.place, Moment::During, &self.workflow);
        filled(&view, self.evaluator, &mut self.left, |filling| {
            template.evaluate(&task.input, filling)
        })
    }

    pub(super) fn condition(
        &mut self,
        id: TaskId,
        template: Option<&Template>,
        input: &Data,
    ) -> Result<bool, Error> {
        let Some(template) = template else {
            return Ok(true);
        };
        self.fill(id, Some(template), input, Moment::Before)
            .map(|value| truthy(&value))
    }

    /// The workflow's own `input` and `output`. The input is checked before it is transformed, the
    /// output after.
    pub(super) fn transform_workflow(
        &mut self,
        side: Side,
        value: &Data,
        place: &Place,
    ) -> Result<Data, Error> {
        let plan = self.run.plan.clone();
        let (transform, what) = match side {
            Side::Input => (&plan.input, "the workflow's input"),
            Side::Output => (&plan.output, "the workflow's output"),
        };
        if let Side::Input = side {
            check(transform, what, value, &mut self.left)?;
        }
        let transformed = match &transform.template {
            None => value.clone(),
            Some(template) => {
                let view = workflow_view(self.run, place, &self.workflow);
                filled(&view, self.evaluator, &mut self.left, |filling| {
                    template.evaluate(value, filling)
                })?
            }
        };
        if let Side::Output = side {
            check(transform, what, &transformed, &mut self.left)?;
        }
        Ok(transformed)
    }

    pub(super) fn workflow_limit(
        &mut self,
        input: &Data,
        place: &Place,
    ) -> Result<Option<Duration>, Error> {
        let plan = self.run.plan.clone();
        let Some(timeout) = &plan.timeout else {
            return Ok(None);
        };
        let view = workflow_view(self.run, place, &self.workflow);
        filled(&view, self.evaluator, &mut self.left, |filling| {
            timeout.evaluate(input, filling)
        })
        .map(Some)
    }
}

/// What the filters of a task are evaluated with.
pub(super) struct TaskFill<'a> {
    run: &'a Machine,
    task: &'a Task,
    evaluator: &'a mut dyn Evaluate,
    left: usize,
    /// As in [`Turn`].
    workflow: OnceCell<Value>,
}

impl<'a> TaskFill<'a> {
    pub(super) fn new(run: &'a Machine, task: &'a Task, evaluator: &'a mut dyn Evaluate) -> Self {
        Self {
            run,
            task,
            evaluator,
            left: BYTES_PER_EVENT_MAX,
            workflow: OnceCell::new(),
        }
    }
}

impl Fill for TaskFill<'_> {
    fn on(&mut self, template: &Template, input: &Data) -> Result<Data, Error> {
        let view = view(
            self.run,
            self.task,
            &self.task.place,
            Moment::During,
            &self.workflow,
        );
        filled(&view, self.evaluator, &mut self.left, |filling| {
            template.evaluate(input, filling)
        })
    }

    fn expected(&mut self, template: &Template) -> Result<Data, Error> {
        let input = self.task.input.clone();
        self.on(template, &input)
    }
}

/// The two sides of a workflow.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Input,
    Output,
}

fn view<'a>(
    run: &'a Machine,
    task: &'a Task,
    place: &'a Place,
    moment: Moment<'a>,
    whole_workflow: &'a OnceCell<Value>,
) -> View<'a> {
    let (input, raw_output, output) = match moment {
        Moment::Before => (None, None, None),
        Moment::During => (Some(&task.input), None, None),
        Moment::After(raw) => (Some(&task.input), Some(raw), None),
        Moment::Exporting(raw, output) => (Some(&task.input), Some(raw), Some(output)),
    };
    // In an extension, the task that it extends is spoken of. What undoes something of one comes when that has ended.
    let extended = place.extended.and_then(|id| run.tasks.get(&id));
    View {
        run,
        place,
        task: Some(extended.unwrap_or(task)),
        authorization: Some(&task.authorization),
        input,
        raw_output,
        output,
        whole_workflow,
        whole_task: OnceCell::new(),
    }
}

fn workflow_view<'a>(
    run: &'a Machine,
    place: &'a Place,
    whole_workflow: &'a OnceCell<Value>,
) -> View<'a> {
    View {
        run,
        place,
        task: None,
        authorization: None,
        input: None,
        raw_output: None,
        output: None,
        whole_workflow,
        whole_task: OnceCell::new(),
    }
}

/// Checks a value against a step's schema, where it has one. What that takes is taken off `left`.
pub(super) fn check(
    transform: &Transform,
    what: &str,
    value: &Value,
    left: &mut usize,
) -> Result<(), Error> {
    match &transform.schema {
        Some(schema) => schema.check(what, value, left),
        None => Ok(()),
    }
}

/// Fills something in, and takes what was made off what the event may still make.
fn filled<T>(
    view: &View<'_>,
    evaluator: &mut dyn Evaluate,
    left: &mut usize,
    fill: impl FnOnce(&mut Filling<'_>) -> Result<T, String>,
) -> Result<T, Error> {
    let mut filling = Filling {
        scope: view,
        evaluator,
        room: Room::new(*left),
    };
    let made = fill(&mut filling);
    *left = filling.room.left_of(*left);
    made.map_err(expression_error)
}

fn expression_error(detail: String) -> Error {
    Error::new(ErrorKind::Expression, "An expression failed", detail)
}

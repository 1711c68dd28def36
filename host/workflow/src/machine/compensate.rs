//! `compensate`: what undoes a task that has completed.
//!
//! A task that completes leaves its undo steps with the `try` around it, or with the run. A `try` that is over
//! hands those that it holds to what is around it, in any case. When an error leaves the body of a `try` for
//! good (after its retries and before `catch.do`), when an error leaves the workflow, and when the run is
//! cancelled, what is held there is undone, in the reverse order in which the tasks have completed, one after
//! the other, each with its task's output as input; then things go on as they would have. Undo steps that fail
//! hold up no others.
//!
//! What a try has undone begins under new numbers when something around it tries again: a call that was undone
//! is another call than the one that is made then.

use std::collections::BTreeMap;

use super::Turn;
use super::command::{Detail, NoteKind};
use super::event::TaskKey;
use super::task::{Place, Stage, Task, TaskId, TryPhase, Variables, Work};
use super::visits::FrameId;
use crate::data::Data;
use crate::error::Error;
use crate::pack::packed;
use crate::plan::{NodeId, Sequence};

/// What could be undone, by the order in which it was done.
pub(super) type Ledger = BTreeMap<u64, Undo>;

/// The undo steps of a task that has completed.
#[derive(Debug)]
pub(super) struct Undo {
    node: NodeId,
    key: TaskKey,
    output: Data,
    variables: Variables,
    /// The numbers of its visits, once it has begun: beginning again, it keeps them.
    frame: Option<FrameId>,
}

packed!(struct Undo { node, key, output, variables, frame });

/// Who holds a ledger: a `try`, or the run where there is none.
pub(super) type Holder = Option<TaskId>;

impl Turn<'_> {
    /// A task has completed: it could be undone from now on.
    pub(super) fn keep_undo(&mut self, task: &Task, output: &Data) {
        let was_done = !matches!(&task.extending, Some(it) if matches!(it.stage, Stage::Before));
        if self.run.plan.node(task.node).compensate.is_none() || !was_done {
            return;
        }
        if task.attempt > 1 {
            self.forget_earlier(task);
        }
        let holder = self.holder(&task.place);
        if self.is_undoing(holder) {
            return;
        }
        self.run.completions += 1;
        let number = self.run.completions;
        let undo = Undo {
            node: task.node,
            key: task.key.clone(),
            output: output.clone(),
            variables: task.place.variables.clone(),
            frame: None,
        };
        self.ledger(holder).insert(number, undo);
    }

    /// The same visit has completed in an earlier attempt: it is to be undone once.
    fn forget_earlier(&mut self, task: &Task) {
        let mut place = task.place.clone();
        loop {
            let holder = self.holder(&place);
            self.ledger(holder).retain(|_, undo| undo.key != task.key);
            let Some(id) = holder else { return };
            place = self.run.tasks[&id].place.clone();
        }
    }

    /// A `try` is over: what it holds goes to what is around it.
    pub(super) fn hand_over(&mut self, place: &Place, mut ledger: Ledger) {
        if ledger.is_empty() {
            return;
        }
        let holder = self.holder(place);
        if !self.is_undoing(holder) {
            self.ledger(holder).append(&mut ledger);
        }
    }

    /// The nearest holder around a place.
    fn holder(&self, place: &Place) -> Holder {
        let mut around = place.parent;
        while let Some(id) = around {
            // Where `then: end` has ended the tasks around, what others hold goes to the run.
            let task = self.run.tasks.get(&id)?;
            if let Work::Try(_) = task.work {
                return Some(id);
            }
            around = task.place.parent;
        }
        None
    }

    /// Whether the holder is at undoing: what is done there is not undone in turn.
    pub(super) fn is_undoing(&self, holder: Holder) -> bool {
        match holder {
            None => self.run.closing.is_some(),
            Some(id) => matches!(
                &self.run.tasks[&id].work,
                Work::Try(work) if matches!(work.phase, TryPhase::Undoing { .. })
            ),
        }
    }

    fn ledger(&mut self, holder: Holder) -> &mut Ledger {
        match holder {
            None => &mut self.run.ledger,
            Some(id) => match &mut self.task_mut(id).work {
                Work::Try(work) => &mut work.ledger,
                _ => unreachable!("only a `try` holds a ledger"),
            },
        }
    }

    /// Begins the undo steps of what has completed last; goes on where there is nothing left to undo.
    pub(super) fn undo_next(&mut self, holder: Holder) {
        let Some((&number, undo)) = self.ledger(holder).last_key_value() else {
            return self.all_undone(holder);
        };
        let (node, key, frame) = (undo.node, undo.key.clone(), undo.frame);
        let (output, variables) = (undo.output.clone(), undo.variables.clone());
        let frame = match frame {
            Some(frame) => {
                self.run.visits.again(frame);
                frame
            }
            None => self.run.visits.open(None),
        };
        if let Some(undo) = self.ledger(holder).get_mut(&number) {
            undo.frame = Some(frame);
        }
        let inside = match holder {
            None => Place::outermost(self.run.context),
            Some(id) => self.run.tasks[&id].place.inside(id),
        };
        let place = Place {
            variables,
            frame: Some(frame),
            ..inside
        };
        let steps = self.run.plan.node(node).compensate;
        self.note(
            NoteKind::TaskCompensationStarted,
            Some(key),
            None,
            Detail::default(),
        );
        self.go(steps.unwrap_or(Sequence { first: None }), output, place);
    }

    /// The undo steps under way have come to an end.
    pub(super) fn undone(&mut self, holder: Holder, outcome: Result<(), Error>) {
        let Some((_, undo)) = self.ledger(holder).pop_last() else {
            return;
        };
        if let Some(frame) = undo.frame {
            self.run.visits.close(frame);
        }
        let kind = match outcome {
            Ok(()) => NoteKind::TaskCompensationCompleted,
            Err(_) => NoteKind::TaskCompensationFaulted,
        };
        let detail = Detail {
            error: outcome.err(),
            ..Detail::default()
        };
        self.note(kind, Some(undo.key), None, detail);
        self.undo_next(holder);
    }

    fn all_undone(&mut self, holder: Holder) {
        match holder {
            Some(id) => self.try_undone(id),
            None => self.close(),
        }
    }
}

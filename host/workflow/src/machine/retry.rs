//! Trying a faulted run again, from the task that failed.
//!
//! What ends on the way of an error to the workflow's end is not forgotten at once: it is buried. Where
//! somebody catches the error, what is buried there is forgotten. Where nobody does, the run keeps it, so that
//! it can go on from there: the composite tasks around are as they were, and the tasks that were at work in
//! them, the one that failed and those beside it, begin again under their identities, as another attempt.
//! Waits go on as if nothing had happened, as does the start of a run that is not awaited; time limits begin anew.

use std::collections::BTreeSet;

use super::command::{Detail, NoteKind};
use super::event::{TaskKey, TimerKey};
use super::task::{Place, Task, TaskId, TryPhase, Work};
use super::{Machine, Status, Step, Turn};
use crate::data::{Data, Timestamp};
use crate::pack::packed;
use crate::plan::NodeId;

/// What has ended on the way of an error.
#[derive(Debug, Default)]
pub(super) struct Grave {
    pub(super) tasks: Vec<Buried>,
    pub(super) entries: Vec<Entry>,
    /// The end of the workflow, where that is what failed.
    pub(super) finish: Option<(Place, Data)>,
}

packed!(struct Grave { tasks, entries, finish });

/// A task that has ended on the way of an error.
#[derive(Debug)]
pub(super) struct Buried {
    id: TaskId,
    pub(super) task: Task,
    /// The timers of the task itself.
    timers: Vec<(TimerKey, Timestamp)>,
}

packed!(struct Buried { id, task, timers });

/// A task that was about to be entered.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) node: NodeId,
    input: Data,
    place: Place,
}

packed!(struct Entry { node, input, place });

/// Why a run can't be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRetriable {
    /// It has not faulted: it is in this phase.
    NotFaulted(Status),
    /// What it had done was undone (`compensate`), so that there is nothing to go on from.
    Undone,
}

impl Machine {
    /// Whether [`super::Event::RetryRequested`] would let the run go on.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn retriable(&self) -> Result<(), NotRetriable> {
        match (self.status, &self.failed) {
            (Status::Faulted, Some(_)) => Ok(()),
            (Status::Faulted, None) => Err(NotRetriable::Undone),
            (other, _) => Err(NotRetriable::NotFaulted(other)),
        }
    }
}

impl Grave {
    /// The tasks that others in the grave are inside of.
    pub(super) fn busy(&self) -> BTreeSet<TaskId> {
        let tasks = self.tasks.iter().map(|buried| &buried.task.place);
        let entries = self.entries.iter().map(|entry| &entry.place);
        tasks
            .chain(entries)
            .filter_map(|place| place.parent)
            .collect()
    }
}

impl Buried {
    /// Whether the task was around others that go on, so that it goes on itself.
    pub(super) fn goes_on(&self, busy: &BTreeSet<TaskId>) -> bool {
        let waits = |timer: &TimerKey| matches!(timer, TimerKey::Wait(_) | TimerKey::Retry(_));
        let consumes = matches!(&self.task.work, Work::Subscription(work) if !work.has_failed());
        // Begun again, it would hear all events once more, and do again what it has done for each.
        let listens = matches!(&self.task.work, Work::Listen(work) if work.is_waiting());
        // Begun again, it would be another run: one that has started meanwhile would be left alone beside it.
        let starts = matches!(&self.task.work, Work::Run(child) if !child.awaited);
        busy.contains(&self.id)
            || consumes
            || listens
            || starts
            || self.timers.iter().any(|(timer, _)| waits(timer))
            || self.task.is_done()
    }
}

impl Task {
    /// Whether all inside it is done, and only what was to be made of the output has failed.
    fn is_done(&self) -> bool {
        let is_composite = matches!(
            self.work,
            Work::Do | Work::For(_) | Work::Fork(_) | Work::Subscription(_) | Work::Try(_)
        );
        self.done.is_some() && is_composite
    }
}

/// Burying and forgetting.
impl Turn<'_> {
    /// Keeps a task that has ended on the way of an error.
    pub(super) fn bury(&mut self, id: TaskId, mut task: Task, timers: Vec<(TimerKey, Timestamp)>) {
        if self.run.closing.is_some() {
            return self.forget_work(&mut task.work);
        }
        self.run.grave.tasks.push(Buried { id, task, timers });
    }

    /// Keeps what was about to be entered when an error came.
    pub(super) fn bury_step(&mut self, step: Step) {
        if let (Step::Enter { node, input, place }, None) = (step, &self.run.closing) {
            self.run.grave.entries.push(Entry { node, input, place });
        }
    }

    /// The error has gone no further than the task: what has ended inside it, in the lines of work that `slot`
    /// accepts, will not go on.
    pub(super) fn forget_inside(&mut self, id: TaskId, slot: impl Fn(u32) -> bool) {
        let mut grave = std::mem::take(&mut self.run.grave);
        grave.tasks.sort_by_key(|buried| buried.id);
        let mut inside = BTreeSet::new();
        let is_inside = |place: &Place, inside: &BTreeSet<TaskId>| {
            place
                .parent
                .is_some_and(|parent| parent == id && slot(place.slot) || inside.contains(&parent))
        };
        for Buried {
            id,
            mut task,
            timers,
        } in grave.tasks
        {
            if is_inside(&task.place, &inside) {
                inside.insert(id);
                self.forget_work(&mut task.work);
            } else {
                self.run.grave.tasks.push(Buried { id, task, timers });
            }
        }
        grave
            .entries
            .retain(|entry| !is_inside(&entry.place, &inside));
        self.run.grave.entries = grave.entries;
    }

    /// Nothing that has ended will go on.
    pub(super) fn forget_all(&mut self) {
        for mut buried in std::mem::take(&mut self.run.grave).tasks {
            self.forget_work(&mut buried.task.work);
        }
    }
}

/// Going on.
impl Turn<'_> {
    /// Somebody wants the run to be tried again.
    pub(super) fn retried(&mut self, by: String, reason: Option<String>) {
        let Some(grave) = self.run.failed.take() else {
            return;
        };
        self.run.status = Status::Running;
        // What no task waits for had begun before the run ended, and does not begin again.
        self.run.unawaited.clear();
        let detail = Detail {
            by: Some(by),
            reason,
            workflow: self.run.adopted.take(),
            ..Detail::default()
        };
        self.note(NoteKind::WorkflowRetried, None, None, detail);
        if let Some((place, output)) = grave.finish {
            return self.finish(&place, output);
        }
        if grave.tasks.is_empty() && grave.entries.is_empty() {
            return self.set_off();
        }
        let deadline = self.run.limit.map(|limit| self.at.after(limit));
        if let Some(due) = deadline {
            self.set_timer(TimerKey::RunTimeout, due);
        }
        self.unbury(grave, deadline);
    }

    fn unbury(&mut self, mut grave: Grave, deadline: Option<Timestamp>) {
        let busy = grave.busy();
        grave.tasks.sort_by_key(|buried| buried.id);
        let mut done = Vec::new();
        for buried in grave.tasks {
            let goes_on = buried.goes_on(&busy);
            let Buried {
                id,
                mut task,
                timers,
            } = buried;
            task.place.deadline = self.deadline_at(&task.place, deadline);
            if goes_on {
                if !busy.contains(&id) && task.done.is_some() {
                    done.push(id);
                }
                self.put_back(id, task, timers);
            } else {
                self.forget_work(&mut task.work);
                self.agenda.push_back(Step::Again {
                    node: task.node,
                    key: task.key,
                    attempt: task.attempt + 1,
                    input: task.raw_input,
                    place: task.place,
                });
            }
        }
        for Entry {
            node,
            input,
            mut place,
        } in grave.entries
        {
            place.deadline = self.deadline_at(&place, deadline);
            self.agenda.push_back(Step::Enter { node, input, place });
        }
        for id in done {
            if let Some((output, edge)) = self.task_mut(id).done.take() {
                self.complete(id, output, edge);
            }
        }
    }

    /// When the nearest time limit around a place runs out.
    fn deadline_at(&self, place: &Place, outermost: Option<Timestamp>) -> Option<Timestamp> {
        let Some(parent) = place.parent.and_then(|id| self.run.tasks.get(&id)) else {
            return outermost;
        };
        let attempt = match &parent.work {
            Work::Try(work) if matches!(work.phase, TryPhase::Trying) => work.limit,
            _ => None,
        };
        let attempt = attempt.map(|limit| self.at.after(limit));
        attempt.into_iter().chain(parent.place.deadline).min()
    }

    /// Lets a task be under way again as it was.
    fn put_back(&mut self, id: TaskId, mut task: Task, timers: Vec<(TimerKey, Timestamp)>) {
        let key = task.key.clone();
        if let Some(limit) = task.limit {
            let due = self.at.after(limit);
            task.place.deadline = task.place.deadline.into_iter().chain([due]).min();
            self.set_timer(TimerKey::Timeout(key.clone()), due);
        }
        if let Work::Try(work) = &mut task.work {
            // Somebody has looked at it: the policy begins anew.
            work.retries = 0;
            work.since = self.at;
            if let (TryPhase::Trying, Some(limit)) = (&work.phase, work.limit) {
                let due = self.at.after(limit);
                self.set_timer(TimerKey::Attempt(key.clone()), due);
            }
        }
        for (timer, due) in timers {
            if matches!(
                timer,
                TimerKey::Wait(_) | TimerKey::Retry(_) | TimerKey::Consume(_)
            ) {
                self.set_timer(timer, due);
            }
        }
        self.subscribe_again(&mut task);
        if let Work::Run(child) = &task.work {
            self.commands.push(super::Command::StartRun(child.clone()));
        }
        self.run.keys.insert(key, id);
        self.run.tasks.insert(id, task);
        let listening = self.run.listening(&self.run.tasks[&id]);
        let listen = listening.map(super::Command::Listen);
        self.commands.extend(listen);
    }

    /// Makes the call of a subscription again, which keeps what it has brought.
    fn subscribe_again(&mut self, task: &mut Task) {
        let (attempt, deadline) = (task.attempt + 1, task.place.deadline);
        let Work::Subscription(work) = &mut task.work else {
            return;
        };
        let Some(call) = work.call_again(attempt, deadline) else {
            return;
        };
        self.commands.push(super::Command::Invoke(call.clone()));
        task.attempt = attempt;
        let visit = (task.node, task.key.visit);
        self.run
            .visits
            .begin_again(visit, attempt, task.place.frame);
    }

    /// Comes again to a task, on the same visit.
    pub(super) fn enter_again(
        &mut self,
        node: NodeId,
        (key, attempt): (TaskKey, u32),
        input: Data,
        place: Place,
    ) {
        self.run
            .visits
            .begin_again((node, key.visit), attempt, place.frame);
        let id = self.add_task_as(node, (key, attempt), input, place);
        self.enter_task(id);
    }
}

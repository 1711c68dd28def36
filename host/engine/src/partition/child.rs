//! Runs that the runs of a partition start: see [`crate::child`].

use baton_store::{RunId, TenantId, key};
use baton_workflow::machine::{ChildRun, Event, TaskKey};
use tokio::task::AbortHandle;

use super::effect::Effect;
use super::run::ActiveRun;
use super::turn::Turn;
use super::{Message, Partition, Recorded};
use crate::child::{self, Start};
use crate::origin::Parent;
use crate::outside::Answer;

/// A run that a task has started and has not been answered by.
pub(super) struct ActiveChild {
    id: RunId,
    awaited: bool,
    /// Stops the start, where that is under way.
    starting: Option<AbortHandle>,
}

impl ActiveRun {
    /// A child is wanted.
    pub(super) fn hold_child(&mut self, wanted: &ChildRun) {
        let child = ActiveChild {
            id: child::id(&self.id, wanted),
            awaited: wanted.awaited,
            starting: None,
        };
        self.children
            .insert((wanted.task.clone(), wanted.attempt), child);
    }

    /// A child has answered: whether anybody waited for it.
    pub(super) fn end_child(&mut self, task: &TaskKey, attempt: u32) -> bool {
        self.children.remove(&(task.clone(), attempt)).is_some()
    }

    /// A child's answer is no longer wanted. Gives the child that has to end with that.
    pub(super) fn abandon_child(&mut self, task: &TaskKey, attempt: u32) -> Option<RunId> {
        let child = self.children.remove(&(task.clone(), attempt))?;
        if let Some(starting) = child.starting {
            starting.abort();
        }
        child.awaited.then_some(child.id)
    }

    /// Whether the start of a child is under way.
    pub(super) fn starts_children(&self) -> bool {
        self.children.values().any(|child| child.starting.is_some())
    }

    /// The start of a child is durable.
    fn child_started(&mut self, task: &TaskKey, attempt: u32) {
        if let Some(child) = self.children.get_mut(&(task.clone(), attempt)) {
            child.starting = None;
        }
    }

    fn awaits(&self, parent: &Parent) -> bool {
        self.children
            .get(&(parent.task.clone(), parent.attempt))
            .is_some_and(|child| child.awaited)
    }
}

impl Partition {
    /// Starts a child, or finds it where it has been started before, unless it is no longer wanted.
    pub(super) fn start_child(&mut self, id: &RunId, wanted: ChildRun) {
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        let (task, attempt) = (wanted.task.clone(), wanted.attempt);
        let depth = run.origin.depth() + 1;
        let Some(child) = run.children.get_mut(&(task.clone(), attempt)) else {
            return;
        };
        let start = Start {
            tenant: run.tenant.clone(),
            id: child.id,
            parent: Parent {
                run: *id,
                task: task.clone(),
                attempt,
                awaited: wanted.awaited,
                depth,
            },
            child: wanted,
        };
        let (shared, mailbox, parent) = (self.shared.clone(), self.mailbox.clone(), *id);
        let starting = async move {
            let started = child::start(&shared, start).await;
            mailbox.push(match started {
                None => Message::ChildStarted {
                    run: parent,
                    task,
                    attempt,
                },
                Some(result) => Message::Answered {
                    run: parent,
                    task,
                    attempt,
                    answer: Answer::of(result),
                },
            });
        };
        child.starting = Some(self.shared.dispatch.spawn(starting));
    }

    /// A run that a task waits for is there.
    pub(super) fn child_started(&mut self, id: &RunId, task: &TaskKey, attempt: u32, turn: &Turn) {
        if let Some(run) = self.runs.get_mut(id) {
            run.child_started(task, attempt);
            self.rest(id, turn);
        }
    }

    /// A run that a task waits for has ended.
    pub(super) fn child_ended(
        &mut self,
        tenant: &TenantId,
        parent: Parent,
        answer: Answer,
        turn: &mut Turn,
    ) {
        self.wake(tenant, &parent.run, turn);
        self.answered(&parent.run, parent.task, parent.attempt, answer, turn);
    }

    /// A run has come into memory that another one has started: it asks whether it is still waited for.
    pub(super) fn ask_parent(&self, id: &RunId) {
        let Some(run) = self.runs.get(id) else { return };
        if let Some(parent) = run.origin.awaiting() {
            self.shared.mailbox(&parent.run).push(Message::Asked {
                tenant: run.tenant.clone(),
                parent: parent.clone(),
                child: *id,
            });
        }
    }

    /// A child asks whether it is still waited for.
    pub(super) fn asked(
        &mut self,
        tenant: &TenantId,
        parent: &Parent,
        child: RunId,
        turn: &mut Turn,
    ) {
        self.wake(tenant, &parent.run, turn);
        let unwanted = Effect::Unwanted {
            tenant: tenant.clone(),
            child,
            parent: parent.run,
        };
        match self.runs.get(&parent.run) {
            Some(run) if run.awaits(parent) => {}
            Some(run) => self.after(run.last_turn, unwanted, turn),
            // One that could not be loaded, or is set aside, may still wait for it.
            None if self.has_ended(tenant, &parent.run) => self.release(unwanted),
            None => {}
        }
    }

    fn has_ended(&self, tenant: &TenantId, run: &RunId) -> bool {
        let stored = |key: Vec<u8>| self.shared.store.get(&key);
        match (
            stored(key::run(self.number, tenant, run)),
            stored(key::end(self.number, tenant, run)),
        ) {
            (Ok(run), Ok(end)) => run.is_none() || end.is_some(),
            _ => false,
        }
    }

    /// Nobody waits for a run's end any more: it ends.
    pub(super) fn unwanted(
        &mut self,
        tenant: &TenantId,
        id: &RunId,
        parent: &RunId,
        turn: &mut Turn,
    ) {
        self.wake(tenant, id, turn);
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        if run.machine.status().is_ended() {
            return;
        }
        let event = Event::CancelRequested {
            by: format!("run {parent}"),
            reason: Some("the task that started the run no longer waits for it".to_owned()),
        };
        let at = run.time(self.shared.clock.now());
        let _ = self.apply(id, event, at, turn, Recorded::Now);
    }
}

//! Suspending and resuming. While a run is suspended nothing of it goes on: what happens to it is kept, and
//! acts in its order when the run is resumed.

use std::collections::BTreeSet;

use super::command::{Command, Detail, NoteKind};
use super::event::{Event, TaskKey, TimerKey};
use super::{Machine, Turn};
use crate::extent::BYTES_PER_EVENT_MAX;
use crate::pack::packed;

/// What has happened to a suspended run.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) events: Vec<Event>,
}

packed!(struct Held { events });

/// What of it has an answer already.
#[derive(Debug, Default)]
pub(super) struct Settled<'a> {
    calls: BTreeSet<(&'a TaskKey, u32)>,
    approvals: BTreeSet<&'a TaskKey>,
    timers: BTreeSet<&'a TimerKey>,
}

impl Event {
    /// Whether it acts on a suspended run too: somebody's request about the run as a whole, and what changes its
    /// history alone. All else waits.
    fn acts_at_once(&self) -> bool {
        matches!(
            self,
            Self::Started { .. }
                | Self::CancelRequested { .. }
                | Self::StopRequested { .. }
                | Self::SuspendRequested { .. }
                | Self::ResumeRequested { .. }
                | Self::Revealed { .. }
        )
    }
}

impl Machine {
    /// Keeps an event for later, where the run is suspended; gives it back where it is not.
    pub(super) fn hold(&mut self, event: Event) -> Option<Event> {
        match &mut self.held {
            Some(held) if !event.acts_at_once() => {
                held.events.push(event);
                None
            }
            _ => Some(event),
        }
    }

    /// What need not be asked for again, since it has happened while the run was suspended.
    pub(super) fn settled(&self) -> Settled<'_> {
        let mut settled = Settled::default();
        for event in self.held.iter().flat_map(|held| &held.events) {
            match event {
                Event::Answered { task, attempt, .. } => {
                    settled.calls.insert((task, *attempt));
                }
                Event::Decided { task, .. } => {
                    settled.approvals.insert(task);
                }
                Event::Elapsed { timer } => {
                    settled.timers.insert(timer);
                }
                _ => {}
            }
        }
        settled
    }
}

impl Settled<'_> {
    pub(super) fn call(&self, task: &TaskKey, attempt: u32) -> bool {
        self.calls.contains(&(task, attempt))
    }

    pub(super) fn approval(&self, task: &TaskKey) -> bool {
        self.approvals.contains(task)
    }

    pub(super) fn timer(&self, timer: &TimerKey) -> bool {
        self.timers.contains(timer)
    }
}

impl Turn<'_> {
    pub(super) fn suspended(&mut self, by: String, reason: Option<String>) {
        if self.run.held.is_some() {
            return;
        }
        self.run.held = Some(Held::default());
        self.note_request(NoteKind::WorkflowSuspended, by, reason);
        self.note_tasks(NoteKind::TaskSuspended);
    }

    pub(super) fn resumed(&mut self, by: String, reason: Option<String>) {
        let Some(held) = self.run.held.take() else {
            return;
        };
        self.note_request(NoteKind::WorkflowResumed, by, reason);
        self.note_tasks(NoteKind::TaskResumed);
        for event in held.events {
            if self.run.status.is_ended() {
                return;
            }
            self.left = BYTES_PER_EVENT_MAX;
            self.take(event);
            self.work_off();
        }
        // Events of the world have gone past meanwhile.
        let tasks = self.run.tasks.values();
        let listening: Vec<_> = tasks.filter_map(|task| self.run.listening(task)).collect();
        let listen = listening.into_iter().map(Command::Listen);
        self.commands.extend(listen);
        self.pull_all();
    }

    /// What has come to its end while the run was suspended is done, so that it is undone with the rest. Nothing
    /// follows on it.
    pub(super) fn wind_up(&mut self) {
        let held = self.run.held.take().unwrap_or_default();
        self.winding_up = true;
        for event in held.events {
            let is_end = matches!(
                event,
                Event::Answered { answer: Ok(_), .. } | Event::Decided { .. }
            );
            if is_end {
                self.take(event);
            }
        }
        self.winding_up = false;
    }

    /// Says of each task under way what the request about the run is to it, the outermost first.
    fn note_tasks(&mut self, kind: NoteKind) {
        let tasks = self.run.tasks.values();
        let tasks: Vec<_> = tasks.map(|it| (it.key.clone(), it.attempt)).collect();
        for (task, attempt) in tasks {
            self.note(kind, Some(task), Some(attempt), Detail::default());
        }
    }

    pub(super) fn note_request(&mut self, kind: NoteKind, by: String, reason: Option<String>) {
        let detail = Detail {
            by: Some(by),
            reason,
            ..Detail::default()
        };
        self.note(kind, None, None, detail);
    }
}

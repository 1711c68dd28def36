//! What a run has asked for and not been given yet, by the commands that it gave: an account of its own,
//! which the machine's must agree with.

use std::collections::{BTreeMap, BTreeSet};

use baton_workflow::machine::{Outstanding, TaskKey, TimerKey};
use baton_workflow::{Command, Timestamp};

/// A call or a question, by its task and attempt.
pub(crate) type Asked = (TaskKey, u32);

/// What is under way.
#[derive(Default)]
pub(crate) struct Books {
    /// Calls, and other runs.
    pub(crate) calls: BTreeSet<Asked>,
    /// Which of them, past or present, bring one message after another.
    pub(crate) subscriptions: BTreeSet<Asked>,
    /// Timers that are set.
    pub(crate) timers: BTreeMap<TimerKey, Timestamp>,
    /// Questions to people.
    pub(crate) approvals: BTreeSet<Asked>,
    /// What has happened to the run while it was suspended: it may give back what it does not know to be over.
    held: (BTreeSet<Asked>, BTreeSet<TimerKey>, BTreeSet<TaskKey>),
}

impl Books {
    /// Enters a command.
    ///
    /// # Errors
    ///
    /// It asks for something twice, or gives back what it does not have.
    pub(crate) fn enter(&mut self, command: &Command) -> Result<(), String> {
        let right = match command {
            Command::Invoke(call) => {
                let asked = (call.task.clone(), call.attempt);
                if call.items {
                    self.subscriptions.insert(asked.clone());
                }
                self.calls.insert(asked)
            }
            Command::StartRun(child) => self.calls.insert((child.task.clone(), child.attempt)),
            Command::Abandon { task, attempt } => {
                let call = (task.clone(), *attempt);
                self.calls.remove(&call) || self.held.0.remove(&call)
            }
            Command::SetTimer { timer, due } => self.timers.insert(timer.clone(), *due).is_none(),
            Command::ClearTimer { timer } => {
                self.timers.remove(timer).is_some() || self.held.1.remove(timer)
            }
            Command::Ask(asked) => self.approvals.insert((asked.task.clone(), asked.attempt)),
            Command::Withdraw { task } => {
                let open = self.approvals.len();
                self.approvals.retain(|(other, _)| other != task);
                self.approvals.len() < open || self.held.2.remove(task)
            }
            _ => true,
        };
        match right {
            true => Ok(()),
            false => Err(format!("twice, or never asked for: {command:?}")),
        }
    }

    /// Enters that a call has been answered.
    pub(crate) fn answered(&mut self, call: &Asked, held: bool) {
        self.calls.remove(call);
        if held {
            self.held.0.insert(call.clone());
        }
    }

    /// Enters that a timer has elapsed.
    pub(crate) fn elapsed(&mut self, timer: &TimerKey, held: bool) {
        self.timers.remove(timer);
        if held {
            self.held.1.insert(timer.clone());
        }
    }

    /// Enters that a person has decided.
    pub(crate) fn decided(&mut self, asked: &Asked, held: bool) {
        self.approvals.remove(asked);
        if held {
            self.held.2.insert(asked.0.clone());
        }
    }

    /// Whether nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.timers.is_empty() && self.approvals.is_empty()
    }

    /// Compares with what the machine says.
    ///
    /// # Panics
    ///
    /// When it says something else.
    pub(crate) fn compare(&self, outstanding: &Outstanding, text: &str) {
        let calls = outstanding.calls.iter();
        let children = outstanding.children.iter();
        let theirs: BTreeSet<Asked> = calls
            .map(|call| (call.task.clone(), call.attempt))
            .chain(children.map(|child| (child.task.clone(), child.attempt)))
            .collect();
        assert_eq!(theirs, self.calls, "{text}");
        let theirs: BTreeMap<_, _> = outstanding.timers.iter().cloned().collect();
        assert_eq!(theirs, self.timers, "{text}");
        let approvals = outstanding.approvals.iter();
        let theirs: BTreeSet<Asked> = approvals
            .map(|asked| (asked.task.clone(), asked.attempt))
            .collect();
        assert_eq!(theirs, self.approvals, "{text}");
    }
}

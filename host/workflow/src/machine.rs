//! The machine: a run as a pure state machine.
//!
//! A [`Machine`] is given what happens ([`Event`]) and says what it wants done ([`Command`]). It knows
//! no clock, no randomness and no input or output. The same events, with the same times, on the same
//! plan make the same commands: that is what replaying a journal relies on.
//!
//! # How to drive it
//!
//! 1. [`Machine::new`], then [`Machine::apply`] with [`Event::Started`], once.
//! 2. [`Machine::apply`] with each further event, in the order in which they were recorded.
//! 3. Carry out the commands that come back, in their order; [`Command::Invoke`] only once the event
//!    that brought it about is durable.
//! 4. After a replay, [`Machine::outstanding`] says which calls to make again, which timers to set and which
//!    tasks to offer events.
//!
//! # How it works inside
//!
//! The tasks under way are a tree: a task knows its place, and what happens inside it is told to it.
//! [`flow`] holds what is the same for all tasks (the data flow of dsl.md, in its order); what a kind
//! of task does is in the file of its name. One event may take a run through many tasks: they are worked
//! off an agenda, not by recursion, so that no document can exhaust the stack.

mod adopt;
mod approval;
mod authorization;
mod awaited;
mod call;
mod close;
mod command;
mod compensate;
mod consumption;
mod r#do;
mod emit;
mod evaluate;
mod event;
mod extension;
mod flow;
mod r#for;
mod fork;
mod function;
mod iteration;
mod lines;
mod listen;
mod process;
mod raise;
mod retry;
mod run;
mod scope;
mod set;
mod snapshot;
mod subscription;
mod suspend;
mod switch;
mod task;
mod r#try;
mod visits;
mod wait;

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use adopt::Difference;
pub use approval::{Answer, Approval, Decision};
pub use awaited::{Awaited, AwaitedWhat};
pub use command::{ChildRun, Command, Detail, Ending, Invocation, Listening, Note, NoteKind};
pub use event::{Event, Occurrence, Reveal, TaskKey, TimerKey};
pub use retry::NotRetriable;
pub use snapshot::{BadSnapshot, FORM};
pub use subscription::Weight;

pub(crate) use consumption::{Consumption, Fill};

use close::Closing;
use compensate::Ledger;
use listen::ListenedEvents;
use retry::Grave;
use suspend::Held;
use task::{ContextId, Contexts, Place, Task, TaskId, Work};
use visits::Visits;

use crate::data::{Data, Timestamp};
use crate::error::{Error, ErrorKind};
use crate::expression::Evaluate;
use crate::extent::{self, BYTES_PER_EVENT_MAX};
use crate::pack::packed;
use crate::plan::{Kind, NodeId, Plan};

/// How many steps one event may take a run through. A workflow that goes on longer without a call or a
/// wait is most likely in a loop that never ends, and would hold up all others: it faults.
pub const STEPS_PER_EVENT_MAX: usize = 100_000;

/// What a run needs to know of the world, fixed at its start.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The run's id: `$workflow.id`.
    pub id: String,
    /// `$runtime`: `{name, version, metadata}` (dsl.md, "Runtime Descriptor").
    pub runtime: Value,
    /// `$secrets`: an object with a placeholder for each secret that the workflow uses, or an object of them.
    pub secrets: Value,
    /// The largest event that it may emit, in bytes of its JSON form.
    pub event_bytes: u64,
}

/// The phases of a run (dsl.md, "Status Phases").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Created; has not started.
    Pending,
    /// At work: at least one call, or a run that it has started and awaits, is under way.
    Running,
    /// Nothing is under way but timers.
    Waiting,
    /// Paused by somebody, until somebody resumes it.
    Suspended,
    /// Ended by somebody.
    Cancelled,
    /// Ended by an error.
    Faulted,
    /// Ended with an output.
    Completed,
}

packed!(
    enum Status {
        Pending,
        Running,
        Waiting,
        Suspended,
        Cancelled,
        Faulted,
        Completed,
    }
);

impl Status {
    /// Whether a run in this phase has ended.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Cancelled | Self::Faulted | Self::Completed)
    }
}

/// What a run waits for: see [`Machine::outstanding`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outstanding {
    /// The calls under way.
    pub calls: Vec<Invocation>,
    /// The runs that it has started and waits for: for their end, or, where that is not awaited, for their
    /// start to be durable.
    pub children: Vec<ChildRun>,
    /// What people are asked.
    pub approvals: Vec<Approval>,
    /// The timers that are set, and when they come due.
    pub timers: Vec<(TimerKey, Timestamp)>,
    /// The tasks that wait for an event.
    pub listening: Vec<Listening>,
}

/// A run.
#[derive(Debug)]
pub struct Machine {
    plan: Arc<Plan>,
    facts: Facts,
    status: Status,
    /// The workflow's raw input: `$workflow.input`.
    input: Data,
    started_at: Timestamp,
    tasks: BTreeMap<TaskId, Task>,
    /// The tasks under way by their identity: how answers and timers find them.
    keys: BTreeMap<TaskKey, TaskId>,
    next_task: u32,
    contexts: Contexts,
    /// The context at the top of the workflow.
    context: ContextId,
    visits: Visits,
    /// What could be undone, as far as no `try` holds it.
    ledger: Ledger,
    /// How many tasks have completed that could be undone.
    completions: u64,
    /// How long the run may take.
    limit: Option<Duration>,
    /// What has ended on the way of an error that is under way.
    grave: Grave,
    /// What the run had been at when it faulted; none where there is nothing to go on from.
    failed: Option<Grave>,
    /// The version that the run goes on under when it is tried again, as `namespace/name version`, where that
    /// is another one.
    adopted: Option<String>,
    /// How the run is going to end, once all is undone.
    closing: Option<Closing>,
    /// What has happened since the run was suspended; none where it is not.
    held: Option<Held>,
    timers: BTreeMap<TimerKey, Timestamp>,
    /// The processes under way that no task waits for.
    unawaited: BTreeMap<(TaskKey, u32), Invocation>,
    notes: u64,
    events: ListenedEvents,
}

impl Machine {
    /// A run that has not started.
    pub fn new(plan: Arc<Plan>, facts: Facts) -> Self {
        Self {
            plan,
            facts,
            status: Status::Pending,
            input: Data::default(),
            started_at: Timestamp::from_millis(0),
            tasks: BTreeMap::new(),
            keys: BTreeMap::new(),
            next_task: 0,
            contexts: Contexts::default(),
            context: ContextId::default(),
            visits: Visits::default(),
            ledger: Ledger::new(),
            completions: 0,
            limit: None,
            grave: Grave::default(),
            failed: None,
            adopted: None,
            closing: None,
            held: None,
            timers: BTreeMap::new(),
            unawaited: BTreeMap::new(),
            notes: 0,
            events: ListenedEvents::default(),
        }
    }

    /// Takes what happened at `at` and says what is to be done.
    ///
    /// An event that no longer matters (an answer to an abandoned call, a cleared timer, anything after
    /// the end) changes nothing and gives no commands.
    pub fn apply(
        &mut self,
        event: Event,
        at: Timestamp,
        evaluator: &mut dyn Evaluate,
    ) -> Vec<Command> {
        let is_retry = matches!(event, Event::RetryRequested { .. });
        if is_retry != self.status.is_ended() {
            return Vec::new();
        }
        let Some(event) = self.hold(event) else {
            return Vec::new();
        };
        let mut turn = Turn {
            run: self,
            evaluator,
            at,
            commands: Vec::new(),
            agenda: VecDeque::new(),
            left: BYTES_PER_EVENT_MAX,
            winding_up: false,
            workflow: OnceCell::new(),
        };
        turn.take(event);
        turn.work_off();
        turn.forget_all();
        let commands = turn.commands;
        self.settle();
        commands
    }

    /// The run's phase.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The plan that it runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// What the run waits for.
    pub fn outstanding(&self) -> Outstanding {
        let settled = self.settled();
        let mut outstanding = Outstanding::default();
        for task in self.tasks.values() {
            match &task.work {
                Work::Call(call) if !settled.call(&call.task, call.attempt) => {
                    outstanding.calls.push(call.clone());
                }
                Work::Approval(approval) if !settled.approval(&approval.task) => {
                    outstanding.approvals.push(Approval::clone(approval));
                }
                Work::Run(child) if !settled.call(&child.task, child.attempt) => {
                    outstanding.children.push(child.clone());
                }
                Work::Subscription(work) => {
                    let call = work.call();
                    let wanted = call.filter(|it| !settled.call(&it.task, it.attempt));
                    outstanding.calls.extend(wanted.cloned());
                }
                Work::Listen(_) if self.held.is_none() => {
                    outstanding.listening.extend(self.listening(task));
                }
                _ => {}
            }
        }
        let unawaited = self.unawaited.values();
        let unawaited = unawaited.filter(|call| !settled.call(&call.task, call.attempt));
        outstanding.calls.extend(unawaited.cloned());
        let timers = self
            .timers
            .iter()
            .filter(|(timer, _)| !settled.timer(timer));
        outstanding.timers = timers.map(|(timer, due)| (timer.clone(), *due)).collect();
        outstanding
    }

    /// What a task asks a person just now; none where it asks nothing, or has been answered.
    pub fn approval(&self, task: &TaskKey) -> Option<&Approval> {
        let id = self.keys.get(task)?;
        match &self.tasks[id].work {
            Work::Approval(approval) if !self.settled().approval(task) => Some(approval),
            _ => None,
        }
    }

    /// Suspended, running or waiting, by what is under way.
    fn settle(&mut self) {
        if self.held.is_some() {
            self.status = Status::Suspended;
        } else if !self.status.is_ended() {
            let at_work = self.tasks.values().any(|task| match &task.work {
                Work::Call(_) | Work::Run(_) => true,
                Work::Subscription(work) => work.call().is_some(),
                _ => false,
            });
            self.status = if at_work {
                Status::Running
            } else {
                Status::Waiting
            };
        }
    }
}

/// One event being worked off.
struct Turn<'a> {
    run: &'a mut Machine,
    evaluator: &'a mut dyn Evaluate,
    at: Timestamp,
    commands: Vec<Command>,
    agenda: VecDeque<Step>,
    /// How many bytes of data the event may still make.
    left: usize,
    /// Whether nothing follows on a task that is over, since the run is about to end.
    winding_up: bool,
    /// `$workflow` as a whole, once an expression has asked for it.
    workflow: OnceCell<Value>,
}

/// What is still to do before the event has been worked off.
enum Step {
    /// Come to a task.
    Enter {
        node: NodeId,
        input: Data,
        place: Place,
    },
    /// Come to a task again, on the same visit.
    Again {
        node: NodeId,
        key: TaskKey,
        attempt: u32,
        input: Data,
        place: Place,
    },
    /// A sequence, or a branch, has come to its end.
    Left { place: Place, output: Data },
    /// A task has failed; the error leaves it for what is around it.
    Raised { place: Place, error: Error },
}

impl Step {
    /// Where it is.
    fn place(&self) -> &Place {
        let (Self::Enter { place, .. }
        | Self::Again { place, .. }
        | Self::Left { place, .. }
        | Self::Raised { place, .. }) = self;
        place
    }
}

impl Turn<'_> {
    /// Does what an event asks for first; the rest is on the agenda then.
    fn take(&mut self, event: Event) {
        match event {
            Event::Started { input, events_from } => self.started(input, events_from),
            Event::Answered {
                task,
                attempt,
                answer,
            } => self.answered(&task, attempt, answer),
            Event::Elapsed { timer } => self.elapsed(timer),
            Event::CancelRequested { by, reason } => self.cancelled(by, reason),
            Event::StopRequested { by, reason } => self.stopped(by, reason),
            Event::SuspendRequested { by, reason } => self.suspended(by, reason),
            Event::ResumeRequested { by, reason } => self.resumed(by, reason),
            Event::RetryRequested { by, reason, .. } => self.retried(by, reason),
            Event::Decided {
                task,
                attempt,
                answer,
            } => self.decided(&task, attempt, answer),
            Event::Received {
                task,
                position,
                event,
            } => self.received(&task, position, &event),
            Event::EventsDropped { task, first } => self.events_dropped(&task, first),
            Event::EventsPassed { task, next } => self.events_passed(&task, next),
            Event::Yielded {
                task,
                attempt,
                item,
            } => self.yielded(&task, attempt, item),
            Event::Revealed {
                task,
                attempt,
                reveal,
            } => self.revealed(task, attempt, reveal),
        }
    }

    fn work_off(&mut self) {
        while !self.agenda.is_empty() {
            self.work_off_some();
        }
    }

    fn work_off_some(&mut self) {
        for _ in 0..STEPS_PER_EVENT_MAX {
            let Some(step) = self.agenda.pop_front() else {
                return;
            };
            match step {
                Step::Enter { node, input, place } => self.enter(node, input, place),
                Step::Again {
                    node,
                    key,
                    attempt,
                    input,
                    place,
                } => self.enter_again(node, (key, attempt), input, place),
                Step::Left { place, output } => self.scope_done(&place, output),
                Step::Raised { place, error } => self.raised(&place, error),
            }
        }
        if !self.agenda.is_empty() {
            self.give_up(Error::new(
                ErrorKind::Runtime,
                "The run goes on without end",
                format!(
                    "it made {STEPS_PER_EVENT_MAX} steps without a call or a wait; \
                     look for a `then` that leads back, or put a `wait` into the loop"
                ),
            ));
        }
    }

    fn answered(&mut self, key: &TaskKey, attempt: u32, answer: Result<Data, Error>) {
        if self.run.unawaited.remove(&(key.clone(), attempt)).is_some() {
            return;
        }
        let Some(&id) = self.run.keys.get(key) else {
            return;
        };
        let pass_through = match &self.run.tasks[&id].work {
            Work::Call(invocation) if invocation.attempt == attempt => None,
            Work::Run(child) if child.attempt == attempt => {
                (!child.awaited).then(|| self.run.tasks[&id].input.clone())
            }
            Work::Subscription(_) => return self.source_ended(id, attempt, answer),
            _ => return,
        };
        let answer = answer.and_then(|output| {
            extent::check("the call's result", &output)?;
            Ok(pass_through.unwrap_or(output))
        });
        match answer {
            Ok(output) => self.came_back(id, output),
            Err(error) => self.fail(id, error),
        }
    }

    /// A call has given what it gives.
    fn came_back(&mut self, id: TaskId, output: Data) {
        let plan = self.run.plan.clone();
        match &plan.node(self.run.tasks[&id].node).kind {
            Kind::Process(process) => self.process_ended(id, process.output, &output),
            _ => self.complete(id, output, None),
        }
    }

    fn elapsed(&mut self, timer: TimerKey) {
        if self.run.timers.remove(&timer).is_none() {
            return;
        }
        let task = |key: &TaskKey| self.run.keys.get(key).copied();
        match timer {
            TimerKey::RunTimeout => self.fault(Error::new(
                ErrorKind::Timeout,
                "The workflow took too long",
                "it was still under way when the time that its `timeout` allows was over",
            )),
            TimerKey::Wait(key) => {
                if let Some(id) = task(&key) {
                    self.waited(id);
                }
            }
            TimerKey::Retry(key) => {
                if let Some(id) = task(&key) {
                    self.try_again(id);
                }
            }
            TimerKey::Attempt(key) => {
                if let Some(id) = task(&key) {
                    self.attempt_timed_out(id);
                }
            }
            TimerKey::Timeout(key) => {
                if let Some(id) = task(&key) {
                    self.time_out(id);
                }
            }
            TimerKey::Consume(key) => {
                if let Some(id) = task(&key) {
                    self.consumed_long_enough(id);
                }
            }
        }
    }

    fn note(
        &mut self,
        kind: NoteKind,
        task: Option<TaskKey>,
        attempt: Option<u32>,
        detail: Detail,
    ) {
        self.run.notes += 1;
        let note = Note {
            seq: self.run.notes,
            at: self.at,
            kind,
            task,
            attempt,
            detail,
        };
        self.commands.push(Command::Note(note));
    }

    fn set_timer(&mut self, timer: TimerKey, due: Timestamp) {
        self.run.timers.insert(timer.clone(), due);
        self.commands.push(Command::SetTimer { timer, due });
    }

    fn clear_timer(&mut self, timer: TimerKey) {
        if self.run.timers.remove(&timer).is_some() {
            self.commands.push(Command::ClearTimer { timer });
        }
    }
}

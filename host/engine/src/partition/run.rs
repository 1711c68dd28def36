//! A run in memory, and its calls.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use baton_sandbox::Progress;
use baton_store::record::{ApprovalRecord, OpenRecord, PhaseRecord, SnapshotRecord};
use baton_store::{Batch, Partition as Number, RunId, TenantId, key};
use baton_workflow::machine::{Invocation, Machine, TaskKey, TimerKey};
use baton_workflow::{Error, ErrorKind, Timestamp};
use tokio::task::AbortHandle;

use super::child::ActiveChild;
use super::end::Ended;
use super::items::{self, HandedOver};
use super::reveals;
use super::{CALLS_AT_A_TIME, Message, Partition};
use crate::admission::Place;
use crate::codec;
use crate::dispatch::Thread;
use crate::live::{LiveRun, LiveRuns};
use crate::mailbox::Mailbox;
use crate::origin::Origin;
use crate::outside::{Answer, Call};
use crate::replay::{Loaded, Pin};
use crate::snapshot::{self, Uncovered};
use crate::version::Version;

/// A run in memory.
pub(super) struct ActiveRun {
    pub(super) id: RunId,
    pub(super) tenant: TenantId,
    pub(super) version: Arc<Version>,
    pub(super) machine: Machine,
    pub(super) live: Arc<LiveRun>,
    /// How many events its journal has.
    pub(super) events: u32,
    /// How many of them no snapshot has.
    pub(super) uncovered: Uncovered,
    /// How many times it has been corrected.
    corrections: u32,
    /// The turn of the last of them.
    pub(super) last_turn: u64,
    /// What its open record says.
    pub(super) stored: OpenRecord,
    /// The turn since which nothing of it is under way, where it may fall asleep.
    pub(super) idle_since: Option<u64>,
    /// The timers that are set, and when they come due.
    pub(super) timers: HashMap<TimerKey, Timestamp>,
    /// What its tasks ask people.
    pub(super) approvals: HashMap<TaskKey, ApprovalRecord>,
    /// What the index of runs says of it.
    pub(super) index: Arc<baton_store::record::RunIndexRecord>,
    last_at: Timestamp,
    pins: Arc<[Pin]>,
    calls: HashMap<(TaskKey, u32), CallUnderWay>,
    /// The runs that its tasks have started and wait for.
    pub(super) children: HashMap<(TaskKey, u32), ActiveChild>,
    /// What started it.
    pub(super) origin: Origin,
    /// What takes back the end of a run that is tried again. Written with the event that says so.
    pub(super) reopening: Option<Batch>,
    /// How it has ended, until that is recorded.
    pub(super) ended: Option<Ended>,
    pub(super) place: Place,
}

struct CallUnderWay {
    state: CallState,
    /// Whether a task waits for the answer.
    awaited: bool,
    /// Whether it has got room and begun. Told only of what nobody waits for.
    has_begun: bool,
}

pub(super) enum CallState {
    /// It waits for what brought it about to become durable.
    Held,
    /// It is under way. What it has handed over waits until its task is ready for it.
    Started(AbortHandle, Option<HandedOver>),
    /// Its task takes what it has handed over just now.
    Giving,
    /// It has been answered at once, and the answer waits for its turn.
    Answered,
}

impl ActiveRun {
    /// A run that has been loaded; its machine is not at work yet.
    pub(super) fn new(loaded: Loaded, place: Place, runs: &LiveRuns) -> Self {
        Self {
            live: runs.take_up(&loaded.tenant, loaded.id),
            id: loaded.id,
            tenant: loaded.tenant,
            version: loaded.version,
            machine: loaded.machine,
            events: loaded.events,
            uncovered: loaded.uncovered,
            corrections: loaded.corrections,
            last_turn: 0,
            stored: OpenRecord {
                phase: PhaseRecord::Running,
                asleep: None,
            },
            idle_since: None,
            timers: HashMap::new(),
            approvals: HashMap::new(),
            index: loaded.index,
            last_at: loaded.last_at,
            pins: loaded.pins,
            calls: HashMap::new(),
            children: HashMap::new(),
            origin: loaded.origin,
            reopening: None,
            ended: None,
            place,
        }
    }

    /// The time of an event that happens `now`: never before the one before it, whatever the clock does.
    pub(super) fn time(&mut self, now: Timestamp) -> Timestamp {
        self.last_at = self.last_at.max(now);
        self.last_at
    }

    /// The record of its state as it is now.
    pub(super) fn snapshot(&self) -> SnapshotRecord {
        let state = self.machine.snapshot();
        snapshot::record(state, self.events, self.last_at, self.corrections)
    }

    /// Where a timer is stored.
    pub(super) fn timer_key(&self, partition: Number, timer: &TimerKey, due: Timestamp) -> Vec<u8> {
        let discriminator = codec::timer_discriminator(timer);
        key::timer(
            partition,
            due.as_millis(),
            &self.tenant,
            &self.id,
            discriminator,
        )
    }

    /// A call is wanted.
    pub(super) fn hold_call(&mut self, invocation: &Invocation) {
        self.calls.insert(
            (invocation.task.clone(), invocation.attempt),
            CallUnderWay {
                state: CallState::Held,
                awaited: invocation.awaited,
                has_begun: false,
            },
        );
    }

    /// A call has begun.
    pub(super) fn call_begun(&mut self, task: &TaskKey, attempt: u32) {
        if let Some(call) = self.calls.get_mut(&(task.clone(), attempt)) {
            call.has_begun = true;
        }
    }

    /// Whether a call that nobody waits for has not begun.
    pub(super) fn has_calls_to_begin(&self) -> bool {
        let mut calls = self.calls.values();
        calls.any(|call| !call.awaited && !call.has_begun)
    }

    /// A call has been answered, or the answer is no longer wanted: whether it was under way or held.
    pub(super) fn end_call(&mut self, task: &TaskKey, attempt: u32) -> bool {
        let Some(call) = self.calls.remove(&(task.clone(), attempt)) else {
            return false;
        };
        if let CallState::Started(handle, _) = call.state {
            handle.abort();
        }
        self.live.call_ended(task, attempt);
        true
    }

    /// No answer is wanted any more.
    pub(super) fn end_calls(&mut self) {
        self.end_calls_where(|_| true);
    }

    /// The run has ended by itself: no task waits for an answer any more. What no task has waited for goes on.
    pub(super) fn end_awaited_calls(&mut self) {
        self.end_calls_where(|call| call.awaited);
    }

    fn end_calls_where(&mut self, ends: impl Fn(&CallUnderWay) -> bool) {
        let calls = self.calls.iter().filter(|(_, call)| ends(call));
        let calls: Vec<_> = calls.map(|(key, _)| key.clone()).collect();
        for (task, attempt) in calls {
            self.end_call(&task, attempt);
        }
    }

    /// Whether nothing of it is under way here: what it waits for has to come.
    pub(super) fn is_idle(&self) -> bool {
        self.calls.is_empty()
            && self.reopening.is_none()
            && self.ended.is_none()
            && !self.machine.status().is_ended()
            && !self.starts_children()
    }

    /// Whether it is another run's child, or waits for one of its own.
    pub(super) fn has_kin(&self) -> bool {
        self.origin.awaiting().is_some() || !self.children.is_empty()
    }

    /// How far a call is that is wanted.
    pub(super) fn call(&mut self, task: &TaskKey, attempt: u32) -> Option<&mut CallState> {
        let call = self.calls.get_mut(&(task.clone(), attempt))?;
        Some(&mut call.state)
    }

    /// A call that is wanted is so far now.
    pub(super) fn set_call(&mut self, task: &TaskKey, attempt: u32, to: CallState) {
        if let Some(state) = self.call(task, attempt) {
            *state = to;
        }
    }

    /// Whether a call still waits to go out: it may have been abandoned.
    fn is_held(&self, invocation: &Invocation) -> bool {
        matches!(
            self.calls
                .get(&(invocation.task.clone(), invocation.attempt))
                .map(|call| &call.state),
            Some(CallState::Held)
        )
    }

    /// The component that the run keeps under a connector's name.
    pub(super) fn pin(&self, connector: &str) -> Option<&Pin> {
        self.pins.iter().find(|pin| pin.name == connector)
    }
}

impl Partition {
    /// Makes a call, unless it is no longer wanted.
    pub(super) fn start_call(&mut self, id: &RunId, invocation: &Invocation) {
        let now = self.shared.clock.now();
        let limit = self.shared.limits.call_time;
        let (dispatch, platform) = (&self.shared.dispatch, &self.shared.platform);
        let Some(run) = self.runs.get_mut(id).filter(|run| run.is_held(invocation)) else {
            return;
        };
        let (processors, partition) = (self.processors.clone(), self.number);
        let tenant = run.tenant.clone();
        let (id, task, attempt) = (*id, invocation.task.clone(), invocation.attempt);
        let answered = move |answer| {
            let message = Message::Answered {
                run: id,
                task,
                attempt,
                answer,
            };
            processors.tell(partition, &tenant, message);
        };
        let Some(pin) = run.pin(&invocation.connector) else {
            answered(no_such_connector(&invocation.connector));
            return;
        };
        let limit = match invocation.items {
            false => limit,
            true => items::TIME_MAX,
        };
        let time = invocation
            .deadline
            .map_or(limit, |due| now.until(due).min(limit));
        let mut call = call(run, invocation, pin, time);
        call.reveals = Some(reveals::to_partition(&self.mailbox, id, invocation));
        if invocation.items {
            call.items = Some(items::to_partition(&self.mailbox, id, invocation));
        }
        run.live
            .call_started(invocation.task.clone(), attempt, call.progress.clone());
        let begun = (!invocation.awaited).then(|| begun(&self.mailbox, id, invocation));
        let slot = dispatch.slot(&call);
        let has_time = self.calls_here < CALLS_AT_A_TIME;
        let thread = match has_time && platform.calls_here(|| dispatch.is_brief(slot)) {
            true => Thread::This,
            false => Thread::Runtime,
        };
        self.calls_here += usize::from(thread == Thread::This);
        let state = match dispatch.start(call, slot, thread, begun, answered) {
            Some(handle) => CallState::Started(handle, None),
            None => CallState::Answered,
        };
        run.set_call(&invocation.task, attempt, state);
    }
}

/// What tells the partition that a call has begun.
fn begun(
    mailbox: &Arc<Mailbox<Message>>,
    run: RunId,
    invocation: &Invocation,
) -> impl FnOnce() + Send + use<> {
    let (mailbox, task, attempt) = (mailbox.clone(), invocation.task.clone(), invocation.attempt);
    move || mailbox.push(Message::Begun { run, task, attempt })
}

fn call(run: &ActiveRun, invocation: &Invocation, pin: &Pin, time: Duration) -> Call {
    Call {
        tenant: run.tenant.clone(),
        run: run.id.to_string(),
        task: invocation.task.clone(),
        attempt: invocation.attempt,
        connector: invocation.connector.clone(),
        digest: pin.digest,
        bundled: pin.bundled,
        interface: invocation.interface.clone(),
        function: invocation.function.clone(),
        arguments: invocation.arguments.clone(),
        secrets: run.version.plan.secrets().clone(),
        time,
        idempotency_key: idempotency_key(&run.id, &invocation.task),
        progress: Progress::default(),
        items: None,
        reveals: None,
    }
}

/// The key of all attempts of one visit of one task: `run/hash of the task's pointer/visit`, 64 characters
/// at most.
pub(crate) fn idempotency_key(run: &RunId, task: &TaskKey) -> String {
    let pointer = crate::digest::of(task.pointer.as_bytes());
    format!("{run}/{}/{}", hex::encode(&pointer.0[..8]), task.visit)
}

/// Plans are checked before they run, so that this answers a fault of the host.
fn no_such_connector(name: &str) -> Answer {
    let error = Error::new(
        ErrorKind::Configuration,
        "No such connector",
        format!("the run has no connector `{name}`; the workflow was published without it"),
    );
    Answer::of(Err(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idempotency_key_is_short_and_stays_the_same() {
        let run = RunId::new(0, &[0; 10]);
        let task = TaskKey {
            pointer: "/do/0/createAccount".into(),
            visit: u32::MAX,
        };
        let key = idempotency_key(&run, &task);
        assert_eq!(
            key,
            "00000000-0000-7000-8000-000000000000/80558ad21e29926b/4294967295"
        );
        assert!(key.len() <= 64 && key.is_ascii());
    }
}

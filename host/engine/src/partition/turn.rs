//! A turn: events applied to machines, and what comes of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use baton_store::record::{OpenRecord, OutcomeRecord, Record, TimerRecord};
use baton_store::{Batch, RunId, TenantId, key};
use baton_workflow::Timestamp;
use baton_workflow::machine::{Command, Event, Note};

use super::effect::Effect;
use super::end::Ended;
use super::{Partition, RETRY_AFTER, Recorded};
use crate::bulkhead::LONG;
use crate::codec;
use crate::error::{ControlError, Unavailable};
use crate::events::NewEvent;
use crate::lifecycle;
use crate::platform::Platform;
use crate::snapshot::Uncovered;

/// What a partition does in one go for a tenant, and makes durable together.
pub(super) struct Turn {
    pub(super) number: u64,
    /// Whose runs it is about, once it is about any.
    pub(super) tenant: Option<TenantId>,
    /// How long the thread had computed when it was first about them.
    pub(super) began: Duration,
    pub(super) batch: Batch,
    /// What its runs have emitted.
    pub(super) events: Vec<NewEvent>,
    pub(super) effects: Vec<Effect>,
}

/// The host could not go on with a run, which is [not in memory](super::aside) any more. Nothing of what it was told is
/// recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetAside {
    /// It is tried again soon.
    ForNow,
    /// It stands still until the host is restarted.
    ForGood,
}

impl SetAside {
    /// What is said to whoever has asked for something of the run.
    pub(super) fn told(self) -> ControlError {
        let reason = "the host failed on the run; its log says more";
        match self {
            Self::ForNow => ControlError::Busy {
                retry_after: RETRY_AFTER,
            },
            Self::ForGood => Unavailable::Broken(reason.into()).into(),
        }
    }
}

impl Turn {
    pub(super) fn new(number: u64) -> Self {
        Self {
            number,
            tenant: None,
            began: Duration::ZERO,
            batch: Batch::new(),
            events: Vec::new(),
            effects: Vec::new(),
        }
    }
}

impl Turn {
    /// Whether it has been about its tenant for long, so that more is left for the next one.
    pub(super) fn has_taken_long(&self, platform: &Platform) -> bool {
        self.tenant.is_some() && self.time(platform) > LONG
    }

    /// For how long the thread has computed since the turn was first about its tenant.
    pub(super) fn time(&self, platform: &Platform) -> Duration {
        platform.thread_time().saturating_sub(self.began)
    }
}

impl Partition {
    /// Goes on with a turn for this tenant: where it was another one's, that one ends.
    pub(super) fn turn_of(&mut self, tenant: &TenantId, turn: &mut Turn) {
        match &turn.tenant {
            Some(it) if it == tenant => return,
            Some(_) => {
                let of_another = std::mem::replace(turn, Turn::new(turn.number));
                self.finish(of_another);
                turn.number = self.turns + 1;
            }
            None => {}
        }
        turn.tenant = Some(tenant.clone());
        turn.began = self.shared.platform.thread_time();
    }

    /// Goes on with a turn for the tenant of a run. False where the run is not in memory.
    pub(super) fn turn_of_run(&mut self, id: &RunId, turn: &mut Turn) -> bool {
        let tenant = self.runs.get(id).map(|run| run.tenant.clone());
        if let Some(tenant) = &tenant {
            self.turn_of(tenant, turn);
        }
        tenant.is_some()
    }

    /// Applies an event to a run and sees to what the run wants done.
    pub(super) fn apply(
        &mut self,
        id: &RunId,
        event: Event,
        at: Timestamp,
        turn: &mut Turn,
        recorded: Recorded,
    ) -> Result<(), SetAside> {
        self.rouse(id);
        let Some(run) = self.runs.get_mut(id) else {
            return Err(SetAside::ForGood);
        };
        debug_assert_eq!(turn.tenant.as_ref(), Some(&run.tenant));
        let record = (recorded == Recorded::Now).then(|| codec::event_record(&event, at));
        let commands = catch_unwind(AssertUnwindSafe(|| {
            let mut evaluator = run.version.evaluator();
            let commands = run.machine.apply(event, at, &mut evaluator);
            evaluator.finish().map(|()| commands)
        }));
        let commands = match commands {
            Ok(Ok(commands)) => commands,
            // The run has gone by what is no result of an expression.
            Ok(Err(reason)) => {
                self.pause(id, &reason);
                return Err(SetAside::ForNow);
            }
            Err(_) => {
                self.set_aside(id, turn);
                return Err(SetAside::ForGood);
            }
        };
        if let Some(reopening) = run.reopening.take() {
            turn.batch.append(reopening);
        }
        if let Some(record) = record {
            run.events += 1;
            run.last_turn = turn.number;
            let record = record.encode();
            run.uncovered.add(record.len());
            turn.batch
                .put(key::event(self.number, &run.tenant, id, run.events), record);
            self.keep_snapshot(id, turn);
        }
        self.carry_out(id, commands, at, turn);
        Ok(())
    }

    /// Keeps the state of a run that has come far since it was last kept.
    fn keep_snapshot(&mut self, id: &RunId, turn: &mut Turn) {
        let every = self.shared.limits.snapshot_events;
        let Some(run) = self
            .runs
            .get_mut(id)
            .filter(|run| run.uncovered.is_enough(every) && !run.machine.status().is_ended())
        else {
            return;
        };
        let snapshot = run.snapshot();
        run.uncovered = Uncovered::behind(snapshot.state.len());
        let key = key::snapshot(self.number, &run.tenant, id);
        turn.batch.put(key, snapshot.encode());
    }

    fn carry_out(&mut self, id: &RunId, commands: Vec<Command>, at: Timestamp, turn: &mut Turn) {
        let mut notes = Vec::new();
        let mut ended = None;
        for command in commands {
            let Some(run) = self.runs.get_mut(id) else {
                return;
            };
            match command {
                Command::Invoke(invocation) => {
                    run.hold_call(&invocation);
                    let inert = run.pin(&invocation.connector).is_some_and(|pin| pin.inert);
                    // What can neither touch nor see the world may run ahead of the journal: made again
                    // after a crash, it comes to the same.
                    if inert && !self.is_behind() {
                        self.start_call(id, &invocation);
                    } else {
                        self.after(self.last_turn_of(id), Effect::Invoke(*id, invocation), turn);
                    }
                }
                Command::StartRun(child) => {
                    run.hold_child(&child);
                    let last = run.last_turn;
                    self.after(last, Effect::StartChild(*id, child), turn);
                }
                Command::Pull { task, attempt } => self.pulls.push((*id, task, attempt)),
                Command::Abandon { task, attempt } => {
                    run.end_call(&task, attempt);
                    if let Some(child) = run.abandon_child(&task, attempt) {
                        let unwanted = Effect::Unwanted {
                            tenant: run.tenant.clone(),
                            child,
                            parent: *id,
                        };
                        let last = run.last_turn;
                        self.after(last, unwanted, turn);
                    }
                }
                Command::SetTimer { timer, due } => {
                    let record = TimerRecord {
                        timer: codec::timer_record(&timer),
                    };
                    turn.batch
                        .put(run.timer_key(self.number, &timer, due), record.encode());
                    if let Some(before) = run
                        .timers
                        .insert(timer.clone(), due)
                        .filter(|before| *before != due)
                    {
                        turn.batch
                            .delete(run.timer_key(self.number, &timer, before));
                        self.timers.clear(before, *id, timer.clone());
                    }
                    self.timers.set(due, *id, timer);
                }
                Command::ClearTimer { timer } => {
                    if let Some(due) = run.timers.remove(&timer) {
                        turn.batch.delete(run.timer_key(self.number, &timer, due));
                        self.timers.clear(due, *id, timer);
                    }
                }
                Command::Ask(approval) => self.open_approval(id, &approval, turn),
                Command::Withdraw { task } => {
                    let at_ms = at.as_millis();
                    self.close_approval(id, &task, OutcomeRecord::Withdrawn { at_ms }, turn);
                }
                Command::Note(note) => {
                    for event in lifecycle::events(self.shared.lifecycle, id, &run.index, &note) {
                        run.last_turn = turn.number;
                        let tenant = run.tenant.clone();
                        turn.events.push(NewEvent { tenant, event, at });
                    }
                    notes.push(note);
                }
                Command::End(ending) => ended = Some(ending),
                Command::Emit(event) => {
                    run.last_turn = turn.number;
                    let tenant = run.tenant.clone();
                    turn.events.push(NewEvent { tenant, event, at });
                }
                Command::Listen(listening) => {
                    let tenant = run.tenant.clone();
                    self.listen(id, &tenant, listening);
                }
                Command::Unlisten { task } => self.unlisten(id, task),
            }
        }
        match ended {
            Some(ending) => self.end(id, Ended { ending, at, notes }, turn),
            None => self.show(id, notes, turn),
        }
    }

    /// Records what the run is doing now, and shows it once that is durable.
    pub(super) fn show(&mut self, id: &RunId, notes: Vec<Note>, turn: &mut Turn) {
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        let status = run.machine.status();
        let open = OpenRecord {
            phase: codec::phase(status),
            asleep: None,
        };
        if !status.is_ended() && open != run.stored {
            let key = key::open(self.number, &run.tenant, id);
            turn.batch.put(key, open.encode());
            run.stored = open;
            run.last_turn = turn.number;
        }
        let last = run.last_turn;
        self.after(last, Effect::Show(*id, status, notes), turn);
        match status.is_ended() {
            true => self.after(last, Effect::Ended(*id), turn),
            false => self.rest(id, turn),
        }
    }
}

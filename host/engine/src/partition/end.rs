//! How a run ends: what it was at stops, and its end is recorded.
//!
//! What nobody waits for (`await: false`) has to have begun by then. An ended run is not looked at again after a
//! crash, so that a call which still waits to go out would be lost: the record of the end waits for it. Until that is
//! there, the run counts as open, and the host that opens the store next comes to the same end from the journal.

use std::sync::atomic::Ordering;

use baton_store::record::{EndRecord, Record};
use baton_store::{RunId, key};
use baton_workflow::Timestamp;
use baton_workflow::machine::{Ending, Note, TaskKey};

use super::Partition;
use super::effect::Effect;
use super::run::ActiveRun;
use super::turn::Turn;
use crate::admission::Place;
use crate::child;
use crate::codec;
use crate::origin::Origin;
use crate::replay::Loaded;
use crate::schedule::ScheduleName;

/// How a run has ended, by an event that is in its journal or goes there with the turn.
pub(super) struct Ended {
    pub(super) ending: Ending,
    /// When that event happened.
    pub(super) at: Timestamp,
    /// What its history says of it.
    pub(super) notes: Vec<Note>,
}

impl Partition {
    /// A run has ended. Nothing of it goes on but what nobody waits for.
    pub(super) fn end(&mut self, id: &RunId, ended: Ended, turn: &mut Turn) {
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        run.end_awaited_calls();
        for (timer, due) in std::mem::take(&mut run.timers) {
            turn.batch.delete(run.timer_key(self.number, &timer, due));
            self.timers.clear(due, *id, timer);
        }
        run.ended = Some(ended);
        self.record_end(id, turn);
    }

    /// A call that nobody waits for has begun: once it has, a crash ends it as one ends any process.
    pub(super) fn begun(&mut self, id: &RunId, task: &TaskKey, attempt: u32, turn: &mut Turn) {
        if let Some(run) = self.runs.get_mut(id) {
            run.call_begun(task, attempt);
            self.record_end(id, turn);
        }
    }

    /// Records the end of a run that has ended, once all has begun that nobody waits for.
    pub(super) fn record_end(&mut self, id: &RunId, turn: &mut Turn) {
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        if run.has_calls_to_begin() {
            return;
        }
        let Some(Ended { ending, at, notes }) = run.ended.take() else {
            return;
        };
        self.shared.ended.fetch_add(1, Ordering::Relaxed);
        let (_, status) = codec::ended_status(&ending);
        let end = EndRecord {
            at_ms: at.as_millis(),
            ending: codec::ending_record(&ending),
        };
        let mut index = (*run.index).clone();
        let told = match &run.origin {
            Origin::Run(parent) if parent.awaited => {
                let result = child::answer(id, &index, &ending);
                Some(Effect::TellParent(
                    run.tenant.clone(),
                    parent.clone(),
                    result,
                ))
            }
            Origin::Schedule(_) => {
                let name = ScheduleName {
                    tenant: run.tenant.clone(),
                    namespace: index.namespace.clone(),
                    name: index.name.clone(),
                };
                Some(Effect::TellSchedule(name, *id, at))
            }
            Origin::Run(_) | Origin::Request | Origin::Restart(_) => None,
        };
        index.status = status;
        turn.batch
            .put(key::end(self.number, &run.tenant, id), end.encode());
        turn.batch
            .put(key::run_index(&run.tenant, id), index.encode());
        turn.batch.delete(key::open(self.number, &run.tenant, id));
        if std::mem::take(&mut run.uncovered).is_kept {
            turn.batch
                .delete(key::snapshot(self.number, &run.tenant, id));
        }
        run.last_turn = turn.number;
        turn.effects.extend(told);
        self.show(id, notes, turn);
    }

    /// Takes a run into memory that has ended, while the record of its end is not there: the host stopped before. What
    /// nobody waits for may or may not have begun, and begins again.
    pub(super) fn resume_ended(
        &mut self,
        loaded: Loaded,
        ending: Ending,
        place: Place,
        turn: &mut Turn,
    ) {
        let (id, at) = (loaded.id, loaded.last_at);
        let mut calls = loaded.machine.outstanding().calls;
        calls.retain(|call| !call.awaited);
        let mut run = ActiveRun::new(loaded, place, &self.shared.live);
        calls.iter().for_each(|call| run.hold_call(call));
        self.runs.insert(id, run);
        let notes = Vec::new();
        self.end(&id, Ended { ending, at, notes }, turn);
        calls.iter().for_each(|call| self.start_call(&id, call));
    }
}

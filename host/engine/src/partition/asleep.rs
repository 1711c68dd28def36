//! Runs that are asleep: they wait, and are not in memory.
//!
//! Of the runs that wait, some stay in memory; beyond that, the one that has waited for the longest time falls asleep.
//! Its open record says then how it is woken, and once that is durable, nothing of it is in memory but which events its
//! tasks [listen](super::listeners) to, and its timers of the [near future](super::alarms). Whatever comes for it has
//! it loaded from its journal again.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use baton_store::record::{AsleepRecord, OpenRecord, Record};
use baton_store::{ReadError, RunId, TenantId, key};

use super::effect::Effect;
use super::run::ActiveRun;
use super::turn::Turn;
use super::{AT_A_TIME, Partition, Reopen};
use crate::admission::Place;
use crate::codec;
use crate::replay::{self, Loaded};

/// The runs in memory of which nothing is under way, by the turn since which that is so.
#[derive(Default)]
pub(super) struct Idle {
    runs: BTreeSet<(u64, RunId)>,
}

impl Idle {
    pub(super) fn insert(&mut self, since: u64, run: RunId) {
        self.runs.insert((since, run));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    pub(super) fn remove(&mut self, since: u64, run: RunId) {
        self.runs.remove(&(since, run));
    }
}

impl Partition {
    /// Where nothing of a run is under way, it may fall asleep.
    pub(super) fn rest(&mut self, id: &RunId, turn: &Turn) {
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        if run.idle_since.is_none() && run.is_idle() {
            run.idle_since = Some(turn.number);
            self.idle.insert(turn.number, *id);
        }
    }

    /// Something happens to a run: it may not fall asleep.
    pub(super) fn rouse(&mut self, id: &RunId) {
        let run = self.runs.get_mut(id);
        if let Some(since) = run.and_then(|run| run.idle_since.take()) {
            self.idle.remove(since, *id);
        }
    }

    /// Whether runs are to fall asleep that can.
    pub(super) fn has_sleepy(&self) -> bool {
        self.sleepiest()
            .is_some_and(|(_, run)| self.is_durable(run.last_turn, self.turns + 1))
    }

    /// The run that falls asleep next; none while no more wait than may stay.
    fn sleepiest(&self) -> Option<(u64, &ActiveRun)> {
        let limits = &self.shared.limits;
        let stay = limits.waiting_in_memory / usize::from(self.shared.partitions.max(1));
        if self.idle.runs.len() <= stay {
            return None;
        }
        let (since, id) = self.idle.runs.first()?;
        Some((*since, self.runs.get(id)?))
    }

    /// Whose run is to fall asleep next, if any is.
    pub(super) fn whose_is_sleepy(&self) -> Option<&TenantId> {
        let (_, run) = self.sleepiest()?;
        Some(&run.tenant)
    }

    /// Lets some of those fall asleep that have waited for the longest time.
    pub(super) fn put_to_sleep(&mut self, turn: &mut Turn) {
        if self.is_behind() {
            return;
        }
        for _ in 0..AT_A_TIME {
            let Some((_, run)) = self.sleepiest() else {
                return;
            };
            // Those behind it have waited for a shorter time.
            if !self.is_durable(run.last_turn, turn.number) {
                return;
            }
            let id = run.id;
            self.turn_of_run(&id, turn);
            self.rouse(&id);
            self.fall_asleep(&id, turn);
        }
    }

    fn fall_asleep(&mut self, id: &RunId, turn: &mut Turn) {
        // It may start another run since: it rests again when that is there.
        let Some(run) = self.runs.get_mut(id).filter(|run| run.is_idle()) else {
            return;
        };
        let record = OpenRecord {
            phase: codec::phase(run.machine.status()),
            asleep: Some(AsleepRecord {
                has_kin: run.has_kin(),
                listening: self.listeners.records(id),
            }),
        };
        if run.stored == record {
            return self.leave_memory(id);
        }
        let key = key::open(self.number, &run.tenant, id);
        turn.batch.put(key, record.encode());
        run.stored = record;
        run.last_turn = turn.number;
        turn.effects.push(Effect::FallAsleep(*id, turn.number));
    }

    /// That a run is asleep is durable since a turn. It is, if nothing has happened to it meanwhile.
    pub(super) fn asleep(&mut self, id: &RunId, turn: u64) {
        if self.last_turn_of(id) == turn {
            self.leave_memory(id);
        }
    }

    fn leave_memory(&mut self, id: &RunId) {
        let Some(run) = self.runs.remove(id) else {
            return;
        };
        for (timer, due) in &run.timers {
            self.timers.clear(*due, *id, timer.clone());
            let key = run.timer_key(self.number, timer, *due);
            self.alarms.set_stored(&key, *due, *id, &run.tenant);
        }
        run.place.sleep();
    }

    /// Takes a run back into memory, if it is asleep. Whether it is in memory then.
    pub(super) fn wake(&mut self, tenant: &TenantId, id: &RunId, turn: &mut Turn) -> bool {
        if self.runs.contains_key(id) {
            return true;
        }
        if self.aside.has(id) {
            return false;
        }
        let stored = match self.asleep_record(tenant, id) {
            Ok(Some(stored)) => stored,
            Ok(None) => return false,
            Err(error) => {
                self.look_later(tenant, id, &error);
                return false;
            }
        };
        let place = self.shared.admission.wake(tenant);
        let load = || replay::load(&self.shared, self.number, tenant, id);
        match catch_unwind(AssertUnwindSafe(load)) {
            Ok(Ok(loaded)) => {
                self.take_back(loaded, stored, place, turn);
                true
            }
            Ok(Err(error)) => {
                tracing::error!(%tenant, run = %id, %error, "a run can't be woken");
                let (tenant, run) = (tenant.clone(), *id);
                match error.is_passing() {
                    true => self.put_aside(Reopen { tenant, run, place }, 0),
                    false => {
                        place.sleep();
                        self.leave(id);
                    }
                }
                false
            }
            Err(_) => {
                tracing::error!(
                    %tenant, run = %id,
                    "the host failed on a run that is asleep and leaves it until it is restarted"
                );
                place.sleep();
                self.leave(id);
                false
            }
        }
    }

    /// What the store says of a run that is asleep; none where it is not.
    pub(super) fn asleep_record(
        &self,
        tenant: &TenantId,
        id: &RunId,
    ) -> Result<Option<OpenRecord>, ReadError> {
        let stored = self.shared.store.get(&key::open(self.number, tenant, id))?;
        let record = stored.as_deref().map(OpenRecord::decode).transpose()?;
        Ok(record.filter(|it| it.asleep.is_some()))
    }

    /// Takes a run into memory that was asleep: all that it waits for is in the store, or listens already.
    fn take_back(&mut self, loaded: Loaded, stored: OpenRecord, place: Place, turn: &mut Turn) {
        let outstanding = loaded.machine.outstanding();
        if loaded.ending.is_some() || !outstanding.calls.is_empty() {
            // A host that made something else of the same journal wrote that it is asleep.
            return self.resume(loaded, place, turn);
        }
        let mut run = ActiveRun::new(loaded, place, &self.shared.live);
        let (id, tenant) = (run.id, run.tenant.clone());
        run.stored = stored;
        run.live.publish(run.machine.status(), Vec::new());
        for (timer, due) in outstanding.timers {
            run.timers.insert(timer.clone(), due);
            self.timers.set(due, id, timer);
        }
        for approval in &outstanding.approvals {
            run.hold_approval(approval);
        }
        for child in &outstanding.children {
            run.hold_child(child);
        }
        self.runs.insert(id, run);
        for listening in outstanding.listening {
            if !self.listeners.queue_again(&(id, listening.task.clone())) {
                self.listen(&id, &tenant, listening);
            }
        }
        self.rest(&id, turn);
    }
}

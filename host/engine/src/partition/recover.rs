//! The runs that were open when the host stopped: those that were at work are loaded, and do again what they wait for;
//! those that are asleep sleep on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use baton_store::record::{AsleepRecord, OpenRecord, Record, TimerRecord};
use baton_store::{Direction, RunId, TenantId, key};

use super::Partition;
use super::run::ActiveRun;
use super::turn::Turn;
use crate::admission::Place;
use crate::codec;
use crate::events::NewEvent;
use crate::replay::Loaded;

/// How many open runs are read at a time.
const RUNS_AT_A_TIME: usize = 256;

/// When to try again where the open runs can't be read.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A run that was open when the host stopped.
pub(super) struct Reopen {
    pub(super) tenant: TenantId,
    pub(super) run: RunId,
    pub(super) place: Place,
}

impl Partition {
    /// Takes up what was open when the host stopped.
    pub(crate) fn recover(&mut self) {
        let mut unread = key::opens(self.number);
        while !self.mailbox.is_closed() {
            let read = self
                .shared
                .store
                .scan(&unread, Direction::Ascending, RUNS_AT_A_TIME);
            let read = match read {
                Ok(read) => read,
                Err(error) => {
                    tracing::error!(%error, "the open runs can't be read; they stand still until they can");
                    self.mailbox.rest(RETRY_AFTER);
                    continue;
                }
            };
            let Some((last, _)) = read.last() else {
                break;
            };
            unread = unread.after(last);
            let mut turn = Turn::new(self.turns + 1);
            for (key, stored) in &read {
                if let Some((tenant, run)) = key::parse_open(key) {
                    self.turn_of(&tenant, &mut turn);
                    self.take_up(tenant, run, stored, &mut turn);
                }
            }
            self.finish(turn);
        }
        self.catch_up();
        self.has_recovered = true;
        self.shared.events.partition_recovered();
    }

    fn take_up(&mut self, tenant: TenantId, run: RunId, stored: &[u8], turn: &mut Turn) {
        // It was not open when the host stopped: it has been started since.
        if self.shared.beginnings.has(&run) {
            return;
        }
        match OpenRecord::decode(stored) {
            Ok(OpenRecord {
                asleep: Some(asleep),
                ..
            }) if !asleep.has_kin => return self.sleep_on(&tenant, run, asleep),
            Ok(_) => {}
            // One that can't be read holds up no other: loading it will say more.
            Err(error) => {
                tracing::error!(%tenant, %run, %error, "an open run's record can't be read");
            }
        }
        let place = self.shared.admission.enter_again(&tenant);
        self.reopen(Reopen { tenant, run, place }, turn);
    }

    /// A run is asleep, and stays so.
    fn sleep_on(&mut self, tenant: &TenantId, run: RunId, asleep: AsleepRecord) {
        self.shared.admission.enter_asleep(tenant);
        for listening in asleep.listening {
            let (listening, recorded) = codec::listening(listening);
            self.listen_asleep(run, tenant, listening, recorded);
        }
    }

    /// Loads a run and does again what it waits for.
    pub(super) fn reopen(&mut self, Reopen { tenant, run, place }: Reopen, turn: &mut Turn) {
        let load = || crate::replay::load(&self.shared, self.number, &tenant, &run);
        // A run that can't be loaded stays as it is in the store, for a host that can, and holds up no other.
        match catch_unwind(AssertUnwindSafe(load)) {
            Ok(Ok(loaded)) => self.resume(loaded, place, turn),
            Ok(Err(error)) => {
                tracing::error!(%tenant, %run, %error, "an open run can't be recovered");
                match error.is_passing() {
                    true => self.put_aside(Reopen { tenant, run, place }, 0),
                    false => self.leave(&run),
                }
            }
            Err(_) => {
                tracing::error!(
                    %tenant, %run,
                    "the host failed on an open run and leaves it until it is restarted"
                );
                self.leave(&run);
            }
        }
    }

    /// Takes a run that was open when the host stopped into memory, and does again what it waits for. All
    /// that brought it about is durable.
    pub(super) fn resume(&mut self, mut loaded: Loaded, place: Place, turn: &mut Turn) {
        let id = loaded.id;
        let at = loaded.last_at;
        for event in std::mem::take(&mut loaded.emitted) {
            let tenant = loaded.tenant.clone();
            turn.events.push(NewEvent { tenant, event, at });
        }
        if let Some(ending) = loaded.ending.take() {
            return self.resume_ended(loaded, ending, place, turn);
        }
        let outstanding = loaded.machine.outstanding();
        let mut run = ActiveRun::new(loaded, place, &self.shared.live);
        let status = run.machine.status();
        run.live.publish(status, Vec::new());
        // The crash may have come before the turn that would have written these.
        let batch = &mut turn.batch;
        for (timer, due) in outstanding.timers {
            let record = TimerRecord {
                timer: codec::timer_record(&timer),
            };
            batch.put(run.timer_key(self.number, &timer, due), record.encode());
            run.timers.insert(timer.clone(), due);
            self.timers.set(due, id, timer);
        }
        run.stored = OpenRecord {
            phase: codec::phase(status),
            asleep: None,
        };
        batch.put(
            key::open(self.number, &run.tenant, &id),
            run.stored.encode(),
        );
        outstanding
            .calls
            .iter()
            .for_each(|invocation| run.hold_call(invocation));
        outstanding
            .children
            .iter()
            .for_each(|child| run.hold_child(child));
        let tenant = run.tenant.clone();
        self.runs.insert(id, run);
        for approval in &outstanding.approvals {
            self.open_approval(&id, approval, turn);
        }
        self.ask_parent(&id);
        for listening in outstanding.listening {
            self.listen(&id, &tenant, listening);
        }
        outstanding
            .calls
            .iter()
            .for_each(|invocation| self.start_call(&id, invocation));
        for child in outstanding.children {
            self.start_child(&id, child);
        }
        self.rest(&id, turn);
    }
}

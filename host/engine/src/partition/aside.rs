//! Runs that are out of the way: the host could not go on with them.
//!
//! Nothing of what such a run was told last is recorded. It stays open in the store, and is what its journal says. A run
//! for whose expressions there was no instance to evaluate them, or that could not be read, comes back after a pause; one
//! that the host has made a mistake with would only meet the mistake again, and waits for a host without it.

use std::collections::BTreeMap;
use std::time::Duration;

use baton_store::{ReadError, RunId, TenantId};
use baton_workflow::Timestamp;

use super::effect::Effect;
use super::run::ActiveRun;
use super::turn::Turn;
use super::{AT_A_TIME, Partition, Reopen};

/// How long a run stays aside: long enough that what others do is over most likely, and nothing to who waits.
const PAUSE: Duration = Duration::from_secs(5);

/// The runs that come back, by when. They count as open, so that their number is bounded where that of those is.
#[derive(Default)]
pub(super) struct Aside {
    runs: BTreeMap<(Timestamp, RunId), Coming>,
}

enum Coming {
    /// A run that is open.
    Open {
        run: Reopen,
        /// The last turn in which it had an event: what is read of it has to be all there is.
        last_turn: u64,
    },
    /// One of which it could not be read whether it is asleep.
    Asleep(TenantId),
}

impl Coming {
    fn tenant(&self) -> &TenantId {
        match self {
            Self::Open { run, .. } => &run.tenant,
            Self::Asleep(tenant) => tenant,
        }
    }

    fn last_turn(&self) -> u64 {
        match self {
            Self::Open { last_turn, .. } => *last_turn,
            Self::Asleep(_) => 0,
        }
    }
}

impl Aside {
    /// When the next one comes back.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.runs.keys().next().map(|(due, _)| *due)
    }

    /// Takes those of a tenant out.
    pub(super) fn take_out(&mut self, tenant: &TenantId) -> Self {
        let runs = self.runs.extract_if(.., |_, it| it.tenant() == tenant);
        Self {
            runs: runs.collect(),
        }
    }

    /// Adds those that others had.
    pub(super) fn take_in(&mut self, mut moved: Self) {
        self.runs.append(&mut moved.runs);
    }

    /// Whose is due at `now`, if any is.
    pub(super) fn whose_is_due(&self, now: Timestamp) -> Option<&TenantId> {
        let ((due, _), coming) = self.runs.first_key_value()?;
        (*due <= now).then(|| coming.tenant())
    }

    /// Whether a run is among them.
    pub(super) fn has(&self, id: &RunId) -> bool {
        self.runs.keys().any(|(_, run)| run == id)
    }

    /// Whether a run of a tenant is.
    pub(super) fn has_of(&self, tenant: &TenantId) -> bool {
        self.runs.values().any(|it| it.tenant() == tenant)
    }
}

impl Partition {
    /// Takes a run out of the way for a while.
    pub(super) fn pause(&mut self, id: &RunId, reason: &str) {
        tracing::error!(run = %id, %reason, "a run's expressions can't be evaluated just now; it is tried again soon");
        let Some(run) = self.take_away(id) else {
            return;
        };
        // Nothing is recorded yet of one that is to be tried again after its end: it has ended as it had.
        if run.reopening.is_some() {
            return;
        }
        let last_turn = run.last_turn;
        let run = Reopen {
            tenant: run.tenant,
            run: run.id,
            place: run.place,
        };
        self.put_aside(run, last_turn);
    }

    /// Lets a run come back after a pause.
    pub(super) fn put_aside(&mut self, run: Reopen, last_turn: u64) {
        let due = self.shared.clock.now().after(PAUSE);
        let key = (due, run.run);
        self.aside.runs.insert(key, Coming::Open { run, last_turn });
    }

    /// Lets a run come back after a pause of which it can't be read just now whether it is asleep.
    pub(super) fn look_later(&mut self, tenant: &TenantId, id: &RunId, error: &ReadError) {
        tracing::error!(%tenant, run = %id, %error, "a run can't be read; it is tried again soon");
        let due = self.shared.clock.now().after(PAUSE);
        let asleep = Coming::Asleep(tenant.clone());
        self.aside.runs.insert((due, *id), asleep);
    }

    /// Takes a run out of the way that the host has made a mistake with. Who follows it is told that no more comes.
    pub(super) fn set_aside(&mut self, id: &RunId, turn: &mut Turn) {
        tracing::error!(run = %id, "the host failed on this run and has set it aside until it is restarted");
        let last_turn = self.last_turn_of(id);
        self.take_away(id);
        self.after(last_turn, Effect::Abandoned(*id), turn);
    }

    /// Leaves a run that can't be loaded as it is in the store, for a host that can: it listens no longer, and nobody waits for
    /// what it does.
    pub(super) fn leave(&mut self, id: &RunId) {
        self.unlisten_all(id);
        self.shared.live.abandon(id);
    }

    /// Takes those back in whose pause is over.
    pub(super) fn come_back(&mut self, turn: &mut Turn) {
        let now = self.shared.clock.now();
        for _ in 0..AT_A_TIME {
            let Some(((due, _), coming)) = self.aside.runs.first_key_value() else {
                return;
            };
            if *due > now || !self.is_durable(coming.last_turn(), turn.number) {
                return;
            }
            match self.aside.runs.pop_first() {
                Some((_, Coming::Open { run, .. })) => {
                    self.turn_of(&run.tenant, turn);
                    self.reopen(run, turn);
                }
                Some(((_, run), Coming::Asleep(tenant))) => {
                    self.turn_of(&tenant, turn);
                    self.come_back_asleep(tenant, run, turn);
                }
                None => return,
            }
            if turn.has_taken_long(&self.shared.platform) {
                return;
            }
        }
    }

    fn come_back_asleep(&mut self, tenant: TenantId, run: RunId, turn: &mut Turn) {
        match self.asleep_record(&tenant, &run) {
            // What it has been told in vain it asks for, as after a restart.
            Ok(Some(_)) => {
                let place = self.shared.admission.wake(&tenant);
                self.reopen(Reopen { tenant, run, place }, turn);
            }
            Ok(None) => {}
            Err(error) => self.look_later(&tenant, &run, &error),
        }
    }

    /// Takes a run out of memory.
    fn take_away(&mut self, id: &RunId) -> Option<ActiveRun> {
        self.unlisten_all(id);
        self.rouse(id);
        let mut run = self.runs.remove(id)?;
        run.end_calls();
        for (timer, due) in std::mem::take(&mut run.timers) {
            self.timers.clear(due, *id, timer);
        }
        Some(run)
    }
}

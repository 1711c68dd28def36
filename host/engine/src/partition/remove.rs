//! Removing a run that has ended. Its partition does it, so that nobody tries the run again meanwhile.

use baton_store::{Batch, RunId, TenantId, key};
use tokio::sync::oneshot;

use super::Partition;
use super::effect::Effect;
use super::turn::Turn;

/// A run that is not kept any longer.
pub(crate) struct Remove {
    pub(crate) tenant: TenantId,
    pub(crate) run: RunId,
    /// How many events its journal has. With more, it has gone on since somebody looked.
    pub(crate) events: u32,
    /// What removes it: at least all by which it is found.
    pub(crate) batch: Batch,
    /// Whether it is removed, durably. It is not where it has gone on.
    pub(crate) reply: oneshot::Sender<bool>,
}

impl Partition {
    pub(super) fn remove(&mut self, remove: Remove, turn: &mut Turn) {
        if !self.may_remove(&remove) {
            // Who asked may be gone.
            let _ = remove.reply.send(false);
            return;
        }
        self.removing.insert(remove.run);
        turn.batch.append(remove.batch);
        turn.effects.push(Effect::Removed(remove.run, remove.reply));
    }

    fn may_remove(&self, remove: &Remove) -> bool {
        let Remove {
            tenant,
            run,
            events,
            ..
        } = remove;
        let is_at_work = self.runs.contains_key(run) || self.aside.has(run);
        if is_at_work || self.removing.contains(run) || self.refuses_requests() {
            return false;
        }
        let stored = |key: Vec<u8>| self.shared.store.get(&key);
        let end = stored(key::end(self.number, tenant, run));
        let next = stored(key::event(self.number, tenant, run, events + 1));
        matches!((end, next), (Ok(Some(_)), Ok(None)))
    }
}

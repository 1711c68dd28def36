//! Trying a faulted run again. Its end is taken back with the event that says so: the run is open again, or it
//! has ended as it had.

use baton_store::record::{Record, RunRecord, StatusRecord};
use baton_store::{Batch, key};
use baton_workflow::machine::Event;

use super::effect::Effect;
use super::run::ActiveRun;
use super::turn::Turn;
use super::{Partition, RETRY_AFTER, Recorded, Reply};
use crate::admission::Place;
use crate::error::{ControlError, Unavailable};
use crate::replay::{self, Loaded};

/// A run that has faulted and is to be tried again.
pub(crate) struct Retry {
    /// The run as its journal leaves it. Where it is corrected, under the new version already.
    pub(crate) run: Loaded,
    /// What the run is and keeps; with the version that it is corrected to, if it is, as the last one.
    pub(crate) record: RunRecord,
    /// Under which of [`RunRecord::corrections`] it goes on, where it is corrected.
    pub(crate) correction: Option<u32>,
    pub(crate) place: Place,
    /// Who asks, and why.
    pub(crate) who: (String, Option<String>),
    pub(crate) reply: Reply,
}

impl Partition {
    /// Somebody wants a run to be tried again.
    pub(super) fn retry(&mut self, retry: Box<Retry>, turn: &mut Turn) {
        if let Some(run) = self.runs.get(&retry.run.id) {
            let (status, last) = (run.machine.status(), run.last_turn);
            let effect = match (status.is_ended(), &run.ended) {
                // Its end is in the store already, and will leave memory at once.
                (true, None) => Effect::Retry(retry),
                // Its end waits for what nobody waits for.
                (true, Some(_)) => {
                    let retry_after = RETRY_AFTER;
                    Effect::Reply(retry.reply, Err(ControlError::Busy { retry_after }))
                }
                (false, _) => Effect::Reply(retry.reply, Err(ControlError::NotFaulted(status))),
            };
            return self.after(last, effect, turn);
        }
        if let Err(refused) = self.may_retry(&retry) {
            // Who asked may be gone.
            let _ = retry.reply.send(Err(refused));
            return;
        }
        self.reopen_ended(*retry, turn);
    }

    fn may_retry(&self, retry: &Retry) -> Result<(), ControlError> {
        let Loaded {
            id, tenant, events, ..
        } = &retry.run;
        let end = key::end(self.number, tenant, id);
        let has_ended = self.shared.store.get(&end).map_err(Unavailable::from)?;
        if self.removing.contains(id) {
            return Err(ControlError::NotFound(*id));
        }
        if has_ended.is_none() {
            // Somebody was quicker, and the run has left memory again since it waits.
            let open = replay::open_status(&self.shared, tenant, id);
            let open = open.map_err(Unavailable::from)?;
            return Err(open.map_or(ControlError::NotFound(*id), ControlError::NotFaulted));
        }
        let next = key::event(self.number, tenant, id, events + 1);
        let goes_on = self.shared.store.get(&next).map_err(Unavailable::from)?;
        // Somebody was quicker, and the run has ended again.
        if goes_on.is_some() || self.refuses_requests() {
            let retry_after = RETRY_AFTER;
            return Err(ControlError::Busy { retry_after });
        }
        Ok(())
    }

    fn reopen_ended(&mut self, retry: Retry, turn: &mut Turn) {
        let Retry {
            run,
            record,
            correction,
            place,
            who: (by, reason),
            reply,
        } = retry;
        let id = run.id;
        let mut run = ActiveRun::new(run, place, &self.shared.live);
        run.reopening = Some(self.reopening(&run, &record));
        let at = run.time(self.shared.clock.now());
        self.runs.insert(id, run);
        let event = Event::RetryRequested {
            by,
            reason,
            correction,
        };
        let answer = match self.apply(&id, event, at, turn, Recorded::Now) {
            Ok(()) => Ok(()),
            Err(aside) => {
                // Nothing is recorded: the run has ended as it had.
                self.shared.live.end(&id);
                Err(aside.told())
            }
        };
        turn.effects.push(Effect::Reply(reply, answer));
    }

    /// What makes an ended run an open one.
    fn reopening(&self, run: &ActiveRun, record: &RunRecord) -> Batch {
        let (number, tenant, id) = (self.number, &run.tenant, &run.id);
        let mut batch = Batch::new();
        batch.put(key::run(number, tenant, id), record.encode());
        batch.delete(key::end(number, tenant, id));
        let index = replay::index_record(record, StatusRecord::Open);
        batch.put(key::run_index(tenant, id), index.encode());
        batch.put(key::open(number, tenant, id), run.stored.encode());
        batch
    }
}

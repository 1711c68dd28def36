//! What waits for a turn to become durable.

use baton_store::RunId;
use baton_workflow::machine::{Invocation, Note, Status};
use tokio::sync::oneshot;

use super::Partition;
use crate::error::CancelError;

/// Something that may happen only once the events that brought it about are durable.
pub(super) enum Effect {
    /// A call goes out.
    Invoke(RunId, Invocation),
    /// Those that look at a run see what has happened.
    Show(RunId, Status, Vec<Note>),
    /// A run has ended.
    Ended(RunId),
    /// Who wanted a run cancelled is answered.
    Reply(
        oneshot::Sender<Result<(), CancelError>>,
        Result<(), CancelError>,
    ),
}

impl Partition {
    /// Does what had to wait.
    pub(super) fn release(&mut self, effect: Effect) {
        match effect {
            Effect::Invoke(run, invocation) => self.start_call(&run, &invocation),
            Effect::Show(run, status, notes) => {
                if let Some(run) = self.runs.get(&run) {
                    run.live.publish(status, notes);
                }
            }
            Effect::Ended(run) => {
                self.runs.remove(&run);
                self.shared.live.end(&run);
            }
            // Who asked may be gone.
            Effect::Reply(reply, answer) => drop(reply.send(answer)),
        }
    }
}

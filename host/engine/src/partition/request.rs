//! What somebody asks of a run that is open: to end, to stand still, to go on; and what a person has decided.

use baton_store::record::{ApprovalRecord, OutcomeRecord, Record};
use baton_store::{RunId, TenantId, key};
use baton_workflow::Timestamp;
use baton_workflow::machine::{Answer, Approval, Event, Status, TaskKey};
use tokio::sync::oneshot;

use super::effect::Effect;
use super::run::ActiveRun;
use super::turn::{SetAside, Turn};
use super::{Partition, RETRY_AFTER, Recorded};
use crate::codec;
use crate::error::ControlError;

/// What somebody asks of an open run.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// To undo what it has done, and to end.
    Cancel,
    /// To end now, whatever is or is not undone.
    Stop,
    /// To stand still.
    Suspend,
    /// To go on.
    Resume,
}

/// What a person has decided.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    /// The task that asked, and which of its attempts.
    pub(crate) task: TaskKey,
    pub(crate) attempt: u32,
    pub(crate) answer: Answer,
}

/// Where the answer to a request goes.
pub(crate) type Reply = oneshot::Sender<Result<(), ControlError>>;

impl Request {
    fn event(self, by: String, reason: Option<String>) -> Event {
        match self {
            Self::Cancel => Event::CancelRequested { by, reason },
            Self::Stop => Event::StopRequested { by, reason },
            Self::Suspend => Event::SuspendRequested { by, reason },
            Self::Resume => Event::ResumeRequested { by, reason },
        }
    }

    /// Why it can't be asked of a run in that phase.
    fn refused(&self, status: Status) -> Option<ControlError> {
        match (self, status) {
            (_, ended) if ended.is_ended() => Some(ControlError::Ended(ended)),
            (Self::Suspend, Status::Suspended) => Some(ControlError::Suspended),
            (Self::Resume, Status::Suspended) => None,
            (Self::Resume, open) => Some(ControlError::NotSuspended(open)),
            _ => None,
        }
    }
}

impl Partition {
    /// Somebody asks something of a run.
    pub(super) fn request(
        &mut self,
        (tenant, id): (&TenantId, &RunId),
        request: Request,
        (by, reason): (String, Option<String>),
        reply: Reply,
        turn: &mut Turn,
    ) {
        self.wake(tenant, id, turn);
        let Some(run) = self.runs.get(id) else {
            let _ = reply.send(Err(self.not_there(id)));
            return;
        };
        if let Some(refused) = request.refused(run.machine.status()) {
            let after = run.last_turn;
            return self.after(after, Effect::Reply(reply, Err(refused)), turn);
        }
        self.answer(id, request.event(by, reason), reply, turn);
    }

    /// A person has decided what a task of a run has asked.
    pub(super) fn decide(
        &mut self,
        (tenant, id): (&TenantId, &RunId),
        decided: Decided,
        reply: Reply,
        turn: &mut Turn,
    ) {
        self.wake(tenant, id, turn);
        let Some(run) = self.runs.get(id) else {
            let _ = reply.send(Err(self.not_there(id)));
            return;
        };
        let Decided {
            task,
            attempt,
            answer,
        } = decided;
        let is_asked = |asked: &Approval| asked.attempt == attempt;
        if !run.machine.approval(&task).is_some_and(is_asked) {
            let after = run.last_turn;
            let closed = Err(ControlError::Closed);
            return self.after(after, Effect::Reply(reply, closed), turn);
        }
        let decision = codec::decision_record(&answer);
        let event = Event::Decided {
            task: task.clone(),
            attempt,
            answer,
        };
        let Some(at) = self.answer(id, event, reply, turn) else {
            return;
        };
        let at_ms = at.as_millis();
        self.close_approval(id, &task, OutcomeRecord::Decided { at_ms, decision }, turn);
    }

    /// Why nothing can be asked of a run that is not in memory, though who asked has looked before that it is open.
    fn not_there(&self, id: &RunId) -> ControlError {
        let retry_after = RETRY_AFTER;
        match self.aside.has(id) {
            true => ControlError::Busy { retry_after },
            // It has ended meanwhile, or can't be loaded.
            false => ControlError::NotFound(*id),
        }
    }

    /// Applies what somebody asks, and answers once it is durable: the time of the event, where it was applied.
    fn answer(
        &mut self,
        id: &RunId,
        event: Event,
        reply: Reply,
        turn: &mut Turn,
    ) -> Option<Timestamp> {
        if self.refuses_requests() {
            let retry_after = RETRY_AFTER;
            let _ = reply.send(Err(ControlError::Busy { retry_after }));
            return None;
        }
        let at = self.runs.get_mut(id)?.time(self.shared.clock.now());
        let applied = self.apply(id, event, at, turn, Recorded::Now);
        let answer = applied.map_err(SetAside::told);
        let is_applied = answer.is_ok();
        turn.effects.push(Effect::Reply(reply, answer));
        is_applied.then_some(at)
    }

    /// A task asks a person.
    pub(super) fn open_approval(&mut self, id: &RunId, approval: &Approval, turn: &mut Turn) {
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        let (open, closed) = keys(run, &approval.task);
        turn.batch.put(open, run.hold_approval(approval).encode());
        turn.batch.delete(closed);
    }

    /// Nobody needs to decide any more what a task has asked.
    pub(super) fn close_approval(
        &mut self,
        id: &RunId,
        task: &TaskKey,
        outcome: OutcomeRecord,
        turn: &mut Turn,
    ) {
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        let Some(record) = run.approvals.remove(task) else {
            return;
        };
        let record = ApprovalRecord {
            outcome: Some(outcome),
            ..record
        };
        let (open, closed) = keys(run, task);
        turn.batch.delete(open);
        turn.batch.put(closed, record.encode());
    }
}

impl ActiveRun {
    /// A task asks a person.
    pub(super) fn hold_approval(&mut self, approval: &Approval) -> &ApprovalRecord {
        let record = codec::approval_record(&self.index.namespace, &self.index.name, approval);
        let held = self.approvals.entry(approval.task.clone());
        held.insert_entry(record).into_mut()
    }
}

/// Where an approval is while it is open, and then.
fn keys(run: &ActiveRun, task: &TaskKey) -> (Vec<u8>, Vec<u8>) {
    let number = codec::task_discriminator(task);
    (
        key::open_approval(&run.tenant, &run.id, number, task.visit),
        key::closed_approval(&run.tenant, &run.id, number, task.visit),
    )
}

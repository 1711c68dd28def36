//! What waits for a turn to become durable.

use baton_store::{RunId, TenantId};
use baton_workflow::machine::{ChildRun, Invocation, Note, Status};
use baton_workflow::{Data, Error, Timestamp};
use tokio::sync::oneshot;

use super::{LookReply, Message, Partition, Reply, Retry};
use crate::error::ControlError;
use crate::origin::Parent;
use crate::outside::Answer;
use crate::schedule::ScheduleName;
use crate::view::AwaitedView;

/// Something that may happen only once the events that brought it about are durable.
pub(super) enum Effect {
    /// A call goes out.
    Invoke(RunId, Invocation),
    /// A run that another one has started begins.
    StartChild(RunId, ChildRun),
    /// A run that another one has started ends, since nobody waits for it any more.
    Unwanted {
        tenant: TenantId,
        child: RunId,
        parent: RunId,
    },
    /// A run that another one has started has ended, and the other one is told.
    TellParent(TenantId, Parent, Result<Data, Error>),
    /// A run that a schedule has started has ended, and the schedule is told.
    TellSchedule(ScheduleName, RunId, Timestamp),
    /// Those that look at a run see what has happened.
    Show(RunId, Status, Vec<Note>),
    /// A run has ended.
    Ended(RunId),
    /// A run is not in memory any more, and the host can't go on with it before it is restarted.
    Abandoned(RunId),
    /// A run is asleep since that turn.
    FallAsleep(RunId, u64),
    /// A call is told that the item which it has handed over is recorded, and whether more is wanted.
    Taken(oneshot::Sender<bool>, bool),
    /// The runs that listen to a tenant's log know that they have gone past what is before a position.
    Passed { tenant: TenantId, before: u64 },
    /// A call is given the value of a secret, which is recorded now.
    Recorded(oneshot::Sender<()>),
    /// A run whose end was not durable yet is tried again.
    Retry(Box<Retry>),
    /// A run is not there any more, and who wanted that is told.
    Removed(RunId, oneshot::Sender<bool>),
    /// Who looks at what a run waits for is told.
    Looked(LookReply, Vec<AwaitedView>),
    /// Who asked something of a run is answered.
    Reply(Reply, Result<(), ControlError>),
}

impl Partition {
    /// Does what had to wait.
    pub(super) fn release(&mut self, effect: Effect) {
        match effect {
            Effect::Invoke(run, invocation) => self.start_call(&run, &invocation),
            Effect::StartChild(run, child) => self.start_child(&run, child),
            Effect::Unwanted {
                tenant,
                child,
                parent,
            } => self.shared.mailbox(&child).push(Message::Unwanted {
                tenant,
                run: child,
                parent,
            }),
            Effect::TellParent(tenant, parent, result) => {
                self.shared.mailbox(&parent.run).push(Message::ChildEnded {
                    tenant,
                    parent,
                    answer: Answer::of(result),
                });
            }
            Effect::TellSchedule(name, run, at) => self.shared.schedules.ended(name, run, at),
            Effect::Show(run, status, notes) => match self.runs.get(&run) {
                Some(run) => run.live.publish(status, notes),
                // It is out of the way just now.
                None => self.shared.live.publish(&run, status, notes),
            },
            Effect::FallAsleep(run, turn) => self.asleep(&run, turn),
            Effect::Ended(run) => {
                self.runs.remove(&run);
                self.shared.live.end(&run);
            }
            // Something may have come for it since, and taken it up.
            Effect::Abandoned(run) if self.runs.contains_key(&run) => {}
            Effect::Abandoned(run) => self.shared.live.abandon(&run),
            Effect::Passed { tenant, before } => {
                self.shared.events.passed(&tenant, self.number.0, before);
            }
            // The call may be gone.
            Effect::Taken(reply, more) => drop(reply.send(more)),
            Effect::Recorded(reply) => drop(reply.send(())),
            Effect::Retry(retry) => self.mailbox.push(Message::Retry(retry)),
            Effect::Removed(run, reply) => {
                self.removing.remove(&run);
                // Who asked may be gone.
                let _ = reply.send(true);
            }
            // Who looked may be gone.
            Effect::Looked(reply, awaited) => drop(reply.send(awaited)),
            // Who asked may be gone.
            Effect::Reply(reply, answer) => drop(reply.send(answer)),
        }
    }
}

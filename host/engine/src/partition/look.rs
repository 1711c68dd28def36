//! What a run waits for, where somebody looks.

use std::panic::{AssertUnwindSafe, catch_unwind};

use baton_store::{RunId, TenantId};
use baton_workflow::machine::{Awaited, AwaitedWhat};
use tokio::sync::oneshot;

use super::Partition;
use super::effect::Effect;
use super::run::ActiveRun;
use super::turn::Turn;
use crate::child;
use crate::view::{ApprovalId, AwaitedView, AwaitedWhatView};

/// Where the answer goes.
pub(crate) type LookReply = oneshot::Sender<Vec<AwaitedView>>;

impl Partition {
    /// Somebody looks at what a run waits for. They are answered when that is durable; not, where the run is not here.
    pub(super) fn look(
        &mut self,
        tenant: &TenantId,
        id: &RunId,
        reply: LookReply,
        turn: &mut Turn,
    ) {
        self.wake(tenant, id, turn);
        let Some(run) = self.runs.get(id) else { return };
        let looked = catch_unwind(AssertUnwindSafe(|| {
            let mut evaluator = run.version.evaluator();
            let awaited = run.machine.awaited(&mut evaluator);
            // Where expressions can't be evaluated just now, what they come to is not known.
            evaluator.finish().is_ok().then_some(awaited)
        }));
        if let Ok(Some(awaited)) = looked {
            let awaited = awaited.into_iter().map(|it| view(run, it)).collect();
            let last = run.last_turn;
            self.after(last, Effect::Looked(reply, awaited), turn);
        }
    }
}

fn view(run: &ActiveRun, awaited: Awaited) -> AwaitedView {
    let Awaited {
        task,
        attempt,
        since,
        until,
        what,
    } = awaited;
    let what = match what {
        AwaitedWhat::Time => AwaitedWhatView::Time,
        AwaitedWhat::Retry => AwaitedWhatView::Retry,
        AwaitedWhat::Events { from, to } => AwaitedWhatView::Events { from, to },
        AwaitedWhat::Decision(approval) => AwaitedWhatView::Decision {
            id: ApprovalId::new(run.id, &task),
            title: approval.title,
            assignees: approval.assignees,
        },
        AwaitedWhat::Answer(call) => AwaitedWhatView::Answer {
            function: format!("{}@{}", call.function, call.connector),
        },
        AwaitedWhat::Message(call) => AwaitedWhatView::Message {
            function: format!("{}@{}", call.function, call.connector),
        },
        AwaitedWhat::Run(wanted) => AwaitedWhatView::Run {
            run: child::id(&run.id, &wanted),
            workflow: (wanted.namespace, wanted.name),
        },
    };
    AwaitedView {
        task,
        attempt,
        since,
        until,
        what,
    }
}

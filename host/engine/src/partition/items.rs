//! The items that calls hand over on their way: the messages of subscriptions.
//!
//! A call hands over one item at a time and waits until it is recorded, so that at most one waits here for each call,
//! and nothing more is read of a connection whose run is busy.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use baton_sandbox::Items;
use baton_store::RunId;
use baton_workflow::Data;
use baton_workflow::machine::{Event, Invocation, TaskKey, Weight};
use tokio::sync::oneshot;

use super::effect::Effect;
use super::run::CallState;
use super::turn::Turn;
use super::{Message, Partition, Recorded};
use crate::mailbox::Mailbox;
use crate::outside::Answer;

/// How long a call may go on that hands over items and that no timeout of the workflow ends: as long as there are
/// messages, which is longer than any host runs.
pub(super) const TIME_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// An item, and who waits to hear of it: true where more is wanted.
pub(crate) struct HandedOver {
    item: Data,
    reply: oneshot::Sender<bool>,
}

/// Where the items of a run's call go.
pub(super) fn to_partition(
    mailbox: &Arc<Mailbox<Message>>,
    run: RunId,
    invocation: &Invocation,
) -> Items {
    let mailbox = mailbox.clone();
    let (task, attempt) = (invocation.task.clone(), invocation.attempt);
    Items::new(move |item, reply| {
        let task = task.clone();
        // Before it is recorded: what is nested too deeply could not be read back.
        let message = match baton_workflow::check_extent("a message", &item) {
            Ok(()) => Message::HandedOver {
                run,
                task,
                attempt,
                item: HandedOver {
                    item: Arc::new(item),
                    reply,
                },
            },
            Err(error) => Message::Answered {
                run,
                task,
                attempt,
                answer: Answer::of(Err(error)),
            },
        };
        mailbox.push(message);
    })
}

impl Partition {
    /// A call has handed over an item.
    pub(super) fn handed_over(
        &mut self,
        id: &RunId,
        task: &TaskKey,
        attempt: u32,
        item: HandedOver,
        turn: &mut Turn,
    ) {
        let run = self.runs.get_mut(id);
        // Of a call that nobody wants anything of any more, the item is dropped, which tells it so.
        if let Some(CallState::Started(_, waiting)) = run.and_then(|run| run.call(task, attempt)) {
            *waiting = Some(item);
            self.offer_item(id, task, attempt, turn);
        }
    }

    /// Offers the tasks that are ready for it what their calls have handed over.
    pub(super) fn pull(&mut self, turn: &mut Turn) {
        // A call that has just been told that its item is taken hands over the next one later.
        for (run, task, attempt) in std::mem::take(&mut self.pulls) {
            self.turn_of_run(&run, turn);
            self.offer_item(&run, &task, attempt, turn);
        }
    }

    /// Offers a task what its call has handed over, if it has.
    fn offer_item(&mut self, id: &RunId, task: &TaskKey, attempt: u32, turn: &mut Turn) {
        let now = self.shared.clock.now();
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        let Some(CallState::Started(handle, waiting)) = run.call(task, attempt) else {
            return;
        };
        let handle = handle.clone();
        let Some(HandedOver { item, reply }) = waiting.take() else {
            return;
        };
        let weighed = catch_unwind(AssertUnwindSafe(|| {
            let mut evaluator = run.version.evaluator();
            let weight = run.machine.weigh(task, attempt, &item, &mut evaluator);
            evaluator.finish().map(|()| weight)
        }));
        let weight = match weighed {
            Ok(Ok(weight)) => weight,
            // What is no result of an expression decides nothing.
            Ok(Err(reason)) => {
                return self.pause(id, &reason);
            }
            Err(_) => return self.set_aside(id, turn),
        };
        match weight {
            Weight::Later => {
                let waiting = Some(HandedOver { item, reply });
                run.set_call(task, attempt, CallState::Started(handle, waiting));
            }
            // Nothing of it is recorded, so that there is nothing to wait for. The call may be gone.
            Weight::PassedOver => drop(reply.send(true)),
            Weight::Unwanted => drop(reply.send(false)),
            Weight::Taken => {
                run.set_call(task, attempt, CallState::Giving);
                let at = run.time(now);
                let event = Event::Yielded {
                    task: task.clone(),
                    attempt,
                    item,
                };
                let _ = self.apply(id, event, at, turn, Recorded::Now);
                let run = self.runs.get_mut(id);
                let state = run.and_then(|run| run.call(task, attempt));
                let more = state.is_some();
                match state {
                    Some(state) => *state = CallState::Started(handle, None),
                    // It is told so, and may take its leave.
                    None => self.shared.dispatch.see_off(handle),
                }
                self.after(self.last_turn_of(id), Effect::Taken(reply, more), turn);
            }
        }
    }
}

//! The values of secrets that calls are given (`secrets.reveal`): each is in the run's journal before the connector
//! has it.
//!
//! A call waits until it is recorded, so that at most one waits here for each call; and the sandbox bounds how many
//! a call may ask for.

use std::sync::Arc;

use baton_sandbox::Reveals;
use baton_store::RunId;
use baton_workflow::machine::{Event, Invocation, Reveal, TaskKey};
use tokio::sync::oneshot;

use super::effect::Effect;
use super::run::CallState;
use super::turn::Turn;
use super::{Message, Partition, Recorded};
use crate::mailbox::Mailbox;

/// What a call is to be given, and who waits for it to be recorded.
pub(crate) struct Asked {
    reveal: Reveal,
    reply: oneshot::Sender<()>,
}

/// Where it is recorded what a run's call is given.
pub(super) fn to_partition(
    mailbox: &Arc<Mailbox<Message>>,
    run: RunId,
    invocation: &Invocation,
) -> Reveals {
    let mailbox = mailbox.clone();
    let (task, attempt) = (invocation.task.clone(), invocation.attempt);
    let connector = invocation.connector.clone();
    Reveals::new(move |reveal, reply| {
        let reveal = Reveal {
            secret: reveal.secret,
            member: reveal.member,
            connector: connector.clone(),
        };
        mailbox.push(Message::Revealed {
            run,
            task: task.clone(),
            attempt,
            asked: Asked { reveal, reply },
        });
    })
}

impl Partition {
    /// A call is to be given the value of a secret.
    pub(super) fn revealed(
        &mut self,
        id: &RunId,
        task: TaskKey,
        attempt: u32,
        Asked { reveal, reply }: Asked,
        turn: &mut Turn,
    ) {
        let now = self.shared.clock.now();
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        // What goes on behind the end of its run, or is wanted by nobody any more, is told by dropping `reply` that it
        // is given nothing: the journal takes nothing more of it.
        let is_wanted = matches!(run.call(&task, attempt), Some(CallState::Started(..)));
        if !is_wanted || run.machine.status().is_ended() {
            return;
        }
        let at = run.time(now);
        let event = Event::Revealed {
            task,
            attempt,
            reveal,
        };
        if self.apply(id, event, at, turn, Recorded::Now).is_ok() {
            self.after(self.last_turn_of(id), Effect::Recorded(reply), turn);
        }
    }
}

//! What a partition has been told and has not taken in yet. It lies by tenants, so that what one of them is told does not
//! wait behind all that another one is.

use std::collections::VecDeque;

use baton_store::TenantId;

use super::turn::Turn;
use super::{AT_A_TIME, Message, Partition};

impl Partition {
    /// Takes in some of what it has been told: of the tenant whose turn it is, and where that is little, of the next ones.
    pub(super) fn receive(&mut self, messages: &mut VecDeque<Message>, turn: &mut Turn) {
        for message in messages.drain(..) {
            match self.tenant_of(&message).cloned() {
                Some(tenant) => self.inbox.put(&tenant, message),
                // What is durable goes on. The others are brief, or come too late for their runs.
                None => self.handle(message, turn),
            }
        }
        // At the end nobody comes any more.
        let most = match self.mailbox.is_closed() {
            true => usize::MAX,
            false => AT_A_TIME,
        };
        for _ in 0..most {
            let Some(message) = self.inbox.next() else {
                return;
            };
            // Its run may have left memory since. Then it writes nothing.
            if let Some(tenant) = self.tenant_of(&message).cloned() {
                self.turn_of(&tenant, turn);
            }
            self.handle(message, turn);
        }
        self.inbox.turn();
    }

    /// Whose run a message is about, as far as that is in memory.
    fn tenant_of<'a>(&'a self, message: &'a Message) -> Option<&'a TenantId> {
        match message {
            Message::Begin(begin) => Some(&begin.run.tenant),
            Message::Answered { run, .. }
            | Message::ChildStarted { run, .. }
            | Message::Begun { run, .. }
            | Message::HandedOver { run, .. }
            | Message::Revealed { run, .. } => self.runs.get(run).map(|run| &run.tenant),
            Message::ChildEnded { tenant, .. }
            | Message::Request { tenant, .. }
            | Message::Look { tenant, .. }
            | Message::Decided { tenant, .. }
            | Message::Asked { tenant, .. }
            | Message::Unwanted { tenant, .. } => Some(tenant),
            Message::Retry(retry) => Some(&retry.run.tenant),
            Message::Remove(remove) => Some(&remove.tenant),
            Message::Published { .. } | Message::Passing { .. } | Message::Durable(_) => None,
        }
    }
}

//! Turns in the thread of whoever tells the partition something, instead of its own.

use std::collections::VecDeque;

use baton_store::TenantId;

use super::turn::Turn;
use super::{CALLS_AT_A_TIME, Message, Partition};
use crate::journal::Notice;

/// How many turns are taken at once: what comes of one at once, as the answer of a brief call, is for the next one.
const TURNS: usize = 4;

/// How many calls that are over at once are made in them.
const CALLS: usize = 8;

impl Partition {
    /// Whether it has taken up what was open when the host stopped. It is told of nothing in another thread before.
    pub(crate) fn has_recovered(&self) -> bool {
        self.has_recovered
    }

    /// Tells it something, and takes short turns for that tenant in this thread. `messages` are what it has taken and not
    /// looked at: none.
    ///
    /// Its own thread sleeps on, unless something is left to do, or comes due sooner than it had known.
    pub(crate) fn go_on(&mut self, notice: Notice, messages: &mut VecDeque<Message>) {
        let mailbox = self.mailbox.clone();
        let is_asleep = mailbox.attend();
        let before = self.next();
        let tenant = notice.put(&mailbox);
        self.calls_here = CALLS_AT_A_TIME - CALLS;
        for _ in 0..TURNS {
            mailbox.take(messages, self.inbox.len());
            self.take_short_turn(&tenant, messages);
            if mailbox.is_empty() {
                break;
            }
        }
        mailbox.leave(is_asleep, self.next() < before);
    }

    /// A turn that has nothing of what has come due.
    fn take_short_turn(&mut self, tenant: &TenantId, messages: &mut VecDeque<Message>) {
        self.sort(messages, Some(tenant));
        let mut turn = Turn::new(self.turns + 1);
        self.receive(tenant, &mut turn);
        self.pull(&mut turn);
        self.finish(turn);
        self.ask_again(tenant);
    }
}

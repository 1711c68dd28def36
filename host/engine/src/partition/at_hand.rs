//! Turns in the thread of whoever tells the partition something, instead of its own.

use std::collections::VecDeque;

use super::{CALLS_AT_A_TIME, Message, Partition};
use crate::journal::Notice;

/// How many calls that are over at once are made in it.
const CALLS: usize = 8;

impl Partition {
    /// Whether it can be told of something in another thread: it has recovered, and those have moved that are to, which may be a
    /// lot.
    pub(crate) fn is_at_hand(&self) -> bool {
        self.has_recovered && !self.has_to_move()
    }

    /// Whether it has taken up what was open when the host stopped. It is told of nothing in another thread before.
    pub(crate) fn has_recovered(&self) -> bool {
        self.has_recovered
    }

    /// Tells it something, and takes turns for that tenant in this thread. `messages` are what it has taken and not
    /// looked at: none.
    ///
    /// Its own thread sleeps on, unless something is left to do, or comes due sooner than it had known.
    pub(crate) fn go_on(&mut self, notice: Notice, messages: &mut VecDeque<Message>) {
        let mailbox = self.mailbox.clone();
        let is_asleep = mailbox.attend();
        let before = self.next();
        let tenant = notice.put(&mailbox);
        self.calls_here = CALLS_AT_A_TIME - CALLS;
        mailbox.heed();
        mailbox.take(messages, self.inbox.len());
        self.sort(messages, Some(&tenant));
        let mut turn = self.receive(&tenant, messages);
        self.pull(&mut turn);
        self.finish(turn);
        self.ask_again(&tenant);
        mailbox.leave(is_asleep, self.next() < before);
    }
}

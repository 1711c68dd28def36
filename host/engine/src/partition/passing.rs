//! What runs that listen for long need not see again.
//!
//! A run that waits for an event for weeks has been offered all others meanwhile. That becomes a fact of the run before
//! the log drops them: else the run would have to fault when the host is started again, since nobody would know that
//! nothing was lost. The log asks, and drops nothing for its age before each partition has said that its runs know:
//! see [`crate::events`]. One event is recorded for a task that waits through a whole length of the log, no more.

use std::ops::Bound;

use baton_store::TenantId;
use baton_workflow::machine::{Event, Status};

use super::effect::Effect;
use super::listeners::{Listener, ListenerId, Listeners};
use super::turn::Turn;
use super::{ActiveRun, Message, Partition};
use crate::events::HasTaken;

/// How many listeners are looked at at a time.
const LISTENERS_AT_A_TIME: usize = 256;

/// The log of a tenant asks that those who listen to it get over what it is about to drop.
pub(super) struct Passing {
    tenant: TenantId,
    /// What it is about to drop is before this position.
    before: u64,
    /// All before this position they have been offered, unless more is queued for them.
    next: u64,
    /// The last that has been looked at.
    last: Option<ListenerId>,
    /// Whether one of those has still to look at what is queued for it.
    is_early: bool,
    /// The turn in which the last of them has been told.
    turn: u64,
}

impl Passing {
    /// Whose log it is.
    pub(super) fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}

impl Listeners {
    /// A tenant's log is about to drop what is before the position `before`; all before `next` has been told.
    fn pass(&mut self, tenant: TenantId, before: u64, next: u64) {
        // Where it has asked before, it asks for more now.
        self.passing.retain(|it| it.tenant != tenant);
        self.passing.push_back(Passing {
            tenant,
            before,
            next,
            last: None,
            is_early: false,
            turn: 0,
        });
    }

    /// Whether somebody is still to be told.
    pub(super) fn are_passing(&self) -> bool {
        !self.passing.is_empty()
    }
}

impl Partition {
    /// A tenant's log is about to drop what is before the position `before`; all before `next` is told first.
    pub(super) fn passing(&mut self, tenant: TenantId, before: u64, next: u64) {
        // The log keeps what is still to be seen, and asks again.
        if self.has_unseen(&tenant) {
            return;
        }
        let number = self.number.0;
        match self.shared.events.has_taken(&tenant, number, next) {
            HasTaken::All => self.listeners.pass(tenant, before, next),
            HasTaken::Some => self.mailbox.push(Message::Passing {
                tenant,
                before,
                next,
            }),
            // It could not be read for this partition.
            HasTaken::Failed => {}
        }
    }

    /// Whether there may be runs of a tenant that listen and have not seen all, since something could not be read or is out
    /// of the way.
    fn has_unseen(&self, tenant: &TenantId) -> bool {
        self.listeners.unread.has(tenant) || self.aside.has_of(tenant)
    }

    /// Has some of those that listen get over what their log is about to drop.
    pub(super) fn pass_some(&mut self, turn: &mut Turn) {
        if self.is_behind() {
            return;
        }
        let Some(mut passing) = self.listeners.passing.pop_front() else {
            return;
        };
        self.turn_of(&passing.tenant, turn);
        let from = match passing.last.take() {
            Some(last) => Bound::Excluded(last),
            None => Bound::Unbounded,
        };
        let all = self.listeners.all.range((from, Bound::Unbounded));
        let some: Vec<_> = all.take(LISTENERS_AT_A_TIME).collect();
        let is_all = some.len() < LISTENERS_AT_A_TIME;
        passing.last = some.last().map(|(id, _)| (*id).clone());
        let is_concerned = |(id, it): &(&ListenerId, &Listener)| {
            let of_tenant = it.tenant == passing.tenant && it.recorded < passing.before;
            // One that is not in memory is asleep.
            of_tenant && self.runs.get(&id.0).is_none_or(looks)
        };
        let concerned = some.into_iter().filter(is_concerned);
        let concerned: Vec<_> = concerned
            .map(|(id, it)| (id.clone(), it.is_queued, it.is_behind))
            .collect();
        for (id, is_queued, is_behind) in concerned {
            if is_behind {
                // It may not have seen all. The log keeps what it has to see, and asks again.
                return;
            }
            if is_queued {
                // One that is in no queue waits for room in memory. The log keeps what it has to see, and asks again.
                if !self.listeners.are_queued() {
                    return;
                }
                passing.is_early = true;
                continue;
            }
            passing.turn = turn.number;
            self.tell_passed(id, passing.next, turn);
        }
        if self.has_unseen(&passing.tenant) {
            return;
        }
        if !is_all {
            self.listeners.passing.push_back(passing);
        } else if passing.is_early {
            passing.last = None;
            passing.is_early = false;
            self.listeners.passing.push_back(passing);
        } else {
            let Passing { tenant, before, .. } = passing;
            self.after(passing.turn, Effect::Passed { tenant, before }, turn);
        }
    }

    /// Records that a task which listens has been offered all before a position.
    pub(super) fn tell_passed(&mut self, (run, task): ListenerId, next: u64, turn: &mut Turn) {
        let id = (run, task);
        let tenant = self.listeners.all.get(&id).map(|it| it.tenant.clone());
        let is_awake = tenant.is_some_and(|tenant| self.wake(&tenant, &id.0, turn));
        if !is_awake || !self.runs.get(&id.0).is_some_and(looks) {
            return;
        }
        if let Some(listener) = self.listeners.all.get_mut(&id) {
            listener.recorded = next;
            listener.next = listener.next.max(next);
            let (run, task) = id;
            self.tell(&run, Event::EventsPassed { task, next }, turn);
        }
    }
}

/// Whether a run looks at what it is offered. A suspended one does not, and will see it when it is resumed.
fn looks(run: &ActiveRun) -> bool {
    run.machine.status() != Status::Suspended
}

#[cfg(test)]
mod tests {
    use baton_store::{Partition as Number, ReadError, RunId};
    use baton_workflow::machine::{Listening, TaskKey};
    use baton_workflow::plan::Topics;

    use super::*;
    use crate::partition::unread::Missed;
    use crate::simulation::peace;

    #[test]
    fn nothing_is_past_for_who_waits_for_room_to_look() {
        let shared = peace().host.shared.clone();
        let mailbox = shared.mailboxes[0].clone();
        let mut partition = Partition::new(Number(0), shared, mailbox);
        partition.recover();
        let (tenant, run) = (TenantId::default(), RunId::from_bytes([1; 16]));
        let task = TaskKey {
            pointer: "/do/0/wait".into(),
            visit: 1,
        };
        let listening = Listening {
            task: task.clone(),
            from: 0,
            topics: Topics::Any,
        };
        partition.listen_asleep(run, &tenant, listening, 0);
        // It has left the queue, and found no room.
        let listener = partition.listeners.all.get_mut(&(run, task));
        listener.expect("it listens").is_queued = true;
        partition.passing(tenant, 5, 9);
        assert!(partition.listeners.are_passing());
        partition.pass_some(&mut Turn::new(1));
        assert!(!partition.listeners.are_passing(), "it would spin");
    }

    #[test]
    fn nothing_is_past_while_something_is_unseen() {
        let shared = peace().host.shared.clone();
        let tenant = TenantId::default();
        let error = || ReadError::Io {
            detail: "as it is told to".to_owned(),
        };
        let is_passed = |happens: &dyn Fn(&mut Partition)| {
            let mailbox = shared.mailboxes[0].clone();
            let mut partition = Partition::new(Number(0), shared.clone(), mailbox);
            partition.recover();
            happens(&mut partition);
            partition.passing(tenant.clone(), 5, 9);
            partition.listeners.are_passing()
        };
        assert!(is_passed(&|_| ()));
        assert!(!is_passed(&|it| it.read_later(
            &tenant,
            Missed::SinceAsleep,
            &error()
        )));
        let run = RunId::from_bytes([1; 16]);
        assert!(!is_passed(&|it| it.look_later(&tenant, &run, &error())));
    }
}

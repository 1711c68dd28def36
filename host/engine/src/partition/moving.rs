//! Tenants move behind the [bulkhead](crate::bulkhead): from a partition to the one of the same number behind it.
//!
//! All that the partition has of a tenant goes there in one message, and nothing of it is lost or done twice: the calls under
//! way go on, and what is not durable yet becomes so. Whatever is told later of what is not here any more is passed on, in
//! its order.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use baton_store::{Partition as Number, RunId, TenantId};
use baton_workflow::machine::TaskKey;
use rustc_hash::FxHashSet;

use super::alarms::{Alarms, MovedAlarms};
use super::aside::Aside;
use super::effect::Effect;
use super::listeners::MovedListeners;
use super::run::ActiveRun;
use super::{Message, Partition, Pending};
use crate::mailbox::Mailbox;
use crate::shared::Shared;

/// Turns behind the bulkhead are counted from here on: those that have moved there keep their numbers, which come before.
const TURNS_APART: u64 = 1 << 63;

/// On which side of the bulkhead a partition is.
#[derive(Default)]
pub(super) struct Side {
    is_apart: bool,
    /// Who has moved from here, or to here where it is behind the bulkhead.
    moved: FxHashSet<TenantId>,
}

impl Side {
    /// Whether the partition is behind the bulkhead.
    pub(super) fn is_apart(&self) -> bool {
        self.is_apart
    }

    /// Whether a tenant's runs are on this side: behind it are those of who has moved.
    pub(super) fn has(&self, tenant: &TenantId) -> bool {
        self.moved.contains(tenant) == self.is_apart
    }
}

/// All that a partition has of a tenant.
pub(crate) struct Moved {
    tenant: TenantId,
    runs: Vec<ActiveRun>,
    pending: BTreeMap<u64, Pending>,
    removing: HashSet<RunId>,
    pulls: Vec<(RunId, TaskKey, u32)>,
    alarms: MovedAlarms,
    listeners: MovedListeners,
    aside: Aside,
    told: VecDeque<Message>,
}

impl Moved {
    pub(super) fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}

impl Partition {
    /// A partition behind the bulkhead. There is nothing to recover there: who moves has been recovered.
    pub(crate) fn apart(number: Number, shared: Arc<Shared>) -> Self {
        let bulkhead = &shared.bulkhead;
        let mailbox = bulkhead.mailboxes[usize::from(number.0)].clone();
        let processors = bulkhead.processors.clone();
        Self {
            side: Side {
                is_apart: true,
                ..Side::default()
            },
            processors,
            alarms: Alarms::of_nobody(),
            turns: TURNS_APART,
            has_recovered: true,
            ..Self::new(number, shared, mailbox)
        }
    }

    /// Notes for how long a turn has computed that began when the thread had computed for so long.
    pub(super) fn note_turn(&self, tenant: &TenantId, began: Duration) {
        if self.has_others_wait() {
            let now = self.shared.platform.thread_time();
            self.shared.bulkhead.note(tenant, now.saturating_sub(began));
        }
    }

    /// Whether others may wait for its turns: for those behind the bulkhead, nobody does who is not.
    fn has_others_wait(&self) -> bool {
        !self.side.is_apart && self.has_recovered && self.processors.are_shared()
    }

    /// Whether there are tenants that are to move and have not.
    pub(super) fn has_to_move(&self) -> bool {
        !self.side.is_apart && self.shared.bulkhead.count() > self.side.moved.len()
    }

    /// Has those move of whom it is known since the last turn that they are to.
    pub(super) fn move_out(&mut self) {
        // Of what has come to its end here, nothing is to go on elsewhere.
        if !self.has_to_move() || self.mailbox.is_closed() {
            return;
        }
        let moving = self.shared.bulkhead.since(self.side.moved.len());
        self.side.moved.extend(moving.iter().cloned());
        for tenant in moving {
            let moved = self.take_out(tenant);
            self.apart_here().push(Message::Moved(Box::new(moved)));
        }
    }

    /// Passes a message on that is about somebody who has moved, or about nobody who is known here. Gives back what is not.
    pub(super) fn pass_on(&self, message: Message) -> Option<Message> {
        let nobody_has_moved = self.side.moved.is_empty();
        // A turn is of this partition, whosever it is.
        let is_turn = matches!(message, Message::Turn(_));
        let is_here = || {
            let tenant = self.tenant_of(&message);
            tenant.is_some_and(|it| self.side.has(it))
        };
        if self.side.is_apart || nobody_has_moved || is_turn || is_here() {
            return Some(message);
        }
        self.apart_here().push(message);
        None
    }

    /// Where the partition of the same number behind the bulkhead is told something.
    fn apart_here(&self) -> &Mailbox<Message> {
        &self.shared.bulkhead.mailboxes[usize::from(self.number.0)]
    }

    fn take_out(&mut self, tenant: TenantId) -> Moved {
        let runs = self.runs.extract_if(|_, run| run.tenant == tenant);
        let runs: Vec<_> = runs.map(|(_, run)| run).collect();
        for run in &runs {
            for (timer, due) in &run.timers {
                self.timers.clear(*due, run.id, timer.clone());
            }
            if let Some(since) = run.idle_since {
                self.idle.remove(since, run.id);
            }
        }
        let pending = self.pending.extract_if(.., |_, it| it.tenant == tenant);
        let pending: BTreeMap<_, _> = pending.collect();
        let is_moving = |run: &RunId| runs.iter().any(|it| it.id == *run);
        Moved {
            removing: self.take_removing(&pending),
            pulls: self
                .pulls
                .extract_if(.., |(run, ..)| is_moving(run))
                .collect(),
            alarms: self.alarms.take_out(&tenant),
            listeners: self.listeners.take_out(&tenant),
            aside: self.aside.take_out(&tenant),
            told: self.inbox.take_out(&tenant),
            runs,
            pending,
            tenant,
        }
    }

    /// The runs that are being removed with these turns.
    fn take_removing(&mut self, pending: &BTreeMap<u64, Pending>) -> HashSet<RunId> {
        let effects = pending.values().flat_map(|it| &it.effects);
        let removed = effects.filter_map(|effect| match effect {
            Effect::Removed(run, _) => self.removing.take(run),
            _ => None,
        });
        removed.collect()
    }

    /// Takes in what the other partition had of a tenant. What that has been told and not taken in comes back.
    pub(super) fn move_in(&mut self, moved: Moved) -> VecDeque<Message> {
        let Moved {
            tenant,
            runs,
            mut pending,
            removing,
            mut pulls,
            alarms,
            listeners,
            aside,
            told,
        } = moved;
        for run in runs {
            for (timer, due) in &run.timers {
                self.timers.set(*due, run.id, timer.clone());
            }
            if let Some(since) = run.idle_since {
                self.idle.insert(since, run.id);
            }
            self.runs.insert(run.id, run);
        }
        self.pending.append(&mut pending);
        self.removing.extend(removing);
        self.pulls.append(&mut pulls);
        self.alarms.take_in(&tenant, alarms);
        self.listeners.take_in(&tenant, listeners);
        self.aside.take_in(aside);
        self.side.moved.insert(tenant);
        told
    }
}

/// How much a partition has: runs in memory, those of them that may fall asleep, timers, tasks that listen.
#[cfg(test)]
pub(crate) type Extent = [usize; 4];

#[cfg(test)]
impl Partition {
    /// How much it has.
    pub(crate) fn extent(&self) -> Extent {
        [
            self.runs.len(),
            self.idle.len(),
            self.timers.len(),
            self.listeners.all.len(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::mailbox::Refused;
    use crate::simulation::peace;

    fn tenants() -> [TenantId; 2] {
        ["long", "calm"].map(|name| TenantId::new(name).expect("a tenant"))
    }

    fn run(number: u8) -> RunId {
        RunId::from_bytes([number; 16])
    }

    /// The first partition before the bulkhead, and the one behind it.
    fn partitions() -> [Partition; 2] {
        let shared = peace().host.shared.clone();
        let mailbox = shared.mailboxes[0].clone();
        let mut before = Partition::new(Number(0), shared.clone(), mailbox);
        before.recover();
        [before, Partition::apart(Number(0), shared)]
    }

    /// Has a tenant move.
    fn have_move([before, apart]: &mut [Partition; 2], tenant: &TenantId) {
        before.shared.bulkhead.put(tenant);
        before.move_out();
        let mut messages = VecDeque::new();
        apart.mailbox.take(&mut messages, 0);
        apart.sort(&mut messages, None);
    }

    #[test]
    fn what_is_under_way_goes_on_behind_the_bulkhead() {
        let [long, calm] = tenants();
        let mut both = partitions();
        let [before, _] = &mut both;
        for (number, tenant) in (1..).zip([&long, &calm]) {
            let (reply, _) = oneshot::channel();
            let effects = vec![Effect::Removed(run(number), reply)];
            let tenant = tenant.clone();
            before
                .pending
                .insert(number.into(), Pending { tenant, effects });
            before.removing.insert(run(number));
        }
        before.passing(long.clone(), 5, 9);
        have_move(&mut both, &long);
        let [before, apart] = &both;
        let removing = |it: &Partition| it.removing.iter().copied().collect::<Vec<_>>();
        assert_eq!([removing(before), removing(apart)], [[run(2)], [run(1)]]);
        let pending = |it: &Partition| it.pending.keys().copied().collect::<Vec<_>>();
        assert_eq!([pending(before), pending(apart)], [[2], [1]]);
        let passing = [before, apart].map(|it| it.listeners.are_passing());
        assert_eq!(passing, [false, true]);
    }

    #[test]
    fn what_comes_for_who_has_moved_is_passed_on() {
        let [long, calm] = tenants();
        let mut both = partitions();
        have_move(&mut both, &long);
        let [mut before, apart] = both;
        let mut passed_on = |message| {
            before.sort(&mut VecDeque::from([message]), None);
            let mut passed = VecDeque::new();
            apart.mailbox.take(&mut passed, 0);
            passed.len() == 1
        };
        let published = |tenant: &TenantId| Message::Published {
            tenant: tenant.clone(),
        };
        assert!(passed_on(published(&long)));
        assert!(!passed_on(published(&calm)));
        assert!(passed_on(Message::Durable(7)), "it may be a turn of theirs");
    }

    #[test]
    fn what_is_durable_is_told_in_its_order_on_both_sides() {
        let [long, _] = tenants();
        let [_, mut apart] = partitions();
        let mut told = Vec::new();
        for number in [7, TURNS_APART + 1, TURNS_APART + 2] {
            let (reply, answer) = oneshot::channel();
            let effects = vec![Effect::Recorded(reply)];
            let tenant = long.clone();
            apart.pending.insert(number, Pending { tenant, effects });
            told.push(answer);
        }
        let mut count = |number| {
            let mut messages = VecDeque::from([Message::Durable(number)]);
            apart.take_turn(&mut messages);
            told.iter_mut().filter_map(|it| it.try_recv().ok()).count()
        };
        assert_eq!(
            count(TURNS_APART + 1),
            2,
            "the one before it is durable as well"
        );
        assert_eq!(count(7), 0);
        assert_eq!(count(TURNS_APART + 2), 1);
    }

    #[test]
    fn who_is_behind_the_bulkhead_is_asked_no_more_than_waits_there() {
        let [long, calm] = tenants();
        let mut both = partitions();
        have_move(&mut both, &long);
        let shared = &both[0].shared;
        let run = RunId::new(0, &[0; 10]);
        let offer = |tenant: &TenantId| {
            let tenant = tenant.clone();
            let published = Message::Published {
                tenant: tenant.clone(),
            };
            shared.offer(&tenant, &run, published)
        };
        while !both[1].mailbox.is_full() {
            both[1].mailbox.push(Message::Durable(0));
        }
        assert_eq!(offer(&long), Err(Refused::Full));
        assert_eq!(offer(&calm), Ok(()));
    }

    #[test]
    fn nobody_moves_from_a_partition_that_has_ended() {
        let [long, _] = tenants();
        let mut both = partitions();
        both[0].mailbox.close();
        have_move(&mut both, &long);
        assert!(both[0].side.has(&long) && !both[1].side.has(&long));
    }

    #[test]
    fn only_where_there_are_others_is_it_noted_how_long_a_turn_takes() {
        let [long, calm] = tenants();
        let both = partitions();
        let shared = &both[0].shared;
        let are_noted = || both.each_ref().map(Partition::has_others_wait);
        assert_eq!(are_noted(), [false, false], "somebody is alone");
        for processors in [&shared.processors, &shared.bulkhead.processors] {
            drop([&long, &calm].map(|it| processors.ask(Number(1), it)));
            assert!(processors.are_shared());
        }
        assert_eq!(are_noted(), [true, false]);
    }

    #[test]
    fn a_host_is_shared_while_somebody_is_behind_the_bulkhead() {
        let [long, _] = tenants();
        let mut both = partitions();
        let shared = both[0].shared.clone();
        assert!(!shared.is_shared());
        have_move(&mut both, &long);
        assert!(shared.is_shared() && !shared.processors.are_shared());
    }
}

//! What a partition has been told and has not taken in yet. It lies by tenants, so that what one of them is told does not
//! wait behind all that another one is.

use std::collections::VecDeque;

use baton_store::TenantId;

use super::run::ActiveRun;
use super::turn::Turn;
use super::{Message, Partition};
use crate::lanes::Lanes;
use crate::processors::Granted;

/// How much of what it has been told, by [weight](Partition::weight), a partition takes in for a tenant in a turn. The more
/// it is, the less of it is the journal's; and the longer what comes waits, whosever it is.
const TURN: usize = 64;

/// How much where other tenants have something to do as well.
const SHORT_TURN: usize = 16;

/// How many turns are taken at once, of what comes of one for the next.
const TURNS: usize = 4;

/// What has been told and not taken in, and the turns in which it is.
#[derive(Default)]
pub(super) struct Inbox {
    told: Lanes<Message>,
    /// The turns that may begin.
    granted: VecDeque<Granted>,
    /// Who has had the last turn.
    last: TenantId,
    /// For whom a turn has been asked for what comes due by itself.
    due_asked: Option<TenantId>,
}

impl Inbox {
    /// How much has not been taken in.
    pub(super) fn len(&self) -> usize {
        self.told.len()
    }

    /// Whether a turn may begin.
    pub(super) fn is_granted(&self) -> bool {
        !self.granted.is_empty()
    }

    /// Takes out what a tenant has been told.
    pub(super) fn take_out(&mut self, tenant: &TenantId) -> VecDeque<Message> {
        self.told.take_all(tenant)
    }

    /// Whether a turn has been asked for: that it may begin is told.
    pub(super) fn is_asked(&self) -> bool {
        self.due_asked.is_some() || !self.told.is_empty()
    }
}

impl Partition {
    /// Whether there is nothing that it has been told and has not taken in.
    #[cfg(test)]
    pub(crate) fn has_taken_in_all(&self) -> bool {
        self.inbox.len() == 0
    }

    /// Takes what it has been told, and asks for turns for those for whom there is something to do now, but for who is to
    /// have one at once.
    pub(super) fn sort(&mut self, messages: &mut VecDeque<Message>, at_once: Option<&TenantId>) {
        let mut begun = Vec::new();
        for message in messages.drain(..) {
            if let Some(message) = self.pass_on(message) {
                begun.extend(self.lay_by(message));
            }
        }
        // Whoever told of it may have asked, and been granted it: one turn is enough.
        begun.retain(|tenant| {
            let granted = self.inbox.granted.iter().map(|it| &it.tenant);
            !granted.chain(at_once).any(|it| it == tenant)
        });
        for tenant in begun {
            self.ask_for_turn(&tenant);
        }
    }

    /// Lays something by that it has been told. For whom there is something to do by that, where there was nothing.
    fn lay_by(&mut self, message: Message) -> Option<TenantId> {
        match message {
            Message::Turn(granted) => {
                self.inbox.due_asked.take_if(|it| *it == granted.tenant);
                self.inbox.granted.push_back(granted);
                None
            }
            Message::Moved(moved) => {
                let tenant = moved.tenant().clone();
                for message in self.move_in(*moved) {
                    self.inbox.told.put(&tenant, message);
                }
                self.inbox.told.has(&tenant).then_some(tenant)
            }
            message => {
                // Where its run is not here, it comes too late for it.
                let tenant = self.tenant_of(&message)?.clone();
                let is_new = self.inbox.told.put(&tenant, message);
                is_new.then_some(tenant)
            }
        }
    }

    /// There is something to do for a tenant.
    fn ask_for_turn(&mut self, tenant: &TenantId) {
        let granted = self.processors.ask(self.number, tenant);
        self.inbox.granted.extend(granted);
    }

    /// Something has come due by itself. It is seen to in whichever turn comes next; where there is none, in one of somebody of
    /// whom something is due.
    pub(super) fn ask_for_what_is_due(&mut self) {
        let tenant = self.whose_is_due().unwrap_or(&self.inbox.last).clone();
        self.ask_for_turn(&tenant);
        self.inbox.due_asked = (!self.inbox.is_granted()).then_some(tenant);
    }

    /// Of whom something is due, if it is anybody's.
    fn whose_is_due(&self) -> Option<&TenantId> {
        let now = self.shared.clock.now();
        let of_run = |run| self.runs.get(run).map(|run| &run.tenant);
        let timer = self.timers.whose_is_due(now).and_then(of_run);
        timer
            .or_else(|| self.alarms.whose_is_due(now))
            .or_else(|| self.listeners.whose_is_queued())
            .or_else(|| self.aside.whose_is_due(now))
            .or_else(|| self.whose_is_sleepy())
            .or_else(|| self.listeners.unread.whose())
    }

    /// The next turn that may begin: of somebody else than the last one, if there is any.
    pub(super) fn next_turn(&mut self) -> Option<Granted> {
        let Inbox { granted, last, .. } = &mut self.inbox;
        let other = granted.iter().position(|it| it.tenant != *last);
        let next = granted.remove(other.unwrap_or_default())?;
        *last = next.tenant.clone();
        Some(next)
    }

    /// Takes in some of what it has been told for a tenant, and of what comes of that at once, as the answer of a brief call.
    /// The turn that comes back has not been [finished](Partition::finish); those before it have.
    ///
    /// `messages`, of which there are none, are kept for their room.
    pub(super) fn receive(&mut self, tenant: &TenantId, messages: &mut VecDeque<Message>) -> Turn {
        let mut room = match self.processors.are_shared() {
            true => SHORT_TURN,
            false => TURN,
        };
        let mut turns = 1;
        loop {
            let mut turn = Turn::new(self.turns + 1);
            let left = self.receive_some(tenant, &mut turn, room);
            let has_room = left > 0 && turns < TURNS && !self.inbox.is_granted();
            let is_going_on = left < room && !self.mailbox.is_empty();
            if !(has_room && is_going_on) {
                return turn;
            }
            (room, turns) = (left, turns + 1);
            self.pull(&mut turn);
            self.finish(turn);
            self.mailbox.take(messages, self.inbox.len());
            self.sort(messages, Some(tenant));
        }
    }

    /// Takes in what it has been told for a tenant, as far as there is room. How much is left.
    fn receive_some(&mut self, tenant: &TenantId, turn: &mut Turn, mut room: usize) -> usize {
        while room > 0 {
            let Some(message) = self.inbox.told.take(tenant) else {
                return room;
            };
            room = room.saturating_sub(self.weight(&message));
            self.turn_of(tenant, turn);
            self.handle(message, turn);
            if self.mailbox.is_preempted() {
                return 0;
            }
        }
        room
    }

    /// A turn of a tenant is over. Another one is asked for, where there is more.
    pub(super) fn end_turn(&mut self, granted: Granted) {
        self.ask_again(&granted.tenant);
        drop(granted);
    }

    /// A tenant has had a turn. Another one is asked for, where there is more to do for it.
    pub(super) fn ask_again(&mut self, tenant: &TenantId) {
        if self.inbox.told.has(tenant) {
            self.ask_for_turn(tenant);
        }
    }

    /// It takes no more turns: gives back those that it might take, and lets go of all that somebody waits for.
    pub(crate) fn give_up(&mut self) {
        self.inbox = Inbox::default();
        self.pending.clear();
        self.runs.values_mut().for_each(ActiveRun::end_calls);
        let live = &self.shared.live;
        self.runs.keys().for_each(|run| live.abandon(run));
    }

    /// Takes in all that it has been told: nobody comes any more.
    pub(super) fn receive_all(&mut self, turn: &mut Turn) {
        let told = std::mem::take(&mut self.inbox).told;
        for (tenant, lane) in told.into_lanes() {
            for message in lane {
                self.turn_of(&tenant, turn);
                self.handle(message, turn);
            }
        }
    }

    /// How much there is to do for it, in things that a run is told or wants done.
    fn weight(&self, message: &Message) -> usize {
        match message {
            Message::Durable(number) => {
                let effects = self.pending.get(number).map(|it| it.effects.len());
                effects.unwrap_or_default().max(1)
            }
            _ => 1,
        }
    }

    /// Whose run a message is about, as far as that is known.
    pub(super) fn tenant_of<'a>(&'a self, message: &'a Message) -> Option<&'a TenantId> {
        match message {
            Message::Begin(begin) => Some(&begin.run.tenant),
            Message::Answered { run, .. }
            | Message::ChildStarted { run, .. }
            | Message::Begun { run, .. }
            | Message::HandedOver { run, .. }
            | Message::Revealed { run, .. } => self.runs.get(run).map(|run| &run.tenant),
            Message::Durable(number) => self.pending.get(number).map(|it| &it.tenant),
            Message::ChildEnded { tenant, .. }
            | Message::Request { tenant, .. }
            | Message::Look { tenant, .. }
            | Message::Decided { tenant, .. }
            | Message::Asked { tenant, .. }
            | Message::Unwanted { tenant, .. }
            | Message::Published { tenant }
            | Message::Passing { tenant, .. }
            | Message::Turn(Granted { tenant, .. }) => Some(tenant),
            Message::Moved(moved) => Some(moved.tenant()),
            Message::Retry(retry) => Some(&retry.run.tenant),
            Message::Remove(remove) => Some(&remove.tenant),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use baton_store::{Partition as Number, RunId};
    use tokio::sync::oneshot;
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;
    use crate::partition::Pending;
    use crate::partition::effect::Effect;
    use crate::processors::Processors;
    use crate::shared::Shared;
    use crate::simulation::peace;

    fn tenants() -> [TenantId; 2] {
        ["flood", "calm"].map(|name| TenantId::new(name).expect("a tenant"))
    }

    /// Tells the first partition that it may have a turn.
    fn grant(partition: &mut Partition, processors: &Arc<Processors>, tenant: &TenantId) {
        let granted = processors.ask(Number(0), tenant).expect("there is room");
        partition.sort(&mut VecDeque::from([Message::Turn(granted)]), None);
    }

    /// The first partition of those that have these processors, with a turn.
    fn with_turn(shared: &Arc<Shared>, tenant: &TenantId) -> Partition {
        let mailbox = shared.mailboxes[0].clone();
        let mut partition = Partition::new(Number(0), shared.clone(), mailbox);
        partition.recover();
        grant(&mut partition, &shared.processors, tenant);
        partition
    }

    #[test]
    fn the_next_turn_is_of_somebody_else() {
        let shared = peace().host.shared.clone();
        let [flood, calm] = tenants();
        let mut partition = with_turn(&shared, &flood);
        let turn = partition.next_turn().expect("a turn");
        let processors = Arc::new(Processors::new(3, shared.mailboxes.clone()));
        for tenant in [&flood, &calm] {
            grant(&mut partition, &processors, tenant);
        }
        let next = |partition: &mut Partition| partition.next_turn().map(|it| it.tenant.clone());
        assert_eq!(next(&mut partition), Some(calm));
        assert_eq!(next(&mut partition), Some(flood));
        assert_eq!(next(&mut partition), None);
        drop(turn);
    }

    #[test]
    fn what_is_due_is_seen_to_in_the_name_of_who_had_the_last_turn() {
        let shared = peace().host.shared.clone();
        let [flood, _] = tenants();
        let mut partition = with_turn(&shared, &flood);
        drop(partition.next_turn());
        let turn = shared.processors.ask(Number(1), &flood);
        partition.ask_for_what_is_due();
        assert!(partition.inbox.is_granted());
        assert!(!shared.processors.are_shared(), "it is alone");
        drop(turn);
    }

    #[test]
    fn a_partition_that_takes_no_more_turns_keeps_nobody_waiting() {
        let shared = peace().host.shared.clone();
        let [flood, _] = tenants();
        let mut partition = with_turn(&shared, &flood);
        let (run, (reply, mut looks)) = (RunId::new(0, &[0; 10]), oneshot::channel());
        let look = Message::Look {
            tenant: flood.clone(),
            run,
            reply,
        };
        partition.sort(&mut VecDeque::from([look]), None);
        let (reply, mut removes) = oneshot::channel();
        let pending = Pending {
            tenant: flood.clone(),
            effects: vec![Effect::Removed(run, reply)],
        };
        partition.pending.insert(1, pending);
        assert!(shared.processors.are_wanted_by(&flood));
        assert_eq!(looks.try_recv(), Err(TryRecvError::Empty));
        partition.give_up();
        assert!(!shared.processors.are_wanted_by(&flood));
        assert_eq!(looks.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(removes.try_recv(), Err(TryRecvError::Closed));
    }

    #[test]
    fn what_comes_of_a_turn_is_taken_in_with_it() {
        let shared = peace().host.shared.clone();
        let mailbox = shared.mailboxes[0].clone();
        let mut partition = Partition::new(Number(0), shared, mailbox.clone());
        partition.recover();
        let (tenant, run) = (TenantId::default(), RunId::new(0, &[0; 10]));
        assert_eq!(run.partition(2), Number(0));
        let unwanted = Effect::Unwanted {
            tenant: tenant.clone(),
            child: run,
            parent: run,
        };
        let pending = Pending {
            tenant,
            effects: vec![unwanted],
        };
        partition.pending.insert(1, pending);
        mailbox.push(Message::Durable(1));
        partition.work(&mut VecDeque::new());
        assert!(mailbox.is_empty() && partition.has_taken_in_all());
    }
}

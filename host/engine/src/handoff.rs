//! Who goes on once a turn is durable: the partition's thread, which has to be woken and to find a processor, or the
//! journal's, which is at it.
//!
//! Where the host is idle, to wake a thread takes half as long as a commit; where others keep the processors busy, it
//! waits for one as long as several commits take. So the journal's thread takes a run further itself where that is all that
//! its tenant has to do, and nobody else has anything to write, or tenants share the processors. Its next turn is in the
//! next commit then.
//!
//! All wait for that thread. What a tenant may have of it is therefore [bounded](Tabs). And where tenants share the
//! processors, it [goes before](Boost) the threads that compute: what it waits for is the disk. Where the system does
//! not allow that, one partition less has a turn at a time. A tenant that is alone has more of a journal that waits: its
//! commits are larger then, and fewer.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use baton_store::TenantId;
use baton_system::priority::Boost;
use baton_system::thread_time;

use crate::engine::give_up;
use crate::journal::Notice;
use crate::partition::{Message, Partition};
use crate::shared::Shared;
use crate::tabs::Tabs;

/// How many turns are taken here after a commit where tenants share the processors, before the next one.
const TURNS: usize = 2;

/// A tenant may have one part in so many of the thread's time, where tenants share the processors.
const SHARE: u32 = 20;

/// How much of it a tenant may have at once. A turn that takes longer counts for more than it has taken.
const BRIEF: Duration = Duration::from_millis(5);

/// Takes turns in the journal's thread.
pub(crate) struct Handoff {
    shared: Arc<Shared>,
    partitions: Vec<Arc<Mutex<Partition>>>,
    tabs: Tabs,
    boost: Boost,
    messages: VecDeque<Message>,
}

impl Handoff {
    /// For the partitions, by their numbers.
    pub(crate) fn new(shared: Arc<Shared>, partitions: Vec<Arc<Mutex<Partition>>>) -> Self {
        Self {
            shared,
            partitions,
            tabs: Tabs::new(SHARE, BRIEF),
            boost: Boost::before_all(),
            messages: VecDeque::new(),
        }
    }

    /// Tells partitions that something is durable, and takes some of them further.
    pub(crate) fn tell(&mut self, notices: impl ExactSizeIterator<Item = Notice>) {
        let shared = self.shared.clone();
        let processors = &shared.processors;
        let are_shared = shared.is_shared();
        if let Err(error) = self.boost.set(are_shared) {
            tracing::debug!(%error, "the journal's thread can't go first: it is left a processor instead");
            processors.leave_one();
        }
        let room = match are_shared {
            true => TURNS,
            false => usize::from(notices.len() == 1 && shared.journal.is_empty()),
        };
        let mut here: Vec<Notice> = Vec::new();
        for notice in notices {
            // What a tenant has beside that is for other threads, at the same time.
            let twin = here.iter().position(|it| it.tenant == notice.tenant);
            if let Some(twin) = twin {
                here.remove(twin).tell(&shared);
            }
            let has_room = twin.is_none() && here.len() < room;
            match has_room && self.may_go_on(&notice.tenant) {
                true => here.push(notice),
                false => notice.tell(&shared),
            }
        }
        for notice in here {
            let (tenant, began) = (notice.tenant.clone(), thread_time());
            // Its partition may do something else just now: it comes to an end of that.
            if let Some(notice) = self.go_on(notice) {
                notice.tell(&shared);
            }
            let took = thread_time().saturating_sub(began);
            if are_shared || took > BRIEF {
                self.tabs.add(&tenant, counted(took), Instant::now());
            }
        }
    }

    /// Whether a tenant has nothing else to do, and has not had too much of this thread.
    fn may_go_on(&self, tenant: &TenantId) -> bool {
        !self.shared.processors.are_wanted_by(tenant) && !self.tabs.is_full(tenant, Instant::now())
    }

    /// Takes a partition further. Gives back what it is to be told where it does something else just now.
    fn go_on(&mut self, notice: Notice) -> Option<Notice> {
        let number = usize::from(notice.partition.0);
        let partition = self.partitions[number].try_lock();
        let Some(mut partition) = partition.ok().filter(|it| it.is_at_hand()) else {
            return Some(notice);
        };
        let messages = &mut self.messages;
        let go_on = AssertUnwindSafe(move || partition.go_on(notice, messages));
        // A mistake of the host's is not survived by the partition, as in its own thread, but by this one.
        if catch_unwind(go_on).is_err() {
            self.shared.mailboxes[number].end();
            give_up(&self.partitions[number]);
            self.messages.clear();
        }
        None
    }
}

/// What a turn counts for that took so long: more than it is, where it was not brief.
fn counted(took: Duration) -> Duration {
    let times = took.as_micros() / BRIEF.as_micros();
    took * u32::try_from(times.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use baton_store::{Batch, Partition as Number};

    use super::*;
    use crate::simulation::peace;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).expect("a tenant")
    }

    /// What there is, with partitions that have recovered.
    fn handoff() -> (Arc<Shared>, Handoff) {
        let shared = peace().host.shared.clone();
        let partitions = (0..).zip(&shared.mailboxes).map(|(number, mailbox)| {
            let mut partition = Partition::new(Number(number), shared.clone(), mailbox.clone());
            partition.recover();
            Arc::new(Mutex::new(partition))
        });
        let partitions = partitions.collect();
        (shared.clone(), Handoff::new(shared, partitions))
    }

    /// Tells a handoff of something of a tenant's for the first partition. Whether that has to take it in itself.
    fn is_left(handoff: &mut Handoff, tenant: Option<&TenantId>) -> bool {
        let notice =
            |tenant: &TenantId| Notice::new(tenant.clone(), Number(0), Message::Durable(9));
        let notices: Vec<_> = tenant.map(notice).into_iter().collect();
        handoff.tell(notices.into_iter());
        !handoff.shared.mailboxes[0].is_empty()
    }

    #[test]
    fn who_has_nothing_else_to_do_goes_on_here() {
        let (shared, mut handoff) = handoff();
        let (flood, calm) = (tenant("flood"), tenant("calm"));
        assert!(!is_left(&mut handoff, Some(&calm)), "nobody writes");
        let turn = shared.processors.ask(Number(1), &flood);
        shared
            .journal
            .append(&flood, Batch::new(), Vec::new(), || ());
        assert!(!shared.processors.are_shared());
        assert!(is_left(&mut handoff, Some(&calm)), "somebody writes");
        shared.mailboxes[0].take(&mut VecDeque::new(), 0);
        let other = shared.processors.ask(Number(1), &tenant("other"));
        assert!(shared.processors.are_shared());
        assert!(!is_left(&mut handoff, Some(&calm)));
        assert!(is_left(&mut handoff, Some(&flood)), "it has a turn");
        drop((turn, other));
    }

    #[test]
    fn a_partition_that_is_at_work_comes_to_an_end_of_it() {
        let (shared, mut handoff) = handoff();
        let (flood, calm) = (tenant("flood"), tenant("calm"));
        let partition = handoff.partitions[0].clone();
        let at_work = partition.lock().expect("nothing has failed");
        let is_preempted = || shared.mailboxes[0].is_preempted();
        assert!(is_left(&mut handoff, Some(&calm)));
        assert!(!is_preempted(), "nobody else has anything to do");
        shared.mailboxes[0].take(&mut VecDeque::new(), 0);
        let turns = [&flood, &tenant("other")].map(|it| shared.processors.ask(Number(1), it));
        shared.mailboxes[0].heed();
        assert!(is_left(&mut handoff, Some(&calm)));
        assert!(is_preempted());
        drop((turns, at_work));
    }

    /// For how long a tenant has too much once it has had turns that took so long.
    fn is_full_for(took: &[Duration]) -> Duration {
        let (mut tabs, now) = (Tabs::new(SHARE, BRIEF), Instant::now());
        let tenant = TenantId::default();
        for took in took {
            tabs.add(&tenant, counted(*took), now);
        }
        let mut after = Duration::ZERO;
        while tabs.is_full(&tenant, now + after) {
            after += Duration::from_millis(100);
        }
        after
    }

    #[test]
    fn a_tenant_pays_for_what_is_not_brief() {
        let ms = Duration::from_millis;
        assert_eq!(is_full_for(&[]), ms(0));
        assert_eq!(is_full_for(&[ms(1); 5]), ms(0), "so much at once");
        assert_eq!(is_full_for(&[ms(1); 10]), ms(100), "one part in twenty");
        assert_eq!(is_full_for(&[ms(9)]), ms(100));
        assert_eq!(is_full_for(&[ms(50)]), ms(9_900), "ten times as long");
        let second = is_full_for(&[ms(1_000)]);
        assert!(second > ms(3_600_000), "{second:?}");
    }
}

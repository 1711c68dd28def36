//! When runs that are asleep are to be woken by time.
//!
//! Their timers are on disk, by due time. The near future of them is in memory: it is read some time ahead, and when
//! a run falls asleep, those of its timers that come within what has been read are added.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use baton_store::{Direction, ReadError, RunId, TenantId, key};
use baton_workflow::Timestamp;

use super::Partition;

/// How far ahead timers are read. They are read again when half of that is over.
const AHEAD: Duration = Duration::from_secs(60);

/// How many timers one turn reads.
const TIMERS_AT_A_TIME: usize = 4_096;

/// When to try again where timers could not be read.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A run that is to be woken, and when.
pub(super) type Alarm = (Timestamp, RunId, TenantId);

/// When nothing has been read.
const UNREAD: Timestamp = Timestamp::from_millis(i64::MIN);

/// Later than anything.
pub(super) const NEVER: Timestamp = Timestamp::from_millis(i64::MAX);

/// Those of a tenant, and before which key all that is stored has been read.
pub(super) struct MovedAlarms {
    set: BTreeSet<(Timestamp, RunId)>,
    read_to: Vec<u8>,
}

/// When runs that are asleep are to be woken.
pub(super) struct Alarms {
    tenants: HashMap<TenantId, OfTenant>,
    /// When to look at each tenant's.
    queue: BTreeSet<(Timestamp, TenantId)>,
    /// What is stored before this key has been read.
    read_to: Vec<u8>,
    next_read: Timestamp,
}

#[derive(Default)]
struct OfTenant {
    set: BTreeSet<(Timestamp, RunId)>,
    /// When to look at them; none where there are none.
    next: Option<Timestamp>,
    /// Before then, none is woken.
    not_before: Option<Timestamp>,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            tenants: HashMap::new(),
            queue: BTreeSet::new(),
            read_to: Vec::new(),
            next_read: UNREAD,
        }
    }
}

impl Alarms {
    /// Those of nobody: nothing is read before [somebody's are taken in](Alarms::take_in).
    pub(super) fn of_nobody() -> Self {
        Self {
            next_read: NEVER,
            ..Self::default()
        }
    }

    /// Has a run woken at a time.
    pub(super) fn set(&mut self, due: Timestamp, run: RunId, tenant: TenantId) {
        let of_tenant = self.tenants.entry(tenant.clone()).or_default();
        of_tenant.set.insert((due, run));
        self.look(tenant);
    }

    /// Has a run woken by its timer that is stored under `key`: now or when that is read.
    pub(super) fn set_stored(&mut self, key: &[u8], due: Timestamp, run: RunId, tenant: &TenantId) {
        if key < self.read_to.as_slice() {
            self.set(due, run, tenant.clone());
        }
    }

    /// Takes those of a tenant out.
    pub(super) fn take_out(&mut self, tenant: &TenantId) -> MovedAlarms {
        let of_tenant = self.tenants.remove(tenant).unwrap_or_default();
        if let Some(next) = of_tenant.next {
            self.queue.remove(&(next, tenant.clone()));
        }
        MovedAlarms {
            set: of_tenant.set,
            read_to: self.read_to.clone(),
        }
    }

    /// Adds those of a tenant that others had. What they have not read of it is read next.
    pub(super) fn take_in(&mut self, tenant: &TenantId, moved: MovedAlarms) {
        for (due, run) in moved.set {
            self.set(due, run, tenant.clone());
        }
        if moved.read_to < self.read_to {
            self.read_to = moved.read_to;
        }
        self.next_read = UNREAD;
    }

    /// When there is something to do next.
    pub(super) fn next(&self) -> Timestamp {
        let due = self.queue.first().map(|(due, _)| *due);
        due.map_or(self.next_read, |due| due.min(self.next_read))
    }

    /// Takes those that are due at `now`, the soonest first, `limit` at most. Where there is no room just now for
    /// the first run of a tenant, all of that tenant's wait until `later`.
    pub(super) fn take_due(
        &mut self,
        now: Timestamp,
        limit: usize,
        later: Timestamp,
        has_room: impl Fn(&TenantId, &RunId) -> bool,
    ) -> Vec<Alarm> {
        let mut taken = Vec::new();
        while taken.len() < limit && self.queue.first().is_some_and(|(next, _)| *next <= now) {
            let Some((_, tenant)) = self.queue.pop_first() else {
                break;
            };
            let Some(of_tenant) = self.tenants.get_mut(&tenant) else {
                continue;
            };
            of_tenant.next = None;
            let first = of_tenant.set.first();
            let is_crowded = first.is_some_and(|(_, run)| !has_room(&tenant, run));
            of_tenant.not_before = is_crowded.then_some(later);
            if of_tenant.not_before.is_none() {
                let first = of_tenant.set.pop_first();
                taken.extend(first.map(|(due, run)| (due, run, tenant.clone())));
            }
            self.look(tenant);
        }
        taken
    }

    /// Looks at a tenant's when the first of them is due, or when there may be room again.
    fn look(&mut self, tenant: TenantId) {
        let Some(of_tenant) = self.tenants.get_mut(&tenant) else {
            return;
        };
        let due = of_tenant.set.first().map(|(due, _)| *due);
        let next = due.map(|due| of_tenant.not_before.map_or(due, |least| due.max(least)));
        let before = std::mem::replace(&mut of_tenant.next, next);
        if next.is_none() {
            self.tenants.remove(&tenant);
        }
        if before == next {
            return;
        }
        if let Some(before) = before {
            self.queue.remove(&(before, tenant.clone()));
        }
        if let Some(next) = next {
            self.queue.insert((next, tenant));
        }
    }
}

impl Alarms {
    /// Whose is due at `now`, if any is.
    pub(super) fn whose_is_due(&self, now: Timestamp) -> Option<&TenantId> {
        let (due, tenant) = self.queue.first()?;
        (*due <= now).then_some(tenant)
    }
}

impl Partition {
    /// Reads the timers of the near future, when it is time to.
    pub(super) fn read_timers(&mut self) {
        let now = self.shared.clock.now();
        if now < self.alarms.next_read {
            return;
        }
        if let Err(error) = self.read_timers_at(now) {
            tracing::error!(%error, "timers of runs that are asleep can't be read; they are late");
            self.alarms.next_read = now.after(RETRY_AFTER);
        }
    }

    fn read_timers_at(&mut self, now: Timestamp) -> Result<(), ReadError> {
        let until = now.after(AHEAD);
        let mut unread = key::timers_before(self.number, until.as_millis());
        unread.start = unread.start.max(std::mem::take(&mut self.alarms.read_to));
        self.alarms.read_to = unread.start.clone();
        let read = self
            .shared
            .store
            .scan(&unread, Direction::Ascending, TIMERS_AT_A_TIME)?;
        let alarms = &mut self.alarms;
        let mut last = now;
        for (key, _) in &read {
            let Some((due, tenant, run)) = key::parse_timer(key) else {
                continue;
            };
            last = Timestamp::from_millis(due);
            // Who is in memory has its timers there.
            if self.side.has(&tenant) && !self.runs.contains_key(&run) {
                alarms.set(last, run, tenant);
            }
        }
        match read.last() {
            // What is behind is read when this is due.
            Some((key, _)) if read.len() == TIMERS_AT_A_TIME => {
                alarms.read_to = [key, &[0][..]].concat();
                alarms.next_read = last;
            }
            _ => {
                alarms.read_to = unread.end.max(unread.start);
                alarms.next_read = now.after(AHEAD / 2);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn run(number: u8) -> RunId {
        RunId::from_bytes([number; 16])
    }

    #[test]
    fn what_has_not_been_read_needs_no_alarm() {
        let tenant = TenantId::default();
        let mut alarms = Alarms {
            read_to: vec![5],
            next_read: at(50),
            ..Alarms::default()
        };
        alarms.set_stored(&[4], at(40), run(1), &tenant);
        alarms.set_stored(&[5], at(45), run(1), &tenant);
        assert_eq!(alarms.next(), at(40));
        let due = alarms.take_due(at(60), 9, at(61), |_, _| true);
        assert_eq!(due, [(at(40), run(1), tenant)]);
        assert_eq!(alarms.next(), at(50));
    }

    #[test]
    fn those_that_move_are_woken_in_time_elsewhere() {
        let [long, other] = ["a", "b"].map(|name| TenantId::new(name).expect("a tenant"));
        let read_to = |key: u8| Alarms {
            read_to: vec![key],
            next_read: at(1_000),
            ..Alarms::default()
        };
        for (from, to, expected) in [(5, 9, 5), (9, 5, 5)] {
            let (mut before, mut behind) = (read_to(from), read_to(to));
            before.set(at(10), run(1), long.clone());
            before.set(at(20), run(2), other.clone());
            behind.take_in(&long, before.take_out(&long));
            assert_eq!(behind.read_to, [expected], "what either has not read");
            assert_eq!(behind.next(), UNREAD);
            let due = |alarms: &mut Alarms| alarms.take_due(at(30), 9, at(31), |_, _| true);
            assert_eq!(due(&mut behind), [(at(10), run(1), long.clone())]);
            assert_eq!(due(&mut before), [(at(20), run(2), other.clone())]);
        }
        assert_eq!(Alarms::of_nobody().next(), NEVER);
    }

    #[test]
    fn those_of_a_tenant_without_room_wait_and_keep_nobody_waiting() {
        let [crowded, other] = ["a", "b"].map(|name| TenantId::new(name).expect("a tenant"));
        let mut alarms = Alarms {
            next_read: at(1_000),
            ..Alarms::default()
        };
        for number in 1..4 {
            alarms.set(at(10), run(number), crowded.clone());
        }
        alarms.set(at(20), run(9), other.clone());
        alarms.set(at(90), run(8), other.clone());

        let due = alarms.take_due(at(30), 9, at(40), |tenant, _| *tenant != crowded);
        assert_eq!(due, [(at(20), run(9), other.clone())]);
        assert_eq!(alarms.next(), at(40));
        // What is set meanwhile waits with them.
        alarms.set(at(5), run(4), crowded.clone());
        assert_eq!(alarms.next(), at(40));
        assert!(alarms.take_due(at(39), 9, at(49), |_, _| true).is_empty());

        let due = alarms.take_due(at(40), 2, at(50), |_, _| true);
        let of_crowded = |due, number| (at(due), run(number), crowded.clone());
        assert_eq!(due, [of_crowded(5, 4), of_crowded(10, 1)]);
        let due = alarms.take_due(at(40), 9, at(50), |_, _| true);
        assert_eq!(due, [of_crowded(10, 2), of_crowded(10, 3)]);
        assert_eq!(alarms.next(), at(90));
        assert_eq!(alarms.take_due(at(90), 9, at(91), |_, _| true).len(), 1);
        assert!(alarms.tenants.is_empty() && alarms.queue.is_empty());
    }
}

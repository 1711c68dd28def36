//! When runs that are asleep are to be woken by time.
//!
//! Their timers are on disk, by due time. The near future of them is in memory: it is read some time ahead, and when
//! a run falls asleep, those of its timers that come within what has been read are added.

use std::collections::BTreeSet;
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

/// When runs that are asleep are to be woken.
pub(super) struct Alarms {
    set: BTreeSet<Alarm>,
    /// What is stored before this key has been read.
    read_to: Vec<u8>,
    next_read: Timestamp,
}

impl Default for Alarms {
    fn default() -> Self {
        Self {
            set: BTreeSet::new(),
            read_to: Vec::new(),
            next_read: Timestamp::from_millis(i64::MIN),
        }
    }
}

impl Alarms {
    /// Has a run woken at a time.
    pub(super) fn set(&mut self, due: Timestamp, run: RunId, tenant: TenantId) {
        self.set.insert((due, run, tenant));
    }

    /// Has a run woken by its timer that is stored under `key`: now or when that is read.
    pub(super) fn set_stored(&mut self, key: &[u8], due: Timestamp, run: RunId, tenant: &TenantId) {
        if key < self.read_to.as_slice() {
            self.set(due, run, tenant.clone());
        }
    }

    /// When there is something to do next.
    pub(super) fn next(&self) -> Timestamp {
        let due = self.set.first().map(|(due, ..)| *due);
        due.map_or(self.next_read, |due| due.min(self.next_read))
    }

    /// Takes those that are due at `now`, the soonest first, `limit` at most.
    pub(super) fn take_due(&mut self, now: Timestamp, limit: usize) -> Vec<Alarm> {
        let mut due = Vec::new();
        while due.len() < limit && self.set.first().is_some_and(|(next, ..)| *next <= now) {
            due.extend(self.set.pop_first());
        }
        due
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
            if !self.runs.contains_key(&run) {
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

    #[test]
    fn what_has_not_been_read_needs_no_alarm() {
        let at = Timestamp::from_millis;
        let (run, tenant) = (RunId::from_bytes([1; 16]), TenantId::default());
        let mut alarms = Alarms {
            read_to: vec![5],
            next_read: at(50),
            ..Alarms::default()
        };
        alarms.set_stored(&[4], at(40), run, &tenant);
        alarms.set_stored(&[5], at(45), run, &tenant);
        assert_eq!(alarms.next(), at(40));
        assert_eq!(alarms.take_due(at(60), 9), [(at(40), run, tenant)]);
        assert_eq!(alarms.next(), at(50));
    }
}

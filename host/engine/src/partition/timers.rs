//! The timers of a partition's runs, by the time at which they come due.

use std::collections::BTreeSet;

use baton_store::RunId;
use baton_workflow::Timestamp;
use baton_workflow::machine::TimerKey;

/// A timer that is set.
pub(super) type Set = (Timestamp, RunId, TimerKey);

/// The timers of a partition's runs.
#[derive(Default)]
pub(super) struct Timers {
    set: BTreeSet<Set>,
}

impl Timers {
    /// Sets a timer.
    pub(super) fn set(&mut self, due: Timestamp, run: RunId, timer: TimerKey) {
        self.set.insert((due, run, timer));
    }

    /// Forgets a timer.
    pub(super) fn clear(&mut self, due: Timestamp, run: RunId, timer: TimerKey) {
        self.set.remove(&(due, run, timer));
    }

    /// How many are set.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.set.len()
    }

    /// When the next one comes due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.set.first().map(|(due, ..)| *due)
    }

    /// Whose timer is due at `now`, if any is.
    pub(super) fn whose_is_due(&self, now: Timestamp) -> Option<&RunId> {
        let (due, run, _) = self.set.first()?;
        (*due <= now).then_some(run)
    }

    /// Takes those that are due at `now`, the soonest first, `limit` at most.
    pub(super) fn take_due(&mut self, now: Timestamp, limit: usize) -> Vec<Set> {
        let mut due = Vec::new();
        while due.len() < limit && self.next().is_some_and(|next| next <= now) {
            due.extend(self.set.pop_first());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_soonest_first_and_once() {
        let at = Timestamp::from_millis;
        let run = RunId::from_bytes([1; 16]);
        let mut timers = Timers::default();
        for due in [30, 10, 20, 40] {
            timers.set(at(due), run, TimerKey::RunTimeout);
        }
        timers.clear(at(20), run, TimerKey::RunTimeout);
        let mut take = |limit| -> Vec<_> {
            let due = timers.take_due(at(30), limit).into_iter();
            due.map(|(due, ..)| due).collect()
        };
        assert_eq!(take(1), [at(10)]);
        assert_eq!(take(9), [at(30)]);
        assert_eq!(take(9), []);
        assert_eq!(timers.next(), Some(at(40)));
    }
}

//! How fast old runs are removed: a little all the time, and twice as fast as others end.
//!
//! A run has some fifteen records, and removing them costs the journal some forty microseconds. Done a few at a time,
//! no commit is much longer for it. As a share of what runs cost anyway it is small, so that it keeps up with any host
//! and is no burden to a busy one; and where nothing is going on, it takes a hundredth of the time, which is what the
//! 99th percentile does not see.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::shared::Shared;

/// How many runs a second are removed whatever else goes on.
const PER_SECOND: f64 = 250.0;

/// How many are removed for each run that ends meanwhile.
const PER_END: f64 = 2.0;

/// How many go in one step at least, so that they share commits, and at most: a millisecond or two of the journal's time.
const STEP_MIN: f64 = 16.0;
const STEP_MAX: f64 = 64.0;

/// How often it is looked whether a step may begin.
const LOOK: Duration = Duration::from_millis(10);

/// What may be removed.
pub(super) struct Pace {
    budget: Budget,
    looked: Instant,
    /// How many runs had ended then.
    ended: u64,
}

impl Pace {
    pub(super) fn new(shared: &Shared) -> Self {
        Self {
            budget: Budget(STEP_MIN),
            looked: Instant::now(),
            ended: shared.ended.load(Ordering::Relaxed),
        }
    }

    /// Waits until a step may begin, and says how many runs it may remove.
    pub(super) async fn next(&mut self, shared: &Shared) -> usize {
        loop {
            let ended = shared.ended.load(Ordering::Relaxed);
            self.budget.grow(self.looked.elapsed(), ended - self.ended);
            (self.looked, self.ended) = (Instant::now(), ended);
            if let Some(runs) = self.budget.step() {
                return runs;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// So many runs are removed.
    pub(super) fn took(&mut self, runs: usize) {
        self.budget.take(runs);
    }
}

/// How many runs may be removed by now.
struct Budget(f64);

impl Budget {
    /// Some time has passed, in which so many runs have ended.
    fn grow(&mut self, time: Duration, ended: u64) {
        let more = PER_SECOND * time.as_secs_f64() + PER_END * ended as f64;
        self.0 = (self.0 + more).min(STEP_MAX);
    }

    fn step(&self) -> Option<usize> {
        (self.0 >= STEP_MIN).then_some(self.0 as usize)
    }

    fn take(&mut self, runs: usize) {
        self.0 -= runs as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many runs are removed in ten seconds of looks, in each of which so many end.
    fn removed(ended_per_look: u64) -> usize {
        let mut budget = Budget(0.0);
        let mut removed = 0;
        for _ in 0..1_000 {
            budget.grow(LOOK, ended_per_look);
            if let Some(runs) = budget.step() {
                assert!((STEP_MIN as usize..=STEP_MAX as usize).contains(&runs));
                budget.take(runs);
                removed += runs;
            }
        }
        removed
    }

    #[test]
    fn it_keeps_up_with_those_that_end_and_goes_on_where_none_do() {
        assert!((2_480..=2_500).contains(&removed(0)), "{}", removed(0));
        // 1,000 a second end.
        assert!((22_400..=22_500).contains(&removed(10)), "{}", removed(10));
    }

    #[test]
    fn what_is_not_used_does_not_gather() {
        let mut budget = Budget(0.0);
        budget.grow(Duration::from_secs(3600), 1_000_000);
        assert_eq!(budget.step(), Some(64));
        budget.take(64);
        assert_eq!(budget.step(), None);
    }
}

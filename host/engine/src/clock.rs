//! Where the engine's time comes from.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use baton_workflow::Timestamp;

/// Says what time it is.
///
/// Events are stamped with this clock, and timers compare with it. It may jump, as a system's clock
/// does: an event is never stamped earlier than the one before it in its run, and a timer comes due when
/// this clock has reached its time, however it got there.
pub trait Clock: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;

    /// How long to sleep at most before looking at the clock again while something is due in
    /// `remaining`. Default: as long as that, but at most one second, so that a jump of the clock delays
    /// no timer by more.
    fn patience(&self, remaining: Duration) -> Duration {
        remaining.min(Duration::from_secs(1))
    }
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that is set by hand: for tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_millis()))
    }

    /// Puts the clock to `now`, which may be past.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::SeqCst);
    }

    /// Puts the clock forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    /// A hand may move it at any time: look often.
    fn patience(&self, _remaining: Duration) -> Duration {
        Duration::from_millis(1)
    }
}

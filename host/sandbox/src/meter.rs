//! How long a call computes.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use baton_system::thread_time;

/// Adds up the [time](thread_time) that polls of a future take: the time in which the guest computes, or the host for
/// it, but not the time in which it waits, or others have the processor.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Nanoseconds of all polls that have ended.
    spent: AtomicU64,
    /// The thread's time when the poll that is under way began, in nanoseconds, plus one; 0 where none is.
    since: AtomicU64,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The time spent so far. Within a poll, by the thread that polls.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Ordering::Relaxed)) + self.at_a_stretch()
    }

    /// Of it, that of the poll which is under way.
    pub(crate) fn at_a_stretch(&self) -> Duration {
        match self.since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_nanos((nanos() + 1).saturating_sub(since)),
        }
    }

    /// Runs a future and measures it.
    pub(crate) async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let began = nanos();
            self.since.store(began + 1, Ordering::Relaxed);
            let poll = future.as_mut().poll(cx);
            self.since.store(0, Ordering::Relaxed);
            self.spent.fetch_add(nanos() - began, Ordering::Relaxed);
            poll
        })
        .await
    }
}

fn nanos() -> u64 {
    u64::try_from(thread_time().as_nanos()).unwrap_or(u64::MAX)
}

//! Which call this is.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::secret::Secrets;

/// The identity of a call (`call.context` in `wit/connector.wit`), and what it may take.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// The id of the run, a UUID.
    pub run: String,
    /// The task, as a JSON pointer into the workflow document.
    pub task: String,
    /// How often the run has come to this task, from 1.
    pub visit: u32,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The same for every attempt and after every recovery of this visit of this task. At most 128 ASCII
    /// characters.
    pub idempotency_key: String,
    /// How long the call may take at most by the workflow's own timeouts. The shorter of this and the
    /// grant's `time` limit ends it; a call whose items are wanted is ended by this alone.
    pub deadline: Duration,
    /// What the call's random numbers come from: the same for every attempt and after every recovery.
    pub seed: [u8; 32],
    /// The secrets that the call may use.
    pub secrets: Secrets,
    /// Where heartbeats go.
    pub progress: Progress,
    /// Where the items go that the call hands over (`items` in `wit/connector.wit`), where they are wanted. The
    /// grant's other limits hold from one item to the next then.
    pub items: Option<Items>,
    /// Where it is recorded that the call is given values of secrets (`secrets.reveal`), where that is. The value is
    /// given once it is.
    pub reveals: Option<Reveals>,
}

/// Where the items of a call go. Clones are the same place.
#[derive(Clone)]
pub struct Items(Arc<dyn Fn(Value, oneshot::Sender<bool>) + Send + Sync>);

impl Items {
    /// A place where `take` is given each item, and somebody to be told whether more is wanted once it is recorded.
    /// That one may be dropped, which says that it will not be.
    pub fn new(take: impl Fn(Value, oneshot::Sender<bool>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// Hands over an item and waits until it is recorded. Whether more is wanted; none where the item is not taken, since
    /// nobody is left to.
    pub async fn push(&self, item: Value) -> Option<bool> {
        let (told, more) = oneshot::channel();
        (self.0)(item, told);
        more.await.ok()
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Items(…)")
    }
}

/// Which value of a secret a call is about to be given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reveal {
    /// The secret's name.
    pub secret: String,
    /// Which of its members, where it has such.
    pub member: Option<String>,
}

/// Where it is recorded what values of secrets a call is given. Clones are the same place.
#[derive(Clone)]
pub struct Reveals(Arc<dyn Fn(Reveal, oneshot::Sender<()>) + Send + Sync>);

impl Reveals {
    /// A place where `record` is given each of them, and somebody to be told once it is recorded. That one may be
    /// dropped, which says that it will not be.
    pub fn new(record: impl Fn(Reveal, oneshot::Sender<()>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(record))
    }

    /// Waits until it is recorded. Whether it was.
    pub async fn record(&self, reveal: Reveal) -> bool {
        let (told, recorded) = oneshot::channel();
        (self.0)(reveal, told);
        recorded.await.is_ok()
    }
}

impl fmt::Debug for Reveals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reveals(…)")
    }
}

/// The last progress report of a call. Clones share it, so that the caller can keep one and look.
#[derive(Clone, Default)]
pub struct Progress(Arc<Mutex<Reports>>);

#[derive(Default)]
struct Reports {
    beats: u64,
    latest: Option<Value>,
}

impl Progress {
    /// How often the call has said that it is alive.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.lock().beats
    }

    /// The last account of progress that came with a heartbeat.
    #[must_use]
    pub fn latest(&self) -> Option<Value> {
        self.lock().latest.clone()
    }

    pub(crate) fn beat(&self, progress: Option<Value>) {
        let mut reports = self.lock();
        reports.beats += 1;
        if progress.is_some() {
            reports.latest = progress;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Reports> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reports = self.lock();
        f.debug_struct("Progress")
            .field("beats", &reports.beats)
            .field("latest", &reports.latest)
            .finish()
    }
}

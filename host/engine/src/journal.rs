//! The journal writer: one thread that makes durable what all others have to write.
//!
//! It takes all that waits, commits it in one transaction, and tells those whose it was: many writers
//! share one `fdatasync`. While one commit is under way the next batch gathers, so that the busier the host
//! is, the larger its batches are. Where several tenants write, a commit has something of each and not much
//! of any, so that one with much to write does not keep the others waiting.
//!
//! There are two kinds of entries. A [request](Journal::commit) (a start, a publication) is refused when
//! its commit fails, and its sender told. [Progress](Journal::append) of runs can't be refused, since it
//! has happened: it is tried again until it is durable, and those runs stand still meanwhile.

mod notice;
mod writer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::vec::Drain;

use baton_store::{Batch, CommitError, Store, TenantId};
use baton_workflow::Timestamp;
use tokio::sync::oneshot;

use crate::error::Unavailable;
use crate::events::{EventLogs, NewEvent, Placed};
use crate::mailbox::{Mailbox, Refused};

pub(crate) use notice::Notice;
pub(crate) use writer::Writer;

/// Where to send what has to become durable. Clones send to the same thread.
#[derive(Clone)]
pub(crate) struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    entries: Mailbox<(TenantId, Entry)>,
    stalled: Mutex<Option<CommitError>>,
    /// Set when the host stops: a commit that fails then is not tried again.
    stopping: AtomicBool,
}

enum Entry {
    Request(Request),
    Progress(Progress),
}

impl Entry {
    /// How much it writes, in operations.
    fn weight(&self) -> usize {
        let (batch, events) = match self {
            Self::Request(Request { batch, events, .. })
            | Self::Progress(Progress { batch, events, .. }) => (batch, events),
        };
        1 + batch.operations().len() + events.len()
    }
}

struct Request {
    batch: Batch,
    events: Vec<NewEvent>,
    /// A log that is to drop what is too old at that time.
    sweep: Option<(TenantId, Timestamp)>,
    /// What a partition is told then, by a request without events.
    notice: Option<Box<Notice>>,
    reply: oneshot::Sender<Outcome>,
}

impl Request {
    fn new(batch: Batch) -> (Self, oneshot::Receiver<Outcome>) {
        let (reply, outcome) = oneshot::channel();
        let request = Self {
            batch,
            events: Vec::new(),
            sweep: None,
            notice: None,
            reply,
        };
        (request, outcome)
    }
}

struct Progress {
    batch: Batch,
    events: Vec<NewEvent>,
    durable: Durable,
}

/// Sees to it that nobody waits for a writer that has ended, if by a mistake of the host's.
struct Ends<'a>(&'a Journal);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.shared.stopping.store(true, Ordering::SeqCst);
        self.0.shared.entries.end();
    }
}

/// What to do once progress is durable.
enum Durable {
    /// To tell a partition.
    Tell(Box<Notice>),
    /// Something else.
    Call(Box<dyn FnOnce() + Send>),
}

/// What becomes of a request: where in the logs its events are, in their order.
type Outcome = Result<Vec<Placed>, CommitError>;

/// Why a request was not made durable. Nothing of it was.
#[derive(Debug)]
pub(crate) enum NotCommitted {
    /// As many wait as may.
    Busy,
    /// The store did not take it.
    Failed(CommitError),
    /// The host is stopping.
    Stopping,
}

impl From<NotCommitted> for Unavailable {
    fn from(error: NotCommitted) -> Self {
        match error {
            NotCommitted::Busy => {
                Self::Storage("too much waits to be written: ask again soon".into())
            }
            NotCommitted::Failed(error) => error.into(),
            NotCommitted::Stopping => Self::ShuttingDown,
        }
    }
}

impl Journal {
    /// A journal whose queue refuses requests while `bound` entries wait. Somebody must run its
    /// [writer](Journal::write).
    pub(crate) fn new(bound: usize) -> Self {
        let shared = Shared {
            entries: Mailbox::new(bound),
            stalled: Mutex::new(None),
            stopping: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Makes `batch`, which is a tenant's, durable, or fails.
    pub(crate) async fn commit(&self, tenant: &TenantId, batch: Batch) -> Result<(), NotCommitted> {
        self.request(tenant, batch, |_| {}).await.map(drop)
    }

    /// Makes `batch` durable and tells a partition then, or fails.
    pub(crate) async fn commit_and_tell(
        &self,
        batch: Batch,
        notice: Notice,
    ) -> Result<(), NotCommitted> {
        let tenant = notice.tenant.clone();
        let tell = |request: &mut Request| request.notice = Some(Box::new(notice));
        self.request(&tenant, batch, tell).await.map(drop)
    }

    /// Puts events into a tenant's log, or fails. Says where each is, in their order.
    pub(crate) async fn publish(
        &self,
        tenant: &TenantId,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Placed>, NotCommitted> {
        let publish = |request: &mut Request| request.events = events;
        self.request(tenant, Batch::new(), publish).await
    }

    /// Has a tenant's log drop some of what is too old at a time, or fails.
    pub(crate) async fn sweep(&self, tenant: &TenantId, at: Timestamp) -> Result<(), NotCommitted> {
        let sweep = |request: &mut Request| request.sweep = Some((tenant.clone(), at));
        self.request(tenant, Batch::new(), sweep).await.map(drop)
    }

    async fn request(
        &self,
        tenant: &TenantId,
        batch: Batch,
        with: impl FnOnce(&mut Request),
    ) -> Result<Vec<Placed>, NotCommitted> {
        let (mut request, outcome) = Request::new(batch);
        with(&mut request);
        self.shared
            .entries
            .offer((tenant.clone(), Entry::Request(request)))
            .map_err(|refused| match refused {
                Refused::Full => NotCommitted::Busy,
                Refused::Closed => NotCommitted::Stopping,
            })?;
        match outcome.await {
            Ok(result) => result.map_err(NotCommitted::Failed),
            Err(_) => Err(NotCommitted::Stopping),
        }
    }

    /// Makes `batch`, which is a tenant's, durable, and puts events into its log with it, however long it takes; calls
    /// `durable` from the writer's thread then. What a tenant appends becomes durable in that order.
    pub(crate) fn append(
        &self,
        tenant: &TenantId,
        batch: Batch,
        events: Vec<NewEvent>,
        durable: impl FnOnce() + Send + 'static,
    ) {
        let durable = Durable::Call(Box::new(durable));
        self.push(tenant.clone(), batch, events, durable);
    }

    /// As [`Journal::append`], and tells a partition then.
    pub(crate) fn append_and_tell(&self, batch: Batch, events: Vec<NewEvent>, notice: Notice) {
        let tenant = notice.tenant.clone();
        self.push(tenant, batch, events, Durable::Tell(Box::new(notice)));
    }

    fn push(&self, tenant: TenantId, batch: Batch, events: Vec<NewEvent>, durable: Durable) {
        let progress = Progress {
            batch,
            events,
            durable,
        };
        let entry = (tenant, Entry::Progress(progress));
        self.shared.entries.push(entry);
    }

    /// Whether nothing waits to be taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.shared.entries.is_empty()
    }

    /// Why nothing can be written just now, where that is so.
    pub(crate) fn stalled(&self) -> Option<CommitError> {
        self.shared
            .stalled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes no more entries; the writer ends once it has written those that wait.
    pub(crate) fn close(&self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.entries.close();
    }

    /// The writer's loop: the body of its thread. After each commit it gives `tell` what partitions are told.
    /// Ends after [`Journal::close`]. Whoever waits for something that is not written then is told.
    pub(crate) fn write(
        &self,
        store: &dyn Store,
        logs: &EventLogs,
        mut tell: impl FnMut(Drain<'_, Notice>),
    ) {
        let _ends = Ends(self);
        let mut writer = Writer::new(self);
        while writer.wait() && writer.commit(store, logs) {
            tell(writer.notices());
        }
    }

    fn stall(&self, reason: Option<CommitError>) {
        *self
            .shared
            .stalled
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = reason;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use baton_store::{Fault, FaultyStore, MemoryStore};

    use super::*;
    use crate::settings::EngineLimits;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).expect("a tenant")
    }

    fn batch(key: u8) -> Batch {
        let mut batch = Batch::new();
        batch.put(vec![key], vec![key]);
        batch
    }

    fn writer(journal: &Journal, store: Arc<dyn Store>) -> std::thread::JoinHandle<()> {
        let journal = journal.clone();
        let logs = EventLogs::new(&EngineLimits::default(), Vec::new());
        std::thread::spawn(move || journal.write(&*store, &logs, |notices| drop(notices)))
    }

    #[tokio::test]
    async fn what_waits_shares_a_commit() {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new()), Fault::None));
        let journal = Journal::new(10);
        let (sender, mut durable) = tokio::sync::mpsc::unbounded_channel();
        for key in 0..5 {
            let sender = sender.clone();
            journal.append(&tenant("a"), batch(key), Vec::new(), move || {
                let _ = sender.send(key);
            });
        }
        let thread = writer(&journal, store.clone());
        for key in 0..5 {
            assert_eq!(durable.recv().await, Some(key));
        }
        assert_eq!(store.commits(), 1);
        assert!(journal.commit(&tenant("a"), batch(9)).await.is_ok());
        assert_eq!(store.commits(), 2);
        journal.close();
        thread.join().expect("ended");
        assert!(matches!(
            journal.commit(&tenant("a"), batch(1)).await,
            Err(NotCommitted::Stopping)
        ));
    }

    #[tokio::test]
    async fn nobody_waits_for_a_writer_that_has_made_a_mistake() {
        let journal = Journal::new(10);
        let (begun, has_begun) = std::sync::mpsc::channel();
        let (wait, goes_on) = std::sync::mpsc::channel::<()>();
        journal.append(&tenant("a"), batch(1), Vec::new(), move || {
            begun.send(()).expect("the test waits for it");
            goes_on.recv().expect("as it is told to");
        });
        let thread = writer(&journal, Arc::new(MemoryStore::new()));
        has_begun.recv().expect("it is durable");
        let (a, other) = (tenant("a"), batch(2));
        let mut waits = pin!(journal.commit(&a, other));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        drop(wait);
        assert!(matches!(waits.await, Err(NotCommitted::Stopping)));
        assert!(thread.join().is_err());
        let late = journal.commit(&tenant("a"), batch(3)).await;
        assert!(matches!(late, Err(NotCommitted::Stopping)));
    }

    /// The commits that a writer makes of these entries, by their tenants and numbers.
    fn commits(entries: &[(&str, u8)]) -> Vec<Vec<(String, u8)>> {
        let (journal, store) = (Journal::new(10), MemoryStore::new());
        let logs = EventLogs::new(&EngineLimits::default(), Vec::new());
        let mut writer = Writer::new(&journal);
        let (sender, mut durable) = tokio::sync::mpsc::unbounded_channel();
        for &(name, number) in entries {
            // More operations than one of several tenants has in a commit.
            let mut batch = Batch::new();
            (0..=u8::MAX).for_each(|key| batch.put(vec![number, key], Vec::new()));
            let (sender, entry) = (sender.clone(), (name.to_owned(), number));
            journal.append(&tenant(name), batch, Vec::new(), move || {
                let _ = sender.send(entry);
            });
        }
        journal.close();
        let mut commits = Vec::new();
        while writer.take() {
            assert!(writer.commit(&store, &logs));
            commits.push(std::iter::from_fn(|| durable.try_recv().ok()).collect());
        }
        commits
    }

    #[test]
    fn who_writes_little_does_not_wait_for_who_writes_much() {
        let flood = [("flood", 1), ("flood", 2), ("flood", 3)];
        let of = |entries: &[(&str, u8)]| -> Vec<_> {
            let entries = entries.iter();
            entries
                .map(|(name, number)| ((*name).to_owned(), *number))
                .collect()
        };
        assert_eq!(
            commits(&flood),
            [of(&flood)],
            "one that is alone has all in one"
        );
        let both = [&flood[..], &[("calm", 4)]].concat();
        assert_eq!(
            commits(&both),
            [
                of(&[("flood", 1), ("calm", 4)]),
                of(&[("flood", 2)]),
                of(&[("flood", 3)])
            ]
        );
    }

    #[tokio::test]
    async fn a_full_disk_refuses_requests_and_delays_progress() {
        let memory = Arc::new(MemoryStore::new());
        let store = Arc::new(FaultyStore::new(memory.clone(), Fault::Full(1, 3)));
        let journal = Journal::new(10);
        let (sender, durable) = oneshot::channel();
        journal.append(&tenant("a"), batch(1), Vec::new(), move || {
            let _ = sender.send(());
        });
        let thread = writer(&journal, store);
        let refused = journal.commit(&tenant("a"), batch(2)).await;
        assert!(
            matches!(
                refused,
                Err(NotCommitted::Failed(CommitError::Full)) | Ok(())
            ),
            "{refused:?}"
        );
        durable.await.expect("durable in the end");
        assert!(journal.stalled().is_none());
        assert_eq!(memory.get(&[1]).expect("read"), Some(vec![1]));
        assert_eq!(memory.get(&[2]).expect("read").is_some(), refused.is_ok());
        journal.close();
        thread.join().expect("ended");
    }

    #[tokio::test]
    async fn a_store_that_works_again_is_noticed_without_anything_to_write() {
        let store = Arc::new(FaultyStore::new(
            Arc::new(MemoryStore::new()),
            Fault::Full(1, 3),
        ));
        let journal = Journal::new(10);
        let thread = writer(&journal, store.clone());
        assert!(journal.commit(&tenant("a"), batch(1)).await.is_err());
        while journal.stalled().is_some() {
            tokio::task::yield_now().await;
        }
        assert_eq!(store.commits(), 3, "one request, and two looks");
        journal.close();
        thread.join().expect("ended");
    }

    #[tokio::test]
    async fn a_full_queue_refuses_requests() {
        let journal = Journal::new(1);
        journal.append(&tenant("a"), batch(1), Vec::new(), || ());
        assert!(matches!(
            journal.commit(&tenant("a"), batch(2)).await,
            Err(NotCommitted::Busy)
        ));
    }
}

//! Who writes: one commit after the other, of all that waits.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::vec::Drain;

use baton_store::{Batch, CommitError, ReadError, Store, TenantId, key};

use super::{Durable, Entry, Journal, Notice, Progress, Request};
use crate::events::{Appending, EventLogs, NewEvent, Placed};
use crate::lanes::Rotation;

/// How long to wait before a failed commit is tried again: at first, and at most. Requests that come meanwhile wait,
/// and share its fate.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(2);

/// How long the writer sleeps when there is nothing to write. Any entry wakes it.
const IDLE: Duration = Duration::from_secs(3600);

/// From how many operations on a tenant has no more in a commit, where several write. More would keep those longer that
/// come meanwhile, fewer would make less of the `fdatasync` that all share.
const FAIR_OPERATIONS: usize = 256;

/// How many commits are short once several tenants have been seen to write: one that writes now and then must not find a
/// long one each time.
const FAIR_COMMITS: u32 = 256;

/// The state of the writer's thread.
pub(crate) struct Writer {
    journal: Journal,
    /// What has been taken and is in no commit yet.
    entries: Rotation<Entry>,
    /// What is being taken.
    taken: VecDeque<(TenantId, Entry)>,
    /// How many of the next commits are to be short.
    fair: u32,
    /// Progress that is not durable yet. It goes first in every commit.
    owed: Owed,
    /// What partitions are to be told, since it is durable.
    notices: Vec<Notice>,
    /// How long to wait before the next commit, since the last one has failed.
    delay: Option<Duration>,
}

/// Progress, as one.
#[derive(Default)]
struct Owed {
    batch: Batch,
    events: Vec<NewEvent>,
    /// Who is told.
    durable: Vec<Durable>,
}

impl Owed {
    fn add(&mut self, progress: Progress) {
        self.batch.append(progress.batch);
        self.events.extend(progress.events);
        self.durable.push(progress.durable);
    }

    /// It is durable. Adds what partitions are told to `notices`.
    fn settle(&mut self, notices: &mut Vec<Notice>) {
        self.batch.truncate(0);
        self.events.clear();
        for durable in self.durable.drain(..) {
            match durable {
                Durable::Tell(notice) => notices.push(*notice),
                Durable::Call(durable) => durable(),
            }
        }
    }
}

impl Writer {
    /// A writer that owes nothing. A journal has one.
    pub(crate) fn new(journal: &Journal) -> Self {
        Self {
            journal: journal.clone(),
            entries: Rotation::default(),
            taken: VecDeque::new(),
            fair: 0,
            owed: Owed::default(),
            notices: Vec::new(),
            delay: None,
        }
    }

    /// Waits until there is something to write, and takes it. False once there is not and will not be.
    pub(super) fn wait(&mut self) -> bool {
        let entries = &self.journal.shared.entries;
        // It is waited out whatever comes meanwhile: each try may take a disk long that is in trouble already.
        if let Some(delay) = self.delay {
            entries.rest(delay);
        } else if self.entries.is_empty() {
            entries.wait(IDLE);
        }
        self.take()
    }

    /// Takes all that waits to be written. False once there is nothing and will be nothing.
    pub(crate) fn take(&mut self) -> bool {
        let (held, mailbox) = (self.entries.len(), &self.journal.shared.entries);
        let open = mailbox.take(&mut self.taken, held);
        for (tenant, entry) in self.taken.drain(..) {
            self.entries.put(&tenant, entry);
        }
        open || !self.entries.is_empty() || !self.owed.durable.is_empty()
    }

    /// What partitions are to be told, since it was asked last. Whoever takes it tells them.
    pub(crate) fn notices(&mut self) -> Drain<'_, Notice> {
        self.notices.drain(..)
    }

    /// What the next commit is to have: progress is owed from now on, requests are given. Where several tenants write, it
    /// has something of each of them.
    fn choose(&mut self) -> Vec<Request> {
        self.fair = match self.entries.tenants() {
            0 | 1 => self.fair.saturating_sub(1),
            _ => FAIR_COMMITS,
        };
        // Where commits fail, nobody is kept waiting to hear it.
        let is_fair = self.fair > 0 && self.delay.is_none();
        let most = if is_fair { FAIR_OPERATIONS } else { usize::MAX };
        let mut requests = Vec::new();
        for _ in 0..self.entries.tenants() {
            self.entries.turn();
            let mut weight = 0;
            while weight < most {
                let Some(entry) = self.entries.take() else {
                    break;
                };
                weight += entry.weight();
                match entry {
                    Entry::Request(request) => requests.push(request),
                    Entry::Progress(progress) => self.owed.add(progress),
                }
            }
        }
        requests
    }

    /// Commits some of what it has taken, and what it owes, as one, and tells those whose it was, but for
    /// [partitions](Writer::notices). False where that failed and the host stops, so that it is not to be tried again.
    pub(crate) fn commit(&mut self, store: &dyn Store, logs: &EventLogs) -> bool {
        let mut requests = self.choose();
        // After a failure something is written even where nothing is left to be: a host that says that it takes no
        // work is sent none by which it would notice that it could again.
        let nothing = self.owed.durable.is_empty() && requests.is_empty();
        let probed = match self.delay.is_some() && nothing {
            true => probe(store),
            false => Ok(()),
        };
        match probed.and_then(|()| commit(store, logs, &mut self.owed, &mut requests)) {
            Ok((appending, placed)) => {
                self.journal.stall(None);
                self.delay = None;
                // Those that listen before those that are answered: whoever is, finds them told.
                appending.publish();
                self.owed.settle(&mut self.notices);
                for (request, placed) in requests.into_iter().zip(placed) {
                    match request.notice {
                        Some(notice) => self.notices.push(notice.answering(request.reply)),
                        None => drop(request.reply.send(Ok(placed))),
                    }
                }
                true
            }
            Err(error) => {
                tracing::error!(%error, "what has happened could not be made durable");
                self.journal.stall(Some(error.clone()));
                requests
                    .into_iter()
                    .for_each(|request| drop(request.reply.send(Err(error.clone()))));
                self.delay = Some(
                    self.delay
                        .map_or(RETRY_MIN, |last| (last * 2).min(RETRY_MAX)),
                );
                !self.journal.shared.stopping.load(Ordering::SeqCst)
            }
        }
    }
}

/// Sees whether the store takes anything.
fn probe(store: &dyn Store) -> Result<(), CommitError> {
    let mut batch = Batch::new();
    batch.put(key::probe(), Vec::new());
    batch.delete(key::probe());
    store.commit(&batch)
}

/// Commits all of it as one. Gives what has been added to the logs, and where the events of each request are.
fn commit<'a>(
    store: &'a dyn Store,
    logs: &'a EventLogs,
    owed: &mut Owed,
    requests: &mut [Request],
) -> Result<(Appending<'a>, Vec<Vec<Placed>>), CommitError> {
    // All goes behind what is owed, and away from it again where it could not be written: nothing is copied.
    let before = owed.batch.operations().len();
    let committed = append_and_commit(store, logs, owed, requests);
    if committed.is_err() {
        owed.batch.truncate(before);
    }
    committed
}

fn append_and_commit<'a>(
    store: &'a dyn Store,
    logs: &'a EventLogs,
    Owed { batch, events, .. }: &mut Owed,
    requests: &mut [Request],
) -> Result<(Appending<'a>, Vec<Vec<Placed>>), CommitError> {
    let mut appending = Appending::new(logs, store);
    let mut add = |events: &[NewEvent], batch: &mut Batch| {
        let placed = events.iter();
        let placed = placed.map(|event| appending.add(event.clone(), batch));
        placed.collect::<Result<Vec<_>, _>>().map_err(unreadable)
    };
    add(events, batch)?;
    let mut placed = Vec::with_capacity(requests.len());
    for request in &mut *requests {
        batch.append(std::mem::take(&mut request.batch));
        placed.push(add(&request.events, batch)?);
    }
    for (tenant, at) in requests.iter().filter_map(|it| it.sweep.as_ref()) {
        appending.sweep(tenant, *at).map_err(unreadable)?;
    }
    appending.finish(batch).map_err(unreadable)?;
    if !batch.is_empty() {
        store.commit(batch)?;
    }
    Ok((appending, placed))
}

/// What has to be read before it can be written could not be.
fn unreadable(error: ReadError) -> CommitError {
    CommitError::Io {
        detail: error.to_string(),
    }
}

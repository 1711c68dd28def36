//! Who writes: one commit after the other, of all that waits.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use baton_store::{Batch, CommitError, ReadError, Store, key};

use super::{Entry, Journal, Progress, Request};
use crate::events::{Appending, EventLogs, NewEvent, Placed};

/// How long to wait before a failed commit is tried again: at first, and at most. Requests that come meanwhile wait,
/// and share its fate.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(2);

/// How long the writer sleeps when there is nothing to write. Any entry wakes it.
const IDLE: Duration = Duration::from_secs(3600);

/// The state of the writer's thread.
pub(crate) struct Writer {
    journal: Journal,
    /// What has been taken and is in no commit yet.
    entries: VecDeque<Entry>,
    /// Progress whose commit has failed. It goes first in every further commit.
    owed: Vec<Progress>,
    /// How long to wait before the next commit, since the last one has failed.
    delay: Option<Duration>,
}

impl Writer {
    /// A writer that owes nothing. A journal has one.
    pub(crate) fn new(journal: &Journal) -> Self {
        Self {
            journal: journal.clone(),
            entries: VecDeque::new(),
            owed: Vec::new(),
            delay: None,
        }
    }

    /// Waits until there is something to write, and takes it. False once there is not and will not be.
    pub(super) fn wait(&mut self) -> bool {
        // It is waited out whatever comes meanwhile: each try may take a disk long that is in trouble already.
        if let Some(delay) = self.delay {
            self.journal.shared.entries.rest(delay);
        }
        let patience = match self.delay {
            None => IDLE,
            Some(_) => Duration::ZERO,
        };
        self.take(patience)
    }

    /// Takes all that waits to be written, sleeping until there is something, for `patience` at most. False once there
    /// is nothing and will be nothing.
    pub(crate) fn take(&mut self, patience: Duration) -> bool {
        let open = self
            .journal
            .shared
            .entries
            .take(&mut self.entries, patience);
        open || !self.owed.is_empty()
    }

    /// Commits what it has taken and what it owes as one, and tells those whose it was. False where that failed and the
    /// host stops, so that it is not to be tried again.
    pub(crate) fn commit(&mut self, store: &dyn Store, logs: &EventLogs) -> bool {
        let mut requests = Vec::new();
        for entry in self.entries.drain(..) {
            match entry {
                Entry::Request(request) => requests.push(request),
                Entry::Progress(progress) => self.owed.push(progress),
            }
        }
        // After a failure something is written even where nothing is left to be: a host that says that it takes no
        // work is sent none by which it would notice that it could again.
        let probes = self.delay.is_some() && self.owed.is_empty() && requests.is_empty();
        let probed = if probes { probe(store) } else { Ok(()) };
        match probed.and_then(|()| commit(store, logs, &self.owed, &requests)) {
            Ok((appending, placed)) => {
                self.journal.stall(None);
                self.delay = None;
                // Those that listen before those that are answered: whoever is, finds them told.
                appending.publish();
                self.owed
                    .drain(..)
                    .for_each(|progress| (progress.durable)());
                requests
                    .into_iter()
                    .zip(placed)
                    .for_each(|(request, placed)| drop(request.reply.send(Ok(placed))));
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
    owed: &[Progress],
    requests: &[Request],
) -> Result<(Appending<'a>, Vec<Vec<Placed>>), CommitError> {
    let mut whole = Batch::new();
    let mut appending = Appending::new(logs, store);
    let mut add = |batch: &Batch, events: &[NewEvent]| {
        whole.append(batch.clone());
        let placed = events
            .iter()
            .map(|event| appending.add(event.clone(), &mut whole));
        placed.collect::<Result<Vec<_>, _>>().map_err(unreadable)
    };
    for progress in owed {
        add(&progress.batch, &progress.events)?;
    }
    let placed = requests
        .iter()
        .map(|request| add(&request.batch, &request.events))
        .collect::<Result<_, _>>()?;
    for (tenant, at) in requests.iter().filter_map(|it| it.sweep.as_ref()) {
        appending.sweep(tenant, *at).map_err(unreadable)?;
    }
    appending.finish(&mut whole).map_err(unreadable)?;
    if !whole.is_empty() {
        store.commit(&whole)?;
    }
    Ok((appending, placed))
}

/// What has to be read before it can be written could not be.
fn unreadable(error: ReadError) -> CommitError {
    CommitError::Io {
        detail: error.to_string(),
    }
}

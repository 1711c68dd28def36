//! Sinks: where the events of a tenant's log are delivered to.
//!
//! Each sink has a task of its own that reads the log from a position on, which is stored. An event is delivered
//! at least once, and in the order of the log: what a sink does not take just now is tried again before
//! anything behind it is. The log is the queue, so that a sink which is away for long needs no memory; what the log
//! has dropped meanwhile is skipped, and said so in the host's own log.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use baton_store::record::{Record, SinkRecord};
use baton_store::{Batch, ReadError, TenantId, key};
use baton_workflow::CloudEvent;

use crate::journal::NotCommitted;
use crate::shared::Shared;

/// How many events are delivered between two records of how far a sink is: as many may come again after a crash.
const EVENTS_AT_A_TIME: usize = 64;

/// How long to wait before a delivery that failed is tried again: at first, and at most.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(60);

/// A sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// What it is called: its position in the log is kept under that name.
    pub name: String,
    /// Whose events it gets.
    pub tenant: TenantId,
    /// Which types of events it gets: whole types, or what they begin with and an asterisk. Empty for all.
    pub types: Vec<String>,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The sink has the event.
    Taken,
    /// It will never take it, for this reason: it is left out.
    Refused(String),
    /// It did not take it this time, for this reason: it is tried again.
    Failed(String),
}

/// Who brings events to a sink.
pub trait Deliver: Send + Sync {
    /// Brings an event to the sink, within a time of its own.
    fn deliver(&self, event: CloudEvent) -> Pin<Box<dyn Future<Output = Delivery> + Send>>;
}

impl Sink {
    fn wants(&self, event: &CloudEvent) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(beginning) => event.kind().starts_with(beginning),
            None => event.kind() == pattern,
        };
        self.types.is_empty() || self.types.iter().any(fits)
    }
}

/// Why a sink gets no more events.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("its position can't be written")]
    Write,
    #[error("the host is stopping")]
    Stopping,
}

/// Delivers the events of the log as they come, for as long as the host runs.
pub(crate) async fn run(shared: Arc<Shared>, sink: Sink, deliver: Arc<dyn Deliver>) {
    let mut delay = RETRY_MIN;
    loop {
        match feed(&shared, &sink, &*deliver).await {
            Err(Stopped::Stopping) => return,
            Err(error) => {
                tracing::error!(sink = sink.name, %error, "a sink gets no events just now");
            }
            Ok(()) => delay = RETRY_MIN,
        }
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(RETRY_MAX);
    }
}

async fn feed(shared: &Arc<Shared>, sink: &Sink, deliver: &dyn Deliver) -> Result<(), Stopped> {
    let store = &*shared.store;
    let mut position = match stored(shared, sink)? {
        Some(position) => position,
        None => {
            // A new sink gets what comes from now on.
            let position = shared.events.next(store, &sink.tenant)? - 1;
            remember(shared, sink, position).await?;
            position
        }
    };
    let mut grown = shared.events.watch(store, &sink.tenant)?;
    loop {
        grown.mark_unchanged();
        let slice = shared
            .events
            .read(store, &sink.tenant, position + 1, EVENTS_AT_A_TIME)?;
        if position + 1 < slice.first {
            let count = slice.first - position - 1;
            tracing::warn!(
                sink = sink.name,
                count,
                "events were dropped before the sink took them"
            );
            position = slice.first - 1;
        }
        if slice.events.is_empty() {
            grown.changed().await.map_err(|_| Stopped::Stopping)?;
            continue;
        }
        for logged in slice.events {
            if sink.wants(&logged.event) {
                bring(sink, deliver, &logged.event).await;
            }
            position = logged.position;
        }
        remember(shared, sink, position).await?;
    }
}

/// Brings an event to the sink, however often it takes.
async fn bring(sink: &Sink, deliver: &dyn Deliver, event: &CloudEvent) {
    let mut delay = RETRY_MIN;
    loop {
        match deliver.deliver(event.clone()).await {
            Delivery::Taken => return,
            Delivery::Refused(reason) => {
                let (id, source) = (event.id(), event.source());
                tracing::warn!(sink = sink.name, id, source, %reason, "a sink refuses an event, which is left out");
                return;
            }
            Delivery::Failed(reason) => {
                tracing::warn!(sink = sink.name, %reason, ?delay, "a sink takes no event just now");
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(RETRY_MAX);
            }
        }
    }
}

fn stored(shared: &Shared, sink: &Sink) -> Result<Option<u64>, ReadError> {
    let stored = shared.store.get(&key::sink(&sink.tenant, &sink.name))?;
    let record = stored.as_deref().map(SinkRecord::decode).transpose()?;
    Ok(record.map(|it| it.position))
}

async fn remember(shared: &Shared, sink: &Sink, position: u64) -> Result<(), Stopped> {
    let mut batch = Batch::new();
    batch.put(
        key::sink(&sink.tenant, &sink.name),
        SinkRecord { position }.encode(),
    );
    shared
        .journal
        .commit(&sink.tenant, batch)
        .await
        .map_err(|error| match error {
            NotCommitted::Stopping => Stopped::Stopping,
            NotCommitted::Busy | NotCommitted::Failed(_) => Stopped::Write,
        })
}

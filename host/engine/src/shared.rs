//! What all parts of the engine have in common.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use baton_store::{Digest, RunId, Store};
use serde_json::Value;

use crate::admission::Admission;
use crate::clock::Clock;
use crate::dispatch::Dispatch;
use crate::events::EventLogs;
use crate::fair::FairSemaphore;
use crate::grants::Grants;
use crate::journal::Journal;
use crate::library::Library;
use crate::live::LiveRuns;
use crate::mailbox::Mailbox;
use crate::outside::Languages;
use crate::partition::Message;
use crate::schedule::Schedules;
use crate::settings::{EngineLimits, LifecycleEvents};
use crate::vault::Vault;
use crate::version::Versions;

/// What all parts of the engine have in common.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) journal: Journal,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: EngineLimits,
    pub(crate) lifecycle: LifecycleEvents,
    /// How many partitions the store has.
    pub(crate) partitions: u16,
    pub(crate) library: Arc<Library>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) languages: Arc<dyn Languages>,
    pub(crate) versions: Versions,
    pub(crate) dispatch: Dispatch,
    pub(crate) live: LiveRuns,
    pub(crate) admission: Admission,
    /// How many runs have ended since the host started.
    pub(crate) ended: AtomicU64,
    pub(crate) events: EventLogs,
    /// Where each partition is told what has happened, by its number.
    pub(crate) mailboxes: Vec<Arc<Mailbox<Message>>>,
    /// Who may start runs that nobody asks for: children, and what is scheduled.
    pub(crate) own_starts: FairSemaphore,
    pub(crate) schedules: Schedules,
    /// The release of the host, for what it writes: `baton 0.1.0`.
    pub(crate) made_by: String,
    /// The expression language that new runs use.
    pub(crate) language: Digest,
    /// `$runtime` of new runs.
    pub(crate) runtime: Value,
}

impl Shared {
    /// Where the partition that owns a run is told what has happened.
    pub(crate) fn mailbox(&self, run: &RunId) -> &Arc<Mailbox<Message>> {
        let partition = run.partition(self.partitions);
        &self.mailboxes[usize::from(partition.0)]
    }
}

//! A host in this process: store, sandbox and engine, put together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use baton_engine::{
    Engine, EngineLimits, GrantSpec, LifecycleEvents, MasterKeys, Retention, Settings, TenantId,
};
use baton_sandbox::{Authorities, Rewrite, Sandbox};
use baton_store::{MemoryStore, RedbOptions, RedbStore, Store};

use crate::bundled;
use crate::config::EventLog;
use crate::failure::Failure;
use crate::grants::Granted;
use crate::processes::Allowed;
use crate::secrets;

/// What a host in this process is made of.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// The data directory; without one, everything is kept in memory and gone at the end.
    pub(crate) data: Option<PathBuf>,
    /// The directory of compiled connectors; without one, each is compiled anew.
    pub(crate) cache: Option<PathBuf>,
    /// Memory for the pages of the store, in bytes; without it, as the store has it by default.
    pub(crate) store_cache_bytes: Option<usize>,
    /// Which events tell of runs.
    pub(crate) lifecycle: LifecycleEvents,
    /// What the log of a tenant keeps of events.
    pub(crate) event_log: EventLog,
    /// How long runs are kept once they have ended.
    pub(crate) retention: Retention,
    /// What secrets are sealed under.
    pub(crate) secrets: Option<MasterKeys>,
    /// Whether a host without such keys makes one in its data directory.
    pub(crate) makes_secrets_key: bool,
    /// What is granted as long as this host runs, to the tenant `default`, by connector.
    pub(crate) grants: BTreeMap<String, Granted>,
    /// Whether workflows do not start by themselves on this host.
    pub(crate) schedules_off: bool,
    /// Which tenants' connectors may run processes of the machine.
    pub(crate) processes: Allowed,
    /// Authorities that connectors trust besides those of the machine.
    pub(crate) authorities: Authorities,
    /// For tests alone: requests to the first authority of each pair go to the second.
    pub(crate) testing_rewrite: Vec<(String, String)>,
}

/// Opens the host; recovers the runs that were under way. Must be called within a tokio runtime.
///
/// # Errors
///
/// The store can't be used, or a grant is none.
pub(crate) fn open(options: Options) -> Result<Engine, Failure> {
    let store = open_store(options.data.as_deref(), options.store_cache_bytes)?;
    // Behind the store, which makes the directory for its user alone and says best what is wrong with it.
    let secrets = match (options.secrets, &options.data) {
        (None, Some(data)) if options.makes_secrets_key => Some(secrets::own_key(data)?),
        (keys, _) => keys,
    };
    let sandbox = open_sandbox(options.cache, options.authorities, options.testing_rewrite)?;
    let tenant = TenantId::default();
    let grants = options
        .grants
        .into_iter()
        .map(|(connector, granted)| ((tenant.clone(), connector), granted.spec()));
    let mut limits = EngineLimits::default();
    options.event_log.apply(&mut limits);
    let settings = Settings {
        bundled: bundled::connectors(),
        language: Some(bundled::language()),
        standing_grants: grants.collect(),
        schedules: !options.schedules_off,
        secrets,
        processes: options.processes,
        bundled_limits: bundled::limits(),
        lifecycle: options.lifecycle,
        retention: options.retention,
        limits,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Settings::default()
    };
    // Recovery reads the store, which blocks.
    let engine = tokio::task::block_in_place(|| Engine::open(store, sandbox, settings));
    engine.map_err(|error| match error {
        baton_engine::OpenError::Grants { problems } => {
            let mut failure = Failure::invalid("what --allow and --config grant cannot be used");
            failure.causes = problems;
            failure
        }
        _ => Failure::new("cannot start the engine").because(&error),
    })
}

/// A sandbox, with a directory of compiled connectors where one is given.
///
/// # Errors
///
/// The machine does not give what it needs, or a rewrite is none.
fn open_sandbox(
    cache: Option<PathBuf>,
    authorities: Authorities,
    rewrite: Vec<(String, String)>,
) -> Result<Arc<Sandbox>, Failure> {
    let rewrite = match rewrite.is_empty() {
        true => None,
        false => Some(
            Rewrite::new(&rewrite.into_iter().collect()).map_err(|error| {
                Failure::invalid("--testing-rewrite cannot be used").because(&error)
            })?,
        ),
    };
    let settings = baton_sandbox::Settings {
        cache,
        authorities,
        testing_rewrite: rewrite,
        ..Default::default()
    };
    Sandbox::new(settings).map_err(|error| Failure::new("cannot start the sandbox").because(&error))
}

fn open_store(data: Option<&Path>, cache_bytes: Option<usize>) -> Result<Arc<dyn Store>, Failure> {
    let Some(data) = data else {
        return Ok(Arc::new(MemoryStore::default()));
    };
    let mut options = RedbOptions::default();
    if let Some(bytes) = cache_bytes {
        options.cache_bytes = bytes;
    }
    Ok(Arc::new(RedbStore::open(data, options)?))
}

impl From<baton_store::OpenError> for Failure {
    fn from(error: baton_store::OpenError) -> Self {
        Self::of(&error)
    }
}

impl Granted {
    /// The grant as the engine takes it.
    pub(crate) fn spec(self) -> GrantSpec {
        GrantSpec {
            egress: self.egress,
            tcp: self.tcp,
            config: self.config,
            ..GrantSpec::default()
        }
    }
}

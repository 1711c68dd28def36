//! A host for tests: a store, the real expression language, and a script that answers the calls.
#![allow(missing_docs, dead_code, unreachable_pub)]

pub mod crashing;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use baton_engine::outside::{Answer, Call, Invoke};
use baton_engine::{
    Bundled, Engine, EngineLimits, ManualClock, RunId, RunView, Settings, StartRun, Status,
    TenantId, Timestamp,
};
use baton_sandbox::Sandbox;
use baton_store::{
    Batch, CommitError, Direction, KeyRange, MemoryStore, Pair, ReadError, Store, Walk,
};
use baton_workflow::{Error, ErrorKind};
use serde_json::{Value, json};
use tokio::sync::watch;

pub struct Host {
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
}

/// What was called, over all hosts of a test: idempotency keys in the order of their calls.
#[derive(Clone, Default)]
pub struct Script {
    pub calls: Arc<Mutex<Vec<String>>>,
    /// Set when the host counts as dead: its calls reach nobody.
    pub dead: Arc<AtomicBool>,
    /// The names of the tasks whose calls fail.
    pub broken: Arc<Mutex<BTreeSet<String>>>,
    /// The names of the tasks whose calls come to no end.
    pub held: Arc<watch::Sender<BTreeSet<String>>>,
}

impl Script {
    /// Lets the calls of these tasks fail, and those of all others succeed.
    pub fn break_only(&self, tasks: &[&str]) {
        let tasks = tasks.iter().map(|&task| task.to_owned());
        *self.broken.lock().expect("not poisoned") = tasks.collect();
    }

    /// Lets the calls of these tasks wait, and those of all others come to their end.
    pub fn hold_only(&self, tasks: &[&str]) {
        let tasks = tasks.iter().map(|&task| task.to_owned());
        self.held.send_replace(tasks.collect());
    }

    /// The tasks that were called, as `hash/visit`: what is behind the run in an idempotency key.
    pub fn called(&self) -> Vec<String> {
        let calls = self.calls.lock().expect("not poisoned");
        let task = |key: &String| key.split_once('/').expect("run/task/visit").1.to_owned();
        calls.iter().map(task).collect()
    }
}

impl Invoke for Script {
    fn invoke(&self, call: Call) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        if self.dead.load(Ordering::SeqCst) {
            return Box::pin(std::future::pending());
        }
        self.calls
            .lock()
            .expect("not poisoned")
            .push(call.idempotency_key);
        let broken = self.broken.lock().expect("not poisoned");
        let name = call.task.pointer.rsplit('/').next().unwrap_or_default();
        let (name, mut held) = (name.to_owned(), self.held.subscribe());
        let result = match broken.contains(&name) {
            false => Ok(Arc::new(json!({ "called": *call.task.pointer }))),
            true => Err(Error::new(ErrorKind::Communication, "Out of order", "503")),
        };
        Box::pin(async move {
            // The sender lives as long as the test.
            let _ = held.wait_for(|held| !held.contains(&name)).await;
            Answer {
                result,
                log: Vec::new(),
                refusals: Vec::new(),
            }
        })
    }
}

/// A sandbox that compiles each component once for all tests.
pub fn sandbox(settings: baton_sandbox::Settings) -> Arc<Sandbox> {
    let cache = Some(concat!(env!("CARGO_TARGET_TMPDIR"), "/components").into());
    Sandbox::new(baton_sandbox::Settings { cache, ..settings }).expect("a sandbox")
}

/// A sandbox for all tests that ask nothing special of it.
pub fn shared_sandbox() -> &'static Arc<Sandbox> {
    static SANDBOX: OnceLock<Arc<Sandbox>> = OnceLock::new();
    SANDBOX.get_or_init(|| sandbox(baton_sandbox::Settings::default()))
}

/// The limits of all tests that ask nothing special of them: with a snapshot of a run every few events, so that what
/// crashes is loaded from one where it has come far enough.
pub fn limits() -> EngineLimits {
    EngineLimits {
        snapshot_events: 3,
        ..EngineLimits::default()
    }
}

impl Host {
    pub fn open(store: Arc<dyn Store>, script: &Script) -> Self {
        Self::open_with(store, shared_sandbox(), Some(script), limits())
    }

    /// A host that publishes lifecycle events.
    pub fn open_telling(
        store: Arc<dyn Store>,
        script: &Script,
        lifecycle: baton_engine::LifecycleEvents,
    ) -> Self {
        let invoke = Arc::new(script.clone()) as Arc<dyn Invoke>;
        let limits = limits();
        Self::open_set(store, shared_sandbox(), Some(invoke), limits, lifecycle)
    }

    /// Without a script, the calls are made.
    pub fn open_with(
        store: Arc<dyn Store>,
        sandbox: &Arc<Sandbox>,
        script: Option<&Script>,
        limits: EngineLimits,
    ) -> Self {
        let invoke = script.map(|script| Arc::new(script.clone()) as Arc<dyn Invoke>);
        Self::open_calling(store, sandbox, invoke, limits)
    }

    /// Whose calls somebody else makes.
    pub fn open_calling(
        store: Arc<dyn Store>,
        sandbox: &Arc<Sandbox>,
        invoke: Option<Arc<dyn Invoke>>,
        limits: EngineLimits,
    ) -> Self {
        let lifecycle = baton_engine::LifecycleEvents::default();
        Self::open_set(store, sandbox, invoke, limits, lifecycle)
    }

    /// With all that can be set.
    pub fn open_set(
        store: Arc<dyn Store>,
        sandbox: &Arc<Sandbox>,
        invoke: Option<Arc<dyn Invoke>>,
        limits: EngineLimits,
        lifecycle: baton_engine::LifecycleEvents,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_800_000_000_000)));
        let component = |name: &str| {
            let path = format!(
                "{}/../../plugins/dist/{name}.wasm",
                env!("CARGO_MANIFEST_DIR")
            );
            Bundled::new(std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
        };
        // Whatever waits is put to sleep at once: every test is one of waking too.
        let limits = EngineLimits {
            waiting_in_memory: 0,
            ..limits
        };
        let settings = Settings {
            bundled: ["http", "asyncapi", "shell"]
                .map(|name| (name.to_owned(), component(name)))
                .into(),
            language: Some(component("jq")),
            clock: clock.clone(),
            partitions: 2,
            limits,
            lifecycle,
            ..Settings::default()
        };
        let engine = Engine::open_with(store, sandbox.clone(), settings, invoke);
        Self {
            engine: engine.expect("an engine"),
            clock,
        }
    }

    /// The run, once it has ended.
    pub async fn end(&self, run: &RunId) -> RunView {
        let run = self
            .engine
            .wait(&TenantId::default(), run, Duration::from_secs(30))
            .await
            .expect("read")
            .expect("there");
        assert!(run.status.is_ended(), "{run:?}");
        run
    }

    /// Waits until a run is in a phase.
    pub async fn until(&self, run: &RunId, status: Status) {
        let reached = async || {
            let now = self.engine.run(&TenantId::default(), run).await;
            now.expect("read").expect("there").status == status
        };
        until("the phase is reached", reached).await;
    }
}

/// Waits until something holds.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait)
        .await
        .expect(what);
}

pub fn start(name: &str, input: Value) -> StartRun {
    StartRun {
        namespace: "test".into(),
        name: name.into(),
        version: None,
        input,
        tags: BTreeMap::new(),
        idempotency_key: None,
    }
}

/// What a test has happen when a store is asked for something.
pub trait Interfere: Send + Sync {
    fn before_get(&self, _key: &[u8]) -> Result<(), ReadError> {
        Ok(())
    }

    fn before_scan(&self, _range: &KeyRange) {}

    fn before_commit(&self, _batch: &Batch) -> Result<(), CommitError> {
        Ok(())
    }
}

/// A store in memory that a test interferes with.
#[derive(Default)]
pub struct Interfered<I> {
    pub store: Arc<MemoryStore>,
    pub by: I,
}

impl<I: Interfere> Store for Interfered<I> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.by.before_get(key)?;
        self.store.get(key)
    }

    fn scan(
        &self,
        range: &KeyRange,
        from: Direction,
        limit: usize,
    ) -> Result<Vec<Pair>, ReadError> {
        self.by.before_scan(range);
        self.store.scan(range, from, limit)
    }

    fn walk(&self) -> Result<Box<dyn Walk>, ReadError> {
        self.store.walk()
    }

    fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        self.by.before_commit(batch)?;
        self.store.commit(batch)
    }
}

//! A host whose store crashes at a chosen commit, and that is opened again on what is durable then.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use baton_engine::{Note, NoteKind, RunId, RunView, TenantId};
use baton_store::{Direction, Fault, FaultyStore, MemoryStore, Store, key};
use serde_json::json;

use super::{Host, Script, start, until};

pub struct Crashing {
    pub host: Host,
    pub script: Script,
    pub run: RunId,
    memory: Arc<MemoryStore>,
    faulty: Arc<FaultyStore>,
}

impl Crashing {
    /// A host with a run of the workflow `work`, which has come to where `ready` says. Its commits are counted
    /// from then on.
    pub async fn start(
        document: &str,
        script: Script,
        fault: Fault,
        ready: impl AsyncFn(&Host, &RunId) -> bool,
    ) -> Self {
        let tenant = TenantId::default();
        let memory = Arc::new(MemoryStore::new());
        let host = Host::open(memory.clone(), &script);
        let published = host.engine.publish(&tenant, document).await;
        published.expect("published");
        let run = host.engine.start(&tenant, start("work", json!({}))).await;
        let run = run.expect("started").id;
        until("the run is ready", async || ready(&host, &run).await).await;
        close(&host, &script).await;
        let faulty = Arc::new(FaultyStore::new(memory.clone(), fault));
        Self {
            host: Host::open(faulty.clone(), &script),
            script,
            run,
            memory,
            faulty,
        }
    }

    /// What somebody asks for; none where the crash came before the answer.
    pub async fn ask<T>(&self, request: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            answer = request => Some(answer),
            () = until("a crash", async || self.is_crashed()) => None,
        }
    }

    pub fn is_crashed(&self) -> bool {
        self.faulty.is_crashed()
    }

    /// Waits until something holds, or the crash has come.
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        until(what, async || self.is_crashed() || holds().await).await;
    }

    /// How many events of the run are durable.
    pub fn events(&self) -> usize {
        let partition = self.run.partition(2);
        let all = key::events(partition, &TenantId::default(), &self.run);
        let read = self.memory.scan(&all, Direction::Ascending, 1000);
        read.expect("memory can be read").len()
    }

    /// Opens the host again on what is durable. Says whether the crash had come.
    pub async fn open_again(&mut self) -> bool {
        let crashed = self.is_crashed();
        close(&self.host, &self.script).await;
        self.faulty = Arc::new(FaultyStore::new(self.memory.clone(), Fault::None));
        self.host = Host::open(self.faulty.clone(), &self.script);
        let is_ready = async || self.host.engine.is_ready();
        until("the host has recovered", is_ready).await;
        crashed
    }

    /// The run as it is now.
    pub async fn view(&self) -> RunView {
        let now = self.host.engine.run(&TenantId::default(), &self.run).await;
        now.expect("read").expect("there")
    }

    /// The run's history.
    pub async fn history(&self) -> Vec<Note> {
        let engine = &self.host.engine;
        let lines = engine
            .history(&TenantId::default(), &self.run, 0, 999)
            .await;
        let lines = lines.expect("read").expect("there");
        let numbers: Vec<u64> = lines.iter().map(|line| line.seq).collect();
        assert_eq!(numbers, (1..=lines.len() as u64).collect::<Vec<_>>());
        lines
    }
}

/// The names of the tasks that lines of this kind are about, in their order; empty for those about the run.
pub fn told(lines: &[Note], kind: NoteKind) -> Vec<&str> {
    let told = lines.iter().filter(|line| line.kind == kind);
    told.map(|line| match &line.task {
        Some(task) => task.pointer.rsplit('/').next().unwrap_or_default(),
        None => "",
    })
    .collect()
}

/// Stops the host as a crash does: what is called then reaches nobody.
async fn close(host: &Host, script: &Script) {
    script.dead.store(true, Ordering::SeqCst);
    host.engine.shutdown().await;
    script.dead.store(false, Ordering::SeqCst);
}

/// Every crash that is tried: before and after each of the first so many commits.
pub fn faults(commits: u64) -> impl Iterator<Item = Fault> {
    (1..=commits).flat_map(|number| [Fault::CrashBefore(number), Fault::CrashAfter(number)])
}

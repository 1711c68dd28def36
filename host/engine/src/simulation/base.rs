//! What is in the store of each world when it begins: connectors, and the workflows that are published.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use baton_store::record::{ConnectorRecord, Record};
use baton_store::{Batch, KeyRange, TenantId, key};

use super::connectors::installed;
use super::documents::{WORKFLOWS, document};
use super::neighbour;
use super::world::World;
use crate::engine::Engine;

/// In so many rounds it is all there.
const ROUNDS_MAX: usize = 1_000;

/// What is in the store of each world when it begins.
pub(crate) fn base() -> &'static Batch {
    static BASE: OnceLock<Batch> = OnceLock::new();
    BASE.get_or_init(make)
}

fn make() -> Batch {
    let mut world = World::peaceful(&connectors());
    let done = Arc::new(Mutex::new(None));
    let (engine, told) = (world.host.engine.clone(), done.clone());
    world.host.spawn(async move {
        let result = fill(&engine).await;
        *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    });
    for _ in 0..ROUNDS_MAX {
        world.go_on();
        let done = done.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(result) = done {
            result.expect("all of it is right");
            return contents(&world);
        }
    }
    panic!("it comes to no end");
}

/// Nobody looks at the components themselves: what they are is known.
fn connectors() -> Batch {
    let mut batch = Batch::new();
    for connector in installed() {
        let record = ConnectorRecord {
            name: connector.name.to_owned(),
            version: None,
            digest: connector.digest.0,
            installed_at_ms: 0,
        };
        for tenant in tenants() {
            batch.put(key::connector(&tenant, connector.name), record.encode());
        }
    }
    batch
}

async fn fill(engine: &Engine) -> Result<(), String> {
    for tenant in tenants() {
        for workflow in &WORKFLOWS {
            let published = engine.publish(&tenant, &document(workflow)).await;
            published.map_err(|error| format!("{}: {error:?}", workflow.name))?;
        }
    }
    Ok(())
}

fn tenants() -> [TenantId; 2] {
    [TenantId::default(), neighbour()]
}

fn contents(world: &World) -> Batch {
    let all = KeyRange {
        start: Vec::new(),
        end: vec![0xff; 3],
    };
    let mut batch = Batch::new();
    for (key, value) in world.around.store.all(&all) {
        batch.put(key, value);
    }
    batch
}

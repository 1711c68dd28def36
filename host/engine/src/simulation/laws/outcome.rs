//! What becomes of runs.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, OnceLock, PoisonError};

use baton_store::{Batch, RunId, TenantId};
use baton_workflow::machine::Ending;
use serde_json::Value;

use super::{Stored, events, stored};
use crate::origin::Origin;
use crate::simulation::client::Order;
use crate::simulation::documents::WORKFLOWS;
use crate::simulation::world::World;

/// Where fewer runs may be open, there may be no room for those that others start.
const NARROW: usize = 100;

/// What became of a run is what becomes of it where nothing happens to it.
pub(super) fn check(world: &World, runs: &[Stored], base: &Batch) {
    let touched = touched(world, runs);
    for run in runs.iter().filter(|run| !touched.contains(&run.id)) {
        let (name, input) = &run.order;
        let workflow = WORKFLOWS.iter().find(|it| it.name == name && it.calm);
        if let Some(workflow) = workflow.filter(|_| !is_exempt(world, run)) {
            let order = Order {
                workflow: workflow.name,
                input: Value::clone(input),
            };
            let expected = peaceful(order, base);
            assert_eq!(run.ending, expected, "{} of {name} on {input}", run.id);
        }
        if name == "leaves" {
            let is_begun = world.around.connectors.was_called(&run.id, "/do/1/back");
            assert!(is_begun, "{} has left nothing behind", run.id);
        }
    }
}

/// Whether bounds or others have decided what becomes of it.
fn is_exempt(world: &World, run: &Stored) -> bool {
    let limits = &world.around.limits;
    match run.order.0.as_str() {
        "parent" => {
            limits
                .open_runs_per_tenant
                .min(limits.awake_runs_per_tenant)
                .min(limits.awake_runs)
                < NARROW
        }
        // What it listens to may be dropped before it does.
        "listens" if limits.event_log_events < events::NARROW => true,
        // One that a restless run has started is cancelled with it.
        _ => run.origin.awaiting().is_some() && run.ending == Ending::Cancelled,
    }
}

/// The runs that somebody has interfered with, those that they have started and those that have started them.
fn touched(world: &World, runs: &[Stored]) -> BTreeSet<RunId> {
    let mut touched = world.client.touched.clone();
    loop {
        let before = touched.len();
        for run in runs {
            if let Origin::Run(parent) = &run.origin
                && (touched.contains(&run.id) || touched.contains(&parent.run))
            {
                touched.extend([run.id, parent.run]);
            }
        }
        if touched.len() == before {
            return touched;
        }
    }
}

/// What becomes of a run in peace.
fn peaceful(order: Order, base: &Batch) -> Ending {
    static KNOWN: OnceLock<Mutex<HashMap<String, Ending>>> = OnceLock::new();
    let name = format!("{} {}", order.workflow, order.input);
    let known = || {
        let known = KNOWN.get_or_init(Mutex::default);
        known.lock().unwrap_or_else(PoisonError::into_inner)
    };
    if let Some(ending) = known().get(&name) {
        return ending.clone();
    }
    let mut world = World::peaceful(base);
    let run = world.start(order);
    world.settle();
    let ending = stored(&world, &TenantId::default(), &run).ending;
    known().insert(name, ending.clone());
    ending
}

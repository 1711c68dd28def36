//! Ten sequential calls to a small impure connector, 64 and 256 runs at once, each on a host of its own.

use serde_json::Value;

use super::load::{Runs, together};
use crate::settings::Settings;
use crate::{host, workflow};

pub(super) async fn measure(settings: &Settings) -> Value {
    with("adder", settings).await
}

/// The same with a connector of this name.
pub(super) async fn with(connector: &str, settings: &Settings) -> Value {
    let runs = Runs::of_steps("steps");
    let mut loads = Vec::new();
    for in_flight in [64, 256] {
        let host = host::alone(&[workflow::steps("steps", connector)], &[]).await;
        loads.push(runs.measured(&host, in_flight, 10, settings).await);
    }
    together(&runs, loads)
}

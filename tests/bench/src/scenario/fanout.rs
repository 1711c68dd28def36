//! A hundred calls at once and their join: the iterations of a `for`, and the branches of a `fork`.

use serde_json::Value;

use super::load::{Runs, together};
use crate::host;
use crate::settings::Settings;
use crate::workflow::{self, WIDTH};

pub(super) async fn measure(settings: &Settings) -> Value {
    let documents = [
        workflow::each("each", "adder"),
        workflow::branches("branches", "adder"),
    ];
    let runs = |workflow| Runs {
        workflow,
        input: (0..WIDTH).collect(),
        output: (1..=WIDTH).collect(),
        steps: WIDTH,
    };
    let mut loads = Vec::new();
    for (workflow, in_flight) in [("each", 8), ("each", 1), ("branches", 8), ("branches", 1)] {
        let host = host::alone(&documents, &[]).await;
        let mut load = runs(workflow).measured(&host, in_flight, 5, settings).await;
        load["by"] = if workflow == "each" { "for" } else { "fork" }.into();
        loads.push(load);
    }
    together(&runs("each"), loads)
}

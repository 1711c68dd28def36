//! Ten requests to an HTTP service on this machine, one after the other, 64 and 256 runs at once.

use serde_json::{Value, json};

use super::load::{Runs, together};
use crate::service::Service;
use crate::settings::Settings;
use crate::{host, workflow};

pub(super) async fn measure(settings: &Settings) -> Value {
    let runs = Runs {
        workflow: "requests",
        input: json!({ "n": 0 }),
        output: json!({ "n": workflow::STEPS }),
        steps: workflow::STEPS,
    };
    let mut loads = Vec::new();
    for in_flight in [64, 256] {
        let service = Service::start().await;
        let documents = [workflow::requests("requests", service.url())];
        let host = host::alone(&documents, &[service.url()]).await;
        let mut load = runs.measured(&host, in_flight, 10, settings).await;
        load["requests"] = service.requests().into();
        load["connections"] = service.connections().into();
        loads.push(load);
    }
    let mut figures = together(&runs, loads);
    figures["connections"] = figures["loads"][0]["connections"].clone();
    figures
}

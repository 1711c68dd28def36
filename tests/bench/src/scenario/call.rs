//! A function called through the API: a fresh instance, the call, and JSON to component values and back.

use serde_json::{Value, json};

use crate::driver::{Connection, Request};
use crate::figures::{add, percentiles};
use crate::host;
use crate::settings::Settings;
use crate::usage::Usage;

pub(super) async fn measure(settings: &Settings) -> Value {
    let host = host::alone(&[], &[]).await;
    let arguments = json!({ "function": "add-one", "arguments": { "value": 1 } });
    let call = Request::post("/v1/connectors/adder/call", &arguments);
    let nothing = Request::get("/healthz");
    let count = settings.times(2_000, 50);
    let mut connection = Connection::open(&host::target(&host))
        .await
        .expect("the host is there");
    let before = Usage::of(&host);
    let (mut calls, mut requests) = (Vec::new(), Vec::new());
    for number in 0..count + count / 10 {
        let called = connection.send(&call).await.expect("the host answers");
        assert_eq!(called.json(200)["output"], 2);
        let empty = connection.send(&nothing).await.expect("the host answers");
        empty.json(200);
        if number >= count / 10 {
            calls.push(called.took);
            requests.push(empty.took);
        }
    }
    let mut figures = percentiles("call", &calls);
    // What a request costs that does nothing: the rest is instance, call and JSON.
    add(&mut figures, percentiles("empty_request", &requests));
    add(&mut figures, before.since(&host, count, 1));
    figures["settings"] = json!({ "calls": count });
    figures
}

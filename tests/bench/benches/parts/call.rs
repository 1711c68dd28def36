//! A fresh instance, a call in it, and JSON to component values and back.

use std::time::Duration;

use baton_sandbox::{CallContext, Grant, Progress, Sandbox, Secrets, Settings};
use baton_tests::guests;
use criterion::Criterion;
use serde_json::json;

pub(crate) fn measure(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let _within = runtime.enter();
    let sandbox = Sandbox::new(Settings::default()).expect("the machine has what it takes");
    let grant = Grant::nothing();
    let arguments = json!({ "value": 1 });
    for (name, component) in [
        ("call, impure", guests::adder()),
        ("call, pure", guests::pure_adder()),
    ] {
        let connector = sandbox.load(&component).expect("it is a component");
        let function = connector
            .function(None, "add-one")
            .expect("it exports that");
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let outcome =
                    runtime.block_on(connector.call(function, &arguments, &grant, context()));
                assert_eq!(outcome.result.ok(), Some(json!(2)));
            });
        });
    }
}

fn context() -> CallContext {
    CallContext {
        run: "0190f6a5-0000-7000-8000-000000000000".to_owned(),
        task: "/do/0/step".to_owned(),
        visit: 1,
        attempt: 1,
        idempotency_key: "key".to_owned(),
        deadline: Duration::from_secs(30),
        seed: [7; 32],
        secrets: Secrets::none(),
        progress: Progress::default(),
        items: None,
        reveals: None,
    }
}

//! Expressions: by the host itself, and by jq in its instance.

use baton_sandbox::{Sandbox, Settings};
use baton_tests::paths;
use baton_workflow::expression::Expression;
use criterion::Criterion;
use serde_json::{Value, json};

pub(crate) fn measure(criterion: &mut Criterion) {
    let input =
        json!({ "order": { "lines": [{ "price": 3, "count": 2 }, { "price": 5, "count": 1 }] } });
    let nothing: [(&str, &Value); 0] = [];

    let path = Expression::new(0, ".order.lines[1].price", "", &[]);
    criterion.bench_function("expression, native", |bencher| {
        bencher.iter(|| {
            path.evaluate_native(&input, &nothing)
                .map(|value| *value == 5)
        });
    });

    let sandbox = Sandbox::new(Settings::default()).expect("the machine has what it takes");
    let component = std::fs::read(paths::file("plugins/dist/jq.wasm")).expect("jq is built");
    let language = sandbox.load_language(&component).expect("jq is a language");
    let mut evaluator = language.evaluator();
    for (name, source) in [
        ("expression, jq, a path", ".order.lines[1].price"),
        (
            "expression, jq, a sum",
            "[.order.lines[] | .price * .count] | add",
        ),
    ] {
        let filter = evaluator.compile(source, &[]).expect("it is jq");
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| evaluator.evaluate(filter, &input, &[]).expect("it works"));
        });
    }
}

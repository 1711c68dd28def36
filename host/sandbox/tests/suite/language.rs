//! The expression language that ships with the host, and what expressions may not do.

use baton_sandbox::{Evaluator, Language};
use serde_json::{Value, json};

use crate::guest::sandbox;

fn jq() -> Language {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/dist/jq.wasm");
    let bytes = std::fs::read(path).expect("plugins/dist/jq.wasm is part of the repository");
    sandbox().load_language(&bytes).unwrap()
}

fn evaluate(evaluator: &mut Evaluator, source: &str, input: &Value) -> Result<Value, String> {
    let filter = evaluator
        .compile(source, &[])
        .map_err(|error| error.message)?;
    evaluator.evaluate(filter, input, &[])
}

#[test]
fn expressions_are_evaluated_and_whatever_they_do_the_next_one_works() {
    let mut evaluator = jq().evaluator();
    let variables = ["context".to_owned()];
    let sum = evaluator.compile(".a + $context.b", &variables).unwrap();
    assert_eq!(
        evaluator.compile(".a + $context.b", &variables).unwrap(),
        sum,
        "compiled once"
    );
    let check = |evaluator: &mut Evaluator| {
        let value = evaluator.evaluate(sum, &json!({"a": 1}), &[&json!({"b": 2})]);
        assert_eq!(value, Ok(json!(3)));
    };
    check(&mut evaluator);
    for (source, expected) in [
        (
            "def f: f; f",
            "the expression took more than its limit of 1000 million instructions",
        ),
        (
            "def f: 1 + f; f",
            "the expression recursed too deeply: the call stack overflowed",
        ),
        (
            "[range(100000000)]",
            "the expression needed more memory than its limit of 64 MiB",
        ),
        ("error(\"mine\")", "mine"),
    ] {
        let error = evaluate(&mut evaluator, source, &json!(null)).unwrap_err();
        assert_eq!(error, expected, "{source}");
        check(&mut evaluator);
    }
}

#[test]
fn a_syntax_error_has_a_place() {
    let error = jq().evaluator().compile(".a + ", &[]).unwrap_err();
    assert!(!error.message.is_empty());
    assert!(error.start <= error.end && error.end <= 5, "{error:?}");
    assert!(jq().evaluator().compile("$nobody", &[]).is_err());
}

#[test]
fn evaluators_do_not_share_anything() {
    let language = jq();
    let (mut one, mut two) = (language.evaluator(), language.evaluator());
    assert_eq!(
        evaluate(&mut one, ".x", &json!({"x": [1, "é"]})),
        Ok(json!([1, "é"]))
    );
    assert_eq!(
        evaluate(&mut two, ".x", &json!({"x": null})),
        Ok(json!(null))
    );
    std::thread::spawn(move || assert_eq!(evaluate(&mut one, ".", &json!(1)), Ok(json!(1))))
        .join()
        .unwrap();
}

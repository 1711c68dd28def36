//! The small evaluator is held equal to the jq component: wherever it answers, jq answers the same.

use baton_workflow::expression::Expression;
use proptest::prelude::*;
use serde_json::{Value, json};

/// JSON with names and values that the expressions below are likely to meet.
fn data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e6f64..1e6).prop_map(Value::from),
        "[a-z \"\\\\ü\n]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((name(), inner), 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c_1", "d e", "and"]).prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    let step = prop_oneof![
        prop::sample::select(vec![".a", ".b", ".c_1", ".and"]).prop_map(str::to_owned),
        (0..4u32).prop_map(|index| format!("[{index}]")),
        name().prop_map(|name| format!("[\"{name}\"]")),
    ];
    (
        prop::sample::select(vec!["", "$input", "$context"]),
        prop::collection::vec(step, 0..5),
    )
        .prop_map(|(root, steps)| {
            let path = steps.concat();
            if root.is_empty() && !path.starts_with('.') {
                format!(".{path}")
            } else {
                format!("{root}{path}")
            }
        })
}

fn expression() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z ü/]{0,5}",
        path().prop_map(|path| format!("\\( {path} )")),
        Just("\\n".to_owned())
    ];
    prop_oneof![
        3 => path(),
        2 => prop::collection::vec(part, 0..4).prop_map(|parts| format!("\"{}\"", parts.concat())),
        1 => prop::sample::select(vec!["null", "true", "false", "0", "42", "007"]).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn where_it_answers_jq_answers_the_same(source in expression(), input in data(), context in data()) {
        let available = ["input".to_owned(), "context".to_owned()];
        let expression = Expression::new(0, &source, "", &available);
        let outer = json!({ "outer": input });
        let variables = [("input", &outer), ("context", &context)];
        if let Some(native) = expression.evaluate_native(&input, &variables) {
            let filter = jq::Filter::compile(&source, &available);
            let filter = filter.unwrap_or_else(|error| panic!("{source}: {}", error.message));
            let values = [outer.to_string(), context.to_string()];
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let answer = filter.evaluate(&input.to_string(), &values);
            let answer = answer.unwrap_or_else(|error| panic!("{source} on {input}: {error}"));
            let answer: Value = serde_json::from_str(&answer).expect("jq gives JSON");
            prop_assert_eq!(&*native, &answer, "{} on {}", source, input);
        }
    }
}

#[test]
fn it_answers_often_enough_to_be_compared() {
    let available = ["input".to_owned()];
    for source in [
        ".a",
        ".a.b[0]",
        "$input.x",
        "\"\\(.a) and \\(.b)\"",
        "42",
        "null",
        ".[\"d e\"]",
    ] {
        let input = json!({"a": {"b": [1]}});
        let (empty, expression) = (json!({}), Expression::new(0, source, "", &available));
        let variables = [("input", &empty)];
        let native = expression.evaluate_native(&input, &variables);
        let is_text_of_an_object = source.starts_with('"');
        assert_eq!(native.is_some(), !is_text_of_an_object, "{source}");
    }
}

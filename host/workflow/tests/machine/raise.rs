use crate::support::Run;
use serde_json::json;

#[test]
fn the_error_is_as_described_and_names_its_task() {
    let tasks = "
use: { errors: { broken: { type: https://e.example/broken, status: 418, title: Broken, detail: '${ \"no \\(.x)\" }' } } }
do: [ { fail: { raise: { error: broken } } } ]
";
    let error = Run::start(tasks, json!({"x": "tea"})).error();
    assert_eq!(
        error.to_value(),
        json!({"type": "https://e.example/broken", "status": 418, "title": "Broken", "detail": "no tea", "instance": "/do/0/fail"})
    );
}

//! The workflows that are run.

/// Calls in a workflow of sequential ones.
pub(crate) const STEPS: usize = 10;

/// Calls at once in a fan-out.
pub(crate) const WIDTH: usize = 100;

fn document(name: &str, tasks: &str) -> String {
    format!(
        "document: {{ dsl: '1.0.3', namespace: bench, name: {name}, version: '1.0.0' }}\ndo:\n{tasks}"
    )
}

/// Ten calls of `add-one`, one after the other, each given what the one before it gave.
pub(crate) fn steps(name: &str, connector: &str) -> String {
    let tasks: Vec<_> = (0..STEPS)
        .map(|step| {
            format!(
                "- step{step}: {{ call: add-one@{connector}, with: {{ value: '${{ . }}' }} }}\n"
            )
        })
        .collect();
    document(name, &tasks.concat())
}

/// A call that does not come back, made again when the host has had enough of it.
pub(crate) fn spin(name: &str) -> String {
    document(
        name,
        "- spin: { try: [ { once: { call: spin@hostile } } ], catch: { as: error }, then: spin }\n",
    )
}

/// An expression that takes long, evaluated over and over again.
pub(crate) fn ponder(name: &str) -> String {
    document(
        name,
        "- think: { set: { sum: '${ reduce range(150000) as $i (0; . + $i) }' } }\n- again: { wait: { milliseconds: 1 }, then: think }\n",
    )
}

/// Ten requests to a service, one after the other.
pub(crate) fn requests(name: &str, url: &str) -> String {
    let tasks: Vec<_> = (0..STEPS)
        .map(|step| {
            format!(
                "- step{step}: {{ call: http, with: {{ method: post, endpoint: '{url}/add', body: {{ n: '${{ .n }}' }} }} }}\n"
            )
        })
        .collect();
    document(name, &tasks.concat())
}

/// A call for each number of the input, at once.
pub(crate) fn each(name: &str, connector: &str) -> String {
    document(
        name,
        &format!(
            "- all:\n    for: {{ in: ., concurrency: {WIDTH} }}\n    do:\n    - one: {{ call: add-one@{connector}, with: {{ value: '${{ $item }}' }} }}\n"
        ),
    )
}

/// A branch with a call for each number of the input.
pub(crate) fn branches(name: &str, connector: &str) -> String {
    let branches: Vec<_> = (0..WIDTH)
        .map(|branch| {
            format!(
                "      - b{branch}: {{ call: add-one@{connector}, with: {{ value: '${{ .[{branch}] }}' }} }}\n"
            )
        })
        .collect();
    document(
        name,
        &format!("- all:\n    fork:\n      branches:\n{}", branches.concat()),
    )
}

/// Keeps its input, and ends at once.
pub(crate) fn keep(name: &str) -> String {
    document(name, "- keep: { set: '${ . }' }\n")
}

/// Waits for as long as the input says (`for`).
pub(crate) fn timer(name: &str) -> String {
    document(name, "- pause: { wait: '${ .for }' }\n")
}

/// Waits for the event about the input's `order`.
pub(crate) fn event(name: &str) -> String {
    document(
        name,
        "- hear:\n    listen:\n      to:\n        one:\n          with: { type: bench.order.paid }\n          correlate: { order: { from: .data.order, expect: '${ .order }' } }\n",
    )
}

/// Waits for a person.
pub(crate) fn approval(name: &str) -> String {
    document(name, "- ask: { call: approval, with: { title: Go on? } }\n")
}

/// A call that is answered at once, and one whose answer takes until the service lets it go.
pub(crate) fn held(name: &str, url: &str) -> String {
    document(
        name,
        &format!(
            "- done: {{ call: http, with: {{ method: post, endpoint: '{url}/done', body: {{ n: '${{ .n }}' }} }} }}\n- held: {{ call: http, with: {{ method: post, endpoint: '{url}/held', body: {{ n: '${{ .n }}' }} }} }}\n"
        ),
    )
}

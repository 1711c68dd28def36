//! What is ordered: runs of each kind, what they are given and what they must come to.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

/// What a run is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Five calls, one after the other.
    Sequence,
    /// Three branches of two calls each, and a call behind them.
    Fork,
    /// Five calls in a loop, three at a time.
    Loop,
    /// A call that fails at first and is tried again, and one behind it.
    Retry,
    /// A pause between two calls.
    Wait,
    /// An event between two calls.
    Listen,
    /// A person between two calls.
    Approval,
    /// Two calls that are undone by two further ones, since a third is refused.
    Compensate,
    /// Calls of a small connector around one of the service.
    Connector,
    /// Another run of three calls, of a small connector and of the service, and a call behind it.
    Child,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Sequence,
        Self::Fork,
        Self::Loop,
        Self::Retry,
        Self::Wait,
        Self::Listen,
        Self::Approval,
        Self::Compensate,
        Self::Connector,
        Self::Child,
    ];

    /// The name of the workflow, of the namespace `crash`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Fork => "fork",
            Self::Loop => "loop",
            Self::Retry => "retry",
            Self::Wait => "wait",
            Self::Listen => "listen",
            Self::Approval => "approval",
            Self::Compensate => "compensate",
            Self::Connector => "connector",
            Self::Child => "child",
        }
    }

    /// The workflow, whose calls go to the service at this address.
    pub fn document(self, url: &str) -> String {
        let step = |name: &str, n: &str| call(url, "step", name, name, n);
        let tasks = match self {
            Self::Sequence => ["a", "b", "c", "d", "e"]
                .map(|name| format!("- {}", step(name, ".n")))
                .join("\n"),
            Self::Fork => {
                let branches = ["left", "middle", "right"].map(|name| {
                    format!(
                        "      - {name}: {{ do: [ {{ {} }}, {{ {} }} ] }}",
                        step(&format!("{name}1"), ".n"),
                        step(&format!("{name}2"), ".n")
                    )
                });
                format!(
                    "- all:\n    fork:\n      branches:\n{}\n- {}",
                    branches.join("\n"),
                    step("joined", ".[2].n")
                )
            }
            Self::Loop => {
                let one = call(url, "step", "one", r#"${ "one-\($item)" }"#, "$item");
                format!(
                    "- all: {{ for: {{ in: '[1, 2, 3, 4, 5]', concurrency: 3 }}, do: [ {{ {one} }} ] }}"
                )
            }
            Self::Retry => format!(
                "- careful:\n    try: [ {{ {} }} ]\n    catch: {{ errors: {{ with: {{ status: 503 }} }}, retry: {{ delay: {{ milliseconds: 20 }}, limit: {{ attempt: {{ count: 5 }} }} }} }}\n- {}",
                call(url, "flaky", "flaky", "flaky", ".n"),
                step("after", ".n")
            ),
            Self::Wait => format!(
                "- {}\n- pause: {{ wait: {{ milliseconds: 150 }} }}\n- {}",
                step("before", ".n"),
                step("after", ".n")
            ),
            Self::Listen => format!(
                "- {}\n- hear: {{ listen: {{ to: {{ one: {{ with: {{ type: crash.paid }}, correlate: {{ order: {{ from: .data.order, expect: '${{ $workflow.input.order }}' }} }} }} }} }} }}\n- {}",
                step("before", ".n"),
                step("after", ".[0].n")
            ),
            Self::Approval => format!(
                "- {}\n- ask: {{ call: approval, with: {{ title: Go on? }} }}\n- {}",
                step("before", ".n"),
                step("after", ".data.n")
            ),
            Self::Compensate => {
                let undone = |name: &str| {
                    let task = step(name, ".n");
                    let open = task.strip_suffix('}').unwrap_or(&task);
                    let undo = step(&format!("undo-{name}"), ".n");
                    format!("{open}, compensate: [ {{ {undo} }} ] }}")
                };
                format!(
                    "- careful:\n    try:\n    - {}\n    - {}\n    - {}\n    catch: {{ errors: {{ with: {{ status: 409 }} }}, do: [ {{ told: {{ set: {{ n: '${{ $error.status }}' }} }} }} ] }}",
                    undone("a"),
                    undone("b"),
                    call(url, "refuse", "refuse", "refuse", ".n")
                )
            }
            Self::Connector => format!(
                "- first: {{ call: add-one@adder, with: {{ value: '${{ .n }}' }} }}\n- {}\n- last: {{ call: add-one@adder, with: {{ value: '${{ .n }}' }}, output: {{ as: '{{ n: . }}' }} }}",
                step("asked", ".")
            ),
            Self::Child => format!(
                "- other: {{ run: {{ workflow: {{ namespace: crash, name: connector, version: latest, input: {{ order: '${{ .order }}', n: '${{ .n }}' }} }} }} }}\n- {}",
                step("after", ".n")
            ),
        };
        format!(
            "document: {{ dsl: '1.0.3', namespace: crash, name: {}, version: '1.0.0' }}\ndo:\n{tasks}\n",
            self.name()
        )
    }

    /// What a run comes to that was given this number.
    pub fn output(self, n: i64) -> Value {
        match self {
            Self::Sequence => json!({ "n": n + 5 }),
            Self::Fork | Self::Connector => json!({ "n": n + 3 }),
            Self::Loop => json!([{ "n": 2 }, { "n": 3 }, { "n": 4 }, { "n": 5 }, { "n": 6 }]),
            Self::Retry | Self::Wait => json!({ "n": n + 2 }),
            Self::Child => json!({ "n": n + 4 }),
            // The number goes on from what the event, or the person, has said.
            Self::Listen | Self::Approval => json!({ "n": n + 101 }),
            Self::Compensate => json!({ "n": 409 }),
        }
    }
}

/// The task `task: { call: http, … }`, of a call to a path of the service.
fn call(url: &str, path: &str, task: &str, step: &str, n: &str) -> String {
    format!(
        "{task}: {{ call: http, with: {{ method: post, endpoint: '{url}/{path}', body: {{ order: '${{ $workflow.input.order }}', step: '{step}', n: '${{ {n} }}' }} }} }}"
    )
}

/// A run that is wanted.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its number, which no other order of a harness has.
    pub number: u64,
    /// What it is made of.
    pub kind: Kind,
    /// What it begins with.
    pub n: i64,
    /// What it carries along, in bytes.
    pub ballast: usize,
}

impl Order {
    /// One of this number, of some kind, with up to so much ballast.
    pub fn some(number: u64, ballast: usize, random: &mut StdRng) -> Self {
        Self {
            number,
            kind: *Kind::ALL.choose(random).expect("there are kinds"),
            n: random.random_range(0..1000),
            ballast: random.random_range(0..=ballast),
        }
    }

    /// What the run is given.
    pub fn input(&self) -> Value {
        json!({ "order": self.number, "n": self.n, "ballast": "x".repeat(self.ballast) })
    }
}

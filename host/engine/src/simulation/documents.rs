//! The workflows of a simulated world. Between them they use all that a host has to keep over a crash. Their expressions
//! are paths and constants, which need no expression language, and some that do.

use serde_json::{Value, json};

use super::chance::Chance;

/// The types of events that they listen to.
pub(crate) const EVENTS: [&str; 2] = ["org.example.told", "org.example.heard"];

/// A workflow.
pub(crate) struct Workflow {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    /// Whether its outcome follows from its input, whatever comes first.
    pub(crate) calm: bool,
}

impl std::fmt::Debug for Workflow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// All of them but those that start by themselves.
pub(crate) static WORKFLOWS: [Workflow; 17] = [
    Workflow {
        name: "chain",
        text: "
do:
  - one: { call: f@impure, with: { n: '${ .n }', fails: 0 } }
  - two: { call: f@impure, with: { n: '${ .n | . }', fails: 0 } }
  - three: { call: f@impure, with: { n: '${ .n }', fails: 0 } }
",
        calm: true,
    },
    Workflow {
        name: "pure",
        text: "
do:
  - one: { call: f@pure, with: { n: '${ .n }', fails: 0 } }
  - two: { call: f@pure, with: { n: '${ .n }', fails: 0 } }
  - three: { call: f@impure, with: { n: '${ .n }', fails: 0 } }
  - four: { call: f@pure, with: { n: '${ .n }', fails: 0 } }
",
        calm: true,
    },
    Workflow {
        name: "short",
        text: "
do:
  - one: { set: { n: '${ .n | . }' } }
",
        calm: true,
    },
    Workflow {
        name: "branches",
        text: "
do:
  - all:
      fork:
        branches:
          - left: { call: f@impure, with: { n: '${ .n }', fails: 0 } }
          - right: { call: f@pure, with: { n: '${ .n }', fails: 0 } }
          - late: { wait: { seconds: 2 } }
          - last: { needs: [left, late], call: f@impure, with: { n: '${ $branches.left.n }', fails: 0 } }
",
        calm: true,
    },
    Workflow {
        name: "loop",
        text: "
do:
  - each:
      for: { each: item, in: '${ .items }', concurrency: 2 }
      do:
        - one: { call: f@impure, with: { n: '${ $item }', fails: 0 } }
        - two: { call: f@pure, with: { n: '${ .n | . }', fails: 0 } }
",
        calm: true,
    },
    Workflow {
        name: "retried",
        text: "
do:
  - risky:
      try:
        - before: { call: f@impure, with: { n: '${ .n }', fails: 0 } }
        - one: { call: f@impure, with: { n: '${ .n }', fails: '${ $workflow.input.fails }' } }
      catch:
        retry: { delay: { seconds: 1 }, backoff: { exponential: {} }, limit: { attempt: { count: 3 } } }
  - two: { call: f@impure, with: { n: '${ .n }', fails: 0 } }
",
        calm: true,
    },
    Workflow {
        name: "waits",
        text: "
do:
  - pause: { wait: { seconds: 5 } }
  - one: { call: f@impure, with: { n: '${ .n | . }', fails: 0 } }
  - long: { wait: { hours: 1 } }
",
        calm: true,
    },
    Workflow {
        name: "undoes",
        text: "
do:
  - flight:
      call: f@impure
      with: { n: '${ .n | . }', fails: 0 }
      compensate: [ { cancelFlight: { call: f@impure, with: { n: 7, fails: 0 } } } ]
  - hotel:
      call: f@impure
      with: { n: '${ .n }', fails: 0 }
      compensate:
        - cancelHotel: { call: f@impure, with: { n: 8, fails: 1 } }
  - pay: { call: f@impure, with: { n: '${ .n }', fails: '${ $workflow.input.fails }' } }
",
        calm: true,
    },
    Workflow {
        name: "asks",
        text: "
do:
  - ask: { call: approval, with: { title: 'Really?' }, output: { as: { n: 1, decision: '${ .decision | . }' } } }
  - one: { call: f@impure, with: { n: '${ .n }', fails: 0 } }
",
        calm: true,
    },
    Workflow {
        name: "listens",
        text: "
do:
  - hear: { listen: { to: { one: { with: { type: org.example.told } } } } }
  - both: { listen: { to: { all: [ { with: { type: org.example.told } }, { with: { type: org.example.heard } } ] } } }
  - one: { call: f@impure, with: { n: 1, fails: 0 } }
",
        calm: true,
    },
    Workflow {
        name: "tells",
        text: "
do:
  - first: { emit: { event: { with: { source: 'https://example.org', type: org.example.told, data: { n: 1 } } } } }
  - one: { call: f@impure, with: { n: 1, fails: 0 } }
  - second: { emit: { event: { with: { source: 'https://example.org', type: org.example.heard, data: '${ .n }' } } } }
  - two: { set: { n: 9 } }
",
        calm: true,
    },
    Workflow {
        name: "leaves",
        text: "
do:
  - one: { call: f@impure, with: { n: '${ .n }', fails: 0 } }
  - back: { run: { shell: { command: 'true' }, await: false } }
",
        calm: true,
    },
    Workflow {
        name: "subscribes",
        text: "
do:
  - hear:
      call: asyncapi
      with:
        document: { endpoint: 'https://example.org/api' }
        operation: hear
        subscription:
          consume: { amount: 2 }
          foreach:
            item: message
            do:
              - one: { call: f@impure, with: { n: '${ $message.payload.n }', fails: 0 } }
  - two: { call: f@impure, with: { n: 1, fails: 0 } }
",
        calm: true,
    },
    Workflow {
        name: "parent",
        text: "
do:
  - both:
      fork:
        branches:
          - one: { run: { workflow: { namespace: test, name: chain, version: latest, input: { n: '${ .n | . }' } } } }
          - two: { run: { workflow: { namespace: test, name: retried, version: '1.0.0', input: { n: 1, fails: 1 } } } }
          - three: { run: { workflow: { namespace: test, name: short, version: latest, input: { n: '${ .n }' } } } }
  - aside: { run: { await: false, workflow: { namespace: test, name: waits, version: latest, input: { n: 3 } } } }
",
        calm: true,
    },
    Workflow {
        name: "limited",
        text: "
timeout: { after: { minutes: 2 } }
do:
  - risky:
      try:
        - one: { call: f@impure, with: { n: '${ .n }', fails: 0 }, timeout: { after: { seconds: 3 } } }
      catch:
        retry: { delay: { seconds: 1 }, limit: { attempt: { count: 2 } } }
  - two: { call: f@impure, with: { n: 1, fails: 0 }, timeout: { after: { seconds: 30 } } }
",
        calm: false,
    },
    Workflow {
        name: "hasty",
        text: "
do:
  - race:
      fork:
        compete: true
        branches:
          - call: { call: f@impure, with: { n: '${ .n }', fails: 0 } }
          - ask: { call: approval, with: { title: 'Sooner?' } }
          - child: { run: { workflow: { namespace: test, name: chain, version: latest, input: { n: 1 } } } }
          - hear: { listen: { to: { one: { with: { type: org.example.told } } } } }
  - limited:
      try:
        - child: { run: { workflow: { namespace: test, name: waits, version: latest, input: { n: 1 } } } }
      catch:
        do: [ { caught: { set: { n: 3 } } } ]
      timeout: { after: { minutes: 3 } }
",
        calm: false,
    },
    Workflow {
        name: "stubborn",
        text: "
do:
  - first:
      call: f@impure
      with: { n: '${ .n }', fails: 0 }
      compensate: [ { undo: { wait: { seconds: 1 } } } ]
  - loop:
      for: { each: item, in: '${ .items }' }
      do:
        - one: { call: f@impure, with: { n: '${ $item }', fails: 4 } }
",
        calm: false,
    },
];

/// Workflows that start by themselves, once they are published.
pub(crate) static SCHEDULED: [Workflow; 4] = [
    Workflow {
        name: "ticks",
        text: "
schedule: { every: { minutes: 1 } }
do:
  - one: { set: { n: 1 } }
",
        calm: false,
    },
    Workflow {
        name: "chimes",
        text: "
schedule: { cron: '*/10 * * * *' }
do:
  - one: { call: f@pure, with: { n: 1, fails: 0 } }
",
        calm: false,
    },
    Workflow {
        name: "follows",
        text: "
schedule: { after: { seconds: 30 } }
do:
  - one: { call: f@impure, with: { n: 1, fails: 0 } }
",
        calm: false,
    },
    Workflow {
        name: "reacts",
        text: "
schedule: { on: { one: { with: { type: org.example.told } } } }
do:
  - one: { set: { heard: '${ $workflow.input }' } }
",
        calm: false,
    },
];

/// The document of a workflow.
pub(crate) fn document(workflow: &Workflow) -> String {
    let Workflow { name, text, .. } = workflow;
    format!("document: {{ dsl: '1.0.3', namespace: test, name: {name}, version: '1.0.0' }}{text}")
}

/// An input that all of them take. There are few, so that the outcome of each can be kept.
pub(crate) fn input(chance: &mut Chance) -> Value {
    let items: Vec<usize> = (0..chance.below(4)).collect();
    json!({ "n": chance.below(2), "fails": chance.below(5), "items": items })
}

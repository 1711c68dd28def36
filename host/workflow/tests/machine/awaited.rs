use std::time::Duration;

use baton_workflow::machine::{AwaitedWhat, TaskKey};
use baton_workflow::{CloudEvent, Event};
use serde_json::{Value, json};

use crate::support::{Jq, Run};

/// What each task waits for, and until when, in seconds.
fn awaited(run: &Run) -> Vec<(String, Value, Option<i64>)> {
    let awaited = run.machine.awaited(&mut Jq::default()).into_iter();
    awaited
        .map(|it| {
            let TaskKey { pointer, visit } = &it.task;
            let name = pointer.rsplit('/').next().unwrap_or_default();
            let what = match it.what {
                AwaitedWhat::Time => json!("time"),
                AwaitedWhat::Retry => json!("retry"),
                AwaitedWhat::Events { to, .. } => to,
                AwaitedWhat::Decision(approval) => json!({ "asked": approval.assignees }),
                AwaitedWhat::Answer(call) | AwaitedWhat::Message(call) => json!(call.function),
                AwaitedWhat::Run(child) => json!({ "run": child.name }),
            };
            let until = it.until.map(|until| until.as_millis() / 1000);
            (format!("{name}#{visit}"), what, until)
        })
        .collect()
}

fn tuple(name: &str, what: Value, until: Option<i64>) -> (String, Value, Option<i64>) {
    (name.to_owned(), what, until)
}

#[test]
fn a_run_says_of_each_task_what_it_waits_for() {
    let tasks = "
do:
  - all:
      fork:
        branches:
          - pause: { wait: PT1M }
          - call: { call: f@any, timeout: { after: PT5S } }
          - ask: { call: approval, with: { title: Go?, assignees: [ ada ] } }
          - other: { run: { workflow: { namespace: a, name: b, version: latest } } }
          - safe: { try: [ { bad: { call: g@any } } ], catch: { retry: { delay: PT9S, limit: { attempt: { count: 1 } } } } }
      timeout: { after: PT1H }
";
    let mut run = Run::start(tasks, json!({}));
    run.fails("bad", 500);
    let expected = [
        tuple("pause#1", json!("time"), Some(60)),
        tuple("call#1", json!("f"), Some(5)),
        tuple("ask#1", json!({ "asked": ["ada"] }), Some(3600)),
        tuple("other#1", json!({ "run": "b" }), Some(3600)),
        tuple("safe#1", json!("retry"), Some(9)),
    ];
    let mut now = awaited(&run);
    now.sort_by_key(|(name, ..)| expected.iter().position(|it| it.0 == *name));
    assert_eq!(now, expected);
    run.pass(Duration::from_secs(9));
}

#[test]
fn a_listener_says_what_it_still_wants_with_what_it_knows() {
    let tasks = "
do:
  - both:
      listen:
        to:
          all:
            - with: { type: paid, subject: '${ $input.order }', source: '${ . == \"/shop\" }', data: '${ .n > 0 }' }
              correlate: { customer: { from: .data.customer } }
            - with: { type: packed }
              correlate: { customer: { from: .data.customer }, room: { from: .data.room, expect: '${ .room }' } }
";
    let mut run = Run::start(tasks, json!({ "order": "o-7", "room": 5 }));
    let packed = |customer: Value| {
        let mut wanted = json!({
            "with": { "type": "packed" },
            "correlate": {
                "customer": { "from": ".data.customer" },
                "room": { "from": ".data.room", "expect": 5 },
            },
        });
        if !customer.is_null() {
            wanted["correlate"]["customer"]["expect"] = customer;
        }
        wanted
    };
    let paid = json!({
        "with": { "type": "paid", "subject": "o-7", "source": "${ . == \"/shop\" }", "data": "${ .n > 0 }" },
        "correlate": { "customer": { "from": ".data.customer" } },
    });
    let expected = json!({ "all": [paid, packed(Value::Null)] });
    assert_eq!(awaited(&run), [tuple("both#1", expected, None)]);
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "paid", "subject": "o-7",
        "data": { "n": 1, "customer": "ada" },
    });
    let task = run.machine.outstanding().listening[0].task.clone();
    run.apply(Event::Received {
        task,
        position: 4,
        event: CloudEvent::new(event).expect("an event"),
    });
    let expected = json!({ "all": [packed(json!("ada"))] });
    assert_eq!(awaited(&run), [tuple("both#1", expected, None)]);
}

#[test]
fn what_ends_a_wait_is_told_too_and_a_run_that_has_ended_waits_for_nothing() {
    let tasks = "
do:
  - any:
      listen:
        to:
          any: [ { with: { type: reading } } ]
          until: { one: { with: { type: stop, subject: '${ $input }' } } }
";
    let mut run = Run::start(tasks, json!("me"));
    let expected = json!({
        "any": [{ "with": { "type": "reading" } }],
        "until": { "one": { "with": { "type": "stop", "subject": "me" } } },
    });
    assert_eq!(awaited(&run), [tuple("any#1", expected, None)]);
    run.apply(Event::CancelRequested {
        by: "ada".to_owned(),
        reason: None,
    });
    assert_eq!(awaited(&run), []);
}

//! Snapshots: what they refuse, and what they keep. That a run goes on from one as it would have is seen wherever a
//! machine is driven: the runs of these tests are restored behind each event.

use std::sync::Arc;

use baton_workflow::Machine;
use baton_workflow::machine::Facts;
use serde_json::json;

use crate::support::{Run, facts};

fn restored(run: &Run, facts: Facts, bytes: &[u8]) -> Result<Machine, String> {
    let restored = Machine::restore(run.machine.plan().clone(), facts, bytes);
    restored.map_err(|bad| bad.to_string())
}

#[test]
fn what_is_no_snapshot_of_the_run_is_refused() {
    let run = Run::start("do: [ { a: { call: f@any } } ]", json!({ "n": 1 }));
    let snapshot = run.machine.snapshot();
    assert!(restored(&run, facts(), &snapshot).is_ok());
    let other = Facts {
        id: "run-2".to_owned(),
        ..facts()
    };
    insta::assert_snapshot!(
        restored(&run, other, &snapshot).expect_err("another run's"),
        @"it is not what this host has written of the run: the seal is another"
    );
    insta::assert_snapshot!(
        restored(&run, facts(), &snapshot[..9]).expect_err("too short"),
        @"it is not what this host has written of the run: it is cut"
    );
    for at in 0..snapshot.len() {
        let mut damaged = snapshot.clone();
        damaged[at] ^= 1;
        assert!(restored(&run, facts(), &damaged).is_err(), "byte {at}");
    }
}

#[test]
fn what_is_shared_is_written_once() {
    let tasks = "
do:
  - each:
      for: { in: '[range(100)]', concurrency: 100 }
      do: [ { a: { call: f@any } } ]
";
    let text = "x".repeat(10_000);
    let run = Run::start(tasks, json!({ "text": text }));
    assert_eq!(run.machine.outstanding().calls.len(), 100);
    let bytes = run.machine.snapshot().len();
    assert!(bytes < 30_000, "{bytes} bytes");
}

#[test]
fn numbers_stay_what_they_are() {
    let numbers = json!([
        0.1 + 0.2,
        -0.0,
        1e300,
        5e-324,
        u64::MAX,
        i64::MIN,
        9_007_199_254_740_993_u64,
        1.0
    ]);
    let mut run = Run::start("do: [ { a: { call: f@any } } ]", numbers.clone());
    run.apply(baton_workflow::Event::Answered {
        task: run.machine.outstanding().calls[0].task.clone(),
        attempt: 1,
        answer: Ok(Arc::new(numbers.clone())),
    });
    assert_eq!(run.output().to_string(), numbers.to_string());
}

#[test]
fn what_is_deep_within_functions_goes_into_a_snapshot() {
    let loops = |call: String| {
        (0..10).fold(format!("{{ call: {call} }}"), |inner, _| {
            format!("{{ for: {{ in: '[1]' }}, do: [ {{ g: {inner} }} ] }}")
        })
    };
    let mut text = String::from("use:\n  functions:\n");
    for number in 0..15 {
        text += &format!("    f{number}: {}\n", loops(format!("f{}", number + 1)));
    }
    text += &format!("    f15: {}\n", loops("f@any".to_owned()));
    text += "do: [ { a: { call: f0 } } ]";
    // The run has been restored behind its first event, with 320 variables around the call.
    let run = Run::start(&text, json!({}));
    assert_eq!(run.machine.outstanding().calls.len(), 1);
}

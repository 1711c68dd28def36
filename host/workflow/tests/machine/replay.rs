//! The same events make the same run.

use crate::support::{Jq, Run, facts, plan};
use baton_workflow::Machine;
use serde_json::json;

const WORKFLOW: &str = "
do:
  - try:
      try:
        - both:
            fork:
              branches:
                - left: { do: [ { l1: { call: f@any } }, { l2: { wait: PT1S } } ] }
                - right: { for: { in: '[1, 2]' }, do: [ { r: { call: g@any, with: { n: '${ $item }' } } } ] }
      catch: { retry: { delay: PT1S, limit: { attempt: { count: 3 } } } }
  - last: { set: '${ { outputs: ., at: $task.startedAt.epoch.milliseconds } }' }
";

#[test]
fn a_replay_gives_the_same_commands_after_each_event() {
    let mut run = Run::start(WORKFLOW, json!({}));
    run.ok("l1", json!(1));
    run.ok("r", json!(1));
    run.fails("r", 500);
    run.elapse();
    run.ok("r", json!(2));
    run.ok("l1", json!(1));
    run.ok("r", json!(3));
    run.elapse();
    assert_eq!(run.output()["outputs"], json!([1, 3]));

    for length in 0..=run.journal.len() {
        let mut again = Machine::new(plan(WORKFLOW), facts());
        let mut jq = Jq::default();
        let mut commands = Vec::new();
        for occurrence in &run.journal[..length] {
            commands.extend(again.apply(occurrence.event.clone(), occurrence.at, &mut jq));
        }
        assert_eq!(
            commands[..],
            run.commands[..commands.len()],
            "after {length} events"
        );
        // What the machine says is outstanding is what the commands have left open.
        let open = |invoke: &baton_workflow::Command| match invoke {
            baton_workflow::Command::Invoke(call) => Some((call.task.clone(), call.attempt)),
            _ => None,
        };
        let outstanding = again.outstanding();
        let asked: Vec<_> = commands.iter().filter_map(open).collect();
        assert!(
            outstanding
                .calls
                .iter()
                .all(|call| asked.contains(&(call.task.clone(), call.attempt)))
        );
    }
}

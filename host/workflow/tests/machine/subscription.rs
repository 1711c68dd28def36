//! Subscriptions of `call: asyncapi`: messages one by one, until there have been enough.

use crate::support::{Jq, Run, plan};
use baton_workflow::machine::{Facts, Status, Weight};
use baton_workflow::{Event, Machine};
use serde_json::{Value, json};

/// A workflow with a subscription, and what comes after it.
fn hear(subscription: &str) -> String {
    format!(
        "
do:
  - hear:
      call: asyncapi
      with:
        document: {{ endpoint: 'http://a/api' }}
        operation: news
        subscription: {subscription}
"
    )
}

fn message(number: u64) -> Value {
    json!({"payload": {"n": number}, "headers": {}})
}

/// The numbers of the messages of an output.
fn numbers(output: &Value) -> Vec<u64> {
    let messages = output.as_array().expect("an array").iter();
    messages
        .filter_map(|it| it["payload"]["n"].as_u64())
        .collect()
}

#[test]
fn as_many_as_were_wanted() {
    let mut run = Run::start(&hear("{ consume: { amount: 2 } }"), json!({}));
    // Only what a run has no call for waits: a host that starts again has to make the call at once.
    assert_eq!(run.status(), Status::Running);
    assert_eq!(run.hand_over("hear", message(1)), Weight::Taken);
    assert_eq!(run.hand_over("hear", message(2)), Weight::Taken);
    assert_eq!(numbers(&run.output()), [1, 2]);
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started hear
    invoke hear subscribe@asyncapi {"document":{"endpoint":"http://a/api"},"operation":"news"}
    pull hear
    abandon hear
      task.completed hear -> [{"payload":{"n":1},"headers":{}},{"payload":{"n":2},"headers":{}}]
      workflow.completed -> [{"payload":{"n":1},"headers":{}},{"payload":{"n":2},"headers":{}}]
    end: completed [{"payload":{"n":1},"headers":{}},{"payload":{"n":2},"headers":{}}]
    "##);
}

#[test]
fn what_the_filter_does_not_let_through_is_no_event_and_does_not_count() {
    let subscription = "{ filter: '${ .payload.n > $input.above }', consume: { amount: 2 } }";
    let mut run = Run::start(&hear(subscription), json!({"above": 1}));
    assert_eq!(run.hand_over("hear", message(1)), Weight::PassedOver);
    // An expression that fails on it lets nothing through, and faults nobody.
    let text = json!({"payload": "text", "headers": {}});
    assert_eq!(run.hand_over("hear", json!([text])), Weight::PassedOver);
    assert_eq!(run.journal.len(), 1);
    run.hand_over("hear", message(2));
    assert_eq!(run.hand_over("hear", message(0)), Weight::PassedOver);
    run.hand_over("hear", message(3));
    assert_eq!(numbers(&run.output()), [2, 3]);
}

#[test]
fn conditions_are_looked_at_after_each_message_on_what_there_is_so_far() {
    let consumed = |consume: &str| {
        let mut run = Run::start(&hear(&format!("{{ consume: {consume} }}")), json!({}));
        for number in 1..9 {
            run.hand_over("hear", message(number));
        }
        numbers(&run.output())
    };
    assert_eq!(consumed("{ while: '${ (. | length) < 3 }' }"), [1, 2, 3]);
    assert_eq!(consumed("{ while: '${ .[-1].payload.n != 2 }' }"), [1, 2]);
    assert_eq!(
        consumed("{ until: '${ .[-1].payload.n == 4 }' }"),
        [1, 2, 3, 4]
    );
}

#[test]
fn a_condition_that_fails_is_the_tasks_error_and_ends_the_call() {
    let subscription = "{ consume: { until: '${ .[0].payload + [] }' } }";
    let mut run = Run::start(&hear(subscription), json!({}));
    run.transcript();
    run.hand_over("hear", message(1));
    insta::assert_snapshot!(run.transcript(), @r##"
    abandon hear
      task.faulted hear !! expression 400
      workflow.faulted !! expression 400
    end: faulted 400 at /do/0/hear
    "##);
}

const WORKED_ON: &str = "
          consume: { until: '${ ($context.seen | length) == 2 }' }
          foreach:
            item: message
            at: i
            do: [ { tell: { call: f@any, with: { a: '${ $message.payload.n }', n: '${ $i }' } } } ]
            output: { as: '${ { at: $i, said: . } }' }
            export: { as: '${ { seen: (($context.seen // []) + [$message.payload.n]) } }' }
";

#[test]
fn each_message_is_worked_on_before_the_next_is_taken() {
    let mut run = Run::start(&hear(WORKED_ON), json!({}));
    assert_eq!(run.hand_over("hear", message(7)), Weight::Taken);
    assert_eq!(run.hand_over("hear", message(8)), Weight::Later);
    assert_eq!(run.journal.len(), 2, "what comes meanwhile waits outside");
    run.ok("tell", json!("seven"));
    run.hand_over("hear", message(8));
    run.ok("tell", json!("eight"));
    assert_eq!(
        run.output(),
        json!([{"at": 0, "said": "seven"}, {"at": 1, "said": "eight"}])
    );
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started hear
    invoke hear subscribe@asyncapi {"document":{"endpoint":"http://a/api"},"operation":"news"}
      task.started tell
    invoke tell f@any {"a":7,"n":0}
      task.completed tell -> "seven"
    pull hear
      task.started tell#2
    invoke tell#2 f@any {"a":8,"n":1}
      task.completed tell#2 -> "eight"
    abandon hear
      task.completed hear -> [{"at":0,"said":"seven"},{"at":1,"said":"eight"}]
      workflow.completed -> [{"at":0,"said":"seven"},{"at":1,"said":"eight"}]
    end: completed [{"at":0,"said":"seven"},{"at":1,"said":"eight"}]
    "##);
}

#[test]
fn no_more_is_read_while_the_last_of_an_amount_is_worked_on() {
    let subscription = "{ consume: { amount: 1 }, foreach: { do: [ { tell: { call: f@any } } ] } }";
    let mut run = Run::start(&hear(subscription), json!({}));
    run.hand_over("hear", message(1));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started hear
    invoke hear subscribe@asyncapi {"document":{"endpoint":"http://a/api"},"operation":"news"}
    abandon hear
      task.started tell
    invoke tell f@any {}
    "##);
    assert!(
        run.machine
            .outstanding()
            .calls
            .iter()
            .all(|it| it.function == "f")
    );
    run.ok("tell", json!(1));
    assert_eq!(run.output(), json!([1]));
}

#[test]
fn the_time_ends_it_with_what_there_is() {
    let consume = "{ consume: { amount: 3, for: { seconds: 5 } } }";
    let mut run = Run::start(&hear(consume), json!({}));
    run.hand_over("hear", message(1));
    run.elapse();
    assert_eq!(numbers(&run.output()), [1]);
    let mut run = Run::start(&hear(consume), json!({}));
    run.elapse();
    assert_eq!(run.output(), json!([]));
}

#[test]
fn a_message_that_is_worked_on_when_the_time_is_over_is_worked_on_to_its_end() {
    let subscription = "{ consume: { amount: 3, for: { seconds: 5 } }, foreach: { do: [ { tell: { call: f@any } } ] } }";
    let mut run = Run::start(&hear(subscription), json!({}));
    run.hand_over("hear", message(1));
    run.transcript();
    run.elapse();
    insta::assert_snapshot!(run.transcript(), @r##"
    abandon hear
    "##);
    assert_eq!(run.hand_over("hear", message(2)), Weight::Unwanted);
    run.ok("tell", json!("done"));
    assert_eq!(run.output(), json!(["done"]));
}

#[test]
fn a_call_that_ends_by_itself_ends_the_subscription() {
    let mut run = Run::start(&hear("{ consume: { amount: 3 } }"), json!({}));
    run.hand_over("hear", message(1));
    run.ok("hear", json!(null));
    assert_eq!(numbers(&run.output()), [1]);

    let mut run = Run::start(&hear("{ consume: { amount: 3 } }"), json!({}));
    run.hand_over("hear", message(1));
    run.fails("hear", 503);
    assert_eq!(run.error().status, 503);
}

#[test]
fn what_it_has_brought_is_worked_on_before_its_end_counts() {
    let subscription = "{ consume: { amount: 3 }, foreach: { do: [ { tell: { call: f@any } } ] } }";
    let both = |ending: fn(&mut Run)| {
        let mut run = Run::start(&hear(subscription), json!({}));
        run.hand_over("hear", message(1));
        ending(&mut run);
        assert!(!run.status().is_ended());
        run.ok("tell", json!("done"));
        run
    };
    assert_eq!(
        both(|run| run.ok("hear", json!(null))).output(),
        json!(["done"])
    );
    assert_eq!(both(|run| run.fails("hear", 503)).error().status, 503);
}

#[test]
fn an_error_of_what_is_done_for_a_message_ends_the_call() {
    let subscription = "{ consume: { amount: 3 }, foreach: { do: [ { tell: { call: f@any } } ] } }";
    let mut run = Run::start(&hear(subscription), json!({}));
    run.hand_over("hear", message(1));
    run.transcript();
    run.fails("tell", 500);
    insta::assert_snapshot!(run.transcript(), @r##"
      task.faulted tell !! communication 500
    abandon hear
      task.faulted hear !! communication 500
      workflow.faulted !! communication 500
    end: faulted 500 at /do/0/hear/with/subscription/foreach/do/0/tell
    "##);
}

#[test]
fn who_ends_the_workflow_from_within_ends_the_call() {
    let subscription =
        "{ consume: { amount: 3 }, foreach: { do: [ { tell: { set: { n: 1 }, then: end } } ] } }";
    let mut run = Run::start(&hear(subscription), json!({}));
    run.transcript();
    run.hand_over("hear", message(1));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.started tell
      task.completed tell -> {"n":1}
      task.completed hear -> {"n":1}
    abandon hear
      workflow.completed -> {"n":1}
    end: completed {"n":1}
    "##);
}

#[test]
fn a_timeout_and_a_cancellation_end_the_call() {
    let tasks = hear("{ consume: { amount: 3 } }");
    let tasks = tasks.replace("      call:", "      timeout: { after: PT9S }\n      call:");
    let mut run = Run::start(&tasks, json!({}));
    run.transcript();
    run.elapse();
    assert_eq!(run.error().status, 408);
    insta::assert_snapshot!(run.transcript(), @r##"
    abandon hear
      task.faulted hear !! timeout 408
      workflow.faulted !! timeout 408
    end: faulted 408 at /do/0/hear
    "##);

    let mut run = Run::start(&hear("{ consume: { amount: 3, for: PT5S } }"), json!({}));
    run.transcript();
    run.apply(Event::CancelRequested {
        by: "ada".into(),
        reason: None,
    });
    insta::assert_snapshot!(run.transcript(), @r##"
    clear consume hear
    abandon hear
      task.cancelled hear
      workflow.cancelled
    end: cancelled
    "##);
}

#[test]
fn another_attempt_begins_anew_and_hears_nothing_of_the_first() {
    let tasks = "
do:
  - again:
      try:
        - hear:
            call: asyncapi
            with:
              document: { endpoint: 'http://a/api' }
              operation: news
              subscription: { consume: { amount: 2 } }
      catch: { retry: { limit: { attempt: { count: 2 } } } }
";
    let mut run = Run::start(tasks, json!({}));
    run.hand_over("hear", message(1));
    let taken = run.journal[1].event.clone();
    run.fails("hear", 503);
    run.elapse();
    run.apply(taken);
    run.hand_over("hear", message(2));
    run.hand_over("hear", message(3));
    assert_eq!(numbers(&run.output()), [2, 3]);
}

#[test]
fn a_suspended_run_takes_nothing_and_goes_on_where_it_was() {
    let mut run = Run::start(&hear("{ consume: { amount: 2 } }"), json!({}));
    run.hand_over("hear", message(1));
    run.apply(Event::SuspendRequested {
        by: "ada".into(),
        reason: None,
    });
    assert_eq!(run.hand_over("hear", message(2)), Weight::Later);
    run.transcript();
    run.apply(Event::ResumeRequested {
        by: "ada".into(),
        reason: None,
    });
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.resumed
      task.resumed hear
    pull hear
    "##);
    run.hand_over("hear", message(2));
    assert_eq!(numbers(&run.output()), [1, 2]);
}

#[test]
fn a_replay_gives_the_same_commands_and_makes_the_call_again() {
    let tasks = hear(WORKED_ON);
    let mut run = Run::start(&tasks, json!({}));
    run.hand_over("hear", message(7));
    run.ok("tell", json!("seven"));
    run.hand_over("hear", message(8));
    let facts = Facts {
        id: "run-1".to_owned(),
        runtime: json!({"name": "Baton", "version": "0"}),
        secrets: json!({"token": "baton-secret-1", "login": {"password": "baton-secret-2"}}),
        event_bytes: 1 << 20,
    };
    for length in 1..=run.journal.len() {
        let mut again = Machine::new(plan(&tasks), facts.clone());
        let mut jq = Jq::default();
        let mut commands = Vec::new();
        for occurrence in &run.journal[..length] {
            commands.extend(again.apply(occurrence.event.clone(), occurrence.at, &mut jq));
        }
        assert_eq!(commands[..], run.commands[..commands.len()]);
        let calls = again.outstanding().calls;
        let subscription = calls.iter().find(|it| it.function == "subscribe");
        assert!(subscription.expect("made again").items);
    }
}

use std::time::Duration;

use crate::support::{Jq, Run};
use baton_workflow::machine::{Facts, Status};
use baton_workflow::{CloudEvent, Event, Machine};
use serde_json::{Value, json};

const VITALS: &str = "
          - with: { type: temperature, data: '${ .temperature > 38 }' }
          - with: { type: bpm, data: '${ .bpm < 60 or .bpm > 100 }' }
";

#[test]
fn one_event_of_those_that_its_filter_lets_through() {
    let tasks = "do: [ { wait: { listen: { to: { one: { with: { type: temperature, data: '${ .temperature > 38 }' } } } } } } ]";
    let mut run = Run::start(tasks, json!({}));
    assert_eq!(run.status(), Status::Waiting);
    run.publish("temperature", json!({"temperature": 37}));
    run.publish("bpm", json!({"temperature": 40}));
    // An expression that fails on it lets nothing through, and faults nobody.
    run.publish("temperature", json!("warm"));
    assert_eq!(run.journal.len(), 1, "only what is taken is recorded");
    run.publish("temperature", json!({"temperature": 39}));
    assert_eq!(run.output(), json!([{"temperature": 39}]));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started wait
    listen wait from 1 to temperature
      task.completed wait -> [{"temperature":39}]
      workflow.completed -> [{"temperature":39}]
    end: completed [{"temperature":39}]
    "##);
}

#[test]
fn any_of_several() {
    let tasks = format!("do:\n  - wait:\n      listen:\n        to:\n          any:{VITALS}");
    let mut run = Run::start(&tasks, json!({}));
    run.publish("bpm", json!({"bpm": 70}));
    run.publish("bpm", json!({"bpm": 120}));
    assert_eq!(run.output(), json!([{"bpm": 120}]));
}

#[test]
fn any_event_at_all() {
    let tasks = "do: [ { wait: { listen: { to: { any: [] }, read: envelope } } } ]";
    let mut run = Run::start(tasks, json!({}));
    run.publish("whatever", json!(1));
    assert_eq!(
        run.output(),
        json!([{"id": "1", "source": "/test", "type": "whatever", "data": 1, "specversion": "1.0"}])
    );
}

#[test]
fn what_tells_of_runs_is_heard_by_those_who_ask_for_it_but_not_of_themselves() {
    let lifecycle = |subject: &str| json!({"id": "1", "source": "/s", "specversion": "1.0", "subject": subject, "type": "io.serverlessworkflow.task.started.v1"});
    let takes = |filters: &str, subject: &str| {
        let tasks = format!("do: [ {{ wait: {{ listen: {{ to: {{ any: {filters} }} }} }} }} ]");
        let mut run = Run::start(&tasks, json!({}));
        run.publish_whole(lifecycle(subject));
        run.status() == Status::Completed
    };
    let of_type = "[ { with: { type: io.serverlessworkflow.task.started.v1 } } ]";
    let pattern = "[ { with: { type: 'io\\.serverlessworkflow\\..*' } } ]";
    assert!(takes(of_type, "another") && takes(pattern, "another"));
    assert!(!takes("[]", "another") && !takes("[ { with: { source: /s } } ]", "another"));
    let own = "run-1";
    assert!(!takes(of_type, own) && !takes(pattern, own));
}

#[test]
fn one_of_each_in_the_order_in_which_they_came() {
    let tasks = format!("do:\n  - wait:\n      listen:\n        to:\n          all:{VITALS}");
    let mut run = Run::start(&tasks, json!({}));
    run.publish("bpm", json!({"bpm": 120}));
    run.publish("bpm", json!({"bpm": 130}));
    assert_eq!(run.status(), Status::Waiting);
    run.publish("temperature", json!({"temperature": 39}));
    assert_eq!(run.output(), json!([{"bpm": 120}, {"temperature": 39}]));
}

#[test]
fn until_an_expression_on_what_came_holds() {
    let tasks = "do: [ { wait: { listen: { to: { any: [], until: '( . | length ) > 2' } } } } ]";
    let mut run = Run::start(tasks, json!({}));
    for number in 1..4 {
        run.publish("t", json!(number));
    }
    assert_eq!(run.output(), json!([1, 2, 3]));
}

#[test]
fn until_other_events_have_come_which_are_no_output() {
    let tasks = "do: [ { wait: { listen: { to: { any: [], until: { all: [ { with: { type: out } }, { with: { type: paid } } ] } } } } } ]";
    let mut run = Run::start(tasks, json!({}));
    run.publish("a", json!(1));
    run.publish("out", json!(2));
    run.publish("out", json!(3));
    run.publish("paid", json!(4));
    assert_eq!(run.output(), json!([1, 3]));
}

#[test]
fn attributes_are_constants_patterns_or_expressions() {
    let matches = |with: &str, event: Value| {
        let tasks =
            format!("do: [ {{ wait: {{ listen: {{ to: {{ one: {{ with: {with} }} }} }} }} }} ]");
        let mut run = Run::start(&tasks, json!({"shop": "/a", "order": {"id": 7}}));
        let mut whole = json!({"id": "1", "source": "/a", "type": "com.example.t"});
        for (name, value) in event.as_object().expect("an object") {
            whole[name] = value.clone();
        }
        run.publish_whole(whole);
        run.status() == Status::Completed
    };
    assert!(matches("{ type: com.example.t }", json!({})));
    assert!(!matches("{ type: com.example }", json!({})));
    assert!(!matches("{ type: comXexampleXt }", json!({})));
    assert!(matches("{ type: 'com\\.example\\..*' }", json!({})));
    assert!(!matches("{ type: 'example\\..*' }", json!({})));
    assert!(matches("{ source: '${ .  == \"/a\" }' }", json!({})));
    assert!(matches("{ source: '${ $input.shop }' }", json!({})));
    assert!(!matches("{ source: '${ $input.order.id }' }", json!({})));
    assert!(!matches("{ subject: x }", json!({})));
    assert!(matches("{ room: 5 }", json!({"room": "5"})));
    assert!(matches("{ room: '5' }", json!({"room": 5})));
    let data = json!({"data": {"order": {"id": 7, "total": 3}, "tags": ["a", "b"]}});
    assert!(matches(
        "{ data: { order: { id: '${ $input.order.id }' } } }",
        data.clone()
    ));
    assert!(matches(
        "{ data: { order: { total: '${ . > 2 }' }, tags: [a, '[a-z]'] } }",
        data.clone()
    ));
    assert!(!matches("{ data: { order: { id: 8 } } }", data.clone()));
    assert!(!matches("{ data: { tags: [a] } }", data.clone()));
    assert!(!matches("{ data: { missing: null } }", data));
}

#[test]
fn the_first_event_says_what_the_others_must_have() {
    let filter = |kind| {
        format!("{{ with: {{ type: {kind} }}, correlate: {{ room: {{ from: .roomid }} }} }}")
    };
    let tasks = format!(
        "do: [ {{ wait: {{ listen: {{ to: {{ all: [ {}, {} ] }} }} }} }} ]",
        filter("temperature"),
        filter("humidity")
    );
    let mut run = Run::start(&tasks, json!({}));
    let event = |id: &str, kind: &str, room: Value| json!({"id": id, "source": "/s", "type": kind, "roomid": room, "data": id});
    let mut nowhere = event("0", "temperature", json!(null));
    nowhere["data"] = json!("no room");
    run.publish_whole(nowhere);
    run.publish_whole(event("1", "temperature", json!("kitchen")));
    run.publish_whole(event("2", "humidity", json!("cellar")));
    run.publish_whole(event("3", "humidity", json!("kitchen")));
    assert_eq!(run.output(), json!(["1", "3"]));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started wait
      workflow.correlation-started wait
    listen wait from 1 to humidity temperature
    listen wait from 3 to humidity (roomid = kitchen)
      workflow.correlation-completed wait = {"room":"kitchen"}
      task.completed wait -> ["1","3"]
      workflow.completed -> ["1","3"]
    end: completed ["1","3"]
    "##);
}

#[test]
fn a_correlation_may_expect_what_the_run_knows() {
    let tasks = "do: [ { wait: { listen: { to: { one: { with: { type: t }, correlate: { order: { from: .data.order, expect: '${ .order }' } } } } } } } ]";
    let mut run = Run::start(tasks, json!({"order": 7}));
    run.publish("t", json!({"order": 6}));
    run.publish("t", json!({"order": "7"}));
    assert_eq!(run.output(), json!([{"order": "7"}]));
}

#[test]
fn each_event_is_worked_on_by_itself() {
    let tasks = "
do:
  - wait:
      listen: { to: { any: [ { with: { type: t } } ], until: '$context.seen == 2' } }
      foreach:
        item: event
        at: i
        do:
          - step: { call: f@any, with: { a: '${ $event }', n: '${ $i }' } }
        output: { as: '{ made: ., of: $event, at: $i }' }
        export: { as: '{ seen: ($i + 1) }' }
";
    let mut run = Run::start(tasks, json!({}));
    run.publish("t", json!("x"));
    assert_eq!(run.status(), Status::Running);
    // It stays in the log while the first is worked on.
    run.publish("t", json!("y"));
    assert_eq!(run.journal.len(), 2);
    run.ok("step", json!("X"));
    run.offer();
    run.ok("step", json!("Y"));
    assert_eq!(
        run.output(),
        json!([{"made": "X", "of": "x", "at": 0}, {"made": "Y", "of": "y", "at": 1}])
    );
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started wait
    listen wait from 1 to t
      task.started step
    invoke step f@any {"a":"x","n":0}
      task.completed step -> "X"
    listen wait from 2 to t
      task.started step#2
    invoke step#2 f@any {"a":"y","n":1}
      task.completed step#2 -> "Y"
      task.completed wait -> [{"made":"X","of":"x","at":0},{"made":"Y","of":"y","at":1}]
      workflow.completed -> [{"made":"X","of":"x","at":0},{"made":"Y","of":"y","at":1}]
    end: completed [{"made":"X","of":"x","at":0},{"made":"Y","of":"y","at":1}]
    "##);
}

#[test]
fn an_error_at_one_event_fails_the_task() {
    let tasks = "do: [ { wait: { listen: { to: { any: [], until: '${ false }' } }, foreach: { do: [ { step: { call: f@any } } ] } } } ]";
    let mut run = Run::start(tasks, json!({}));
    run.publish("t", json!(1));
    run.fails("step", 503);
    assert_eq!(run.error().status, 503);
}

#[test]
fn an_event_is_consumed_once_by_those_that_follow_and_by_each_of_those_side_by_side() {
    let listen = "{ listen: { to: { one: { with: { type: t } } } } }";
    let tasks = format!(
        "do: [ {{ first: {listen} }}, {{ both: {{ fork: {{ branches: [ {{ left: {listen} }}, {{ right: {listen} }} ] }} }} }} ]"
    );
    let mut run = Run::start(&tasks, json!({}));
    run.publish("other", json!(0));
    run.publish("t", json!(1));
    assert_eq!(run.status(), Status::Waiting);
    run.publish("t", json!(2));
    assert_eq!(run.output(), json!([[2], [2]]));
}

#[test]
fn an_event_that_came_before_the_listen_is_not_lost() {
    let tasks = "do: [ { one: { listen: { to: { one: { with: { type: b } } } } } }, { two: { listen: { to: { one: { with: { type: a } } } } } } ]";
    let mut run = Run::start(tasks, json!({}));
    run.publish("a", json!("early"));
    run.publish("b", json!("late"));
    assert_eq!(run.output(), json!(["early"]));
}

#[test]
fn what_failed_has_consumed_nothing() {
    let tasks = "
do:
  - attempt:
      try:
        - wait:
            listen: { to: { all: [ { with: { type: a } }, { with: { type: b } } ] } }
            timeout: { after: { seconds: 5 } }
      catch: { retry: { delay: PT1S, limit: { attempt: { count: 3 } } } }
";
    let mut run = Run::start(tasks, json!({}));
    run.publish("a", json!(1));
    run.elapse();
    run.elapse();
    run.offer();
    run.publish("b", json!(2));
    assert_eq!(run.output(), json!([1, 2]));
    insta::assert_snapshot!(run.transcript(), @r##"
      workflow.started
      task.started attempt
      task.started wait
    set timeout wait 5000ms
    listen wait from 1 to a b
    listen wait from 2 to b
    unlisten wait
      task.faulted wait !! timeout 408
      task.retried attempt~2 !! timeout 408
    set retry attempt 6000ms
      task.started wait~2
    set timeout wait 11000ms
    listen wait from 1 to a b
    listen wait from 2 to b
    clear timeout wait
      task.completed wait~2 -> [1,2]
      task.completed attempt -> [1,2]
      workflow.completed -> [1,2]
    end: completed [1,2]
    "##);
}

#[test]
fn who_loses_a_race_listens_no_longer() {
    let tasks = "do: [ { race: { fork: { compete: true, branches: [ { a: { listen: { to: { one: { with: { type: a } } } } } }, { b: { call: f@any } } ] } } } ]";
    let mut run = Run::start(tasks, json!({}));
    run.transcript();
    run.ok("b", json!(1));
    insta::assert_snapshot!(run.transcript(), @r##"
      task.completed b -> 1
    unlisten a
      task.cancelled a
      task.completed race -> 1
      workflow.completed -> 1
    end: completed 1
    "##);
}

#[test]
fn events_that_are_gone_are_an_error_that_says_so() {
    let tasks = "do: [ { wait: { listen: { to: { one: { with: { type: t } } } } } } ]";
    let mut run = Run::start(tasks, json!({}));
    let task = run.machine.outstanding().listening[0].task.clone();
    run.apply(Event::EventsDropped {
        task: task.clone(),
        first: 1,
    });
    assert_eq!(run.status(), Status::Waiting, "nothing is missing");
    run.apply(Event::EventsDropped { task, first: 9 });
    assert!(run.error().detail.is_some_and(|it| it.contains("event 9")));
}

#[test]
fn what_a_task_has_gone_past_it_need_not_see_again() {
    let tasks = "do: [ { wait: { listen: { to: { any: [ { with: { type: t } } ], until: { one: { with: { type: end } } } } } } } ]";
    let mut run = Run::start(tasks, json!({}));
    let task = run.machine.outstanding().listening[0].task.clone();
    let passed = |next| Event::EventsPassed {
        task: task.clone(),
        next,
    };
    run.apply(passed(9));
    run.apply(passed(4));
    assert_eq!(run.machine.outstanding().listening[0].from, 9);
    // What was dropped is nothing that it would have had to see.
    run.apply(Event::EventsDropped {
        task: task.clone(),
        first: 9,
    });
    assert_eq!(run.status(), Status::Waiting);
    let event = |kind: &str| {
        let value =
            json!({"specversion": "1.0", "id": "1", "source": "/a", "type": kind, "data": 1});
        CloudEvent::new(value).expect("an event")
    };
    let mut jq = Jq::default();
    assert!(!run.machine.takes(&task, 8, &event("t"), &mut jq));
    assert!(run.machine.takes(&task, 9, &event("t"), &mut jq));
    for (position, kind) in [(9, "t"), (12, "end")] {
        run.apply(Event::Received {
            task: task.clone(),
            position,
            event: event(kind),
        });
    }
    assert_eq!(run.output(), json!([1]));
    run.apply(passed(20));
    assert_eq!(run.status(), Status::Completed);
}

#[test]
fn what_nobody_waits_for_changes_nothing() {
    let tasks = "do: [ { wait: { listen: { to: { all: [ { with: { type: t } }, { with: { type: t } } ] } } } } ]";
    let mut run = Run::start(tasks, json!({}));
    let task = run.machine.outstanding().listening[0].task.clone();
    let event = |kind: &str| {
        let value = json!({"specversion": "1.0", "id": "1", "source": "/a", "type": kind});
        CloudEvent::new(value).expect("an event")
    };
    let received = |position, kind: &str| Event::Received {
        task: task.clone(),
        position,
        event: event(kind),
    };
    run.transcript();
    run.apply(received(4, "other"));
    run.apply(received(0, "t"));
    assert_eq!(run.transcript(), "");
    run.apply(received(4, "t"));
    // The same once more: it has gone past.
    run.apply(received(4, "t"));
    assert_eq!(run.machine.outstanding().listening[0].from, 5);
    run.pass(Duration::from_secs(1));
    run.apply(received(5, "t"));
    assert_eq!(run.status(), Status::Completed);
}

#[test]
fn a_replay_comes_to_the_same_and_waits_for_the_same() {
    let tasks = "do: [ { wait: { listen: { to: { any: [], until: '( . | length ) > 2' } }, foreach: { do: [ { note: { emit: { event: { with: { type: seen, data: '${ $item }' } } } } } ] } } } ]";
    let mut run = Run::start(tasks, json!({}));
    for number in 0..3 {
        run.publish("t", json!(number));
    }
    assert_eq!(run.output(), json!([0, 1, 2]));
    let facts = Facts {
        id: "run-1".to_owned(),
        runtime: json!({"name": "Baton", "version": "0"}),
        secrets: json!({}),
        event_bytes: 1 << 20,
    };
    for length in 1..=run.journal.len() {
        let mut again = Machine::new(crate::support::plan(tasks), facts.clone());
        let mut commands = Vec::new();
        for occurrence in &run.journal[..length] {
            commands.extend(again.apply(
                occurrence.event.clone(),
                occurrence.at,
                &mut Jq::default(),
            ));
        }
        assert_eq!(commands[..], run.commands[..commands.len()]);
        let waits = again.outstanding().listening;
        assert_eq!(waits.len(), usize::from(length < run.journal.len()));
        assert!(waits.iter().all(|it| it.from == length as u64));
    }
}

#[test]
fn what_events_must_have_is_known_when_the_task_begins_to_listen() {
    let tasks = "do: [ { wait: { listen: { to: { all: [
        { with: { type: paid, source: '/shop' }, correlate: { order: { from: .data.order, expect: '${ .order }' } } },
        { with: { type: sent, subject: parcel } },
        { with: { type: rated }, correlate: { order: { from: '.data.orders[0]', expect: '17' } } } ] } } } } ]";
    let mut run = Run::start(tasks, json!({"order": 17}));
    run.publish("paid", json!({"order": 18}));
    run.publish_whole(json!({
        "id": "2", "source": "/shop", "type": "paid", "data": {"order": "17"}
    }));
    insta::assert_snapshot!(run.transcript(), @"
      workflow.started
      task.started wait
      workflow.correlation-started wait
    listen wait from 1 to paid (data.order = 17) rated sent (subject = parcel)
    listen wait from 3 to rated sent (subject = parcel)
    ");
}

//! `schedule.on`: events that are gathered until they start runs.

use baton_workflow::CloudEvent;
use baton_workflow::schedule::{EVENTS_PER_START_MAX, GATHERINGS_MAX, Gatherings};
use serde_json::{Value, json};

use crate::support::{Jq, plan};

/// The inputs of the runs that these events start, and how many events wait then.
fn started(on: &str, events: &[(&str, Value)]) -> (Vec<Value>, usize) {
    started_from("/test", on, events)
}

/// The same, for events of this source.
fn started_from(source: &str, on: &str, events: &[(&str, Value)]) -> (Vec<Value>, usize) {
    let plan = plan(&format!(
        "schedule: {on}\ndo: [ {{ a: {{ set: {{ b: 1 }} }} }} ]"
    ));
    let mut gatherings = Gatherings::new(&plan).expect("a trigger");
    let mut inputs = Vec::new();
    for (position, (kind, data)) in (1..).zip(events) {
        let event = json!({ "specversion": "1.0", "id": "x", "source": source, "type": kind, "data": data });
        let event = CloudEvent::new(event).expect("an event");
        let gathered = gatherings.offer(position, &event, &mut Jq::default());
        inputs.extend(gathered.map(|it| Value::clone(&it.input)));
    }
    (inputs, gatherings.held())
}

#[test]
fn one_event_is_enough_where_one_is_asked_for() {
    let on = "{ on: { one: { with: { type: a } } } }";
    let events = [("a", json!(1)), ("b", json!(2)), ("a", json!(3))];
    assert_eq!(started(on, &events), (vec![json!([1]), json!([3])], 0));
}

#[test]
fn an_envelope_is_the_whole_event() {
    let on = "{ on: { one: { with: { type: a } } }, read: envelope }";
    let (inputs, _) = started(on, &[("a", json!(1))]);
    assert_eq!(inputs[0][0]["type"], "a");
    assert_eq!(inputs[0][0]["data"], 1);
}

#[test]
fn until_another_event_comes_all_are_gathered() {
    let on = "{ on: { any: [ { with: { type: a } } ], until: { one: { with: { type: end } } } } }";
    let (a, end) = (|n: i32| ("a", json!(n)), || ("end", json!(null)));
    // An end without anything before it starts nothing.
    let events = [end(), a(1), a(2), end(), a(3)];
    assert_eq!(started(on, &events), (vec![json!([1, 2])], 1));
}

#[test]
fn until_a_condition_holds_all_are_gathered() {
    let on = "{ on: { any: [], until: '${ (. | add) > 3 }' } }";
    let events = [1, 2, 3, 4].map(|n| ("a", json!(n)));
    assert_eq!(
        started(on, &events),
        (vec![json!([1, 2, 3]), json!([4])], 0)
    );
}

#[test]
fn what_belongs_to_different_things_is_gathered_apart() {
    let on = "{ on: { all: [
        { with: { type: a }, correlate: { key: { from: .data.key } } },
        { with: { type: b }, correlate: { key: { from: .data.key } } } ] } }";
    let of = |kind, key: i32| (kind, json!({ "key": key }));
    let events = [of("a", 1), of("b", 2), of("b", 1), of("a", 2), of("a", 3)];
    let pair = |key: i32| json!([{ "key": key }, { "key": key }]);
    assert_eq!(started(on, &events), (vec![pair(1), pair(2)], 1));
}

#[test]
fn what_is_gathered_is_bounded() {
    let endless = "{ on: { any: [], until: '${ false }' } }";
    let events = vec![("a", json!(0)); EVENTS_PER_START_MAX + 1];
    let (inputs, held) = started(endless, &events);
    assert_eq!((inputs.len(), held), (1, 1));
    let apart = "{ on: { all: [
        { with: { type: a }, correlate: { key: { from: .data } } },
        { with: { type: b }, correlate: { key: { from: .data } } } ] } }";
    let mut events: Vec<_> = (0..=GATHERINGS_MAX).map(|key| ("a", json!(key))).collect();
    // The first has been given up, the second has not.
    events.extend([("b", json!(1)), ("b", json!(0))]);
    let (inputs, _) = started(apart, &events);
    assert_eq!(inputs, [json!([1, 1])]);
}

#[test]
fn what_runs_tell_of_themselves_starts_others_only_where_it_is_named() {
    let kind = "io.serverlessworkflow.workflow.completed.v1";
    let events = [(kind, json!(1))];
    assert!(started("{ on: { any: [] } }", &events).0.is_empty());
    let named = format!("{{ on: {{ one: {{ with: {{ type: {kind} }} }} }} }}");
    assert_eq!(started(&named, &events).0, [json!([1])]);
    // The workflow of these tests is test/test, whose own runs would start it without end.
    assert!(
        started_from("/test/test/0.9.0", &named, &events)
            .0
            .is_empty()
    );
    assert_eq!(
        started_from("/test/test-2/1.0.0", &named, &events).0,
        [json!([1])]
    );
}

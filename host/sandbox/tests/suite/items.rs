//! Calls that hand over items on their way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use baton_sandbox::{CallContext, Failure, FailureKind, Grant, Items, Outcome};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::guest::{component, context, grant, load};

/// Hands over the same text until no more is wanted, and answers how often.
fn guest() -> Vec<u8> {
    component(
        "package test:guest;
         interface api { run: func(item: string) -> u32; }
         world guest { import baton:connector/items@1.0.0; export api; }",
        r#"(import "baton:connector/items@1.0.0" "push" (func $push (param i32 i32) (result i32)))
           (;end of imports;)
           (func (export "test:guest/api#run") (param i32 i32) (result i32)
             (local $count i32)
             (loop $again
               (local.set $count (i32.add (local.get $count) (i32.const 1)))
               (br_if $again (call $push (local.get 0) (local.get 1))))
             (local.get $count))"#,
    )
}

/// Calls the guest with that item, whose items go to a place; none where nothing is wanted.
async fn run(item: &str, grant: &Grant, items: Option<Items>) -> Outcome {
    let connector = load(&guest());
    let function = connector.function(None, "run").unwrap();
    let context = CallContext { items, ..context() };
    let arguments = json!({ "item": item });
    connector.call(function, &arguments, grant, context).await
}

/// Takes so many items, and gives them.
fn wanting(count: usize) -> (Items, Arc<Mutex<Vec<Value>>>) {
    let all = Arc::new(Mutex::new(Vec::new()));
    let taken = all.clone();
    let items = Items::new(move |item, told: oneshot::Sender<bool>| {
        let mut taken = taken.lock().unwrap();
        taken.push(item);
        told.send(taken.len() < count).unwrap();
    });
    (items, all)
}

#[tokio::test]
async fn items_are_handed_over_until_no_more_is_wanted() {
    let (items, all) = wanting(3);
    let outcome = run(r#"{"n": 1}"#, &Grant::nothing(), Some(items)).await;
    assert_eq!(outcome.result.unwrap(), 3);
    assert!(!outcome.pure);
    assert_eq!(*all.lock().unwrap(), vec![json!({"n": 1}); 3]);
}

#[tokio::test]
async fn nothing_is_wanted_of_other_calls() {
    let outcome = run("1", &Grant::nothing(), None).await;
    assert_eq!(outcome.result.unwrap(), 1);
    assert!(!outcome.pure);
}

#[tokio::test]
async fn where_nobody_is_left_to_take_an_item_the_call_ends() {
    let gone = Items::new(|_, told| drop(told));
    let outcome = run("1", &Grant::nothing(), Some(gone)).await;
    let Failure { kind, detail, .. } = outcome.result.unwrap_err();
    assert_eq!(kind, FailureKind::Runtime);
    let detail = detail.unwrap_or_default();
    assert!(detail.contains("nobody is left to take"), "{detail}");
}

#[tokio::test]
async fn an_item_that_is_no_json_ends_the_call() {
    let (items, all) = wanting(3);
    let outcome = run("{", &Grant::nothing(), Some(items)).await;
    let Failure { kind, detail, .. } = outcome.result.unwrap_err();
    assert_eq!(kind, FailureKind::Runtime);
    let detail = detail.unwrap_or_default();
    assert!(detail.contains("handed over is no JSON"), "{detail}");
    assert!(all.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_item_that_is_larger_than_a_response_may_be_ends_the_call() {
    let (items, _) = wanting(3);
    // What a host call takes of a guest at once is some times as much.
    let small = grant(&json!({ "limits": { "response": 1000 } }));
    let item = format!("\"{}\"", "x".repeat(10_000));
    let outcome = run(&item, &small, Some(items)).await;
    let failure = outcome.result.unwrap_err();
    assert!(failure.title.contains("response limit"), "{failure}");
}

#[tokio::test]
async fn calls_find_room_beside_one_that_goes_on() {
    let one = grant(&json!({ "limits": { "concurrency": 1 } }));
    let (handed_over, mut told) = mpsc::unbounded_channel();
    let items = Items::new(move |_, reply| handed_over.send(reply).unwrap());
    let subscription = tokio::spawn({
        let one = one.clone();
        async move { run("1", &one, Some(items)).await }
    });
    let first: oneshot::Sender<bool> = told.recv().await.unwrap();
    let other = run("1", &one, None).await;
    assert_eq!(other.result.unwrap(), 1);
    first.send(true).unwrap();
    told.recv().await.unwrap().send(false).unwrap();
    assert_eq!(subscription.await.unwrap().result.unwrap(), 2);
}

#[tokio::test]
async fn only_the_workflows_own_limit_ends_one_that_goes_on() {
    let brief = grant(&json!({ "limits": { "time": "1ms" } }));
    let held = Mutex::new(Vec::new());
    let items = Items::new(move |_, reply| held.lock().unwrap().push(reply));
    let connector = load(&guest());
    let function = connector.function(None, "run").unwrap();
    let context = CallContext {
        items: Some(items),
        deadline: Duration::from_millis(50),
        ..context()
    };
    let arguments = json!({ "item": "1" });
    let outcome = connector.call(function, &arguments, &brief, context).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.title, "task timeout", "{failure}");
}

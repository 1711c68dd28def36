//! Ordinary calls: results, failures, the log, the identity of the call.

use baton_sandbox::{FailureKind, Grant, LogLevel, NoSuchFunction};
use serde_json::json;

use crate::guest::{component, context, function, load, run};

/// Returns a `result` whose error is a `failure`, built in memory: kind, title, and a retry-after.
const FAILS: &str = r#"
    (data (i32.const 16) "\01")             ;; err
    (data (i32.const 24) "\05")             ;; communication
    (data (i32.const 28) "\00\04\00\00\04\00\00\00") ;; title at 1024
    (data (i32.const 36) "\01\00\00\00\08\04\00\00\05\00\00\00") ;; detail at 1032
    (data (i32.const 48) "\01\00\f7\01")    ;; status 503
    (data (i32.const 56) "\01\00\00\00\00\00\00\00\d0\07\00\00\00\00\00\00") ;; retry-after 2000
    (data (i32.const 72) "\01\00\00\00\10\04\00\00\07\00\00\00") ;; data at 1040
    (data (i32.const 1024) "Busy")
    (data (i32.const 1032) "later")
    (data (i32.const 1040) "{\"a\":1}")
    (func $RUN (result i32) (i32.const 16))
"#;

#[tokio::test]
async fn a_function_takes_and_gives_json() {
    let guest = function(
        "func(name: string) -> string",
        r#"
        (func $RUN (param i32 i32) (result i32)
          (i32.store (i32.const 16) (local.get 0))
          (i32.store (i32.const 20) (local.get 1))
          (i32.const 16))"#,
    );
    let outcome = run(&guest, json!({"name": "Ada"}), &Grant::nothing()).await;
    assert_eq!(outcome.result.unwrap(), "Ada");
    assert!(outcome.pure);
    assert_eq!(outcome.usage.memory_peak, 65536);
}

#[tokio::test]
async fn a_failure_arrives_whole() {
    let outcome = run(
        &function("func() -> result<string, failure>", FAILS),
        json!({}),
        &Grant::nothing(),
    )
    .await;
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Communication);
    assert_eq!(failure.to_string(), "Busy: later");
    assert_eq!(failure.status(), 503);
    assert_eq!(failure.retry_after, Some(std::time::Duration::from_secs(2)));
    assert_eq!(failure.data, Some(json!({"a": 1})));
}

#[tokio::test]
async fn any_other_error_arrives_as_data() {
    let guest = function(
        "func() -> result<_, tuple<u8, bool>>",
        r#"
        (data (i32.const 16) "\01\07\01")
        (func $RUN (result i32) (i32.const 16))"#,
    );
    let failure = run(&guest, json!(null), &Grant::nothing())
        .await
        .result
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Runtime);
    assert_eq!(failure.data, Some(json!([7, true])));
    assert_eq!(failure.to_string(), "run failed: [7,true]");
}

#[tokio::test]
async fn wrong_arguments_are_a_validation_failure_with_a_pointer() {
    let guest = function(
        "func(user: tuple<u8, list<string>>)",
        "(func $RUN (param i32 i32 i32))",
    );
    for (arguments, expected) in [
        (
            json!({"user": [1, ["a", 2]]}),
            "/user/1/1: expected a string, found a number",
        ),
        (
            json!({"user": [256, []]}),
            "/user/0: expected an integer from 0 to 255, found 256",
        ),
        (
            json!({"usr": []}),
            "unknown argument `usr`: did you mean `user`?",
        ),
        (json!({}), "missing argument `user`: an array"),
        (json!([]), "expected an object of arguments, found an array"),
    ] {
        let failure = run(&guest, arguments, &Grant::nothing())
            .await
            .result
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Validation);
        assert_eq!(failure.detail.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn every_call_has_an_instance_of_its_own() {
    let guest = function(
        "func() -> u32",
        r#"
        (global $calls (mut i32) (i32.const 0))
        (func $RUN (result i32)
          (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
          (i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (global.get $calls)))
          (i32.load (i32.const 2048)))"#,
    );
    for _ in 0..5 {
        assert_eq!(
            run(&guest, json!({}), &Grant::nothing())
                .await
                .result
                .unwrap(),
            1
        );
    }
}

#[tokio::test]
async fn the_call_knows_itself_and_writes_a_log() {
    let guest = component(
        "package test:guest;
         interface api { run: func() -> tuple<u32, u32>; }
         world guest {
             import baton:connector/call@1.0.0;
             import wasi:logging/logging@0.1.0-draft;
             export api;
         }",
        r#"(import "baton:connector/call@1.0.0" "get" (func $get (param i32)))
           (import "baton:connector/call@1.0.0" "heartbeat" (func $beat (param i32 i32 i32)))
           (import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
           (;end of imports;)
           (data (i32.const 1024) "{\"done\": 3}")
           (func (export "test:guest/api#run") (result i32)
             (call $get (i32.const 16))
             (call $log (i32.const 3) (i32.load (i32.const 24)) (i32.load (i32.const 28))
               (i32.load (i32.const 40)) (i32.load (i32.const 44)))
             (call $beat (i32.const 1) (i32.const 1024) (i32.const 11))
             (call $beat (i32.const 1) (i32.const 1024) (i32.const 5))
             (i32.add (i32.const 16) (i32.const 16)))"#,
    );
    let connector = load(&guest);
    let context = context();
    let progress = context.progress.clone();
    let function = connector.function(Some("api"), "run").unwrap();
    let outcome = connector
        .call(function, &json!({}), &Grant::nothing(), context)
        .await;
    assert_eq!(outcome.result.unwrap(), json!([1, 2]), "visit and attempt");
    assert!(
        !outcome.pure,
        "the time that is left is another one each time"
    );
    assert_eq!(outcome.log[0].level, LogLevel::Warn);
    assert_eq!(
        (
            outcome.log[0].context.as_str(),
            outcome.log[0].message.as_str()
        ),
        ("/do/0/step", "key-1")
    );
    assert!(
        outcome.log[1]
            .message
            .starts_with("a heartbeat's progress was dropped: it is not JSON")
    );
    assert_eq!(
        (progress.beats(), progress.latest()),
        (2, Some(json!({"done": 3})))
    );
}

#[tokio::test]
async fn random_numbers_are_seeded_and_pure() {
    let guest = component(
        "package test:guest;
         interface api { run: func() -> u64; }
         world guest { import wasi:random/random@0.2.12; export api; }",
        r#"(import "wasi:random/random@0.2.12" "get-random-u64" (func $random (result i64)))
           (;end of imports;)
           (func (export "test:guest/api#run") (result i64) (call $random))"#,
    );
    let one = run(&guest, json!({}), &Grant::nothing()).await;
    let two = run(&guest, json!({}), &Grant::nothing()).await;
    assert!(one.pure);
    assert_eq!(one.result.unwrap(), two.result.unwrap());
}

#[tokio::test]
async fn clocks_make_a_call_impure() {
    let guest = component(
        "package test:guest;
         interface api { run: func() -> u64; }
         world guest { import wasi:clocks/monotonic-clock@0.2.0; export api; }"
            .replace("@0.2.0", "@0.2.12")
            .as_str(),
        r#"(import "wasi:clocks/monotonic-clock@0.2.12" "now" (func $now (result i64)))
           (;end of imports;)
           (func (export "test:guest/api#run") (result i64) (call $now))"#,
    );
    assert!(!run(&guest, json!({}), &Grant::nothing()).await.pure);
}

#[tokio::test]
async fn settings_come_from_the_grant() {
    let guest = component(
        "package test:guest;
         interface api { run: func(key: string) -> option<string>; }
         world guest { import wasi:config/store@0.2.0-rc.1; export api; }",
        r#"(import "wasi:config/store@0.2.0-rc.1" "get" (func $get (param i32 i32 i32)))
           (;end of imports;)
           (func (export "test:guest/api#run") (param i32 i32) (result i32)
             (call $get (local.get 0) (local.get 1) (i32.const 16))
             (i32.const 20))"#,
    );
    let grant = crate::guest::grant(&json!({"config": {"base-url": "https://x"}}));
    let outcome = run(&guest, json!({"key": "base-url"}), &grant).await;
    assert_eq!(outcome.result.unwrap(), "https://x");
    assert!(!outcome.pure);
    assert_eq!(
        run(&guest, json!({"key": "other"}), &grant)
            .await
            .result
            .unwrap(),
        json!(null)
    );
}

#[test]
fn functions_are_found_by_name_and_interface() {
    let guest = component(
        "package test:guest@1.2.0;
         interface users { create: func(); get: func(); }
         interface groups { create: func(); }
         world guest { export users; export groups; }",
        r#"(func (export "test:guest/users@1.2.0#create")) (func (export "test:guest/users@1.2.0#get"))
           (func (export "test:guest/groups@1.2.0#create"))"#,
    );
    let connector = load(&guest);
    let found = |interface, name| {
        connector
            .function(interface, name)
            .map(|function| function.interface.clone())
    };
    assert_eq!(
        found(None, "get"),
        Ok(Some("test:guest/users@1.2.0".to_owned()))
    );
    for interface in ["groups", "test:guest/groups", "test:guest/groups@1.2.0"] {
        assert_eq!(
            found(Some(interface), "create"),
            Ok(Some("test:guest/groups@1.2.0".to_owned()))
        );
    }
    let message = |interface, name| found(interface, name).unwrap_err().to_string();
    assert_eq!(
        message(None, "create"),
        "more than one interface has a function `create`: write `users/create`, `groups/create`"
    );
    assert_eq!(
        message(None, "creat"),
        "there is no function `creat`: did you mean `create`?"
    );
    assert_eq!(
        message(Some("groups"), "get"),
        "there is no function `groups/get`: it is in `users/get`"
    );
    assert!(matches!(
        found(Some("nowhere"), "create"),
        Err(NoSuchFunction::Unknown { .. })
    ));
}

//! Guests that mean harm. Each call ends with a failure that says which limit, and the host goes on.

use baton_sandbox::limits::{CORE_INSTANCES_MAX, MEMORIES_MAX};
use baton_sandbox::{CallContext, FailureKind, Grant, Sandbox, Settings};
use serde_json::{Value, json};

use crate::guest::{component, context, function, grant, load, run};

async fn fails(guest: &[u8], limits: Value) -> (FailureKind, String) {
    let grant = grant(&json!({"limits": limits}));
    let failure = run(guest, json!({}), &grant).await.result.unwrap_err();
    (failure.kind, failure.to_string())
}

#[tokio::test]
async fn a_trap_says_why_and_where() {
    let guest = function(
        "func()",
        "(func $boom unreachable) (func $RUN (call $boom))",
    );
    let (kind, message) = fails(&guest, json!({})).await;
    assert_eq!(kind, FailureKind::Runtime);
    assert!(
        message.contains("the connector trapped: it reached code that must not be reached"),
        "{message}"
    );
    assert!(message.contains("in `boom`"), "{message}");
}

#[tokio::test]
async fn a_loop_ends_at_the_cpu_limit() {
    let guest = function("func()", "(func $RUN (loop $again (br $again)))");
    let (kind, message) = fails(&guest, json!({"cpu": "50ms"})).await;
    assert_eq!(kind, FailureKind::Timeout);
    assert!(
        message.contains("cpu limit exceeded: the call computed longer than its limit of 50 ms"),
        "{message}"
    );
    assert!(message.contains("raise `limits.cpu`"), "{message}");
}

#[tokio::test]
async fn a_loop_ends_at_the_time_limit_and_lets_others_run() {
    let guest = function("func()", "(func $RUN (loop $again (br $again)))");
    let grant = grant(&json!({"limits": {"time": "200ms"}}));
    let spinning = async {
        (
            run(&guest, json!({}), &grant).await,
            std::time::Instant::now(),
        )
    };
    // On a runtime of one thread, this is only polled when the guest yields.
    let other = async {
        tokio::task::yield_now().await;
        std::time::Instant::now()
    };
    let ((outcome, ended), other) = tokio::join!(spinning, other);
    assert!(other < ended);
    assert!(
        outcome
            .result
            .unwrap_err()
            .to_string()
            .contains("time limit exceeded")
    );
    assert!(!outcome.pure, "how far a guest comes in a time differs");
}

#[tokio::test]
async fn a_guest_that_waits_ends_at_the_time_limit() {
    let guest = component(
        "package test:guest;
         interface api { run: func(); }
         world guest { import wasi:clocks/monotonic-clock@0.2.12; import wasi:io/poll@0.2.12; export api; }",
        r#"(import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $wait (param i64) (result i32)))
           (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
           (;end of imports;)
           (func (export "test:guest/api#run") (call $block (call $wait (i64.const 3600000000000))))"#,
    );
    let (kind, message) = fails(&guest, json!({"time": "50ms"})).await;
    assert_eq!(kind, FailureKind::Timeout);
    assert!(
        message.contains("did not end within its limit of 50 ms"),
        "{message}"
    );
}

#[tokio::test]
async fn allocating_without_end_meets_the_memory_limit() {
    let guest = function(
        "func()",
        r#"
        (func $RUN (loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable)"#,
    );
    let (kind, message) = fails(&guest, json!({"memory": "8MiB"})).await;
    assert_eq!(kind, FailureKind::Runtime);
    assert!(
        message.contains("asked for more memory than its limit of 8 MiB"),
        "{message}"
    );
}

#[tokio::test]
async fn all_memories_count_together() {
    let guest = wat::parse_str(
        r#"(component
             (core module $m (memory 128) (func (export "f")))
             (core instance $a (instantiate $m)) (core instance $b (instantiate $m))
             (core instance $c (instantiate $m))
             (func (export "run") (canon lift (core func $c "f"))))"#,
    );
    let (_, message) = fails(&guest.unwrap(), json!({"memory": "16MiB"})).await;
    assert!(
        message.contains("asked for more memory than its limit of 16 MiB"),
        "{message}"
    );
}

#[tokio::test]
async fn who_has_all_that_a_component_may_have_leaves_as_much_for_others() {
    // As many calls as there may be at once, each with all memories, tables and core instances, while the others go on.
    let sandbox = Sandbox::new(Settings {
        calls: Some(3),
        subscriptions: Some(1),
        ..Settings::default()
    });
    let instances = "(core instance (instantiate $m))".repeat(MEMORIES_MAX - 1);
    let further = "(core instance (instantiate $none))".repeat(CORE_INSTANCES_MAX - MEMORIES_MAX);
    let guest = wat::parse_str(format!(
        r#"(component
             (core module $none)
             (core module $m (memory 1) (table 1 funcref) (func (export "f") (loop $again (br $again))))
             (core instance $i (instantiate $m)) {instances} {further}
             (func (export "run") (canon lift (core func $i "f"))))"#
    ));
    let guest = sandbox.unwrap().load(&guest.unwrap()).unwrap();
    let grant = grant(&json!({"limits": {"cpu": "200ms"}}));
    let function = guest.function(None, "run").unwrap();
    let nothing = json!({});
    let call = || guest.call(function, &nothing, &grant, context());
    let (first, second, third) = tokio::join!(call(), call(), call());
    for outcome in [first, second, third] {
        let failure = outcome.result.unwrap_err().to_string();
        assert!(failure.contains("cpu limit exceeded"), "{failure}");
    }
}

#[tokio::test]
async fn a_string_of_a_gigabyte_meets_the_response_limit() {
    let guest = function(
        "func() -> string",
        r#"
        (data (i32.const 16) "\00\00\00\00\00\00\00\40")
        (func $RUN (result i32) (drop (memory.grow (i32.const 16384))) (i32.const 16))"#,
    );
    let (kind, message) = fails(&guest, json!({"memory": "2GiB"})).await;
    assert_eq!(kind, FailureKind::Runtime);
    assert!(message.contains("response limit exceeded"), "{message}");
    assert!(message.contains("its limit of 4 MiB"), "{message}");
    // Within the default memory it does not even exist.
    let (_, message) = fails(&guest, json!({})).await;
    assert!(message.contains("memory limit exceeded"), "{message}");
}

#[tokio::test]
async fn many_views_of_one_buffer_meet_the_response_limit() {
    // A list of 65,536 strings, each of the same 64 KiB: 4 GiB for the host, 1 MiB for the guest.
    let guest = function(
        "func() -> list<string>",
        r#"
        (func $RUN (result i32)
          (local $i i32)
          (drop (memory.grow (i32.const 32)))
          (loop $again
            (i32.store (i32.add (i32.const 131072) (i32.shl (local.get $i) (i32.const 3))) (i32.const 4096))
            (i32.store (i32.add (i32.const 131076) (i32.shl (local.get $i) (i32.const 3))) (i32.const 65536))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 65536))))
          (i32.store (i32.const 16) (i32.const 131072))
          (i32.store (i32.const 20) (i32.const 65536))
          (i32.const 16))"#,
    );
    let (_, message) = fails(&guest, json!({})).await;
    assert!(message.contains("response limit exceeded"), "{message}");
}

#[tokio::test]
async fn json_that_is_none_is_a_failure() {
    let guest = function(
        "func() -> json",
        r#"
        (data (i32.const 16) "\00\04\00\00\05\00\00\00") (data (i32.const 1024) "{oops")
        (func $RUN (result i32) (i32.const 16))"#,
    );
    let (kind, message) = fails(&guest, json!({})).await;
    assert_eq!(kind, FailureKind::Runtime);
    assert!(
        message.contains("where the signature says `json`, the text is not JSON"),
        "{message}"
    );
}

#[tokio::test]
async fn a_recursion_without_end_is_a_trap() {
    let guest = function(
        "func()",
        "(func $RUN (call $deep)) (func $deep (call $deep) (call $deep))",
    );
    let (_, message) = fails(&guest, json!({})).await;
    assert!(message.contains("its call stack overflowed"), "{message}");
}

#[tokio::test]
async fn pointers_out_of_bounds_and_broken_text_are_traps() {
    for data in [r"\00\00\00\f0\ff\00\00\00", r"\00\04\00\00\02\00\00\00"] {
        let guest = function(
            "func() -> string",
            &format!(
                r#"(data (i32.const 16) "{data}") (data (i32.const 1024) "\ff\fe")
               (func $RUN (result i32) (i32.const 16))"#
            ),
        );
        let (kind, message) = fails(&guest, json!({})).await;
        assert_eq!(kind, FailureKind::Runtime, "{message}");
        assert!(message.starts_with("the connector trapped: "), "{message}");
    }
}

#[tokio::test]
async fn a_table_without_end_is_refused() {
    let guest = function(
        "func()",
        r#"
        (table $t 1 funcref)
        (func $RUN (loop $again
          (br_if $again (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable)"#,
    );
    let (_, message) = fails(&guest, json!({})).await;
    assert!(
        message.contains("a table of more than 20000 elements"),
        "{message}"
    );
}

#[tokio::test]
async fn the_host_goes_on() {
    let boom = function("func()", "(func $RUN unreachable)");
    let fine = function("func() -> u8", "(func $RUN (result i32) (i32.const 9))");
    let grant = Grant::nothing();
    let calls = (0..64).map(|_| async {
        let (boom, fine) =
            tokio::join!(run(&boom, json!({}), &grant), run(&fine, json!({}), &grant));
        assert!(boom.result.is_err());
        assert_eq!(fine.result.unwrap(), 9);
    });
    futures_util::future::join_all(calls).await;
}

#[tokio::test]
async fn a_call_waits_for_its_turn_and_no_longer_than_it_may() {
    let connector = load(&function("func()", "(func $RUN (loop $again (br $again)))"));
    let function = connector.function(None, "run").unwrap();
    let grant = grant(&json!({"limits": {"concurrency": 1, "time": "400ms"}}));
    let arguments = json!({});
    let spinning = connector.call(function, &arguments, &grant, context());
    let patience = std::time::Duration::from_millis(50);
    let impatient = CallContext {
        deadline: patience,
        ..context()
    };
    let waiting = connector.call(function, &arguments, &grant, impatient);
    let (spinning, waiting) = tokio::join!(spinning, waiting);
    assert!(
        spinning
            .result
            .unwrap_err()
            .to_string()
            .contains("time limit exceeded")
    );
    let failure = waiting.result.unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("waited for 50 ms without a free instance"),
        "{failure}"
    );
}

#[tokio::test]
async fn the_tasks_own_timeout_ends_a_call_too() {
    let connector = load(&function("func()", "(func $RUN (loop $again (br $again)))"));
    let function = connector.function(None, "run").unwrap();
    let patience = std::time::Duration::from_millis(50);
    let context = CallContext {
        deadline: patience,
        ..context()
    };
    let outcome = connector
        .call(function, &json!({}), &Grant::nothing(), context)
        .await;
    assert_eq!(
        outcome.result.unwrap_err().to_string(),
        "task timeout: the call did not end within the 50 ms that the task may take"
    );
}

//! Each scenario, in seconds and with the host of the development build: that it comes to its figures, and that what it
//! was told by the host was right, which it looks at itself. Of speed this says nothing.

use std::process::Command;

use serde_json::Value;

/// Runs a scenario with these further arguments, and gives the object that it prints.
fn quick(scenario: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton-bench"));
    command
        .arg(scenario)
        .arg("--quick")
        .args(arguments)
        .env("BATON_BIN", baton_tests::paths::baton());
    let output = command.output().expect("the load generator starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let figures: Value = serde_json::from_slice(&output.stdout).expect("one object of JSON");
    assert_eq!(figures["scenario"], scenario, "{figures:#}");
    assert_eq!(figures["settings"]["quick"], true, "{figures:#}");
    for member in ["peak_memory_bytes", "cpu_seconds", "disk_bytes_per_run"] {
        assert!(figures[member].is_number(), "{member}: {figures:#}");
    }
    assert!(figures["machine"]["processors"].is_number(), "{figures:#}");
    figures
}

/// Expects numbers above zero under these names.
fn expect(figures: &Value, members: &[&str]) {
    for member in members {
        let number = figures[member].as_f64();
        assert!(number.is_some_and(|it| it > 0.0), "{member}: {figures:#}");
    }
}

#[test]
fn throughput() {
    let figures = quick("throughput", &[]);
    expect(&figures, &["steps_per_second"]);
    let in_flight: Vec<_> = figures["loads"]
        .as_array()
        .expect("a list of loads")
        .iter()
        .map(|load| load["in_flight"].clone())
        .collect();
    assert_eq!(in_flight, [64, 256]);
}

#[test]
fn latency() {
    expect(&quick("latency", &[]), &["step_p50_us", "step_p99_us"]);
}

#[test]
fn fanout() {
    expect(&quick("fanout", &[]), &["steps_per_second"]);
}

#[test]
fn pure() {
    expect(&quick("pure", &[]), &["steps_per_second"]);
}

#[test]
fn http() {
    let figures = quick("http", &[]);
    expect(&figures, &["steps_per_second", "connections"]);
    for load in figures["loads"].as_array().expect("a list of loads") {
        // Of each run in flight at most one request is under way.
        let connections = load["connections"].as_u64().expect("a number");
        assert!(
            connections <= load["requests"].as_u64().expect("a number") / 2,
            "connections are kept: {load:#}"
        );
    }
}

#[test]
fn call() {
    let members = ["call_p50_us", "call_p99_us", "empty_request_p50_us"];
    expect(&quick("call", &[]), &members);
}

#[test]
fn startup() {
    let members = ["ready_ms", "first_run_ms", "idle_memory_bytes"];
    expect(&quick("startup", &[]), &members);
}

#[test]
fn size() {
    expect(&quick("size", &[]), &["disk_bytes_stopped"]);
}

#[test]
fn history() {
    let figures = quick("history", &["--runs", "500"]);
    expect(&figures, &["ratio", "steps_per_second", "first_run_ms"]);
    assert_eq!(figures["fill"]["runs"], 500);
}

#[test]
fn waiting() {
    let figures = quick("waiting", &["--runs", "300"]);
    let members = [
        "memory_bytes",
        "timers_woken_per_second",
        "events_woken_per_second",
        "approvals_woken_per_second",
    ];
    expect(&figures, &members);
}

#[test]
fn recovery() {
    let figures = quick("recovery", &["--runs", "300"]);
    expect(&figures, &["ready_ms", "first_run_ms", "calls_again_ms"]);
    assert_eq!(figures["lost"], 0);
    expect(&figures["at_64_in_flight"], &["first_run_ms"]);
}

#[test]
fn neighbour() {
    let figures = quick("neighbour", &["--runs", "100"]);
    let members = [
        "flood_p99_ratio",
        "spinning_p99_ratio",
        "expressions_p99_ratio",
        "flood_runs",
    ];
    expect(&figures, &members);
}

#[test]
fn overload() {
    let figures = quick("overload", &["--seconds", "2"]);
    let members = [
        "offered",
        "accepted",
        "memory_growth",
        "neighbour_run_p99_us",
    ];
    expect(&figures, &members);
    assert_eq!(figures["failed"], 0);
}

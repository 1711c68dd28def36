//! The crash harness in its short form. The long one is a command: `cargo run --release -p baton-crash`.

use baton_crash::{Plan, Report, Trouble, run};

/// Carries out a plan with another seed each time, which is printed, and expects that no law is broken.
async fn check(trouble: Trouble, times: usize, ballast: usize) -> Report {
    let plan = Plan {
        seed: rand::random(),
        trouble,
        times,
        customers: 12,
        ballast,
    };
    println!("seed {}", plan.seed);
    let report = run(&plan).await;
    assert!(
        report.violations.is_empty(),
        "seed {}:\n{}",
        plan.seed,
        report.violations.join("\n")
    );
    report
}

#[tokio::test]
async fn a_host_that_is_killed_loses_nothing_and_does_nothing_twice() {
    let report = check(Trouble::Kill, 10, 0).await;
    assert_eq!(report.kills, 10);
    assert!(report.runs >= 12, "{report:?}");
    assert!(
        report.repeated > 0,
        "a crash comes upon some call: {report:?}"
    );
}

#[tokio::test]
async fn a_host_whose_disk_fills_up_goes_on_when_there_is_room() {
    let report = check(Trouble::Full, 6, 256 << 10).await;
    expect_clear(&report);
}

#[tokio::test]
async fn a_host_whose_writes_fail_goes_on_when_they_do() {
    let report = check(Trouble::Failing, 6, 0).await;
    expect_clear(&report);
}

/// What could not be done was refused, and said so: the store is at fault, not the client.
fn expect_clear(report: &Report) {
    assert!(
        !report.refusals.is_empty(),
        "the trouble is noticed: {report:?}"
    );
    for refusal in &report.refusals {
        assert_eq!(
            refusal["type"], "urn:baton:problem:store-failed",
            "{refusal:#}"
        );
    }
}

//! The scenarios of the specification's conformance kit and our own, run against a running host.
//!
//! Those of the kit are read from the specification's folder (see [`paths::specification`]) when it is there;
//! the project commits none of it. Ours are in `tests/features`: in the kit's form for what the kit leaves
//! out, so that they can go there, and in `additions` for what is ours alone.

use std::panic::AssertUnwindSafe;

use baton_tests::paths;
use futures_util::FutureExt as _;
use gherkin::Scenario;

use crate::scenario::{Stage, features, text_of};

/// Kinds of call that the host does not know yet. A scenario that uses one is skipped, by name and aloud.
const NOT_YET: [&str; 4] = ["grpc", "asyncapi", "mcp", "a2a"];

#[tokio::test]
async fn every_scenario_of_the_kit_that_is_supported_passes() {
    let Some(folder) = paths::specification()
        .map(|spec| spec.join("conformance"))
        .filter(|folder| folder.is_dir())
    else {
        println!(
            "the conformance scenarios did not run: there is no folder of the specification (BATON_SPEC)"
        );
        return;
    };
    let stage = Stage::set().await;
    let (mut passed, mut skipped) = (Vec::new(), Vec::new());
    for feature in features(&folder) {
        for scenario in &feature.scenarios {
            let name = format!("{}: {}", feature.name, scenario.name);
            if let Some(kind) = not_yet(scenario) {
                skipped.push(format!("{name} (call: {kind})"));
                continue;
            }
            println!("scenario {name}");
            stage.play(scenario).await;
            passed.push(name);
        }
    }
    println!("{} scenarios passed; skipped: {skipped:#?}", passed.len());
    assert!(
        passed.len() >= 8,
        "the kit has more scenarios than these: {passed:#?}"
    );
}

#[tokio::test]
async fn every_scenario_of_ours_passes() {
    play("tests/features").await;
}

#[tokio::test]
async fn every_scenario_of_our_additions_passes() {
    play("tests/features/additions").await;
}

/// Plays all scenarios of a folder, and says at the end which have failed.
async fn play(folder: &str) {
    let stage = Stage::set().await;
    let mut failed = Vec::new();
    for feature in features(&paths::file(folder)) {
        assert!(!feature.scenarios.is_empty(), "{} has none", feature.name);
        for scenario in &feature.scenarios {
            let name = format!("{}: {}", feature.name, scenario.name);
            println!("scenario {name}");
            let played = AssertUnwindSafe(stage.play(scenario)).catch_unwind().await;
            if played.is_err() {
                failed.push(name);
            }
        }
    }
    assert!(failed.is_empty(), "these scenarios failed: {failed:#?}");
}

/// The kind of call that keeps a scenario from running, if there is one.
fn not_yet(scenario: &Scenario) -> Option<&'static str> {
    let texts: Vec<String> = scenario.steps.iter().filter_map(text_of).collect();
    NOT_YET.into_iter().find(|kind| {
        texts.iter().any(|text| {
            text.lines()
                .any(|line| line.trim() == format!("call: {kind}"))
        })
    })
}

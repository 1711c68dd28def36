//! The scenarios of the specification's conformance kit and our own, run against a running host.
//!
//! Those of the kit are read from the specification's folder (see [`paths::specification`]) when it is there;
//! the project commits none of it. Ours are in `tests/features`: in the kit's form for what the kit leaves
//! out, so that they can go there, and in `additions` for what is ours alone.

use std::panic::AssertUnwindSafe;

use baton_tests::paths;
use futures_util::FutureExt as _;

use crate::scenario::{Stage, features};

#[tokio::test]
async fn every_scenario_of_the_kit_passes() {
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
    let mut passed = 0;
    for feature in features(&folder) {
        for scenario in &feature.scenarios {
            println!("scenario {}: {}", feature.name, scenario.name);
            stage.play(scenario).await;
            passed += 1;
        }
    }
    println!("{passed} scenarios passed");
    assert!(passed >= 13, "the kit has more than {passed} scenarios");
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

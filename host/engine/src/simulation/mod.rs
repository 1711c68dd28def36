//! The engine in simulated worlds.
//!
//! A world has hosts, one after the other, on one store, with a clock, connectors and clients around them, in one thread:
//! partitions, journal and tasks are the engine's own, and a seed says whose turn it is, what becomes of a commit, when a
//! call is answered, where the clock jumps to, what somebody wants and when the host dies. Then there is peace, until all
//! runs have ended, and the [laws] must hold.
//!
//! A seed in whose world a law is broken is printed; `BATON_SEED=number` plays that one alone and prints all that happens,
//! `BATON_SEED=first..end` plays others than the tests do.

mod base;
mod chance;
mod client;
mod clock;
mod connectors;
mod documents;
mod host;
mod language;
mod laws;
pub(crate) mod store;
mod trace;
mod world;

use std::any::Any;
use std::num::NonZero;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

use baton_store::TenantId;

pub(crate) use chance::Chance;

use base::base;
use client::Order;
use trace::Trace;
use world::World;

/// How many worlds are played: as many as take one or two minutes of two processors.
const SEEDS: u64 = 20_000;

/// A tenant that is there beside the one that clients are of. Nobody looks at its runs before the end.
fn neighbour() -> TenantId {
    TenantId::new("neighbour").expect("a tenant")
}

/// A world in which nothing happens by itself.
pub(crate) fn peace() -> World {
    World::peaceful(base())
}

/// How many of the last steps are shown of a world that breaks a law.
const SHOWN: usize = 60;

/// Plays a world to its end. Gives what happened, and which law was broken.
fn play(seed: u64, trace: Trace) -> (Trace, Result<(), String>) {
    let mut world = World::new(base(), seed, trace);
    let played = catch_unwind(AssertUnwindSafe(|| {
        world.play();
        laws::check(&world, base());
    }));
    let trace = std::mem::take(&mut world.trace);
    (trace, played.map_err(|panic| said(&*panic)))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("something that is no text").to_owned()
}

/// Which worlds somebody wants to see: `BATON_SEED=42`, or `BATON_SEED=1000..2000`.
fn wanted() -> Option<Range<u64>> {
    let wanted = std::env::var("BATON_SEED").ok()?;
    let number = |text: &str| text.parse::<u64>().expect("BATON_SEED is 42 or 1000..2000");
    Some(match wanted.split_once("..") {
        Some((first, end)) => number(first)..number(end),
        None => number(&wanted)..number(&wanted) + 1,
    })
}

/// Plays the worlds of some seeds, each in one thread, as many at a time as there are processors.
///
/// # Panics
///
/// Where a law is broken, with the number of the world and its last steps.
fn hold(seeds: Range<u64>) {
    let next = AtomicU64::new(seeds.start);
    let broken = Mutex::new(None);
    let play_some = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if !seeds.contains(&seed) {
                return;
            }
            if let (_, Err(law)) = play(seed, Trace::default()) {
                *broken.lock().expect("not poisoned") = Some((seed, law));
                next.store(seeds.end, Ordering::SeqCst);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(play_some);
        }
    });
    if let Some((seed, law)) = broken.into_inner().expect("not poisoned") {
        let (trace, _) = play(seed, Trace::kept());
        let lines = trace.lines();
        let last = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        panic!("seed {seed}: {law}\n\nits last steps (BATON_SEED={seed} shows all):\n{last}");
    }
}

#[test]
fn laws_hold_in_every_world() {
    match wanted() {
        None => hold(0..SEEDS),
        Some(seeds) if seeds.end - seeds.start > 1 => hold(seeds),
        Some(seeds) => {
            let (trace, held) = play(seeds.start, Trace::kept());
            trace.lines().iter().for_each(|line| println!("{line}"));
            held.expect("the laws hold");
        }
    }
}

#[test]
fn who_has_little_to_do_does_not_wait_for_who_has_much() {
    let mut world = peace();
    let order = || Order {
        workflow: "chain",
        input: serde_json::json!({ "n": 1 }),
    };
    world.crowd(400, &order());
    let run = world.start(order());
    let before = world.open().len();
    assert!(before > 200, "{before} runs are open");
    while world.open().contains(&run) {
        world.go_on();
    }
    let left = world.open().len();
    assert!(left > before / 2, "of {before} runs {left} were open still");
}

#[test]
fn a_turn_that_somebody_waits_for_ends_early() {
    let mut world = peace();
    let input = serde_json::json!({ "n": 1 });
    let workflow = "chain";
    world.go_on();
    world.crowd(20, &Order { workflow, input });
    world.host.turn(0, 2);
    assert!(!world.host.has_taken_in_all(0), "there is more behind it");
    world.host.turn(0, usize::MAX);
    assert!(world.host.has_taken_in_all(0), "it has room for all");
}

#[test]
fn a_log_that_could_not_be_read_for_who_slept_is_looked_at_again() {
    let order = |workflow| Order {
        workflow,
        input: serde_json::json!({ "n": 1 }),
    };
    let events = &["org.example.told", "org.example.told", "org.example.heard"][..];
    let hears = |events, another| peace().hears(order("listens"), events, another);
    assert!(hears([events, &[]], Some(order("chain"))));
    assert!(hears([&[], events], None));
}

#[test]
fn what_goes_on_at_hand_wakes_a_partition_for_what_comes_due_sooner_than_it_knew() {
    let woken_by = |workflow| {
        let input = serde_json::json!({ "n": 1 });
        peace().woken_by(Order { workflow, input })
    };
    assert_eq!(woken_by("waits"), 1);
    assert_eq!(woken_by("chain"), 0);
}

#[test]
fn who_goes_behind_the_bulkhead_takes_all_along() {
    let moves = |workflow| {
        let input = serde_json::json!({ "n": 1 });
        peace().moves(Order { workflow, input })
    };
    let nothing = [0; 4];
    for (workflow, extent) in [("waits", [1, 1, 1, 0]), ("listens", [1, 1, 0, 1])] {
        let expected = [[extent, nothing], [nothing, extent]];
        assert_eq!(moves(workflow), expected, "{workflow}");
    }
}

#[test]
fn a_world_is_the_same_whenever_it_is_played() {
    for seed in 0..20 {
        let played = || play(seed, Trace::kept()).0.lines().to_vec();
        assert_eq!(played(), played(), "seed {seed}");
    }
}

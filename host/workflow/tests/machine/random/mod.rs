//! Random documents, run on the machine with random interleavings of what happens and with crashes and snapshots
//! in between: what must hold for every run.
//!
//! `document` makes documents, `text` writes them down, `world` drives a run, `books` keep account of what is under way, `laws` say what must
//! hold of what happened. A failure prints the document and the seed of its world; put both
//! into a test of the task's kind, beside this folder.

mod books;
mod document;
mod laws;
mod text;
mod world;

use proptest::prelude::*;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use baton_workflow::machine::{FORM, NoteKind};
use baton_workflow::{Command, Event, Machine};
use document::Document;
use world::{Interruption, Mood, World};

use crate::support::{Run, facts};

/// So many cases, unless the environment says otherwise: `PROPTEST_CASES=200000` looks for what is rare.
fn config(cases: u32) -> ProptestConfig {
    let said = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig {
        cases: said.and_then(|text| text.parse().ok()).unwrap_or(cases),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn every_run_ends_and_keeps_the_laws(document in document::any_document(), seed in any::<u64>()) {
        let text = text::text(&document);
        let mut world = World::new(&text, json!({ "n": 1 }), seed);
        world.play(Mood::Any);
        laws::check(&document, &world);
    }

    #[test]
    fn a_crash_at_any_time_changes_nothing(document in document::any_document(), seed in any::<u64>(), crashes in prop::collection::vec(any::<prop::sample::Index>(), 1..5)) {
        let text = text::text(&document);
        let mut world = World::new(&text, json!({ "n": 1 }), seed);
        world.play(Mood::Any);
        let mut again = World::new(&text, json!({ "n": 1 }), seed);
        let crashes: Vec<usize> = crashes.iter().map(|at| at.index(world.run.journal.len())).collect();
        again.play_interrupted(Mood::Any, Interruption::Crash, &crashes);
        prop_assert_eq!(&again.run.journal, &world.run.journal);
        prop_assert_eq!(&again.run.commands, &world.run.commands);
    }

    #[test]
    fn a_snapshot_at_any_time_changes_nothing(document in document::any_document(), seed in any::<u64>(), snapshots in prop::collection::vec(any::<prop::sample::Index>(), 1..9)) {
        let text = text::text(&document);
        let mut world = World::new(&text, json!({ "n": 1 }), seed);
        world.play(Mood::Any);
        let mut again = World::new(&text, json!({ "n": 1 }), seed);
        let snapshots: Vec<usize> = snapshots.iter().map(|at| at.index(world.run.journal.len())).collect();
        again.play_interrupted(Mood::Any, Interruption::Snapshot, &snapshots);
        prop_assert_eq!(&again.run.journal, &world.run.journal);
        prop_assert_eq!(&again.run.commands, &world.run.commands);
        again.run.restore();
        for run in [&mut world.run, &mut again.run] {
            run.apply(Event::RetryRequested { by: "ada".to_owned(), reason: None, correction: None });
        }
        prop_assert_eq!(&again.run.commands, &world.run.commands);
        prop_assert_eq!(again.run.machine.outstanding(), world.run.machine.outstanding());
    }

    #[test]
    fn what_comes_first_changes_nothing_where_nothing_depends_on_it(document in document::calm_document(), one in any::<u64>(), other in any::<u64>()) {
        let text = text::text(&document);
        let mut first = World::new(&text, json!({ "n": 1 }), one);
        first.play(Mood::Calm);
        let mut second = World::new(&text, json!({ "n": 1 }), other);
        second.play(Mood::Calm);
        prop_assert_eq!(first.run.output(), second.run.output());
        laws::check(&document, &first);
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn a_run_that_is_suspended_and_resumed_comes_to_the_same(document in document::calm_document(), one in any::<u64>(), other in any::<u64>()) {
        let text = text::text(&document);
        let mut first = World::new(&text, json!({ "n": 1 }), one);
        first.play(Mood::Calm);
        let mut second = World::new(&text, json!({ "n": 1 }), other);
        second.play(Mood::Suspending);
        prop_assert_eq!(first.run.output(), second.run.output());
        laws::check(&document, &second);
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn damaged_snapshots_are_refused(document in document::any_document(), seed in any::<u64>(), at in any::<prop::sample::Index>(), damage in prop::collection::vec(any_damage(), 1..4)) {
        let text = text::text(&document);
        let mut world = World::new(&text, json!({ "n": 1 }), seed);
        world.play(Mood::Any);
        let mut run = Run::start(&text, json!({ "n": 1 }));
        run.is_restored = false;
        let events = 1 + at.index(world.run.journal.len());
        for occurrence in &world.run.journal[1..events] {
            run.now = occurrence.at;
            run.apply(occurrence.event.clone());
        }
        let snapshot = run.machine.snapshot();
        let mut damaged = snapshot.clone();
        damage.iter().for_each(|it| it.inflict(&mut damaged));
        prop_assume!(damaged != snapshot);
        let plan = run.machine.plan();
        prop_assert!(Machine::restore(plan.clone(), facts(), &damaged).is_err());
        // Nor does what is sealed again do any harm, whatever it says.
        let state = damaged.len().saturating_sub(SEAL);
        let sealed = seal(&damaged[..state]);
        drop(Machine::restore(plan.clone(), facts(), &sealed));
    }
}

/// How long a snapshot's seal is, in bytes.
const SEAL: usize = 32;

/// A snapshot of that state.
fn seal(state: &[u8]) -> Vec<u8> {
    let seal = Sha256::new_with_prefix(FORM)
        .chain_update(facts().id)
        .chain_update(state);
    [state, &seal.finalize()].concat()
}

/// What happens to bytes.
#[derive(Clone, Debug)]
enum Damage {
    /// A byte is another.
    Byte(prop::sample::Index, u8),
    /// Some are there twice.
    Twice(prop::sample::Index, usize),
    /// Some are gone.
    Gone(prop::sample::Index, usize),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let at = || any::<prop::sample::Index>();
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        1 => (at(), 1..40_usize).prop_map(|(at, count)| Damage::Twice(at, count)),
        1 => (at(), 1..40_usize).prop_map(|(at, count)| Damage::Gone(at, count)),
    ]
}

impl Damage {
    fn inflict(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Byte(at, byte) => *at.get_mut(bytes) = *byte,
            Self::Twice(at, count) => {
                let from = at.index(bytes.len());
                let some = bytes[from..bytes.len().min(from + count)].to_vec();
                bytes.splice(from..from, some);
            }
            Self::Gone(at, count) => {
                let from = at.index(bytes.len());
                bytes.drain(from..bytes.len().min(from + count));
            }
        }
    }
}

/// That the documents are worth the trouble: all kinds of task occur, and most runs come some way.
#[test]
fn the_documents_are_of_all_kinds() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut kinds = std::collections::BTreeMap::<&str, usize>::new();
    let mut endings = std::collections::BTreeMap::<String, usize>::new();
    let mut places = ["/call", "/before/", "/after/"].map(|place| (place, 0));
    for seed in 0..400 {
        let tree = document::any_document().new_tree(&mut runner);
        let document: Document = tree.expect("a document").current();
        document.count(&mut kinds);
        let mut world = World::new(&text::text(&document), json!({ "n": 1 }), seed);
        world.play(Mood::Any);
        for pointer in completed(&world) {
            for (place, count) in &mut places {
                *count += usize::from(pointer.contains(*place));
            }
        }
        *endings
            .entry(format!("{:?}", world.run.status()))
            .or_default() += 1;
    }
    for kind in document::KINDS {
        assert!(
            kinds.get(kind).is_some_and(|count| *count > 20),
            "{kind}: {kinds:?}"
        );
    }
    assert!(places.iter().all(|(_, count)| *count > 100), "{places:?}");
    for ending in ["Completed", "Faulted", "Cancelled"] {
        assert!(
            endings.get(ending).is_some_and(|count| *count > 3),
            "{ending}: {endings:?}"
        );
    }
}

/// The pointers of the tasks that a run has completed.
fn completed(world: &World) -> impl Iterator<Item = &str> {
    world
        .run
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Note(note) if note.kind == NoteKind::TaskCompleted => {
                note.task.as_ref().map(|task| &*task.pointer)
            }
            _ => None,
        })
}

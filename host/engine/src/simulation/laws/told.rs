//! What a client was told.

use std::collections::{BTreeMap, BTreeSet};

use baton_store::{RunId, TenantId};
use baton_workflow::machine::{Ending, Event, Note};

use super::Stored;
use crate::codec;
use crate::history::History;
use crate::origin::Origin;
use crate::simulation::client::ShownEnd;
use crate::simulation::world::World;

/// What a client was told is not taken back.
pub(super) fn check(world: &World, runs: &[Stored]) {
    let client = &world.client;
    let by_id: BTreeMap<_, _> = runs.iter().map(|run| (run.id, run)).collect();
    for run in &client.runs {
        assert!(by_id.contains_key(run), "{run} is gone");
    }
    for (run, by) in &client.promised {
        let mut journal = by_id[run].journal.iter();
        let is_there = journal.any(|it| asked_by(&it.event) == Some(by));
        assert!(is_there, "what {by} asked of {run} is gone");
    }
    for (run, shown) in &client.ends {
        if !client.retried.contains(run) {
            assert_eq!(*shown, as_shown(&by_id[run].ending), "{run}");
        }
    }
    for (run, told) in &client.lines {
        let lines = lines(world, run);
        let told: &[Note] = told;
        assert!(
            lines.starts_with(told),
            "the history of {run} was {told:?} and is {lines:?}"
        );
    }
    let mut keys = BTreeSet::new();
    for run in runs.iter().filter(|run| run.origin == Origin::Request) {
        let key = run.record.tags.iter().find(|(name, _)| name == "key");
        let (_, key) = key.expect("each is started under a key");
        assert!(keys.insert(key), "{key} has started two runs");
    }
}

fn asked_by(event: &Event) -> Option<&String> {
    match event {
        Event::CancelRequested { by, .. }
        | Event::StopRequested { by, .. }
        | Event::SuspendRequested { by, .. }
        | Event::ResumeRequested { by, .. }
        | Event::RetryRequested { by, .. } => Some(by),
        Event::Decided { answer, .. } => Some(&answer.by),
        _ => None,
    }
}

fn as_shown(ending: &Ending) -> ShownEnd {
    let (status, _) = codec::ended_status(ending);
    let (output, error) = match ending.clone() {
        Ending::Completed(output) => (Some(output), None),
        Ending::Faulted(error) => (None, Some(error)),
        Ending::Cancelled => (None, None),
    };
    ShownEnd {
        status,
        output,
        error,
    }
}

fn lines(world: &World, run: &RunId) -> Vec<Note> {
    let host = &world.host.shared;
    let history = History::open(host, &TenantId::default(), run, 0);
    let mut history = history.expect("read").expect("it is there");
    history.read(usize::MAX).expect("read").notes
}

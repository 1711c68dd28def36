//! The log of events.

use std::collections::BTreeSet;

use baton_store::TenantId;
use baton_store::record::{LoggedEventRecord, Record};
use baton_workflow::CloudEvent;
use baton_workflow::machine::Ending;

use super::Stored;
use crate::codec;
use crate::simulation::world::World;

/// A log of fewer events drops some before all have looked at them.
pub(super) const NARROW: u64 = 100;

/// The log has no gaps, and begins somewhere; what was sent is where it was said to be, and what runs have told is there
/// once.
pub(super) fn check(world: &World, runs: &[Stored]) {
    let all = all(world);
    let mut ids = BTreeSet::new();
    let mut emitted = 0;
    for (expected, (position, event)) in (1..).zip(&all) {
        assert_eq!(*position, expected, "the log has a gap");
        let is_new = ids.insert((event.source(), event.id()));
        assert!(is_new, "{} comes at {position} again", event.id());
        emitted += usize::from(event.source() == "https://example.org");
    }
    for (position, id) in &world.client.sent {
        let found = all.iter().find(|(at, _)| at == position);
        let found = found.map(|(_, event)| event.id());
        assert_eq!(found, Some(id.as_str()), "at {position}");
    }
    let tellers = runs.iter().filter(|run| run.order.0 == "tells");
    let (whole, begun) = tellers.fold((0, 0), |(whole, begun), run| {
        let is_whole = matches!(run.ending, Ending::Completed(_));
        (whole + usize::from(is_whole), begun + 1)
    });
    // What a run tells in its first turn is told again where a host dies over it, unless so much has come meanwhile that
    // the log may have had it and dropped it: a log of a few events takes that to be so too soon.
    let least = match world.around.limits.event_log_events {
        0..NARROW => 0,
        _ => 2 * whole,
    };
    assert!(
        (least..=2 * begun).contains(&emitted),
        "{emitted} events of {begun} runs of which {whole} have told both"
    );
    kept(world, &all);
}

/// What the log keeps is the end of all that was ever in it.
fn kept(world: &World, all: &[(u64, CloudEvent)]) {
    let host = &world.host.shared;
    let log = host
        .events
        .read(&*host.store, &TenantId::default(), 1, usize::MAX);
    let log = log.expect("read");
    let kept = log.events.iter().map(|it| (it.position, it.event.id()));
    let expected = all.iter().filter(|(at, _)| *at >= log.first);
    let expected = expected.map(|(at, event)| (*at, event.id()));
    assert!(kept.eq(expected), "the log has lost something");
}

/// All events that have ever been in the log, with their positions.
pub(super) fn all(world: &World) -> Vec<(u64, CloudEvent)> {
    let event = |(position, records): (u64, Vec<Vec<u8>>)| {
        let (first, others) = records.split_first().expect("one at least");
        let is_same = others.iter().all(|other| other == first);
        assert!(is_same, "{position} was given to two events");
        let record = LoggedEventRecord::decode(first).expect("an event");
        let event = codec::cloud_event(&record.event).expect("an event");
        (position, event)
    };
    world.around.store.logged().into_iter().map(event).collect()
}

//! When a run's state is kept beside its journal, so that a long journal need not be read from its start.
//!
//! A snapshot is written with the event that it is taken behind, in one transaction, and in place of the one before. It
//! is a cache: a host that was built of other sources, or that finds it damaged, reads the journal instead.

use baton_store::record::{Record, SnapshotRecord};
use baton_store::{Partition, ReadError, RunId, TenantId, key};
use baton_workflow::Timestamp;
use baton_workflow::machine::FORM;

use crate::shared::Shared;

/// How much of a run's journal no snapshot has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Uncovered {
    /// How many events.
    events: u32,
    /// How many bytes they take.
    bytes: usize,
    /// How many bytes the last snapshot takes that could be used.
    last: usize,
    /// Whether there is one, of use or not.
    pub(crate) is_kept: bool,
}

impl Uncovered {
    /// An event is recorded, in that many bytes.
    pub(crate) fn add(&mut self, bytes: usize) {
        self.events += 1;
        self.bytes += bytes;
    }

    /// Whether a snapshot is to be taken now, of which there is one at most in so many events. A run with a large state
    /// has fewer: what its snapshots take to write stays below what its events do.
    pub(crate) fn is_enough(&self, every: u32) -> bool {
        self.events >= every && self.bytes > self.last
    }

    /// Behind a snapshot that takes so many bytes.
    pub(crate) fn behind(last: usize) -> Self {
        Self {
            last,
            is_kept: true,
            ..Self::default()
        }
    }
}

/// The record of a state after so many events.
pub(crate) fn record(
    state: Vec<u8>,
    events: u32,
    last_at: Timestamp,
    corrections: u32,
) -> SnapshotRecord {
    SnapshotRecord {
        form: FORM,
        events,
        last_at_ms: last_at.as_millis(),
        corrections,
        state,
    }
}

/// What there is of a run's snapshot.
pub(crate) enum Found {
    /// None.
    Nothing,
    /// One that is of no use to this host.
    Useless,
    /// One that this host can try.
    Snapshot(SnapshotRecord),
}

/// The snapshot of a run that has been corrected so many times.
pub(crate) fn find(
    shared: &Shared,
    partition: Partition,
    tenant: &TenantId,
    run: &RunId,
    corrections: usize,
) -> Result<Found, ReadError> {
    let Some(stored) = shared.store.get(&key::snapshot(partition, tenant, run))? else {
        return Ok(Found::Nothing);
    };
    Ok(match SnapshotRecord::decode(&stored) {
        Ok(it) if it.form == FORM && usize::try_from(it.corrections) == Ok(corrections) => {
            Found::Snapshot(it)
        }
        Ok(_) => Found::Useless,
        Err(error) => {
            tracing::warn!(%tenant, %run, %error, "a run's snapshot can't be read; its journal is");
            Found::Useless
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_taken_every_so_many_events_unless_the_last_was_large() {
        let mut uncovered = Uncovered::default();
        let mut taken = Vec::new();
        for event in 1..=40 {
            uncovered.add(100);
            if uncovered.is_enough(4) {
                taken.push(event);
                uncovered = Uncovered::behind(event * 50);
            }
        }
        // The states take 200, 400, 650, 1000, …: four events of 100 bytes are more than the first only.
        assert_eq!(taken, [4, 8, 13, 20, 31]);
    }
}

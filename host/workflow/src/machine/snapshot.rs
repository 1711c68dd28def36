//! Snapshots: a run's state as bytes, so that a long journal need not be replayed from its start.
//!
//! A snapshot is a cache of what the journal comes to, for exactly the code that has written it. What the run's record
//! has is not in it: the plan, and the facts. What can be had from the rest is made again.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::retry::Grave;
use super::{Facts, Machine};
use crate::pack::{Damaged, Pack, Packer, Unpacker};
use crate::plan::Plan;

/// The form of the snapshots that this code writes, and the only one that it reads: a digest of its sources, made when
/// it was built.
pub const FORM: [u8; 32] = include!(concat!(env!("OUT_DIR"), "/form.rs"));

/// How long the seal of a snapshot is, in bytes. It stands at its end.
const SEAL: usize = 32;

/// Bytes are no snapshot of the run, or none that this code has written: the run has to be had from its journal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not what this host has written of the run: {why}")]
pub struct BadSnapshot {
    why: String,
}

impl Machine {
    /// The run's state as bytes: what [`Machine::restore`] makes the same run of.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Packer::default();
        pack(self, &mut out);
        let mut bytes = out.into_bytes();
        let seal = seal(&self.facts.id, &bytes);
        bytes.extend(seal);
        bytes
    }

    /// The run whose [snapshot](Machine::snapshot) these bytes are. `plan` and `facts` are those that it had then.
    ///
    /// # Errors
    ///
    /// Where the bytes are damaged, of another run, or written by other code.
    pub fn restore(plan: Arc<Plan>, facts: Facts, bytes: &[u8]) -> Result<Self, BadSnapshot> {
        let bad = |why: String| BadSnapshot { why };
        let state = bytes.len().checked_sub(SEAL);
        let (state, sealed) = bytes.split_at(state.ok_or_else(|| bad("it is cut".to_owned()))?);
        if seal(&facts.id, state) != sealed {
            return Err(bad("the seal is another".to_owned()));
        }
        let mut from = Unpacker::new(state);
        let run = unpack(plan, facts, &mut from);
        let run = run.and_then(|run| from.finish().map(|()| run));
        run.map_err(|Damaged(why)| bad(why))
    }
}

/// What shows that this code has written the state of this run: SHA-256 of the form, the run's id and the state.
fn seal(run: &str, state: &[u8]) -> [u8; SEAL] {
    let mut seal = Sha256::new_with_prefix(FORM);
    seal.update(run);
    seal.update(state);
    seal.finalize().into()
}

/// Says what of a machine its snapshots have, in this order. A new part of a machine has to be named here, or with what
/// is left out.
macro_rules! parts {
    ($($part:ident)*) => {
        fn pack(run: &Machine, out: &mut Packer) {
            // Between two events nothing is in the grave.
            let Machine { plan: _, facts: _, keys: _, grave: _, $($part),* } = run;
            $($part.pack(out);)*
        }

        fn unpack(
            plan: Arc<Plan>,
            facts: Facts,
            from: &mut Unpacker<'_>,
        ) -> Result<Machine, Damaged> {
            $(let $part = Pack::unpack(from)?;)*
            let (keys, grave) = (BTreeMap::new(), Grave::default());
            let mut run = Machine { plan, facts, keys, grave, $($part),* };
            let keys = run.tasks.iter().map(|(id, task)| (task.key.clone(), *id));
            run.keys = keys.collect();
            Ok(run)
        }
    };
}
parts!(
    status input started_at tasks next_task contexts context visits ledger completions limit failed adopted closing
    held timers unawaited notes events
);

//! Durable state: what is on disk, and one trait over the medium that keeps it.
//!
//! - [`id`]: the identities that keys are made of, each its own type.
//! - [`key`]: where each record lives. Every key begins with the partition or tenant space that owns it.
//! - [`record`]: what is stored under the keys: versioned, compact, readable for ever.
//! - [`Store`]: ordered keys, point reads, range scans, atomic durable batches. Nothing else.
//! - [`RedbStore`]: the embedded default, one file. [`MemoryStore`]: the model that tests compare it
//!   with. [`FaultyStore`]: the saboteur that fails or crashes on purpose.
//! - [`backup`]: all of a store as one stream of bytes, and a store out of that.
//! - [`meta`]: what a store says about itself, and the check that this host can read it.
//!
//! This crate knows no workflow, no JSON and no clock: a backend only appends and reads, and the rules
//! are in the engine. `docs/journal.md` describes the same from the reader's side.

pub mod backup;
mod batch;
pub mod error;
mod faulty;
pub mod id;
pub mod key;
mod memory;
pub mod meta;
pub mod record;
mod redb;
pub mod seed;
mod store;

pub use batch::{Batch, Operation};
pub use error::{CommitError, OpenError, ReadError};
pub use faulty::{Fault, FaultyStore};
pub use id::{Digest, Partition, RunId, TenantId};
pub use key::KeyRange;
pub use memory::MemoryStore;
pub use redb::{Compacted, FILE_NAME, LOG_NAME, RedbOptions, RedbStore, compact};
pub use store::{Direction, Pair, Store, Walk};

//! The crash harness: the real binary under load, against a service that counts, while trouble comes at random
//! moments. Afterwards what the host has recorded, what the service has seen and what clients were told must agree.
//!
//! - [`Plan`]: which trouble, how often, and the seed of all that is left to chance.
//! - [`run`]: carries a plan out; a [`Report`] says what happened, and which [law](laws) was broken.
//! - [`order`]: the runs, by what they are made of: calls in sequence and at once, retries, waits, events, undoing.
//! - [`customer`]: clients that start runs, wait for their ends and remember what they were told.
//! - [`service`]: what the runs call.
//! - [`trouble`]: SIGKILL, a [disk] that fills up, writes that [fail](fault).
//!
//! The seed chooses the runs, the moments and the answers, but not how threads and processes take turns: a seed that
//! has failed makes the same load again, not the same crash to the instruction.

pub mod customer;
pub mod disk;
pub mod fault;
mod harness;
pub mod laws;
pub mod order;
pub mod service;
pub mod trouble;

pub use harness::{Plan, Report, run};
pub use trouble::Trouble;

//! What the host asks of the operating system beyond what the standard library does: how its threads are
//! [scheduled](priority), for how long [they have computed](thread_time), and how [memory](allocator) is kept.
//!
//! It is mostly Linux that is asked. Elsewhere the host works as well, but for what each function says.

pub mod allocator;
mod clock;
pub mod priority;

pub use clock::thread_time;

//! What the host asks of the operating system beyond what the standard library does: how its threads are
//! [scheduled](priority), for how long [they have computed](thread_time), and how [memory](allocator) is kept and
//! [files](file) are written.
//!
//! It is mostly Linux that is asked. Elsewhere the host works as well, but for what each function says.

pub mod allocator;
mod clock;
pub mod file;
pub mod priority;

pub use clock::thread_time;

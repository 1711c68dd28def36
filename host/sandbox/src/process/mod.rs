//! Processes of the machine: what runs outside of the sandbox, and what holds it.
//!
//! A process is not started by the host itself, but by a *supervisor*: a process of the host's own program that
//! does nothing else (see [`supervise()`]). It sets the limits, starts the program as an unprivileged user in a
//! process group and an empty folder of its own, and sees to it that nothing of it is left when the call
//! ends, when the host stops, and when the host is killed: the kernel tells the supervisor of that.
//!
//! - [`ProcessRules`]: what an operator allows
//! - [`supervise()`]: the supervisor's whole program
//! - `orders`: what the host tells the supervisor, as the arguments of its command line
//! - `user`: whom a process runs as
//!
//! Here for Linux; on other systems there are no processes, and asking for one says so.

#[cfg(target_os = "linux")]
pub(crate) mod orders;
mod rules;
#[cfg(target_os = "linux")]
mod supervisor;
mod user;

pub use rules::{ProcessLimits, ProcessRules};
#[cfg(target_os = "linux")]
pub use supervisor::supervise;
pub use user::{User, UserError};

//! The workflow language's own `call: a2a` (dsl-reference, "A2A Call"), as a connector.
//!
//! What the specification leaves open is settled in `wit/a2a.wit`, where whoever calls the function reads it.
//!
//! - [`call()`]: a call from its arguments to its output
//! - [`card`]: where an agent's card says the agent is
//! - [`message`]: the defaults of a message
//! - `component`: the contract, in terms of the above; on WebAssembly only

mod call;
pub mod card;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod message;

pub use call::{Arguments, call};

//! The workflow language's own `call: mcp` (dsl-reference, "MCP Call"), as a connector.
//!
//! What the specification leaves open is settled in `wit/mcp.wit`, where whoever calls the function reads it.
//!
//! - [`call()`]: a call from its arguments to its output
//! - [`session`]: what is said in a session, whatever carries it
//! - [`transport`]: what carries the messages
//! - [`http`]: the streamable HTTP transport
//! - [`stdio`]: standard input and output of a process
//! - `component`: the contract, in terms of the above; on WebAssembly only

mod call;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod http;
pub mod session;
pub mod stdio;
pub mod transport;

pub use call::{Arguments, call};

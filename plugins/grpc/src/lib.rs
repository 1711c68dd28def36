//! The workflow language's own `call: grpc` (dsl-reference, "gRPC Call"), as a connector.
//!
//! What the specification leaves open is settled in `wit/grpc.wit`, where whoever calls the function reads it.
//!
//! - [`call()`]: a call from its arguments to its output
//! - [`schema`]: the .proto file, and what it imports
//! - [`target`]: where the service is
//! - [`message`]: JSON to messages and back
//! - [`frame`]: messages in a body
//! - [`status`]: what the other side says in the end
//! - `component`: the contract, in terms of the above; on WebAssembly only

mod call;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod frame;
pub mod message;
pub mod schema;
pub mod status;
pub mod target;

pub use call::{Arguments, call};

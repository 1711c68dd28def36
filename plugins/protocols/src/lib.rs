//! What the connectors of the language's own calls share, besides sending requests.
//!
//! - [`failure`]: failures, as the contract has them
//! - [`arguments`]: arguments that come as JSON texts
//! - [`endpoint`]: where to send something, and with which credentials (dsl-reference, "Endpoint")
//! - [`resource`]: documents that are kept elsewhere (dsl-reference, "External Resource")
//! - [`json_rpc`]: JSON-RPC 2.0
//! - [`sse`]: server-sent events
//! - [`bindings`]: the failures of the contract itself; on WebAssembly only

pub mod arguments;
#[cfg(target_arch = "wasm32")]
pub mod bindings;
pub mod endpoint;
pub mod failure;
pub mod json_rpc;
pub mod resource;
pub mod sse;

pub use failure::{Failure, Kind};

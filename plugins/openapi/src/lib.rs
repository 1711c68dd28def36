//! The workflow language's own `call: openapi` (dsl-reference, "OpenAPI Call"), as a connector.
//!
//! - [`call()`]: a call from its arguments to its output
//! - `document`: the document, fetched and read, and the operation in it
//! - `parameters`: what the workflow gives, put where the operation takes it
//! - `serialize`: how values are written there
//! - `component`: the contract, in terms of the above; on WebAssembly only

mod body;
mod call;
#[cfg(target_arch = "wasm32")]
mod component;
mod document;
mod parameters;
mod serialize;

pub use call::{Arguments, call};
pub use calls::{Failure, Kind, OutputFormat};

//! The workflow language's own `call: http` (dsl-reference, "HTTP Call"), as a connector.
//!
//! It is an ordinary component: it knows `wit/` and wit-bindgen, and the host gives it nothing that it
//! would not give a stranger's. What the specification leaves open is settled in `wit/http.wit`, where
//! whoever calls the function reads it.
//!
//! - [`call()`]: a call from its arguments to its output
//! - [`request`]: the arguments, made a request
//! - `component`: the contract, in terms of the above; on WebAssembly only
//!
//! What is sent and what comes back is the business of the library `calls`.

mod call;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod request;

pub use call::{Arguments, call};
pub use calls::{Failure, Kind, OutputFormat};

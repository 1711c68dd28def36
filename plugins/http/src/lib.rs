//! The workflow language's own `call: http` (dsl-reference, "HTTP Call"), as a connector.
//!
//! It is an ordinary component: it knows `wit/` and wit-bindgen, and the host gives it nothing that it
//! would not give a stranger's. What the specification leaves open is settled in `wit/http.wit`, where
//! whoever calls the function reads it.
//!
//! - [`call()`]: a call from its arguments to its output
//! - [`request`]: the arguments, made a request
//! - [`redirect`]: sending it, and following where it leads
//! - [`response`]: what came back, made an output or a failure
//! - `component`: the contract, in terms of the above; on WebAssembly only

mod call;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod failure;
pub mod redirect;
pub mod request;
pub mod response;
mod retry_after;
mod status;

pub use call::{Arguments, OutputFormat, call};
pub use failure::{Failure, Kind};

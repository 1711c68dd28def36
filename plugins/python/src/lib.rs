//! Python for `run: script` of the workflow language (dsl-reference, "Script Process"), as a connector.
//!
//! The interpreter is RustPython, with the part of the standard library that makes sense without files, network,
//! threads and other processes: `build.rs` chooses it.
//!
//! - [`run()`]: a script from its source to its result
//! - `component`: the contract, in terms of the above; on WebAssembly only

#[cfg(target_arch = "wasm32")]
mod component;
mod script;
mod world;

pub use script::{ProcessResult, Script, run};
pub use world::World;

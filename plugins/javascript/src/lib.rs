//! JavaScript for `run: script` of the workflow language (dsl-reference, "Script Process"), as a connector.
//!
//! The engine is boa; what a script finds around it, the part of Node.js that makes sense in a sandbox, is
//! written in JavaScript itself, in `node.js`.
//!
//! - [`run()`]: a script from its source to its result
//! - [`World`]: what it may ask of the outside: the time
//! - `host`: the functions that `node.js` stands on
//! - `component`: the contract, in terms of the above; on WebAssembly only

#[cfg(target_arch = "wasm32")]
mod component;
mod host;
mod modules;
mod rejections;
mod script;
mod world;

pub use script::{ProcessResult, Script, run};
pub use world::World;

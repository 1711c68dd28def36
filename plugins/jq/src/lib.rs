//! The expression language of Baton's workflows: jq, by the jaq crates, as a component.
//!
//! It implements `baton:expression/evaluator` and imports nothing, so that the result of an expression
//! depends on its arguments alone: the host computes expressions again after a crash and relies on
//! getting the same answer. Everything in jq that could differ next time is left out ([`library`]):
//! the environment, the clock, further inputs, output on the side, and ending the process.
//!
//! It does not guard against expressions that recurse without end, loop for ever or ask for all memory.
//! The host does: each of these ends an instance, and with it one evaluation.
//!
//! - [`filter`]: compiling and evaluating, the plain Rust form of the contract
//! - [`library`]: the functions that an expression may call
//! - `paths`, `rewrite`: where jaq differs from jq in what people write every day
//! - [`syntax`]: from jaq's errors to messages with a place
//! - [`json`]: values to text, numbers as jq writes them
//! - `component`: the contract, in terms of the above; on WebAssembly only

#[cfg(target_arch = "wasm32")]
mod component;
pub mod filter;
pub mod json;
pub mod library;
mod paths;
mod rewrite;
pub mod syntax;

pub use filter::Filter;
pub use syntax::SyntaxError;

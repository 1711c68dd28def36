//! The workflow language's own `call: asyncapi` (dsl-reference, "AsyncAPI Call"), as a connector.
//!
//! What the specification leaves open is settled in `wit/asyncapi.wit`, where whoever calls the functions reads it.
//!
//! - [`publish`], [`subscribe`]: calls from their arguments to their output
//! - [`document`]: the AsyncAPI document
//! - [`target`]: which server, and where the channel is
//! - [`message`]: what goes out and what comes in
//! - [`connection`]: a stream of bytes, whoever makes it
//! - [`http`], [`nats`], [`websocket`]: the protocols
//! - `component`: the contract, in terms of the above; on WebAssembly only

mod call;
#[cfg(target_arch = "wasm32")]
mod component;
pub mod connection;
pub mod document;
pub mod http;
pub mod message;
pub mod nats;
pub mod target;
pub mod websocket;

pub use call::{Arguments, Take, publish, subscribe};

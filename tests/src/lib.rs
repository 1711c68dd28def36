//! What the tests of the host from outside are made of: the real binary, real servers beside it, and
//! scripted ones where a test must decide what happens when.
//!
//! It knows the host only by its promises: the HTTP contract, the command line, `wit/` and the workflow
//! document. Nothing here reaches into a crate of the host. The tests themselves are in `tests/suite`,
//! the load generator is in `tests/bench`.
//!
//! Everything that is started here is stopped when its value is dropped, by the process id that was
//! started, and also when the test process dies. Servers listen on loopback, on free ports.
//!
//! - [`Host`]: the host as a process: start, wait until it is ready, kill -9, start again.
//! - [`Client`]: requests to its HTTP API, and what the tests do with it most.
//! - [`cli`]: one run of the binary's command line.
//! - [`Stub`]: a scripted HTTP server that records each request, can hold an answer until it is told,
//!   and can stand in front of a real server.
//! - [`ScimServer`], [`AssetServer`]: the directory and the asset system of the flagship workflow.
//! - [`Service`]: servers of the protocols that the language calls: gRPC, MCP, A2A, NATS, websockets.
//! - [`Authority`]: certificates for servers that speak TLS.
//! - [`Docker`]: a stand-in for the command line of a container engine.
//! - [`guests`]: small components written as WebAssembly text, the hostile ones among them.
//! - [`paths`]: where things are.

mod assets;
mod authority;
pub mod cli;
mod client;
mod docker;
mod environment;
mod eventually;
pub mod guests;
mod host;
pub mod paths;
mod process;
mod scim;
mod service;
mod stub;
mod threads;

pub use assets::AssetServer;
pub use authority::Authority;
pub use client::{Answer, Client};
pub use docker::Docker;
pub use eventually::eventually;
pub use host::{Host, Start};
pub use process::Process;
pub use scim::{SCIM_TOKEN, ScimServer};
pub use service::Service;
pub use stub::{Gate, Rule, Seen, Stub};

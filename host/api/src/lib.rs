//! The HTTP contract of Baton: what goes over the wire, and nothing that happens because of it.
//!
//! - [`routes`]: every path, as a template for the server and as a builder for the client.
//! - [`workflow`], [`run`], [`history`], [`connector`], [`diagnostic`], [`health`], [`page`]: the bodies.
//! - [`problem`]: every way in which a request can be refused (RFC 9457), with its status.
//! - [`limits`]: every bound that a client can run into, in one table.
//! - [`openapi`]: all of it as an OpenAPI 3.1 document, which the server serves at `/openapi.json`.
//! - [`client`]: a typed client.
//!
//! The crate has no behaviour and knows neither the engine nor the workflow language: it has types of its
//! own, and the server converts. A rename inside the host breaks no client. The reverse holds as well: what
//! stands here is a promise, to which members may be added and from which none is taken.
//!
//! # Conventions
//!
//! Members are in camelCase. Times are RFC 3339 in UTC with milliseconds, durations are whole milliseconds,
//! sizes are bytes, digests are `sha256:` and lower-case hex. A member that has no value is `null` in a run and
//! left out elsewhere. A client must ignore members that it doesn't know; the server refuses them, since a
//! misspelt setting that does nothing is worse than an error.

pub mod approval;
pub mod client;
pub mod connector;
pub mod diagnostic;
pub mod event;
pub mod health;
pub mod history;
pub mod limits;
pub mod openapi;
pub mod page;
pub mod problem;
pub mod routes;
pub mod run;
pub mod schedule;
pub mod secret;
pub mod workflow;

pub use client::Client;
pub use problem::{Problem, ProblemKind};

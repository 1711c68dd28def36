//! The HTTP server: what `baton-api` promises, done by the engine.
//!
//! It decides nothing about runs. It knows who asks, reads a request, asks the engine, and writes the
//! answer. It keeps nothing between two requests, and it is the only crate that knows axum and hyper.
//!
//! - [`serve`] runs it on a listener; [`router`] is the same without sockets.
//! - `workflows`, `validate`, `runs`, `run_events`, `events`, `approvals`, `schedules`, `connectors`,
//!   `secrets`, `backup`, `health`, `openapi`, `schema`: the handlers, a file for each resource.
//! - `connections`, `lookout`, `workers`, `write_timeout`: what keeps one client from taking the server away from others.
//! - [`auth`]: who asks, and for which tenant.
//! - `body`, `query`, `prefer`, `page`, `path`: reading a request. Each refuses what it doesn't understand.
//! - `budget`: how much of bodies is held at once, and how much of it by one tenant.
//! - `convert`: between the engine's types and the contract's.
//! - `refusal`: every "no" of the server and the engine, as a problem.
//! - `observe`: around every request: its id, the log, and problems in their final form.
//!
//! # The way of a request
//!
//! Connection (bounded, a stranger's until it shows a token; served by turns) → `observe` gives it an id → the route's handler asks for its `Caller` first, so
//! that a request without a valid token has no effect at all → path, query and headers → body, within the
//! route's bound and the server's budget → engine → conversion → answer. A handler that says no returns a
//! refusal, which `observe` writes as `application/problem+json`.

mod approvals;
mod auth;
mod backup;
mod body;
mod budget;
mod connections;
mod connectors;
mod convert;
mod events;
mod health;
mod lookout;
mod observe;
mod openapi;
mod page;
mod path;
mod prefer;
mod query;
mod refusal;
mod router;
mod run_events;
mod runs;
mod schedules;
mod schema;
mod secrets;
mod serve;
mod settings;
mod validate;
mod workers;
mod workflows;
mod write_timeout;

pub use auth::{Authenticator, TokenDigest, Tokens};
pub use router::router;
pub use serve::serve;
pub use settings::ServerSettings;

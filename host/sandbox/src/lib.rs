//! The sandbox: everything that a tenant supplies runs in here, as a WebAssembly component.
//!
//! It decodes components ([`inspect`]), loads them as connectors ([`Sandbox::load`]), calls their functions
//! with JSON ([`Connector::call`]) under a [`Grant`], and evaluates expressions in a component
//! ([`Sandbox::load_language`]). It is made on wasmtime, of which nothing shows outside.
//!
//! It is no scheduler and keeps nothing: it knows no runs, retries or records. One call is one instance,
//! made for it and gone after it.
//!
//! What a guest can do to the host is bounded in [`limits`]. The threat model is in `docs/security.md`.
//!
//! # A call
//!
//! ```no_run
//! # async fn example(bytes: &[u8], context: baton_sandbox::CallContext) -> Result<(), Box<dyn std::error::Error>> {
//! use baton_sandbox::{Grant, Sandbox, Settings};
//!
//! let sandbox = Sandbox::new(Settings::default())?;
//! let connector = sandbox.load(bytes)?;
//! let greet = connector.function(None, "greet")?;
//! let arguments = serde_json::json!({"name": "Ada"});
//! let outcome = connector.call(greet, &arguments, &Grant::nothing(), context).await;
//! println!("{}", outcome.result?);
//! # Ok(())
//! # }
//! ```

mod bindings;
mod cache;
mod capability;
mod connector;
mod context;
mod egress;
mod ending;
mod engine;
mod evaluator;
mod failure;
mod grant;
mod inspect;
mod language;
pub mod limits;
mod meter;
mod outcome;
pub mod process;
mod quota;
mod runtime;
mod sandbox;
mod secret;
mod state;
pub mod types;
mod units;

pub use capability::Capability;
pub use connector::{Connector, NoSuchFunction};
pub use context::{CallContext, Items, Progress, Reveal, Reveals};
pub use egress::{Authorities, AuthoritiesError, Lookups, Rewrite, RewriteError, Rule, RuleError};
pub use evaluator::{Evaluator, FilterId, SyntaxError};
pub use failure::{Failure, FailureKind};
pub use grant::{Grant, GrantError, GrantSpec};
pub use inspect::{
    Description, Digest, DigestError, Function, Import, InspectError, Package, inspect,
};
pub use language::Language;
pub use limits::{LimitError, Limits, LimitsSpec, Quantity};
pub use outcome::{LogLevel, LogLine, Outcome, Refusal, Usage};
pub use sandbox::{LoadError, Sandbox, SandboxError, Settings};
pub use secret::{
    HostPattern, HostPatternError, Placeholder, Secret, Secrets, Value as SecretValue,
};
pub use types::Mismatch;

//! The workflow language: from a posted text to a run that can be replayed.
//!
//! Three stages, each a module, each the only way to the next:
//!
//! 1. [`document`]: text to [`Document`], lossless, or to [`Diagnostic`]s that say what is wrong where.
//! 2. [`plan`]: `Document` to [`Plan`], an arena of typed nodes with compiled data flow and resolved edges.
//! 3. [`machine`]: `Plan` and events to commands. [`Machine`] is a run.
//!
//! This crate knows no clock, no randomness, no input or output, no tokio and no wasmtime. Time and ids
//! come in as arguments, expressions are evaluated by whom the caller passes as [`Evaluate`], and what
//! is to be done goes out as [`Command`]s. That is what makes a run replayable.
//!
//! The language is the [Open Workflow Specification](https://open-workflow-specification.org) 1.0.3.
//! Sections that comments name are those of its `dsl.md` and `dsl-reference.md`.

pub mod cloud_event;
pub mod data;
pub mod diagnostic;
pub mod document;
pub mod error;
pub mod expression;
mod extent;
pub mod machine;
mod pack;
pub mod plan;
pub mod resource;
pub mod schedule;
pub mod yaml;

pub use cloud_event::CloudEvent;
pub use data::{Data, Timestamp};
pub use diagnostic::Diagnostic;
pub use document::Document;
pub use error::{Error, ErrorKind};
pub use expression::Evaluate;
pub use extent::{BYTES_MAX, BYTES_PER_EVENT_MAX, DEPTH_MAX, check as check_extent};
pub use machine::{Command, Event, Machine};
pub use plan::Plan;
pub use resource::{Resources, Wanted};

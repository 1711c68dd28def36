//! The engine drives runs: it gives each run's machine what happens, keeps a journal of it, and does
//! what the machine wants done once what brought it about is durable.
//!
//! It is not a server and knows no HTTP; it knows no wasmtime either: calls go out through
//! [`outside::Invoke`], expressions are evaluated through [`outside::Languages`], and the sandbox is behind
//! both.
//!
//! # How to use it
//!
//! [`Engine::open`] recovers what was under way and starts to work. [`Engine`] is a handle: clones are
//! cheap and all drive the same runs. Its methods come in families: workflows (`publish`, `validate`,
//! `workflows`, `workflow`), runs (`start`, `run`, `wait`, `runs`, `history`, `subscribe`, `cancel`,
//! `delete` and the like),
//! connectors (`install`, `connectors`, `connector`, `grant`, `remove_connector`, `call`). Every one of these takes
//! the tenant first; what another tenant owns is not there. Of the host as a whole are [`Engine::backup`] and
//! [`Engine::shutdown`].
//!
//! What a method has answered is durable. Nothing it shows can be taken back by a crash.

pub mod clock;
pub mod error;
pub mod outside;
pub mod settings;
pub mod turns;
pub mod view;

mod admission;
mod beginnings;
mod bulkhead;
mod catalog;
mod child;
mod choices;
mod codec;
mod computing;
mod digest;
mod dispatch;
mod engine;
mod evaluators;
mod events;
mod failure;
mod fair;
mod grants;
mod handoff;
mod history;
mod journal;
mod keep;
mod lanes;
mod library;
mod lifecycle;
mod live;
mod locks;
mod mailbox;
mod origin;
mod pace;
mod partition;
mod platform;
mod processors;
mod recent;
mod removal;
mod replay;
mod resources;
mod retention;
mod sandboxed;
mod schedule;
mod seed;
mod shared;
mod shares;
#[cfg(test)]
mod simulation;
mod sinks;
mod snapshot;
mod start;
mod tabs;
mod vault;
mod version;

pub use baton_sandbox::{GrantSpec, LimitsSpec, Quantity};
pub use baton_store::{Digest, RunId, TenantId};
pub use baton_workflow::machine::{
    Answer, Approval, Decision, Detail, Note, NoteKind, Status, TaskKey,
};
pub use baton_workflow::{Diagnostic, Error, Timestamp};

pub use clock::{Clock, ManualClock, SystemClock};
pub use engine::{Backup, Engine, Subscription};
pub use error::{
    CallError, ControlError, DecideError, DeleteError, GrantRefused, InstallError, Lagged,
    ListError, OpenError, PublishError, RemoveError, RemoveSecretError, RestartError, RetryError,
    ScheduleError, SecretRefused, SendError, StartError, Unavailable,
};
pub use resources::Home;
pub use settings::{Bundled, EngineLimits, LifecycleEvents, Retention, Settings};
pub use sinks::{Deliver, Delivery, Sink};
pub use vault::{MasterKeyError, MasterKeys, SecretContent};
pub use view::{
    ApprovalFilter, ApprovalId, ApprovalOutcome, ApprovalStatus, ApprovalView, AwaitedView,
    AwaitedWhatView, CallProgress, CallView, ConnectorReference, ConnectorView, EventFilter,
    EventView, FunctionView, ImportView, Installed, LastStartView, Page, ParentView, PauseView,
    Published, RestartView, RunFilter, RunView, ScheduleFailureView, ScheduleView, ScheduledView,
    SecretView, Sent, StartRun, TriggerView, WorkflowFilter, WorkflowReference, WorkflowSummary,
    WorkflowView,
};

//! What the engine shows: the answers of its methods.
//!
//! These are types of their own. They are neither what is stored nor what the HTTP contract says, so that
//! each of the three can change without the others.

mod approval;
mod awaited;
mod connector;
mod event;
mod page;
mod run;
mod schedule;
mod secret;
mod workflow;

pub use approval::{
    ApprovalFilter, ApprovalId, ApprovalOutcome, ApprovalStatus, ApprovalView, NotAnApproval,
};
pub use awaited::{AwaitedView, AwaitedWhatView};
pub use connector::{
    CallView, ConnectorReference, ConnectorView, FunctionView, ImportView, Installed,
};
pub use event::{EventFilter, EventView, Sent};
pub use page::Page;
pub(crate) use run::status_name;
pub use run::{CallProgress, ParentView, RestartView, RunFilter, RunView, StartRun};
pub use schedule::{
    LastStartView, PauseView, ScheduleFailureView, ScheduleView, ScheduledView, TriggerView,
};
pub use secret::SecretView;
pub use workflow::{Published, WorkflowFilter, WorkflowReference, WorkflowSummary, WorkflowView};

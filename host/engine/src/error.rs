//! Why the engine says no, by operation.

use std::time::Duration;

use baton_sandbox::{InspectError, LoadError};
use baton_store::{CommitError, ReadError, RunId};
use baton_workflow::Diagnostic;
use baton_workflow::machine::{Difference, Status};

use crate::view::{ApprovalId, ApprovalStatus, status_name};

/// Why the engine can't be asked just now. Nothing was done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unavailable {
    /// The store does not read or write.
    #[error("{0}")]
    Storage(String),
    /// What is stored can't be used, or the host has failed on it: to ask again does not help.
    #[error("{0}")]
    Broken(String),
    /// Too much of this tenant waits to be read or checked.
    #[error("too many requests are waiting: ask again in {} s", retry_after.as_secs().max(1))]
    Busy {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The host is stopping.
    #[error("the host is shutting down: ask again when it is back")]
    ShuttingDown,
}

impl Unavailable {
    /// What comes of an error of which it is known whether it may well go some seconds later.
    pub(crate) fn of(error: &impl std::fmt::Display, is_passing: bool) -> Self {
        match is_passing {
            true => Self::Storage(error.to_string()),
            false => Self::Broken(error.to_string()),
        }
    }
}

impl From<ReadError> for Unavailable {
    fn from(error: ReadError) -> Self {
        Self::of(&error, error.is_passing())
    }
}

impl From<CommitError> for Unavailable {
    fn from(error: CommitError) -> Self {
        Self::Storage(error.to_string())
    }
}

/// Why the engine can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] baton_store::meta::MetaError),
    /// The store can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store can't be written.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// Standing grants can't be used.
    #[error("{}", problems.join("; "))]
    Grants {
        /// All that is wrong with them, each with the connector that it is for.
        problems: Vec<String>,
    },
    /// The system gives no more threads.
    #[error("no thread can be started")]
    Thread(#[source] std::io::Error),
}

/// Why a document was not published.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PublishError {
    /// It is wrong; at least one of these is an error.
    #[error("the document has errors")]
    Invalid(Vec<Diagnostic>),
    /// The version was published with other content.
    #[error(
        "{namespace}/{name} {version} was published before with other content: a version never changes, so give \
         the document a new `document.version`"
    )]
    Conflict {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
        /// The version.
        version: String,
    },
    /// As many workflows of the tenant start by themselves as may.
    #[error(
        "{max} workflows start by themselves, which is as many as may: publish a higher version without `schedule` of \
         one that need not, or this one without"
    )]
    TooManySchedules {
        /// How many that is.
        max: usize,
    },
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a run was not started.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such workflow, or no such version of it.
    #[error("there is no workflow {namespace}/{name}{}", version.as_ref().map(|it| format!(" {it}")).unwrap_or_default())]
    NoSuchWorkflow {
        /// The namespace.
        namespace: String,
        /// The name.
        name: String,
        /// The version, where one was asked for.
        version: Option<String>,
    },
    /// The connectors have changed since the workflow was published, and it no longer fits them.
    #[error(
        "the workflow no longer fits the connectors: install those that it was published with, or publish a new version"
    )]
    Outdated(Vec<Diagnostic>),
    /// The workflow uses secrets that the tenant does not have.
    #[error(
        "the workflow uses {}, which {} not there: set {} with `baton secret set NAME --host HOST`",
        names.iter().map(|name| format!("the secret `{name}`")).collect::<Vec<_>>().join(" and "),
        if names.len() == 1 { "is" } else { "are" },
        if names.len() == 1 { "it" } else { "them" }
    )]
    MissingSecrets {
        /// Their names.
        names: Vec<String>,
    },
    /// The workflow uses secrets that can't be opened.
    #[error("{0}")]
    SealedSecrets(String),
    /// The input is too large.
    #[error("the input has {bytes} bytes, more than the {max} that a run may start with")]
    InputTooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// The tags or the idempotency key pass a bound.
    #[error("{0}")]
    Invalid(String),
    /// The idempotency key was used for another request.
    #[error(
        "the idempotency key was used before for another request: use a new key for each request"
    )]
    KeyReused,
    /// Too much is under way.
    #[error("{reason}: ask again in {} s", retry_after.as_secs().max(1))]
    Busy {
        /// What there is too much of.
        reason: String,
        /// When to ask again.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl StartError {
    /// What is wrong, with the first of the workflow's mistakes where it no longer fits: for those who can't look at all
    /// of them.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Outdated(diagnostics) => {
                let first = diagnostics.first().map(|it| it.message.as_str());
                format!("{self}: {}", first.unwrap_or_default())
            }
            _ => self.to_string(),
        }
    }
}

/// Why events were not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SendError {
    /// One of them is too large.
    #[error(
        "event {index} has {bytes} bytes, more than the {max} that an event may have: keep the data elsewhere, and refer to it"
    )]
    TooLarge {
        /// Which, from 0.
        index: usize,
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// Too much waits to be written.
    #[error("too much waits to be written: ask again in {} s", retry_after.as_secs().max(1))]
    Busy {
        /// When to ask again.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why nothing was done to a run that somebody asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no such run.
    #[error("there is no run `{0}`")]
    NotFound(RunId),
    /// It has ended.
    #[error("the run has ended: it is {}; {}", status_name(*.0), once_more(*.0))]
    Ended(Status),
    /// It is suspended already.
    #[error("the run is suspended already: resume it, or leave it so")]
    Suspended,
    /// It is not suspended.
    #[error("the run is not suspended: it is {}, and goes on by itself", status_name(*.0))]
    NotSuspended(Status),
    /// It has not faulted.
    #[error(
        "the run is {}: only a run that has faulted can be tried again; {}",
        status_name(*.0),
        once_more(*.0)
    )]
    NotFaulted(Status),
    /// What was decided is not asked any more.
    #[error("it is not asked any more")]
    Closed,
    /// Too much is under way.
    #[error("too many requests are waiting: ask again in {} s", retry_after.as_secs().max(1))]
    Busy {
        /// When to ask again.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What can be done where a run in that phase is to do something once more.
fn once_more(status: Status) -> &'static str {
    match status {
        Status::Faulted => "retry it from the task that failed, or restart it",
        Status::Suspended => "resume it, so that it goes on",
        Status::Cancelled | Status::Completed => "restart it to do the same once more",
        Status::Pending | Status::Running | Status::Waiting => "wait for its end",
    }
}

/// Why a run was not tried again. It is as it was.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetryError {
    /// There is no such run, it has not faulted, or not now.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// Its tasks were undone when it faulted.
    #[error(
        "what the run had done was undone when it faulted (`compensate`), so that there is nothing to go on from: \
         restart it"
    )]
    Undone,
    /// Another run has taken its fault.
    #[error(
        "the run {parent} has waited for this one and has taken its fault: retry that one, whose task starts a new \
         run, or restart this one by itself"
    )]
    Awaited {
        /// The other run.
        parent: RunId,
    },
    /// What has been performed is another in the corrected version.
    #[error(
        "the run can't go on under version {version}: {difference}; leave it as it was, in a version of a new \
         number, or restart the run under this one"
    )]
    Differs {
        /// The version.
        version: String,
        /// What differs: a task by its JSON pointer, or a part of the workflow.
        difference: Difference,
    },
    /// It was corrected as often as may be.
    #[error(
        "the run was corrected {max} times, as often as may be: restart it under the new version"
    )]
    TooManyCorrections {
        /// How often that is.
        max: usize,
    },
    /// As many runs are open as may be, or the corrected version can't be run.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl From<Unavailable> for RetryError {
    fn from(error: Unavailable) -> Self {
        Self::Control(error.into())
    }
}

/// Why a run was not started once more.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestartError {
    /// There is no such run.
    #[error("there is no run `{0}`")]
    NotFound(RunId),
    /// It has not ended.
    #[error(
        "the run is {}: wait for its end or cancel it first, so that nothing is done twice at the same time",
        status_name(*.0)
    )]
    Open(Status),
    /// The new run was refused.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl From<Unavailable> for RestartError {
    fn from(error: Unavailable) -> Self {
        Self::Start(error.into())
    }
}

/// Why a run was not deleted.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeleteError {
    /// There is no such run.
    #[error("there is no run `{0}`")]
    NotFound(RunId),
    /// It has not ended.
    #[error("the run is {}: wait for its end or cancel it first", status_name(*.0))]
    Open(Status),
    /// Another run has started it, and looks for it when it is loaded or tried again.
    #[error(
        "the run was started by the run `{0}`, which may still look for it: delete that one first"
    )]
    HasParent(RunId),
    /// It has started another run, which looks for it.
    #[error(
        "the run has started the run `{0}`, which is open: wait for its end or cancel it first"
    )]
    HasOpenChild(RunId),
    /// The engine can't be asked just now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a decision was not taken. Nothing was recorded.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// There is no such approval.
    #[error("there is no approval `{0}`")]
    NotFound(ApprovalId),
    /// Others are asked.
    #[error("`{by}` is not asked; let one of those decide who are: {}", assignees.join(", "))]
    NotAssigned {
        /// Who wants to decide.
        by: String,
        /// Who is asked.
        assignees: Vec<String>,
    },
    /// Somebody has decided.
    #[error("`{by}` has decided already: it is {}, and a decision stays as it is", status.name())]
    Decided {
        /// Who.
        by: String,
        /// What.
        status: ApprovalStatus,
    },
    /// Nobody needs to decide any more.
    #[error("nobody needs to decide any more: the task ran out of time, or the run has ended")]
    Withdrawn,
    /// The task has begun anew, and asks once more.
    #[error(
        "the task has begun anew, and asks once more: look at what it asks now, and decide again"
    )]
    AskedAnew,
    /// What was filled in does not fit the form. What is wrong where.
    #[error("the data does not fit the approval's form: {0}; its `form` says what it takes")]
    Data(String),
    /// Too much is under way.
    #[error("too many requests are waiting: ask again in {} s", retry_after.as_secs().max(1))]
    Busy {
        /// When to ask again.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a schedule was not changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ScheduleError {
    /// There is none.
    #[error("the workflow is not there, or its highest version has no schedule")]
    NotFound,
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<ReadError> for DecideError {
    fn from(error: ReadError) -> Self {
        Self::Unavailable(error.into())
    }
}

/// Why there is no such page of a list.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ListError {
    /// The cursor is not one that a page of this list gave.
    #[error("the cursor is not one of this list: start without one")]
    Cursor,
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a connector was not installed. Nothing is stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The bytes are no component.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// The component can't run on this host.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// There is no name that it could have.
    #[error("the component names no package, so that it has no name: give one (`?name=`)")]
    NoName,
    /// The name is none.
    #[error(
        "`{name}` is no connector's name: expected 1 to 63 of a-z, 0-9 and -, starting with a letter and ending \
         with a letter or a digit"
    )]
    InvalidName {
        /// The name.
        name: String,
    },
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a grant was not given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantRefused {
    /// There is no such connector.
    #[error("there is no connector `{name}`: install it first")]
    NoSuchConnector {
        /// The name.
        name: String,
    },
    /// The grant is not well-formed.
    #[error(transparent)]
    Grant(#[from] baton_sandbox::GrantError),
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a connector was not removed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// The tenant has installed no such connector.
    #[error("no connector `{name}` is installed; those that come with the host can't be removed")]
    NoSuchConnector {
        /// The name.
        name: String,
    },
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a function was not called. What the function itself fails with is in [`crate::CallView`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There is no such connector.
    #[error("there is no connector `{name}`: install it first")]
    NoSuchConnector {
        /// The name.
        name: String,
    },
    /// The component can't run on this host.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The connector has no such function.
    #[error("{0}")]
    NoSuchFunction(String),
    /// Too much is under way.
    #[error("too many calls are under way: ask again in {} s", retry_after.as_secs().max(1))]
    Busy {
        /// When to ask again.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a secret was not set. Nothing is stored.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretRefused {
    /// The host has no master key.
    #[error("{0}")]
    NoKey(String),
    /// Something is wrong with the name, the value or the hosts: all of it, none of which shows the value.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a secret was not removed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveSecretError {
    /// The tenant has no such secret.
    #[error("there is no secret `{name}`")]
    NotFound {
        /// The name.
        name: String,
    },
    /// Not now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A reader of a run's history has missed a line, mostly since it was too slow, and has been dropped. Read on from the last
/// line that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reader fell too far behind: read on from the last line that came")]
pub struct Lagged;

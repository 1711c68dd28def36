//! What starts runs.

use baton_store::RunId;
use baton_workflow::machine::TaskKey;

use crate::schedule::Scheduled;

/// What started a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Somebody who asked for it.
    Request,
    /// Another run.
    Run(Parent),
    /// The workflow's schedule.
    Schedule(Scheduled),
    /// Somebody who wanted another run once more.
    Restart(Restart),
}

/// That a run does what another one of the same tenant has done once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Restart {
    /// The other one.
    pub(crate) run: RunId,
    /// Who wanted it.
    pub(crate) by: String,
}

/// The task of another run of the same tenant that started a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) run: RunId,
    pub(crate) task: TaskKey,
    /// Which attempt of the task, from 1.
    pub(crate) attempt: u32,
    /// Whether the task waits for the run's end, and the run ends with the task.
    pub(crate) awaited: bool,
    /// How many runs have started one another down to this one, from 1.
    pub(crate) depth: u32,
}

impl Origin {
    /// How many runs have started one another down to this one; 0 where no run has started it.
    pub(crate) fn depth(&self) -> u32 {
        match self {
            Self::Run(parent) => parent.depth,
            Self::Request | Self::Schedule(_) | Self::Restart(_) => 0,
        }
    }

    /// Who waits for the run's end.
    pub(crate) fn awaiting(&self) -> Option<&Parent> {
        match self {
            Self::Run(parent) if parent.awaited => Some(parent),
            Self::Run(_) | Self::Request | Self::Schedule(_) | Self::Restart(_) => None,
        }
    }
}

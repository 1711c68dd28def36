//! What people are asked, as the engine shows it.

use std::fmt;
use std::str::FromStr;

use baton_store::RunId;
use baton_workflow::Timestamp;
use baton_workflow::machine::{Answer, Approval, TaskKey};

use crate::codec;

/// An approval's id: `run.task.visit`, the task by the digest of its pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApprovalId {
    pub(crate) run: RunId,
    pub(crate) task: u64,
    pub(crate) visit: u32,
}

/// What a task asks a person.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalView {
    /// Its id.
    pub id: ApprovalId,
    /// The run.
    pub run: RunId,
    /// The run's workflow: namespace and name.
    pub workflow: (String, String),
    /// What is asked.
    pub approval: Approval,
    /// What became of it; none while it is open.
    pub outcome: Option<ApprovalOutcome>,
}

/// What became of an approval.
#[derive(Clone, Debug, PartialEq)]
pub enum ApprovalOutcome {
    /// Somebody has decided.
    Decided {
        /// When.
        at: Timestamp,
        /// What.
        answer: Answer,
    },
    /// Nobody needs to decide any more: the task ran out of time, or the run ended.
    Withdrawn {
        /// When.
        at: Timestamp,
    },
}

/// Where an approval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalStatus {
    /// It waits for somebody.
    Open,
    /// Somebody said yes.
    Approved,
    /// Somebody said no.
    Rejected,
    /// Nobody needs to decide any more.
    Withdrawn,
}

/// Which approvals a list shows: those for which all of this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// In this status. None for those that are open.
    pub status: Option<ApprovalStatus>,
    /// That this person may decide.
    pub assignee: Option<String>,
    /// Of this run.
    pub run: Option<RunId>,
}

impl ApprovalStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Approved, Self::Rejected, Self::Withdrawn];

    /// The name, as the API writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl ApprovalView {
    /// Where it is.
    pub fn status(&self) -> ApprovalStatus {
        use baton_workflow::machine::Decision;
        match &self.outcome {
            None => ApprovalStatus::Open,
            Some(ApprovalOutcome::Withdrawn { .. }) => ApprovalStatus::Withdrawn,
            Some(ApprovalOutcome::Decided { answer, .. }) => match answer.decision {
                Decision::Approved => ApprovalStatus::Approved,
                Decision::Rejected => ApprovalStatus::Rejected,
            },
        }
    }
}

impl ApprovalId {
    /// The approval that a visit of a task of a run asks for.
    pub fn new(run: RunId, task: &TaskKey) -> Self {
        Self {
            run,
            task: codec::task_discriminator(task),
            visit: task.visit,
        }
    }
}

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016x}.{}", self.run, self.task, self.visit)
    }
}

/// A text that is no approval's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no approval's id")]
pub struct NotAnApproval;

impl FromStr for ApprovalId {
    type Err = NotAnApproval;

    fn from_str(text: &str) -> Result<Self, NotAnApproval> {
        let mut parts = text.split('.');
        let (Some(run), Some(task), Some(visit), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotAnApproval);
        };
        let id = Self {
            run: run.parse().map_err(|_| NotAnApproval)?,
            task: u64::from_str_radix(task, 16).map_err(|_| NotAnApproval)?,
            visit: visit.parse().map_err(|_| NotAnApproval)?,
        };
        // One approval has one name.
        (id.to_string() == text).then_some(id).ok_or(NotAnApproval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_has_one_spelling() {
        let task = TaskKey {
            pointer: "/do/0/ask".into(),
            visit: 2,
        };
        let id = ApprovalId::new(RunId::new(0, &[0; 10]), &task);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        for wrong in ["", "a.b.c", &text.to_uppercase(), &format!("{text}.1")] {
            assert_eq!(wrong.parse::<ApprovalId>(), Err(NotAnApproval), "{wrong}");
        }
    }
}

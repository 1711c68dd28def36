//! Approvals: tasks of runs that wait for a person (`call: approval`).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// What a task asks a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// Its id.
    #[schema(examples("019470d4-0000-7000-8000-000000000000.80558ad21e29926b.1"))]
    pub id: String,
    /// The run that waits.
    pub run: String,
    /// The run's workflow: `namespace/name`.
    pub workflow: String,
    /// The task that asks, as a JSON pointer.
    pub task: String,
    /// Which of the run's visits to the task, from 1.
    pub visit: u32,
    /// Where it is.
    pub status: ApprovalStatus,
    /// What it is about.
    pub title: String,
    /// What there is to know, in Markdown.
    pub description: Option<String>,
    /// Who may decide, by the names of their tokens; empty where everybody of the tenant may.
    pub assignees: Vec<String>,
    /// The JSON Schema that the data of the decision must fit.
    pub form: Option<Value>,
    /// When it was asked.
    #[schema(format = DateTime)]
    pub asked_at: String,
    /// When the task runs out of time.
    #[schema(format = DateTime)]
    pub due: Option<String>,
    /// What was decided; `null` until then.
    pub decision: Option<DecidedApproval>,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecidedApproval {
    /// Yes or no.
    pub decision: Decision,
    /// By whom: the name of their token.
    pub by: String,
    /// What they said to it.
    pub comment: Option<String>,
    /// What they filled in.
    pub data: Value,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
}

/// Where an approval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalStatus {
    /// It waits for somebody.
    Open,
    /// Somebody said yes.
    Approved,
    /// Somebody said no.
    Rejected,
    /// Nobody needs to decide any more: the task ran out of time, or the run ended.
    Withdrawn,
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

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Yes.
    Approved,
    /// No. The workflow decides what follows.
    Rejected,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DecideApproval {
    /// Yes or no.
    pub decision: Decision,
    /// What there is to say to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What the form asks for; `null` without it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
}

/// Which approvals a list shows: those for which all of this holds, the run that was started last first.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ApprovalFilter {
    /// In this status; `open` without it.
    pub status: Option<ApprovalStatus>,
    /// That this person may decide, by the name of their token.
    pub assignee: Option<String>,
    /// Of this run.
    pub run: Option<String>,
}

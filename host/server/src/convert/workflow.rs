use baton_api::workflow::{PublishedWorkflow, Workflow, WorkflowReference, WorkflowSummary};
use baton_engine::{Published, WorkflowView};

use super::{diagnostic, time};

pub(crate) fn workflow_reference(from: baton_engine::WorkflowReference) -> WorkflowReference {
    WorkflowReference {
        namespace: from.namespace,
        name: from.name,
        version: from.version,
        digest: from.digest.to_string(),
    }
}

pub(crate) fn workflow_summary(from: baton_engine::WorkflowSummary) -> WorkflowSummary {
    let WorkflowReference {
        namespace,
        name,
        version,
        digest,
    } = workflow_reference(from.reference);
    WorkflowSummary {
        namespace,
        name,
        version,
        title: from.title,
        summary: from.summary,
        digest,
        published_at: time(from.published_at),
    }
}

pub(crate) fn workflow(from: WorkflowView) -> Workflow {
    Workflow {
        summary: workflow_summary(from.summary),
        text: from.text,
        schedule: from.schedule.map(super::schedule),
        graph: from.graph,
    }
}

pub(crate) fn published(from: Published) -> PublishedWorkflow {
    PublishedWorkflow {
        workflow: workflow_reference(from.reference),
        created: from.created,
        warnings: from.warnings.iter().map(diagnostic).collect(),
    }
}

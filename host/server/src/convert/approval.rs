use std::sync::Arc;

use baton_api::approval::{Approval, ApprovalStatus, DecidedApproval, Decision};
use baton_engine::{ApprovalOutcome, ApprovalView};

use super::time;

pub(crate) fn approval(from: ApprovalView) -> Approval {
    let status = status(from.status());
    let asked = from.approval;
    let (namespace, name) = from.workflow;
    Approval {
        id: from.id.to_string(),
        run: from.run.to_string(),
        workflow: format!("{namespace}/{name}"),
        task: asked.task.pointer.to_string(),
        visit: asked.task.visit,
        status,
        title: asked.title,
        description: asked.description,
        assignees: asked.assignees,
        form: asked.form.map(Arc::unwrap_or_clone),
        asked_at: time(asked.asked_at),
        due: asked.due.map(time),
        decision: from.outcome.and_then(decided),
    }
}

fn decided(outcome: ApprovalOutcome) -> Option<DecidedApproval> {
    let ApprovalOutcome::Decided { at, answer } = outcome else {
        return None;
    };
    Some(DecidedApproval {
        decision: match answer.decision {
            baton_engine::Decision::Approved => Decision::Approved,
            baton_engine::Decision::Rejected => Decision::Rejected,
        },
        by: answer.by,
        comment: answer.comment,
        data: Arc::unwrap_or_clone(answer.data),
        at: time(at),
    })
}

fn status(from: baton_engine::ApprovalStatus) -> ApprovalStatus {
    match from {
        baton_engine::ApprovalStatus::Open => ApprovalStatus::Open,
        baton_engine::ApprovalStatus::Approved => ApprovalStatus::Approved,
        baton_engine::ApprovalStatus::Rejected => ApprovalStatus::Rejected,
        baton_engine::ApprovalStatus::Withdrawn => ApprovalStatus::Withdrawn,
    }
}

pub(crate) fn approval_status_of_name(name: &str) -> Result<baton_engine::ApprovalStatus, String> {
    let all = baton_engine::ApprovalStatus::ALL;
    all.into_iter()
        .find(|status| status.name() == name)
        .ok_or_else(|| {
            format!(
                "expected one of {}",
                all.map(baton_engine::ApprovalStatus::name).join(", ")
            )
        })
}

use std::sync::Arc;

use baton_api::run::{
    CallProgress, ConnectorReference, Parent, RestartOf, Run, RunError, RunStatus, RunSummary,
};
use baton_engine::{ParentView, RestartView, RunView, Status};
use serde_json::Value;

use super::{time, workflow_reference};

pub(crate) fn run(mut from: RunView) -> Run {
    let input = Arc::unwrap_or_clone(std::mem::take(&mut from.input));
    let output = from.output.take().map_or(Value::Null, Arc::unwrap_or_clone);
    let connectors = std::mem::take(&mut from.connectors)
        .into_iter()
        .map(connector_reference)
        .collect();
    let progress = std::mem::take(&mut from.progress)
        .into_iter()
        .map(call_progress)
        .collect();
    let failed = from.error.take().map(error);
    let summary = RunSummary {
        error: failed,
        ..run_summary(from)
    };
    Run {
        summary,
        input,
        output,
        connectors,
        progress,
        waits_for: Vec::new(),
    }
}

/// Without what may be large: input, output, and the data of the error.
pub(crate) fn run_summary(from: RunView) -> RunSummary {
    RunSummary {
        id: from.id.to_string(),
        workflow: workflow_reference(from.workflow),
        status: status(from.status),
        error: from.error.map(|failed| RunError {
            data: None,
            ..error(failed)
        }),
        started_at: time(from.started_at),
        ended_at: from.ended_at.map(time),
        tags: from.tags,
        parent: from.parent.map(parent),
        trigger: from.trigger.map(super::schedule::scheduled),
        restart_of: from.restart_of.map(restart_of),
    }
}

fn parent(from: ParentView) -> Parent {
    Parent {
        run: from.run.to_string(),
        task: from.task.pointer.to_string(),
    }
}

fn restart_of(from: RestartView) -> RestartOf {
    RestartOf {
        run: from.run.to_string(),
        by: from.by,
    }
}

pub(crate) fn status(from: Status) -> RunStatus {
    match from {
        Status::Pending => RunStatus::Pending,
        Status::Running => RunStatus::Running,
        Status::Waiting => RunStatus::Waiting,
        Status::Suspended => RunStatus::Suspended,
        Status::Cancelled => RunStatus::Cancelled,
        Status::Faulted => RunStatus::Faulted,
        Status::Completed => RunStatus::Completed,
    }
}

/// The status that a client names in a filter.
pub(crate) fn status_of_name(name: &str) -> Result<Status, String> {
    let found = RunStatus::ALL
        .into_iter()
        .find(|status| status.name() == name);
    let found = found.ok_or_else(|| {
        let names: Vec<&str> = RunStatus::ALL.into_iter().map(RunStatus::name).collect();
        format!("expected one of {}", names.join(", "))
    })?;
    Ok(match found {
        RunStatus::Pending => Status::Pending,
        RunStatus::Running => Status::Running,
        RunStatus::Waiting => Status::Waiting,
        RunStatus::Suspended => Status::Suspended,
        RunStatus::Cancelled => Status::Cancelled,
        RunStatus::Faulted => Status::Faulted,
        RunStatus::Completed => Status::Completed,
    })
}

pub(super) fn error(from: baton_engine::Error) -> RunError {
    RunError {
        type_uri: from.type_uri,
        status: from.status,
        instance: from.instance,
        title: from.title,
        detail: from.detail,
        data: from.data,
    }
}

fn connector_reference(from: baton_engine::ConnectorReference) -> ConnectorReference {
    ConnectorReference {
        name: from.name,
        version: from.version,
        digest: from.digest.to_string(),
    }
}

fn call_progress(from: baton_engine::CallProgress) -> CallProgress {
    CallProgress {
        task: from.task.pointer.to_string(),
        visit: from.task.visit,
        attempt: from.attempt,
        heartbeats: from.heartbeats,
        progress: from.progress.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_name_that_is_read_again() {
        for name in RunStatus::ALL.map(RunStatus::name) {
            assert_eq!(status(status_of_name(name).unwrap()).name(), name);
            assert_eq!(
                serde_json::to_value(status(status_of_name(name).unwrap())).unwrap(),
                name
            );
        }
        assert!(
            status_of_name("Running")
                .unwrap_err()
                .contains("pending, running")
        );
    }
}

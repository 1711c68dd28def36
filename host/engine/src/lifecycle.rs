//! The specification's lifecycle events (dsl.md, "Lifecycle Events"): lines of a run's history as CloudEvents.
//!
//! They go into the tenant's log with the event of the run that brought them about, so that each is there once.

use baton_store::RunId;
use baton_store::record::RunIndexRecord;
use baton_workflow::CloudEvent;
use baton_workflow::cloud_event::{LIFECYCLE_PREFIX, lifecycle_source};
use baton_workflow::machine::{Note, NoteKind};
use serde_json::{Map, Value, json};

use crate::settings::LifecycleEvents;

/// The events that a line of a run's history is.
pub(crate) fn events(
    wanted: LifecycleEvents,
    run: &RunId,
    workflow: &RunIndexRecord,
    note: &Note,
) -> Vec<CloudEvent> {
    let is_about_a_task = note.task.is_some() && !is_correlation(note.kind);
    let is_wanted = match wanted {
        LifecycleEvents::Off => false,
        LifecycleEvents::Workflows => !is_about_a_task,
        LifecycleEvents::Tasks => true,
    };
    let name = note.kind.name();
    // What the specification has no event for.
    let is_ours = matches!(
        name,
        "task.skipped" | "task.secret.revealed" | "workflow.retried"
    ) || name.contains(".compensation.");
    if !is_wanted || is_ours {
        return Vec::new();
    }
    let event = |name: &str, id: String| {
        let mut event = Map::new();
        let mut put = |name: &str, value: Value| event.insert(name.to_owned(), value);
        put("specversion", "1.0".into());
        put("id", id.into());
        put("source", source(workflow).into());
        put("type", format!("{LIFECYCLE_PREFIX}{name}.v1").into());
        put("subject", run.to_string().into());
        put("time", note.at.to_string().into());
        put("datacontenttype", "application/json".into());
        put("data", data(name, run, workflow, note));
        CloudEvent::new(Value::Object(event))
    };
    let id = format!("{run}/{}", note.seq);
    // A task is created when the run comes to it, and starts at once.
    let created = (note.kind == NoteKind::TaskStarted)
        .then(|| event("task.created", format!("{id}/created")));
    let all = created.into_iter().chain([event(name, id)]);
    all.filter_map(|event| {
        event
            .inspect_err(|error| tracing::error!(%run, %error, "a lifecycle event is no event"))
            .ok()
    })
    .collect()
}

fn is_correlation(kind: NoteKind) -> bool {
    matches!(
        kind,
        NoteKind::WorkflowCorrelationStarted | NoteKind::WorkflowCorrelationCompleted
    )
}

fn source(workflow: &RunIndexRecord) -> String {
    lifecycle_source(&workflow.namespace, &workflow.name, &workflow.version)
}

/// The data of dsl-reference, "Lifecycle Events".
fn data(name: &str, run: &RunId, workflow: &RunIndexRecord, note: &Note) -> Value {
    let qualified = format!("{}-{run}.{}", workflow.name, workflow.namespace);
    let (about, what) = name.split_once('.').unwrap_or((name, ""));
    let mut data = match (about, &note.task) {
        ("task", Some(task)) => json!({ "workflow": qualified, "task": *task.pointer }),
        _ => json!({ "name": qualified }),
    };
    if name == "workflow.started" {
        data["definition"] = json!({
            "name": workflow.name, "namespace": workflow.namespace, "version": workflow.version,
        });
    }
    // `started` is told as `startedAt`, `correlation-started` too.
    let what = what.rsplit('-').next().unwrap_or(what);
    data[format!("{what}At")] = note.at.to_string().into();
    if let Some(error) = note.detail.error.as_ref().filter(|_| what == "faulted") {
        data["error"] = error.to_value();
    }
    if name == "workflow.completed" {
        data["outputUri"] = format!("/v1/runs/{run}").into();
    }
    if let Some(keys) = &note.detail.correlation_keys {
        data["correlationKeys"] = Value::clone(keys);
    }
    data
}

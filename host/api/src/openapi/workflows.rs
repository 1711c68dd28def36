use crate::diagnostic::Validation;
use crate::page::{Page, PageRequest};
use crate::routes;
use crate::workflow::{PublishedWorkflow, Workflow, WorkflowFilter, WorkflowSummary};

/// Publish a workflow
///
/// A version is immutable. The same content again is no error; other content under the same version is.
/// A document with errors is answered with all of them at once, and nothing is stored.
#[utoipa::path(
    post,
    path = routes::WORKFLOWS,
    tag = "workflows",
    operation_id = "publishWorkflow",
    request_body(
        description = "The document, at most 1 MiB.",
        content((String = "application/yaml"), (String = "application/json"))
    ),
    responses(
        (status = 201, description = "Published.", body = PublishedWorkflow,
            headers(("Location" = String, description = "The version's path."))),
        (status = 200, description = "The same content was published before.", body = PublishedWorkflow,
            headers(("Location" = String, description = "The version's path."))),
        (status = 409, response = crate::openapi::ProblemResponse),
        (status = 422, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn publish() {}

/// Check a document
///
/// Says what is wrong with a document, as publishing it would. Nothing is stored.
#[utoipa::path(
    post,
    path = routes::VALIDATE,
    tag = "workflows",
    operation_id = "validateWorkflow",
    request_body(
        description = "The document, at most 1 MiB.",
        content((String = "application/yaml"), (String = "application/json"))
    ),
    responses((status = 200, description = "The diagnostics, if any.", body = Validation))
)]
pub(super) fn validate() {}

/// List workflows
///
/// Every version of every workflow, by namespace, name and version.
#[utoipa::path(
    get,
    path = routes::WORKFLOWS,
    tag = "workflows",
    operation_id = "listWorkflows",
    params(WorkflowFilter, PageRequest),
    responses((status = 200, description = "A page of the list.", body = Page<WorkflowSummary>))
)]
pub(super) fn list() {}

/// Read the highest version of a workflow
#[utoipa::path(
    get,
    path = routes::WORKFLOW,
    tag = "workflows",
    operation_id = "readWorkflow",
    params(
        ("namespace" = String, Path, description = "`document.namespace`."),
        ("name" = String, Path, description = "`document.name`."),
    ),
    responses(
        (status = 200, description = "The workflow, or with `Accept: application/yaml` its text alone, byte for byte.",
            content((Workflow = "application/json"), (String = "application/yaml")),
            headers(("ETag" = String, description = "The digest of the text, where the text alone is given."))),
        (status = 304, description = "The text was asked for, and `If-None-Match` has its digest."),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn highest() {}

/// Read a version of a workflow
#[utoipa::path(
    get,
    path = routes::WORKFLOW_VERSION,
    tag = "workflows",
    operation_id = "readWorkflowVersion",
    params(
        ("namespace" = String, Path, description = "`document.namespace`."),
        ("name" = String, Path, description = "`document.name`."),
        ("version" = String, Path, description = "`document.version`."),
    ),
    responses(
        (status = 200, description = "The workflow, or with `Accept: application/yaml` its text alone, byte for byte.",
            content((Workflow = "application/json"), (String = "application/yaml")),
            headers(("ETag" = String, description = "The digest of the text, where the text alone is given."))),
        (status = 304, description = "The text was asked for, and `If-None-Match` has its digest."),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn version() {}

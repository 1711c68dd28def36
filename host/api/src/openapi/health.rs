use crate::health::Health;
use crate::routes;

/// Is the host alive
#[utoipa::path(
    get,
    path = routes::HEALTH,
    tag = "host",
    operation_id = "isAlive",
    responses((status = 200, description = "It answers.", body = Health))
)]
pub(super) fn alive() {}

/// Does the host take work
#[utoipa::path(
    get,
    path = routes::READY,
    tag = "host",
    operation_id = "isReady",
    responses(
        (status = 200, description = "It has recovered its runs and takes work.", body = Health),
        (status = 503, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn ready() {}

/// This document
#[utoipa::path(
    get,
    path = routes::OPENAPI,
    tag = "host",
    operation_id = "readOpenApi",
    responses((status = 200, description = "The OpenAPI document.", body = Object, content_type = "application/json"))
)]
pub(super) fn openapi() {}

/// The JSON Schema of workflow documents
///
/// The Open Workflow Specification's own schema with the additions of this host, for editors.
#[utoipa::path(
    get,
    path = routes::WORKFLOW_SCHEMA,
    tag = "host",
    operation_id = "readWorkflowSchema",
    responses((status = 200, description = "The JSON Schema, 2020-12.", body = Object, content_type = "application/schema+json"))
)]
pub(super) fn workflow_schema() {}

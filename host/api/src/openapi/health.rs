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

use crate::approval::{Approval, ApprovalFilter, DecideApproval};
use crate::page::{Page, PageRequest};
use crate::routes;

/// List approvals
///
/// What people are asked: those that are open, unless another status is asked for.
#[utoipa::path(
    get,
    path = routes::APPROVALS,
    tag = "approvals",
    operation_id = "listApprovals",
    params(ApprovalFilter, PageRequest),
    responses((status = 200, description = "A page of the list.", body = Page<Approval>))
)]
pub(super) fn list() {}

/// Read an approval
#[utoipa::path(
    get,
    path = routes::APPROVAL,
    tag = "approvals",
    operation_id = "readApproval",
    params(("id" = String, Path, description = "The approval's id.")),
    responses(
        (status = 200, description = "The approval.", body = Approval),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn read() {}

/// Decide an approval
///
/// In the name of the caller's token, which must be one of the assignees where there are any. The run goes on
/// with the decision. An approval is decided once.
#[utoipa::path(
    post,
    path = routes::APPROVAL,
    tag = "approvals",
    operation_id = "decideApproval",
    params(("id" = String, Path, description = "The approval's id.")),
    request_body(content = DecideApproval, content_type = "application/json"),
    responses(
        (status = 200, description = "The approval, decided.", body = Approval),
        (status = 403, response = crate::openapi::ProblemResponse),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 409, response = crate::openapi::ProblemResponse),
        (status = 422, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn decide() {}

use crate::page::{Page, PageRequest};
use crate::routes;
use crate::secret::{Secret, SetSecret};

/// Set a secret
///
/// It is sealed before it is stored. Workflows that name it under `use.secrets`, and connectors that are granted it,
/// get a placeholder; the host puts the value in its place in what is sent to one of the secret's hosts.
#[utoipa::path(
    put,
    path = routes::SECRET,
    tag = "secrets",
    operation_id = "setSecret",
    params(("secret" = String, Path,
        description = "The name: 1 to 63 letters, digits, `-`, `_` and `.`, a letter first.")),
    request_body(content = SetSecret),
    responses(
        (status = 200, description = "Set in place of what was there.", body = Secret),
        (status = 201, description = "Made.", body = Secret,
            headers(("Location" = String, description = "The secret's path."))),
        (status = 409, response = crate::openapi::ProblemResponse),
        (status = 422, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn set() {}

/// List secrets
///
/// By name, without their values, which nothing gives out.
#[utoipa::path(
    get,
    path = routes::SECRETS,
    tag = "secrets",
    operation_id = "listSecrets",
    params(PageRequest),
    responses((status = 200, description = "A page of the list.", body = Page<Secret>))
)]
pub(super) fn list() {}

/// Remove a secret
///
/// Calls that begin from now on can't use it.
#[utoipa::path(
    delete,
    path = routes::SECRET,
    tag = "secrets",
    operation_id = "removeSecret",
    params(("secret" = String, Path, description = "The name.")),
    responses(
        (status = 204, description = "Removed."),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn remove() {}

use crate::routes;

/// Back up the host
///
/// All that the host keeps, of all tenants, as of the beginning of the answer; work goes on meanwhile. Only a token
/// that the configuration makes an operator's may ask for it. The answer ends with a checksum of itself, by which
/// `baton restore` knows one that was cut off; there is one at a time. The key that secrets are sealed under is not
/// in it.
#[utoipa::path(
    get,
    path = routes::BACKUP,
    tag = "host",
    operation_id = "backUp",
    responses(
        (status = 200, description = "The backup.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 403, response = crate::openapi::ProblemResponse),
        (status = 429, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn backup() {}

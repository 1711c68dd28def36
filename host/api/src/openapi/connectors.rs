use crate::connector::{
    CallFunction, CallResult, Connector, ConnectorSummary, Grants, InstallOptions,
};
use crate::page::{Page, PageRequest};
use crate::routes;

/// Install a connector
///
/// The body is a WebAssembly component. Its functions with their schemas, and its imports as requests for
/// capabilities, are read from the binary. A component that this host can't run is refused, and nothing is
/// stored. Under a name that is taken this is an upgrade: new runs use the new component and the grants
/// stay as they are; runs under way keep the component that they started with.
#[utoipa::path(
    post,
    path = routes::CONNECTORS,
    tag = "connectors",
    operation_id = "installConnector",
    params(InstallOptions),
    request_body(description = "The component, at most 64 MiB.",
        content = Vec<u8>, content_type = "application/wasm"),
    responses(
        (status = 201, description = "Installed or upgraded.", body = Connector,
            headers(("Location" = String, description = "The connector's path."))),
        (status = 200, description = "The same content was there under this name.", body = Connector,
            headers(("Location" = String, description = "The connector's path."))),
        (status = 422, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn install() {}

/// List connectors
///
/// Those that came with the host and those that the tenant installed, by name.
#[utoipa::path(
    get,
    path = routes::CONNECTORS,
    tag = "connectors",
    operation_id = "listConnectors",
    params(PageRequest),
    responses((status = 200, description = "A page of the list.", body = Page<ConnectorSummary>))
)]
pub(super) fn list() {}

/// Read a connector
#[utoipa::path(
    get,
    path = routes::CONNECTOR,
    tag = "connectors",
    operation_id = "readConnector",
    params(("connector" = String, Path, description = "The name that it is installed under.")),
    responses(
        (status = 200, description = "The connector.", body = Connector),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn read() {}

/// Remove a connector
///
/// And all that it was granted. Runs under way keep the component, but may do nothing with it that needs a
/// grant. What came with the host can't be removed; what was installed in front of it can.
#[utoipa::path(
    delete,
    path = routes::CONNECTOR,
    tag = "connectors",
    operation_id = "removeConnector",
    params(("connector" = String, Path, description = "The name that it is installed under.")),
    responses(
        (status = 204, description = "Removed."),
        (status = 404, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn remove() {}

/// Grant
///
/// Replaces all that the connector was granted. Calls that start after the answer are held to it.
#[utoipa::path(
    put,
    path = routes::CONNECTOR_GRANTS,
    tag = "connectors",
    operation_id = "grantConnector",
    params(("connector" = String, Path, description = "The name that it is installed under.")),
    request_body = Grants,
    responses(
        (status = 200, description = "The connector with its new grants.", body = Connector),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 422, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn grant() {}

/// Call a function once
///
/// Outside of any run and without a record of it, to try a connector out. A function that fails is an
/// answer, not a problem.
#[utoipa::path(
    post,
    path = routes::CONNECTOR_CALL,
    tag = "connectors",
    operation_id = "callFunction",
    params(("connector" = String, Path, description = "The name that it is installed under.")),
    request_body(content = CallFunction, description = "The function and its arguments, at most 4 MiB."),
    responses(
        (status = 200, description = "What became of the call.", body = CallResult),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 422, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) fn call() {}

//! The components that ship with the host, as `plugins/dist` holds them.

use std::sync::Arc;

/// The expression language.
const JQ: &[u8] = include_bytes!("../../../plugins/dist/jq.wasm");
/// `call: a2a`.
const A2A: &[u8] = include_bytes!("../../../plugins/dist/a2a.wasm");
/// `call: asyncapi`.
const ASYNCAPI: &[u8] = include_bytes!("../../../plugins/dist/asyncapi.wasm");
/// `call: grpc`.
const GRPC: &[u8] = include_bytes!("../../../plugins/dist/grpc.wasm");
/// `call: http`.
const HTTP: &[u8] = include_bytes!("../../../plugins/dist/http.wasm");
/// `call: mcp`.
const MCP: &[u8] = include_bytes!("../../../plugins/dist/mcp.wasm");
/// `call: openapi`.
const OPENAPI: &[u8] = include_bytes!("../../../plugins/dist/openapi.wasm");
/// Users and groups of a SCIM 2.0 directory.
const SCIM: &[u8] = include_bytes!("../../../plugins/dist/scim.wasm");

/// The connectors by name.
pub(crate) fn connectors() -> Vec<(String, Arc<[u8]>)> {
    [
        ("a2a", A2A),
        ("asyncapi", ASYNCAPI),
        ("grpc", GRPC),
        ("http", HTTP),
        ("mcp", MCP),
        ("openapi", OPENAPI),
        ("scim", SCIM),
    ]
    .map(|(name, bytes)| (name.to_owned(), Arc::from(bytes)))
    .into()
}

/// The component of the expression language.
pub(crate) fn language() -> Arc<[u8]> {
    Arc::from(JQ)
}

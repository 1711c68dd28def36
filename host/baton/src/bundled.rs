//! The components that ship with the host, as `plugins/dist` holds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use baton_sandbox::{LimitsSpec, Quantity};

/// `run: container`.
const CONTAINER: &[u8] = include_bytes!("../../../plugins/dist/container.wasm");
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
/// `run: script` in JavaScript.
const JAVASCRIPT: &[u8] = include_bytes!("../../../plugins/dist/javascript.wasm");
/// `run: script` in Python.
const PYTHON: &[u8] = include_bytes!("../../../plugins/dist/python.wasm");
/// `run: shell`.
const SHELL: &[u8] = include_bytes!("../../../plugins/dist/shell.wasm");
/// Users and groups of a SCIM 2.0 directory.
const SCIM: &[u8] = include_bytes!("../../../plugins/dist/scim.wasm");

/// The connectors by name.
pub(crate) fn connectors() -> Vec<(String, Arc<[u8]>)> {
    [
        ("a2a", A2A),
        ("asyncapi", ASYNCAPI),
        ("container", CONTAINER),
        ("grpc", GRPC),
        ("http", HTTP),
        ("javascript", JAVASCRIPT),
        ("mcp", MCP),
        ("openapi", OPENAPI),
        ("python", PYTHON),
        ("scim", SCIM),
        ("shell", SHELL),
    ]
    .map(|(name, bytes)| (name.to_owned(), Arc::from(bytes)))
    .into()
}

/// The limits of the connectors that need others than the defaults, by name.
///
/// An interpreter and what a script keeps in it take more memory than what speaks HTTP, and a command or a
/// container may take as long as its workflow lets it.
pub(crate) fn limits() -> BTreeMap<String, LimitsSpec> {
    let text = |text: &str| Some(Quantity::Text(text.to_owned()));
    let script = LimitsSpec {
        memory: text("256MiB"),
        ..LimitsSpec::default()
    };
    let process = LimitsSpec {
        time: text("24h"),
        response: text("16MiB"),
        ..LimitsSpec::default()
    };
    [
        ("container", process.clone()),
        ("javascript", script.clone()),
        ("python", script),
        ("shell", process),
    ]
    .map(|(name, limits)| (name.to_owned(), limits))
    .into()
}

/// The component of the expression language.
pub(crate) fn language() -> Arc<[u8]> {
    Arc::from(JQ)
}

//! The components that ship with the host, as `plugins/dist` holds them. What each of them is is known from when it
//! was built: none is read before somebody uses it.

use std::collections::BTreeMap;

use baton_engine::{Bundled, Digest};
use baton_sandbox::{LimitsSpec, Quantity};
use serde::Deserialize;

/// What was written down of each when it was built. A test holds the components to it.
const RECORDS: &str = include_str!("../../../plugins/dist/digests.toml");

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
pub(crate) fn connectors() -> BTreeMap<String, Bundled> {
    let records = records();
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
    .map(|(name, bytes)| (name.to_owned(), bundled(&records, name, bytes)))
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
pub(crate) fn language() -> Bundled {
    bundled(&records(), "jq", JQ)
}

/// What was written down of a component.
#[derive(Deserialize)]
struct Record {
    /// Its SHA-256, in hexadecimal.
    component: String,
}

fn records() -> BTreeMap<String, Record> {
    toml::from_str(RECORDS).expect("`cargo run -p baton-build` has written it")
}

fn bundled(records: &BTreeMap<String, Record>, name: &str, bytes: &'static [u8]) -> Bundled {
    let digest = records
        .get(name)
        .and_then(|record| hex::decode(&record.component).ok())
        .and_then(|digest| digest.try_into().ok());
    let digest = digest.expect("`cargo run -p baton-build` has written down what it has built");
    Bundled::known(Digest(digest), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_the_component_that_was_written_down() {
        let language = ("jq".to_owned(), language());
        for (name, known) in connectors().into_iter().chain([language]) {
            let found = Bundled::new(known.bytes().to_vec());
            assert_eq!(known.digest(), found.digest(), "{name}");
        }
    }
}

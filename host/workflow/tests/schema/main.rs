//! The language as a JSON Schema: that it is the specification's with our additions and nothing else, and
//! that it agrees with how the host reads documents. An editor that shows no error for a document which the
//! host refuses is a nuisance; one that shows an error where the host is content is a lie.

mod agreement;
mod corpus;
mod differences;
mod mutated;

use std::path::PathBuf;
use std::sync::LazyLock;

use baton_workflow::document::SCHEMA;
use serde_json::Value;

/// The schema as a value.
static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(SCHEMA).expect("the schema is JSON"));

static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    jsonschema::draft202012::new(&DOCUMENT)
        .expect("the schema is one, and refers to nothing outside")
});

/// What the schema says against a document, one line each.
fn violations(document: &Value) -> String {
    VALIDATOR
        .iter_errors(document)
        .map(|error| format!("{}: {error}\n", error.instance_path()))
        .collect()
}

/// The folder with the specification: `BATON_SPEC`, or `shared/spec` beside the repository.
fn specification() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec");
    let folder = std::env::var_os("BATON_SPEC").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// A text in YAML as JSON, by a parser that is not ours.
fn yaml(text: &str) -> Value {
    // YAML 1.2: `on` is a word.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

//! `call`: a function of a connector. `call: http` is one too: `request@http`.

use serde_json::Value;

use super::builder::{Moment, child};
use super::catalog::{FunctionReference, Signature};
use super::lower::Lowering;
use super::{Template, arguments};
use crate::diagnostic::code;
use crate::document;

/// A call, its function looked up.
#[derive(Debug)]
pub(crate) struct Call {
    /// The connector's name, as installed.
    pub(crate) connector: String,
    /// The interface, where the document names one.
    pub(crate) interface: Option<String>,
    pub(crate) function: String,
    /// An object: a value for each parameter that the document gives.
    pub(crate) arguments: Template,
    /// How the call authenticates, where an expression of the document asks for it: `$authorization`.
    pub(crate) authentication: Option<Template>,
}

/// Lowers a `call` that stands at `pointer`.
pub(super) fn lower(lowering: &mut Lowering<'_>, it: &document::Call, pointer: &str) -> Call {
    let with = format!("{pointer}/with");
    match it {
        document::Call::Http(_) => {
            let reference = FunctionReference {
                interface: None,
                function: "request".to_owned(),
                version: None,
                connector: "http".to_owned(),
            };
            let arguments = http_arguments(lowering, &with);
            finish(
                lowering,
                reference,
                &format!("{pointer}/call"),
                &with,
                arguments,
            )
        }
        document::Call::Function(call) => {
            let at = format!("{pointer}/call");
            let Some(reference) = FunctionReference::parse(&call.function.value) else {
                let message = format!("`{}` is no function of a connector", call.function.value);
                let help = "write it as `function@connector`, for example `create-user@scim`";
                let diagnostic = lowering
                    .document
                    .error_at(&at, code::UNKNOWN_FUNCTION, message);
                lowering
                    .builder
                    .report(diagnostic.with_help(help.to_owned()));
                return nothing();
            };
            let arguments = lowering.document.value_at(&with).cloned();
            let arguments = arguments.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
            let template = lowering.builder.template(&arguments, &with, Moment::During);
            finish(lowering, reference, &at, &with, (arguments, template))
        }
        // The document says itself that such a call is unsupported.
        document::Call::Protocol(_) | document::Call::Approval(_) => nothing(),
    }
}

/// What stands in for a call that could not be lowered; a diagnostic keeps it from being run.
fn nothing() -> Call {
    let arguments = Template::Constant(Default::default());
    Call {
        connector: String::new(),
        interface: None,
        function: String::new(),
        arguments,
        authentication: None,
    }
}

/// Looks the function up and checks the arguments against it.
fn finish(
    lowering: &mut Lowering<'_>,
    reference: FunctionReference,
    at: &str,
    with: &str,
    (arguments, template): (Value, Template),
) -> Call {
    match lowering.catalog.function(&reference) {
        Ok(signature) => check(
            lowering,
            &reference,
            &signature,
            &arguments,
            if has(lowering, with) { with } else { at },
        ),
        Err(missing) => {
            let diagnostic =
                lowering
                    .document
                    .error_at(at, code::UNKNOWN_FUNCTION, missing.message);
            lowering.builder.report(diagnostic.with_help(missing.help));
        }
    }
    lowering.connectors.insert(reference.connector.clone());
    Call {
        connector: reference.connector,
        interface: reference.interface,
        function: reference.function,
        authentication: authentication_of(lowering, &template),
        arguments: template,
    }
}

/// The authentication among the arguments, where the document uses `$authorization` at all.
fn authentication_of(lowering: &Lowering<'_>, arguments: &Template) -> Option<Template> {
    let is_used = lowering.document.text().contains("$authorization");
    let of_endpoint = || arguments.member("endpoint")?.member("authentication");
    is_used
        .then(|| of_endpoint().or_else(|| arguments.member("authentication")))
        .flatten()
}

fn has(lowering: &Lowering<'_>, pointer: &str) -> bool {
    lowering.document.value_at(pointer).is_some()
}

fn check(
    lowering: &mut Lowering<'_>,
    reference: &FunctionReference,
    signature: &Signature,
    with: &Value,
    at: &str,
) {
    let function = format!("{}@{}", reference.function, reference.connector);
    let is_loose = lowering.builder.is_loose();
    for diagnostic in arguments::check(lowering.document, &function, signature, with, at, is_loose)
    {
        lowering.builder.report(diagnostic);
    }
}

/// The arguments of `call: http`: the endpoint's URI may be a URI template, and its authentication the
/// name of one under `use`.
fn http_arguments(lowering: &mut Lowering<'_>, with: &str) -> (Value, Template) {
    let mut arguments = lowering
        .document
        .value_at(with)
        .cloned()
        .unwrap_or_default();
    let mut members = Vec::new();
    for (key, value) in arguments.as_object().into_iter().flatten() {
        let pointer = child(with, key);
        let template = match key.as_str() {
            "endpoint" => endpoint(lowering, value, &pointer),
            _ => lowering.builder.template(value, &pointer, Moment::During),
        };
        members.push((key.clone(), template));
    }
    // Whether a reference leads somewhere, the document has checked; the connector never sees one.
    if let Some(endpoint) = arguments.get_mut("endpoint").and_then(Value::as_object_mut) {
        endpoint.shift_remove("authentication");
    }
    (arguments, Template::Object(members))
}

fn endpoint(lowering: &mut Lowering<'_>, value: &Value, pointer: &str) -> Template {
    let members = match value {
        Value::String(text) => return lowering.builder.uri(text, pointer),
        Value::Object(members) => members,
        other => return lowering.builder.template(other, pointer, Moment::During),
    };
    let mut templates = Vec::new();
    for (key, value) in members {
        let at = child(pointer, key);
        let template = match (key.as_str(), value) {
            ("uri", Value::String(text)) => lowering.builder.uri(text, &at),
            ("authentication", value) => authentication(lowering, value, &at),
            _ => lowering.builder.template(value, &at, Moment::During),
        };
        templates.push((key.clone(), template));
    }
    Template::Object(templates)
}

fn authentication(lowering: &mut Lowering<'_>, value: &Value, pointer: &str) -> Template {
    let Some(name) = value.get("use").and_then(Value::as_str) else {
        return lowering.builder.template(value, pointer, Moment::During);
    };
    let defined = child("/use/authentications", name);
    let value = lowering
        .document
        .value_at(&defined)
        .cloned()
        .unwrap_or_default();
    lowering.builder.template(&value, &defined, Moment::During)
}

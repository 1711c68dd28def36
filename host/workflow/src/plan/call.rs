//! `call`: a function of a connector. The calls of the language itself are such calls too: `call: http` is
//! `request@http`, `call: grpc` is `call@grpc`.

mod protocol;

use serde_json::Value;

use super::builder::Moment;
use super::catalog::{FunctionReference, NoSuchFunction, Signature};
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

impl Call {
    /// What is called, as `function@connector`.
    pub(crate) fn name(&self) -> String {
        format!("{}@{}", self.function, self.connector)
    }
}

/// Lowers a `call` that stands at `pointer`.
pub(super) fn lower(lowering: &mut Lowering<'_>, it: &document::Call, pointer: &str) -> Call {
    let with = format!("{pointer}/with");
    match it {
        document::Call::Http(_) => {
            let arguments = lowering.document.value_at(&with).cloned();
            let arguments = arguments.unwrap_or_default();
            let template = protocol::http(lowering, &arguments, &with);
            let reference = built_in("http", "request");
            let arguments = protocol::without_authentication(arguments);
            let at = format!("{pointer}/call");
            finish(lowering, reference, &at, &with, (arguments, template))
        }
        document::Call::Protocol(call) => {
            let template = protocol::arguments(lowering, call);
            let reference = built_in(&call.protocol, protocol::function(call));
            let at = format!("{pointer}/call");
            if let Err(missing) = lowering.catalog.function(&reference) {
                unknown(lowering, missing, &at);
            }
            // The arguments have been read by the protocol's own rules, which say more than a function's
            // types can.
            made(lowering, reference, template)
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
        document::Call::Approval(_) => unreachable!("a task for a person calls no connector"),
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
    // There is no plan where something is wrong, and nothing more to say of what is called.
    if lowering.builder.is_full() {
        return nothing();
    }
    let reference = lowering.catalog.resolve(reference);
    match lowering.catalog.function(&reference) {
        Ok(signature) => check(
            lowering,
            &reference,
            &signature,
            &arguments,
            if has(lowering, with) { with } else { at },
        ),
        Err(missing) => unknown(lowering, missing, at),
    }
    made(lowering, reference, template)
}

fn unknown(lowering: &mut Lowering<'_>, missing: NoSuchFunction, at: &str) {
    let diagnostic = lowering
        .document
        .error_at(at, code::UNKNOWN_FUNCTION, missing.message);
    lowering.builder.report(diagnostic.with_help(missing.help));
}

fn made(lowering: &mut Lowering<'_>, reference: FunctionReference, arguments: Template) -> Call {
    lowering.connectors.insert(reference.connector.clone());
    Call {
        connector: reference.connector,
        interface: reference.interface,
        function: reference.function,
        authentication: authentication_of(lowering, &arguments),
        arguments,
    }
}

/// A function of a connector that ships with the host.
fn built_in(connector: &str, function: &str) -> FunctionReference {
    FunctionReference {
        interface: None,
        function: function.to_owned(),
        version: None,
        connector: connector.to_owned(),
    }
}

/// The authentication among the arguments, where the document uses `$authorization` at all.
fn authentication_of(lowering: &Lowering<'_>, arguments: &Template) -> Option<Template> {
    let is_used = lowering.document.text().contains("$authorization");
    is_used
        .then(|| protocol::authentication_of(arguments))
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

//! The arguments of the calls that the language itself has, made those of the connector that speaks the
//! protocol.
//!
//! What is under `with` becomes the function's parameters, under the names that WIT has for them:
//! `operationId` is `operation-id`. Three things are more than values with expressions in them: an endpoint,
//! whose URI may be a template; an authentication, which may be the name of one under `use`; and a duration,
//! which the connector is given in milliseconds.

use serde_json::Value;

use crate::document::ProtocolCall;
use crate::plan::Template;
use crate::plan::builder::{Moment, child};
use crate::plan::lower::Lowering;

/// What a value under `with` is.
#[derive(Clone, Copy)]
enum Shape {
    /// JSON with expressions in it.
    Value,
    /// A URI, or an object with `uri` and `authentication` (dsl-reference, "Endpoint").
    Endpoint,
    /// An authentication, or where one is (dsl-reference, "Authentication").
    Authentication,
    /// An object whose members have shapes of their own. Those that are not listed are values.
    Members(&'static [(&'static str, Shape)]),
}

use Shape::{Authentication, Endpoint, Members};

/// dsl-reference, "External Resource".
const RESOURCE: Shape = Members(&[("endpoint", Endpoint)]);
const HTTP: Shape = Members(&[("endpoint", Endpoint)]);
const OPENAPI: Shape = Members(&[("document", RESOURCE), ("authentication", Authentication)]);
const ASYNCAPI: Shape = OPENAPI;
const GRPC: Shape = Members(&[
    ("proto", RESOURCE),
    ("service", Members(&[("authentication", Authentication)])),
]);
const A2A: Shape = Members(&[("agentCard", RESOURCE), ("server", Endpoint)]);
const MCP: Shape = Members(&[(
    "transport",
    Members(&[("http", Members(&[("endpoint", Endpoint)]))]),
)]);

/// The function of the connector that makes the call.
pub(super) fn function(call: &ProtocolCall) -> &'static str {
    match call.protocol.as_str() {
        "asyncapi" if call.with.contains_key("message") => "publish",
        "asyncapi" => "subscribe",
        _ => "call",
    }
}

/// The arguments of `call: http`.
pub(super) fn http(lowering: &mut Lowering<'_>, with: &Value, pointer: &str) -> Template {
    lower(lowering, HTTP, with, pointer)
}

/// The arguments of a call of another protocol.
pub(super) fn arguments(lowering: &mut Lowering<'_>, call: &ProtocolCall) -> Template {
    let pointer = call.with.location.pointer.to_string();
    let shape = match call.protocol.as_str() {
        "openapi" => OPENAPI,
        "grpc" => GRPC,
        "asyncapi" => ASYNCAPI,
        "a2a" => A2A,
        _ => MCP,
    };
    let mut members = Vec::new();
    for (key, value) in &call.with.value {
        let template = match (key.as_str(), &call.timeout) {
            // The host's own affair: the connector hands over message by message, until no more is wanted.
            ("subscription", _) => continue,
            ("timeout", Some(timeout)) => {
                let duration = lowering.builder.duration(timeout, Moment::During);
                Template::Milliseconds(Box::new(duration))
            }
            _ => lower(lowering, shape.member(key), value, &child(&pointer, key)),
        };
        members.push((kebab(key), template));
    }
    Template::Object(members)
}

/// The authentication among the arguments of a call: of the call itself, of its service, or of the first
/// endpoint that has one.
pub(super) fn authentication_of(arguments: &Template) -> Option<Template> {
    const PLACES: [&[&str]; 5] = [
        &["endpoint"],
        &[],
        &["service"],
        &["server"],
        &["transport", "http", "endpoint"],
    ];
    PLACES.iter().find_map(|place| {
        let mut found = arguments.clone();
        for key in *place {
            found = found.member(key)?;
        }
        found.member("authentication")
    })
}

/// What remains to be checked of the arguments of `call: http`. Whether a reference to an authentication leads
/// somewhere, the document has checked; the connector never sees one.
pub(super) fn without_authentication(mut arguments: Value) -> Value {
    if let Some(endpoint) = arguments.get_mut("endpoint").and_then(Value::as_object_mut) {
        endpoint.shift_remove("authentication");
    }
    arguments
}

impl Shape {
    fn member(self, key: &str) -> Self {
        let Self::Members(members) = self else {
            return Self::Value;
        };
        let found = members.iter().find(|(name, _)| *name == key);
        found.map_or(Self::Value, |(_, shape)| *shape)
    }
}

fn lower(lowering: &mut Lowering<'_>, shape: Shape, value: &Value, pointer: &str) -> Template {
    match (shape, value) {
        (Endpoint, Value::String(text)) => lowering.builder.uri(text, pointer),
        (Endpoint, Value::Object(_)) => {
            const PARTS: Shape = Members(&[("uri", Endpoint), ("authentication", Authentication)]);
            lower(lowering, PARTS, value, pointer)
        }
        (Authentication, value) => authentication(lowering, value, pointer),
        (Members(_), Value::Object(members)) => {
            let lowered = members.iter().map(|(key, value)| {
                let template = lower(lowering, shape.member(key), value, &child(pointer, key));
                (key.clone(), template)
            });
            Template::Object(lowered.collect())
        }
        _ => lowering.builder.template(value, pointer, Moment::During),
    }
}

/// An authentication in the document itself: the connector never sees a reference to one.
fn authentication(lowering: &mut Lowering<'_>, value: &Value, pointer: &str) -> Template {
    let Some(name) = value.get("use").and_then(Value::as_str) else {
        return policy(lowering, value, pointer);
    };
    let defined = child("/use/authentications", name);
    let value = lowering.document.value_at(&defined).cloned();
    policy(lowering, &value.unwrap_or_default(), &defined)
}

/// A policy. Where its credentials are those of a secret, they are what `$secrets` has of it.
fn policy(lowering: &mut Lowering<'_>, value: &Value, pointer: &str) -> Template {
    let mut schemes = value.as_object().into_iter().flatten();
    let secret =
        schemes.find_map(|(scheme, credentials)| Some((scheme, credentials.get("use")?.as_str()?)));
    match secret {
        None => lowering.builder.template(value, pointer, Moment::During),
        Some((scheme, name)) => {
            let at = child(&child(pointer, scheme), "use");
            let source = format!("$secrets[{}]", Value::from(name));
            let credentials = lowering.builder.expression(&source, &at, Moment::During);
            Template::Object(vec![(scheme.clone(), credentials)])
        }
    }
}

/// The name of a parameter in WIT: `protocolVersion` is `protocol-version`.
fn kebab(name: &str) -> String {
    let mut kebab = String::with_capacity(name.len() + 2);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            kebab.push('-');
        }
        kebab.push(character.to_ascii_lowercase());
    }
    kebab
}

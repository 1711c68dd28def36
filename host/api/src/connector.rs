//! Connectors: components that workflows call functions of, and what they may do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::run::RunError;

/// A connector, as installed for a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connector {
    /// What lists show of it.
    #[serde(flatten)]
    pub summary: ConnectorSummary,
    /// The functions that it exports. This is the schema that documents are checked against.
    pub functions: Vec<Function>,
    /// What it imports: its request for capabilities.
    pub imports: Vec<Import>,
    /// What the tenant has granted.
    pub grants: Grants,
}

/// A connector, as it stands in lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorSummary {
    /// The name that documents call it by: `function@name`.
    pub name: String,
    /// The WIT package of its interfaces, without the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(examples("acme:greeter"))]
    pub package: Option<String>,
    /// The version of its WIT package, if that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The SHA-256 of the component: `sha256:` and 64 hex digits.
    pub digest: String,
    /// Whether it came with the host rather than being installed by the tenant.
    pub bundled: bool,
    /// When the tenant installed it; left out where it came with the host.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_at: Option<String>,
}

/// A function that a connector exports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Function {
    /// Its name, as WIT has it.
    pub name: String,
    /// The interface that exports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// A JSON Schema (2020-12) of the arguments: an object with a property for each parameter. `null` where
    /// the function can't be called.
    pub input: Value,
    /// A JSON Schema (2020-12) of the result; `null` where the function can't be called.
    pub output: Value,
    /// Its documentation, if the component carries any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// Why it can't be called from a workflow, where it can't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
}

/// An interface that a connector imports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Import {
    /// The interface's name with its version.
    #[schema(examples("wasi:http/outgoing-handler@0.2.12"))]
    pub interface: String,
    /// The capability that it asks for; left out where it counts as none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(examples("http"))]
    pub capability: Option<String>,
}

/// What a tenant grants to a connector. What stands here is all that there is: nothing is granted by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grants {
    /// Where outgoing requests may go: `[METHOD ]scheme://host[:port][/path-prefix]`, with `*.` for any
    /// name below a domain.
    #[serde(default)]
    #[schema(examples(json!(["https://*.example.org", "GET https://api.example.org/v1/"])))]
    pub egress: Vec<String>,
    /// Settings that the connector reads.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
    /// Where it may connect by TCP, as `host:port`.
    #[serde(default)]
    #[schema(examples(json!(["nats.example.org:4222"])))]
    pub tcp: Vec<String>,
    /// The names of the secrets that it may ask for: it gets placeholders, whose values the host puts into what is
    /// sent to the hosts that they are bound to.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// The names of the secrets whose values it may hold itself.
    #[serde(default)]
    pub reveal: Vec<String>,
    /// Bounds for each call, where the host's defaults do not fit.
    #[serde(default)]
    pub limits: Limits,
}

/// Bounds for each call of a connector. What is left out is as the host has it by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// A size: memory over all linear memories of a call's instance. 64 MiB by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Quantity>,
    /// A duration: how long a call takes at most, waiting included. 60 s by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Quantity>,
    /// A duration: how long a call computes at most. 10 s by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Quantity>,
    /// How many calls are under way at once at most; others wait. 64 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<usize>,
    /// A size: how large a result or an answer from the network may be. 4 MiB by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Quantity>,
}

/// A size or a duration, as people write them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Quantity {
    /// Bytes for a size, seconds for a duration.
    #[schema(value_type = f64)]
    Number(serde_json::Number),
    /// A number and a unit: `64MiB`, `4MB`; `500ms`, `30s`, `5m`, `1h`.
    Text(String),
}

/// How a connector is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct InstallOptions {
    /// The name to install it under; the name of its WIT package without it. A name that is taken is
    /// upgraded: new runs use the new component, runs under way keep theirs.
    pub name: Option<String>,
}

/// A request to call a function once, outside of any run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallFunction {
    /// The function: `name`, or `interface/name` where two interfaces have one of that name.
    pub function: String,
    /// The arguments by parameter name; an empty object without it.
    #[serde(default = "empty_object")]
    #[schema(value_type = Object)]
    pub arguments: Value,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallResult {
    /// The function's result; `null` where it has none or failed.
    pub output: Value,
    /// What it failed with, as a workflow would see it; left out where it did not fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RunError>,
    /// What it wrote to its log.
    pub log: Vec<LogLine>,
    /// What it asked for and was refused, whether or not it then failed.
    pub refusals: Vec<Refusal>,
}

/// A line of a call's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// How important it is: `trace`, `debug`, `info`, `warn`, `error` or `critical`.
    pub level: String,
    /// What the connector named as its context; `stdout` and `stderr` for what it printed.
    pub context: String,
    /// The text.
    pub message: String,
}

/// Something that a call asked for and was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// What was asked for.
    #[schema(examples("GET https://api.example.org/v1/users"))]
    pub request: String,
    /// Why it was refused.
    pub reason: String,
    /// The egress rule that would allow it, where one would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

fn empty_object() -> Value {
    Value::Object(serde_json::Map::new())
}

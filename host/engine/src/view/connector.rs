//! Connectors, as the engine shows them.

use baton_sandbox::{GrantSpec, LogLine, Refusal};
use baton_store::Digest;
use baton_workflow::{Data, Error, Timestamp};
use serde_json::Value;

/// A connector's name, version and content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorReference {
    /// The name under which workflows know it.
    pub name: String,
    /// The version of its WIT package, where that has one.
    pub version: Option<String>,
    /// The SHA-256 of the component.
    pub digest: Digest,
}

/// A connector that a tenant has.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectorView {
    /// What it is.
    pub reference: ConnectorReference,
    /// The WIT package of its interfaces, without the version: `acme:greeter`.
    pub package: Option<String>,
    /// When the tenant installed it; none where it came with the host.
    pub installed_at: Option<Timestamp>,
    /// The functions that it exports.
    pub functions: Vec<FunctionView>,
    /// What it imports: its request for capabilities.
    pub imports: Vec<ImportView>,
    /// What the tenant has granted it.
    pub grants: GrantSpec,
}

impl ConnectorView {
    /// Whether it came with the host rather than being installed by the tenant.
    pub fn is_bundled(&self) -> bool {
        self.installed_at.is_none()
    }
}

/// A function that a connector exports.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionView {
    /// Its name.
    pub name: String,
    /// The interface that exports it, in full.
    pub interface: Option<String>,
    /// What its author says about it.
    pub docs: Option<String>,
    /// The JSON Schemas (2020-12) of its arguments and its result, or why it can't be called.
    pub schemas: Result<(Value, Value), String>,
}

/// An interface that a connector imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportView {
    /// The interface, in full.
    pub name: String,
    /// The capability that it asks for; none where it counts as none.
    pub capability: Option<String>,
}

/// What an installation came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// The connector.
    pub connector: ConnectorView,
    /// Whether anything changed; false where the same content had that name already.
    pub created: bool,
}

/// What a call outside of any run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct CallView {
    /// The function's result, or what it failed with, as a workflow would see it.
    pub result: Result<Data, Error>,
    /// What it wrote to its log.
    pub log: Vec<LogLine>,
    /// What it was refused.
    pub refusals: Vec<Refusal>,
}

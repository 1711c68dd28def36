//! A component, described.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use wit_parser::{self as wit, FunctionKind, Resolve, WorldItem};

use super::decode::Decoded;
use crate::Capability;
use crate::types::{Reader, Signature, docs};

/// What a component is and what it asks for.
#[derive(Debug, Clone)]
pub struct Description {
    /// The SHA-256 of its bytes.
    pub digest: Digest,
    /// The package of the interfaces that it exports; of the first that is not WASI's, where it exports
    /// several. `None` where it exports bare functions only.
    pub package: Option<Package>,
    /// The functions that it exports, in order. At least one of them can be called, or the component does
    /// not load.
    pub functions: Vec<Function>,
    /// The interfaces that it imports, in order: its request for capabilities.
    pub imports: Vec<Import>,
}

/// The SHA-256 of a component's bytes: its identity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest([u8; 32]);

/// The name and version of a WIT package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What stands before the colon: `acme`.
    pub namespace: String,
    /// What stands behind it: `greeter`. The name under which a connector is installed by default.
    pub name: String,
    /// Its version (semver), where it has one.
    pub version: Option<String>,
}

/// A function that a component exports.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name, in kebab-case.
    pub name: String,
    /// The interface that it is part of, in full: `acme:greeter/greetings@1.0.0`. `None` for a bare function
    /// of the world.
    pub interface: Option<String>,
    /// What its author says about it.
    pub docs: Option<String>,
    /// What it takes and gives, or why it cannot be called.
    pub signature: Result<Signature, String>,
}

/// An interface that a component imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The interface in full, or the name of a bare function: `wasi:http/outgoing-handler@0.2.12`.
    pub name: String,
    /// The capability that it belongs to. `None` where the host has no such interface.
    pub capability: Option<Capability>,
}

impl Description {
    /// The capabilities that the component asks for, each once, without those that are always there.
    #[must_use]
    pub fn requested(&self) -> Vec<Capability> {
        let mut requested: Vec<Capability> = Vec::new();
        for capability in self.imports.iter().filter_map(|import| import.capability) {
            if capability.is_requested() && !requested.contains(&capability) {
                requested.push(capability);
            }
        }
        requested
    }
}

impl Function {
    /// The JSON Schema (2020-12) of the object of its arguments. `None` where it cannot be called.
    #[must_use]
    pub fn input_schema(&self) -> Option<Value> {
        self.signature.as_ref().ok().map(Signature::input_schema)
    }

    /// The JSON Schema (2020-12) of its result. `None` where it cannot be called.
    #[must_use]
    pub fn output_schema(&self) -> Option<Value> {
        self.signature.as_ref().ok().map(Signature::output_schema)
    }

    /// The short name of its interface: `greetings` of `acme:greeter/greetings@1.0.0`.
    #[must_use]
    pub fn interface_name(&self) -> Option<&str> {
        let unversioned = without_version(self.interface.as_deref()?);
        Some(
            unversioned
                .rsplit_once('/')
                .map_or(unversioned, |(_, name)| name),
        )
    }

    /// Whether it is part of an interface that was named in short (`greetings`), without its version
    /// (`acme:greeter/greetings`) or in full.
    #[must_use]
    pub fn is_in(&self, interface: &str) -> bool {
        self.interface.as_deref().is_some_and(|full| {
            full == interface
                || without_version(full) == interface
                || self.interface_name() == Some(interface)
        })
    }
}

impl fmt::Display for Function {
    /// The name as in a catalog call, with the short name of the interface: `greetings/greet`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.interface_name()
            .iter()
            .try_for_each(|interface| write!(f, "{interface}/"))?;
        f.write_str(&self.name)
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.name)?;
        self.version
            .iter()
            .try_for_each(|version| write!(f, "@{version}"))
    }
}

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest whose bytes these are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    /// The algorithm and 64 hexadecimal digits, as in OCI: `sha256:…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no digest: it must be `sha256:` and 64 hexadecimal digits")]
pub struct DigestError(String);

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let digits = text.strip_prefix("sha256:");
        let bytes = digits
            .and_then(|digits| hex::decode(digits).ok())
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| DigestError(text.to_owned()))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

pub(super) fn describe(bytes: &[u8], decoded: &Decoded) -> Description {
    let Decoded { resolve, world } = decoded;
    let world = &resolve.worlds[*world];
    let mut reader = Reader::new(resolve);
    let mut functions = Vec::new();
    for (key, item) in &world.exports {
        match item {
            WorldItem::Interface { id, .. } => {
                let interface = resolve.name_world_key(key);
                let members = resolve.interfaces[*id].functions.values();
                functions.extend(
                    members.map(|member| function(member, Some(interface.clone()), &mut reader)),
                );
            }
            WorldItem::Function(bare) => functions.push(function(bare, None, &mut reader)),
            WorldItem::Type { .. } => {}
        }
    }
    Description {
        digest: Digest::of(bytes),
        package: package(resolve, world),
        functions,
        imports: imports(resolve, world),
    }
}

fn function(
    function: &wit::Function,
    interface: Option<String>,
    reader: &mut Reader<'_>,
) -> Function {
    let signature = match &function.kind {
        FunctionKind::Freestanding => reader.signature(function),
        FunctionKind::AsyncFreestanding => {
            Err("it is asynchronous, which this host cannot call yet".to_owned())
        }
        _ => Err("it belongs to a resource, which lives no longer than one call".to_owned()),
    };
    Function {
        name: function.name.clone(),
        interface,
        docs: docs(&function.docs),
        signature,
    }
}

fn package(resolve: &Resolve, world: &wit::World) -> Option<Package> {
    let exported = world.exports.values().filter_map(|item| match item {
        WorldItem::Interface { id, .. } => resolve.interfaces[*id].package,
        _ => None,
    });
    let names: Vec<_> = exported
        .map(|package| &resolve.packages[package].name)
        .collect();
    // An interface that is declared in the world itself belongs to no package of its own, but to the one
    // that the decoder makes up.
    let own = names.iter().filter(|name| name.namespace != "root");
    let name = own
        .clone()
        .find(|name| name.namespace != "wasi")
        .or_else(|| own.clone().next())?;
    Some(Package {
        namespace: name.namespace.clone(),
        name: name.name.clone(),
        version: name.version.as_ref().map(ToString::to_string),
    })
}

fn imports(resolve: &Resolve, world: &wit::World) -> Vec<Import> {
    let import = |(key, item): (&wit::WorldKey, &WorldItem)| {
        let (name, no_code) = match item {
            WorldItem::Interface { id, .. } => {
                (resolve.name_world_key(key), !has_code(resolve, *id))
            }
            WorldItem::Function(function) => (function.name.clone(), false),
            WorldItem::Type { .. } => return None,
        };
        let capability = Capability::of(&name);
        // An interface of types alone asks for nothing, whoever declares it.
        let capability = if no_code {
            capability.or(Some(Capability::Inert))
        } else {
            capability
        };
        Some(Import { name, capability })
    };
    world.imports.iter().filter_map(import).collect()
}

/// Whether an interface has functions or resources, which somebody must provide.
fn has_code(resolve: &Resolve, id: wit::InterfaceId) -> bool {
    let interface = &resolve.interfaces[id];
    let resource = |id: &wit::TypeId| matches!(resolve.types[*id].kind, wit::TypeDefKind::Resource);
    !interface.functions.is_empty() || interface.types.values().any(resource)
}

fn without_version(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}
